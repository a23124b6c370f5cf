//! How alike two patients are (R4 `Patient/$match`, <https://hl7.org/fhir/R4/patient-operation-match.html>): points for what
//! agrees among the elements that both have, by the weights below; the grade says how far that can be relied on.
//!
//! Only an identifier of the same system makes a match certain, and only where birth date and name do not speak against
//! it: two people may share name and birthday.

use crate::index::{LetterCase, fold};
use crate::json::Json;

const IDENTIFIER: u32 = 60;
const BIRTH_DATE: u32 = 40;
const FAMILY: u32 = 30;
const GIVEN: u32 = 20;
const TELECOM: u32 = 20;
const GENDER: u32 = 10;
const POSTAL_CODE: u32 = 10;
/// Less than this in common proves nothing, however well it agrees: a family name with a birth date is enough.
const ENOUGH: u32 = FAMILY + BIRTH_DATE;
const PROBABLE: u32 = 80;
const POSSIBLE: u32 = 50;

/// How far a match can be relied on, of `http://terminology.hl7.org/CodeSystem/match-grade`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// May be another person.
    Possible,
    /// Likely the same person.
    Probable,
    /// The same person.
    Certain,
}

impl Grade {
    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Probable => "probable",
            Self::Possible => "possible",
        }
    }
}

/// How alike two patients are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likeness {
    /// In hundredths.
    pub score: u32,
    /// How far it can be relied on.
    pub grade: Grade,
}

/// What one element says: points, of how many.
type Points = Option<(u32, u32)>;

/// Compares a patient that is looked for with one that is known; nothing where they are not alike.
#[must_use]
pub fn compare(given: &Json, known: &Json) -> Option<Likeness> {
    let identified = identifiers(given, known);
    let birth = birth_date(given, known);
    let (family, forename) = names(given, known);
    let rest = [gender(given, known), telecom(given, known), postal_code(given, known)];
    let all = [identified, birth, family, forename].into_iter().chain(rest).flatten();
    let (points, possible) = all.fold((0, 0), |sum: (u32, u32), one| (sum.0 + one.0, sum.1 + one.1));
    if possible == 0 {
        return None;
    }
    let score = points * 100 / possible.max(ENOUGH);
    let speaks_against = |one: Points| matches!(one, Some((0, _)));
    let same_number = matches!(identified, Some((points, _)) if points > 0);
    let contradicted = speaks_against(birth) || (speaks_against(family) && speaks_against(forename));
    let grade = match (same_number, contradicted) {
        (true, false) => Grade::Certain,
        (true, true) => Grade::Possible,
        (false, _) if score >= PROBABLE => Grade::Probable,
        (false, _) if score >= POSSIBLE => Grade::Possible,
        (false, _) => return None,
    };
    Some(Likeness { score, grade })
}

fn list<'j>(patient: &'j Json, name: &str) -> &'j [Json] {
    patient.get(name).map_or(&[][..], Json::items)
}

/// Another number in the same system speaks against; a number of a system that the other lacks says nothing.
fn identifiers(given: &Json, known: &Json) -> Points {
    let mut shared = false;
    for one in list(given, "identifier") {
        let (Some(system), Some(value)) = (one.get_str("system"), one.get_str("value")) else { continue };
        for other in list(known, "identifier").iter().filter(|other| other.get_str("system") == Some(system)) {
            let number = LetterCase::Folded.comparable(value);
            if other.get_str("value").is_some_and(|own| LetterCase::Folded.comparable(own) == number) {
                return Some((IDENTIFIER, IDENTIFIER));
            }
            shared = true;
        }
    }
    shared.then_some((0, IDENTIFIER))
}

/// A date that is known in part agrees as far as it goes; day and month swapped is a slip of the pen.
fn birth_date(given: &Json, known: &Json) -> Points {
    let (one, other) = (given.get_str("birthDate")?, known.get_str("birthDate")?);
    let points = if one == other {
        BIRTH_DATE
    } else if one.starts_with(other) || other.starts_with(one) {
        BIRTH_DATE * 3 / 4
    } else {
        let parts = |date: &str| date.split('-').map(str::to_owned).collect::<Vec<String>>();
        match (parts(one).as_slice(), parts(other).as_slice()) {
            ([year, month, day], [other_year, other_month, other_day]) if year == other_year => {
                let swapped = month == other_day && day == other_month;
                if swapped || month == other_month || day == other_day { BIRTH_DATE / 2 } else { 0 }
            }
            _ => 0,
        }
    };
    Some((points, BIRTH_DATE))
}

/// The best of the names: maiden names and spellings stand beside each other.
fn names(given: &Json, known: &Json) -> (Points, Points) {
    let folded = |patient: &Json, name: &str| -> Vec<String> {
        let of = |one: &Json| match one.get(name) {
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(fold).collect(),
            Some(Json::String(text)) => vec![fold(text)],
            _ => Vec::new(),
        };
        list(patient, "name").iter().flat_map(of).collect()
    };
    let best = |name: &str, weight: u32| {
        let (ours, theirs) = (folded(given, name), folded(known, name));
        let pairs = ours.iter().flat_map(|one| theirs.iter().map(move |other| (one, other)));
        pairs.map(|(one, other)| (alike(one, other) * weight / 100, weight)).max()
    };
    (best("family", FAMILY), best("given", GIVEN))
}

