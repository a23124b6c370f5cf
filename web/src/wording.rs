//! Clinical text as it is safely read: tall-man letters, decimals without traps, units in full
//! (ISMP, List of error-prone abbreviations, <https://www.ismp.org/recommendations/error-prone-abbreviations-list>).

use std::collections::HashMap;
use std::sync::OnceLock;

const NO_BREAK: char = '\u{a0}';

/// How units are written; what is said twice is the same.
const UNITS: &[(&str, &str)] = &[
    ("mg", "mg"),
    ("g", "g"),
    ("kg", "kg"),
    ("mcg", "micrograms"),
    ("ug", "micrograms"),
    ("µg", "micrograms"),
    ("micrograms", "micrograms"),
    ("ml", "mL"),
    ("mL", "mL"),
    ("l", "L"),
    ("L", "L"),
    ("iu", "units"),
    ("IU", "units"),
    ("U", "units"),
    ("units", "units"),
    ("mmHg", "mmHg"),
    ("mm[Hg]", "mmHg"),
    ("°C", "°C"),
    ("Cel", "°C"),
    ("%", "%"),
    ("/min", "/min"),
    ("cm", "cm"),
    ("mmol/L", "mmol/L"),
    ("mg/dL", "mg/dL"),
    ("tablet", "tablet"),
    ("tablets", "tablets"),
    ("capsule", "capsule"),
    ("capsules", "capsules"),
    ("drops", "drops"),
    ("days", "days"),
    ("day", "day"),
    ("weeks", "weeks"),
    ("hours", "hours"),
];

/// A name in tall-man letters where it is listed; other names stay plain.
pub(crate) fn tall_man(name: &str) -> String {
    name.split(' ').map(tall_word).collect::<Vec<_>>().join(" ")
}

/// A text as it is safely read.
pub(crate) fn clinical(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let words: Vec<(&str, &str)> = text.split(' ').flat_map(parted).collect();
    let mut before_is_number = false;
    for (place, (word, trail)) in words.iter().enumerate() {
        let unit = unit_of(word).filter(|_| before_is_number);
        if place > 0 {
            said.push(if unit.is_some() { NO_BREAK } else { ' ' });
        }
        let unit_follows = words.get(place + 1).is_some_and(|(next, _)| unit_of(next).is_some()) && trail.is_empty();
        match (unit, measured(word, unit_follows)) {
            (Some(unit), _) => said.push_str(unit),
            (None, Some(number)) => said.push_str(&number),
            (None, None) => said.push_str(&tall_word(word)),
        }
        said.push_str(trail);
        before_is_number = trail.is_empty() && measured(word, false).is_some();
    }
    said
}

/// The unit that UCUM or a doctor writes, as it is read.
pub(crate) fn unit(code: &str) -> &str {
    unit_of(code).unwrap_or(code)
}

fn unit_of(word: &str) -> Option<&'static str> {
    UNITS.iter().find(|(known, _)| *known == word).map(|(_, said)| *said)
}

/// A word and the punctuation behind it; `500mg` is two words.
fn parted(word: &str) -> Vec<(&str, &str)> {
    let core = word.trim_end_matches([',', '.', ';', ':', '?', ')']);
    let trail = word.get(core.len()..).unwrap_or_default();
    let digits = core.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(core.len());
    match core.split_at_checked(digits) {
        Some((number, unit)) if digits > 0 && unit_of(unit).is_some() && unit != "%" => {
            vec![(number, ""), (unit, trail)]
        }
        _ => vec![(core, trail)],
    }
}

/// 0.5 for .5, 5 for 5.0, and where a unit follows 10,000 for 10000; nothing when it is no number.
fn decimal(word: &str, unit_follows: bool) -> Option<String> {
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if word.is_empty() || !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let whole = if unit_follows { thousands(whole) } else { whole.to_owned() };
    let fraction = fraction.trim_end_matches('0');
    Some(if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") })
}

/// One number, or several with a stroke between them, as in 138/86.
fn measured(word: &str, unit_follows: bool) -> Option<String> {
    let parts: Option<Vec<String>> = word.split('/').map(|part| decimal(part, unit_follows)).collect();
    Some(parts?.join("/"))
}

fn thousands(digits: &str) -> String {
    let mut said = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

fn tall_word(word: &str) -> String {
    static NAMES: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let lines = include_str!("../data/tall-man.tsv").lines().filter(|line| !line.starts_with('#'));
        lines
            .skip(1)
            .filter_map(|line| line.split_once('\t'))
            .filter_map(|(name, rest)| Some((name, rest.split('\t').next()?)))
            .collect()
    });
    let core = word.trim_matches(|c: char| !c.is_alphanumeric());
    match names.get(core.to_lowercase().as_str()) {
        Some(tall) => word.replace(core, tall),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{clinical, tall_man, unit};

    #[test]
    fn names_that_are_mistaken_stand_in_tall_letters_and_others_stay() {
        for (plain, tall) in [
            ("amlodipine", "amLODIPine"),
            ("Prednisolone", "prednisoLONE"),
            ("metformin hydrochloride", "metFORMIN hydrochloride"),
            ("paracetamol", "paracetamol"),
        ] {
            assert_eq!(tall_man(plain), tall);
        }
        for line in include_str!("../data/tall-man.tsv").lines().filter(|line| !line.starts_with('#')).skip(1) {
            let [name, tall, source] = line.split('\t').collect::<Vec<_>>().try_into().expect("three columns");
            assert_eq!(tall.to_lowercase(), name);
            assert!(matches!(source, "FDA" | "ISMP"), "{line}");
        }
    }

    #[test]
    fn numbers_have_no_traps() {
        for (typed, said) in [
            (".5 mg", "0.5\u{a0}mg"),
            ("5.0 mg", "5\u{a0}mg"),
            ("10000 units", "10,000\u{a0}units"),
            ("in 2026", "in 2026"),
            ("500mg, then 250mcg.", "500\u{a0}mg, then 250\u{a0}micrograms."),
            ("Inj insulin 6 IU", "Inj insulin 6\u{a0}units"),
            ("Take amlodipine, 5 mg", "Take amLODIPine, 5\u{a0}mg"),
            ("Body temperature: 38.50 Cel", "Body temperature: 38.5\u{a0}°C"),
            ("BP 138/86 mm[Hg]", "BP 138/86\u{a0}mmHg"),
            ("", ""),
        ] {
            assert_eq!(clinical(typed), said, "{typed}");
        }
        assert_eq!((unit("mm[Hg]"), unit("Cel"), unit("banana")), ("mmHg", "°C", "banana"));
    }
}
