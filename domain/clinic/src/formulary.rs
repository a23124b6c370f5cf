//! The formulary: the medicines that a clinic prescribes, by non-proprietary name, with ATC (<https://atcddd.fhi.no>)
//! and RxNorm (<https://www.nlm.nih.gov/research/umls/rxnorm>) codes, and a phonetic index for names that were misheard.

use std::{cmp::Ordering, collections::HashMap, sync::LazyLock};

use crate::{
    dosage::{DoseUnit, Quantity, unit_named},
    entities::Coding,
    lexicon::{concepts::rows, decimal::Decimal},
};

mod brands;
mod phonetic;

pub use brands::{Brand, Product, brand, brands};
use phonetic::distance_within;
pub use phonetic::{edit_distance, phonetic_key, resemblance};

/// The URI of the Anatomical Therapeutic Chemical classification.
pub const ATC: &str = "http://www.whocc.no/atc";
/// The URI of RxNorm.
pub const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";

/// Is one medicine; an empty text means that the formulary does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medicine {
    /// The non-proprietary name.
    pub generic: &'static str,
    /// Other non-proprietary names.
    pub synonyms: Vec<&'static str>,
    /// The ATC code.
    pub atc: &'static str,
    /// The therapeutic class.
    pub class: &'static str,
    /// The group within which allergies cross.
    pub allergy_class: &'static str,
    /// The forms.
    pub forms: Vec<&'static str>,
    /// The strengths as printed.
    pub strengths: Vec<&'static str>,
    /// The usual route.
    pub route: &'static str,
    /// The usual dose of an adult.
    pub usual_dose: &'static str,
    /// The usual frequency.
    pub usual_frequency: &'static str,
    /// The most that an adult takes in a day.
    pub max_per_day: &'static str,
    /// The RxNorm ingredient.
    pub rxcui: &'static str,
    /// Where the row comes from.
    pub source: &'static str,
}

impl Medicine {
    /// Returns the name and its synonyms.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.generic).chain(self.synonyms.iter().copied())
    }

    /// Returns how a combination of two is said otherwise: the other one first, or joined by another word.
    #[must_use]
    pub fn said_otherwise(&self) -> Vec<String> {
        let Some((one, other)) = self.generic.split_once(" and ") else { return Vec::new() };
        let joined = |first: &str, second: &str| {
            [" and ", " plus ", " with ", " "].map(|between| format!("{first}{between}{second}"))
        };
        [joined(one, other), joined(other, one)].concat()
    }

    /// Returns the codes that the formulary is certain of, RxNorm first.
    #[must_use]
    pub fn codings(&self) -> Vec<Coding> {
        [(RXNORM, self.rxcui), (ATC, self.atc)]
            .into_iter()
            .filter(|(_, code)| !code.is_empty())
            .map(|(system, code)| Coding {
                system: system.to_owned(),
                code: code.to_owned(),
                display: self.generic.to_owned(),
                score: None,
            })
            .collect()
    }

    /// Finds the unit of a bare number, when exactly one strength has that number.
    #[must_use]
    pub fn unit_of(&self, value: Decimal) -> Option<DoseUnit> {
        let mut units =
            self.strengths.iter().filter_map(|strength| quantity(strength)).filter(|strength| strength.value == value);
        let unit = units.next()?.unit;
        units.all(|other| other.unit == unit).then_some(unit)
    }

    /// Tells whether a strength is one that is made; nothing where the formulary or the text does not say it plainly.
    #[must_use]
    pub fn is_made(&self, strength: &str) -> Option<bool> {
        let wanted = mass(quantity(strength)?)?;
        let made: Option<Vec<Decimal>> = self.strengths.iter().map(|strength| mass(quantity(strength)?)).collect();
        Some(made.filter(|made| !made.is_empty())?.contains(&wanted))
    }

    /// Returns the most that an adult takes in a day.
    #[must_use]
    pub fn maximum(&self) -> Option<Quantity> {
        quantity(self.max_per_day)
    }
}

/// A mass in micrograms; nothing for other quantities.
fn mass(quantity: Quantity) -> Option<Decimal> {
    let micrograms = match quantity.unit {
        DoseUnit::Microgram => 1,
        DoseUnit::Milligram => 1_000,
        DoseUnit::Gram => 1_000_000,
        _ => return None,
    };
    quantity.value.times(Decimal::whole(micrograms))
}