/// In hundredths: the same, one letter off, or an initial.
fn alike(one: &str, other: &str) -> u32 {
    if one == other {
        return 100;
    }
    let (short, long) = if one.chars().count() <= other.chars().count() { (one, other) } else { (other, one) };
    let initial = short.trim_end_matches('.');
    if initial.chars().count() == 1 && long.starts_with(initial) {
        return 50;
    }
    if short.chars().count() >= 4 && one_letter_off(short, long) { 70 } else { 0 }
}

/// One letter more, or one in the place of another.
fn one_letter_off(short: &str, long: &str) -> bool {
    let (short, long): (Vec<char>, Vec<char>) = (short.chars().collect(), long.chars().collect());
    let same = short.iter().zip(&long).take_while(|(one, other)| one == other).count();
    let rest = |letters: &[char], from: usize| letters.get(from..).unwrap_or_default().to_vec();
    match long.len() - short.len() {
        0 => rest(&short, same + 1) == rest(&long, same + 1),
        1 => rest(&short, same) == rest(&long, same + 1),
        _ => false,
    }
}

fn gender(given: &Json, known: &Json) -> Points {
    let (one, other) = (given.get_str("gender")?, known.get_str("gender")?);
    Some((if one == other { GENDER } else { 0 }, GENDER))
}

/// Telephone numbers by their last ten digits, so that a country code does not part them.
fn telecom(given: &Json, known: &Json) -> Points {
    let contacts = |patient: &Json| -> Vec<String> {
        let of = |one: &Json| {
            let value = one.get_str("value")?;
            if value.contains('@') {
                return Some(value.to_lowercase());
            }
            let digits: Vec<char> = value.chars().filter(char::is_ascii_digit).collect();
            (!digits.is_empty()).then(|| digits.iter().skip(digits.len().saturating_sub(10)).collect())
        };
        list(patient, "telecom").iter().filter_map(of).collect()
    };
    let (ours, theirs) = (contacts(given), contacts(known));
    if ours.is_empty() || theirs.is_empty() {
        return None;
    }
    Some((if ours.iter().any(|one| theirs.contains(one)) { TELECOM } else { 0 }, TELECOM))
}

fn postal_code(given: &Json, known: &Json) -> Points {
    let codes = |patient: &Json| -> Vec<String> {
        list(patient, "address").iter().filter_map(|one| one.get_str("postalCode")).map(fold).collect()
    };
    let (ours, theirs) = (codes(given), codes(known));
    if ours.is_empty() || theirs.is_empty() {
        return None;
    }
    Some((if ours.iter().any(|one| theirs.contains(one)) { POSTAL_CODE } else { 0 }, POSTAL_CODE))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::json::{Limits, parse};

    fn patient(text: &str) -> Json {
        parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn known() -> Json {
        patient(
            r#"{"identifier": [{"system": "urn:mrn", "value": "7"}], "name": [{"family": "Rané", "given": ["Meenakshi"]}],
                "birthDate": "1980-03-04", "gender": "female", "telecom": [{"value": "+91 98765 43210"}]}"#,
        )
    }

    fn grade(text: &str) -> Option<Grade> {
        compare(&patient(text), &known()).map(|likeness| likeness.grade)
    }

    #[test]
    fn a_number_makes_certain_unless_birthday_or_name_contradict() {
        let number = r#""identifier": [{"system": "urn:mrn", "value": "7"}]"#;
        assert_eq!(grade(&format!("{{{number}}}")), Some(Grade::Certain));
        assert_eq!(grade(&format!(r#"{{{number}, "birthDate": "1980-03-04"}}"#)), Some(Grade::Certain));
        assert_eq!(grade(&format!(r#"{{{number}, "birthDate": "1955-01-31"}}"#)), Some(Grade::Possible));
        let other = r#"{"identifier": [{"system": "urn:mrn", "value": "8"}], "name": [{"family": "Rane"}]}"#;
        assert_eq!(grade(other), None);
    }

    #[test]
    fn names_and_birthday_make_probable_at_best() {
        let whole =
            r#"{"name": [{"family": "rane", "given": ["Meenakshi"]}], "birthDate": "1980-03-04", "gender": "female"}"#;
        assert_eq!(compare(&patient(whole), &known()).unwrap(), Likeness { score: 100, grade: Grade::Probable });
        let swapped =
            r#"{"name": [{"family": "Rane", "given": ["M."]}], "birthDate": "1980-04-03", "gender": "female"}"#;
        assert_eq!(grade(swapped), Some(Grade::Possible));
        let spelled = r#"{"name": [{"family": "Ranee", "given": ["Meenakshi"]}], "birthDate": "1980-03", "telecom": [{"value": "09876543210"}]}"#;
        assert_eq!(grade(spelled), Some(Grade::Probable));
    }

    #[test]
    fn little_in_common_proves_nothing() {
        assert_eq!(grade(r#"{"gender": "female"}"#), None);
        assert_eq!(grade(r#"{"name": [{"family": "Rane"}], "gender": "female"}"#), Some(Grade::Possible));
        assert_eq!(grade(r#"{"name": [{"family": "Rane"}], "birthDate": "1951-07-08"}"#), None);
        assert_eq!(grade("{}"), None);
    }
}