fn quantity(text: &str) -> Option<Quantity> {
    let (value, unit) = text.split_once(' ')?;
    Some(Quantity { value: value.parse().ok()?, unit: unit_named(&unit.to_lowercase())? })
}

/// Proposes a medicine for a word that names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The word that was heard.
    pub heard: String,
    /// The name that it resembles.
    pub suggested: &'static str,
    /// The medicine of that name.
    pub medicine: &'static Medicine,
    /// How many letters differ.
    pub distance: usize,
}

/// Is the formulary with its indexes.
pub struct Formulary {
    medicines: Vec<Medicine>,
    by_name: HashMap<String, usize>,
    names: Vec<Name>,
}

/// A name with what a misheard word is compared with.
struct Name {
    text: &'static str,
    letters: Vec<char>,
    sound: Vec<char>,
    medicine: usize,
}

static SEED: LazyLock<Formulary> = LazyLock::new(|| Formulary::read(include_str!("../data/formulary.tsv")));

impl Formulary {
    /// Returns the seed formulary that ships with the program.
    #[must_use]
    pub fn seed() -> &'static Self {
        &SEED
    }

    fn read(text: &'static str) -> Self {
        let medicines: Vec<Medicine> = rows(text).filter_map(|row| medicine(&row)).collect();
        let mut by_name = HashMap::new();
        let mut names = Vec::new();
        for (index, medicine) in medicines.iter().enumerate() {
            by_name.extend(medicine.said_otherwise().into_iter().map(|name| (name, index)));
        }
        for (index, medicine) in medicines.iter().enumerate() {
            for text in medicine.names() {
                by_name.insert(text.to_owned(), index);
                let (letters, sound) = (text.chars().collect(), phonetic_key(text).chars().collect());
                names.push(Name { text, letters, sound, medicine: index });
            }
        }
        Self { medicines, by_name, names }
    }

    /// Returns all medicines in alphabetical order.
    #[must_use]
    pub fn medicines(&self) -> &[Medicine] {
        &self.medicines
    }

    /// Finds a medicine by one of its names, whatever the case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Medicine> {
        self.by_name.get(name.trim().to_lowercase().as_str()).and_then(|index| self.medicines.get(*index))
    }

    /// Finds a medicine by its ATC code.
    #[must_use]
    pub fn find_atc(&self, code: &str) -> Option<&Medicine> {
        self.medicines.iter().find(|medicine| !medicine.atc.is_empty() && medicine.atc == code)
    }

    /// Lists the medicines of a class within which allergies cross.
    pub fn in_allergy_class<'a>(&'a self, class: &'a str) -> impl Iterator<Item = &'a Medicine> {
        self.medicines.iter().filter(move |medicine| !class.is_empty() && medicine.allergy_class == class)
    }
}

impl Formulary {
    /// Proposes the medicine that a misheard word resembles, or none where two resemble it alike.
    #[must_use]
    pub fn repair(&'static self, heard: &str) -> Option<Repair> {
        let folded = heard.trim().to_lowercase();
        let letters: Vec<char> = folded.chars().collect();
        let length = letters.len();
        if length < 5 || self.by_name.contains_key(folded.as_str()) || brand(&folded).is_some() {
            return None;
        }
        let key: Vec<char> = phonetic_key(&folded).chars().collect();
        let mut best: Option<Repair> = None;
        let mut tied = false;
        for name in &self.names {
            // Names that sound alike may differ in a third of their letters, others in a fifth.
            let Some(distance) = distance_within(&letters, &name.letters, length / 3) else { continue };
            let limit = match distance_within(&key, &name.sound, 1) {
                Some(0) => length / 3,
                Some(_) => length / 4,
                None => length / 5,
            };
            let Some(medicine) = self.medicines.get(name.medicine).filter(|_| distance <= limit) else { continue };
            match best.as_ref().map(|best| (distance.cmp(&best.distance), best.medicine.generic == medicine.generic)) {
                Some((Ordering::Greater, _) | (Ordering::Equal, true)) => {}
                Some((Ordering::Equal, false)) => tied = true,
                Some((Ordering::Less, _)) | None => {
                    tied = false;
                    best = Some(Repair { heard: heard.to_owned(), suggested: name.text, medicine, distance });
                }
            }
        }
        best.filter(|_| !tied)
    }
}

fn medicine(row: &[&'static str]) -> Option<Medicine> {
    let [
        generic,
        synonyms,
        atc,
        class,
        allergy_class,
        forms,
        strengths,
        route,
        usual_dose,
        usual_frequency,
        max_per_day,
        rxcui,
        source,
    ] = row
    else {
        return None;
    };
    let list = |cell: &'static str| cell.split('|').filter(|part| !part.is_empty()).collect();
    Some(Medicine {
        generic,
        synonyms: list(synonyms),
        atc,
        class,
        allergy_class,
        forms: list(forms),
        strengths: list(strengths),
        route,
        usual_dose,
        usual_frequency,
        max_per_day,
        rxcui,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_and_cites_its_source() {
        let formulary = Formulary::seed();
        assert_eq!(formulary.medicines().len(), rows(include_str!("../data/formulary.tsv")).count());
        assert!(formulary.medicines().len() >= 200);
        for medicine in formulary.medicines() {
            assert!(!medicine.source.is_empty() && !medicine.class.is_empty(), "{}", medicine.generic);
            assert!(medicine.max_per_day.is_empty() || medicine.maximum().is_some(), "{}", medicine.generic);
            assert!(medicine.names().all(|name| name == name.to_lowercase()), "{}", medicine.generic);
        }
        assert_eq!(formulary.find("Acetaminophen").map(|medicine| medicine.generic), Some("paracetamol"));
        for name in ["formoterol and budesonide", "Formoterol plus budesonide"] {
            assert_eq!(formulary.find(name).map(|medicine| medicine.generic), Some("budesonide and formoterol"));
        }
        assert_eq!(formulary.find_atc("J01FA10").map(|medicine| medicine.generic), Some("azithromycin"));
        assert!(formulary.in_allergy_class("penicillin").count() > 4);
        assert!(formulary.medicines().is_sorted_by(|one, other| one.generic < other.generic));
        for (name, atc) in [
            ("ferrous sulphate", "B03AA07"),
            ("ferrous fumarate", "B03AA02"),
            ("ferrous ascorbate", "B03AA10"),
            ("iron folic acid", "B03AD"),
            ("ferrous ascorbate and folic acid", ""),
            ("chlorhexidine gluconate", "D08AC02"),
            ("chlorhexidine mouthwash", "A01AB03"),
            ("povidone-iodine", "D08AG02"),
            ("povidone iodine gargle", "R02AA15"),
        ] {
            assert_eq!(formulary.find(name).map(|medicine| medicine.atc), Some(atc), "{name}");
        }
        let mut names: Vec<&str> = formulary.medicines().iter().flat_map(Medicine::names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name stands twice");
    }

    #[test]
    fn misheard_names_are_proposed_and_others_left_alone() {
        for (heard, meant) in [
            ("paracetmol", "paracetamol"),
            ("azithromicin", "azithromycin"),
            ("asithromycin", "azithromycin"),
            ("amoxicilin", "amoxicillin"),
            ("metphormin", "metformin"),
            ("pantoprazol", "pantoprazole"),
            ("citirizine", "cetirizine"),
        ] {
            let repair = Formulary::seed().repair(heard);
            assert_eq!(repair.as_ref().map(|repair| repair.suggested), Some(meant), "{heard}");
            assert_eq!(repair.map(|repair| repair.heard).as_deref(), Some(heard));
        }
        for word in ["patient", "temperature", "paracetamol", "yesterday", "tablet", "morning", "breakfast", "medicine"]
        {
            assert_eq!(Formulary::seed().repair(word), None, "{word}");
        }
    }

    #[test]
    fn a_bare_number_takes_the_unit_of_its_only_strength() {
        let paracetamol = Formulary::seed().find("paracetamol");
        assert_eq!(paracetamol.and_then(|medicine| medicine.unit_of(Decimal::whole(650))), Some(DoseUnit::Milligram));
        assert_eq!(paracetamol.and_then(|medicine| medicine.unit_of(Decimal::whole(651))), None);
        assert_eq!(paracetamol.and_then(|medicine| medicine.is_made("650 mg")), Some(true));
        assert_eq!(paracetamol.and_then(|medicine| medicine.is_made("651 mg")), Some(false));
        assert_eq!(paracetamol.and_then(|medicine| medicine.is_made("1 tablet")), None);
    }
}
