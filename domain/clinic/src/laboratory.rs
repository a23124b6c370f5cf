//! Laboratory results as they are dictated: names, LOINC codes (<https://loinc.org>) and UCUM units (<https://ucum.org>).

use std::sync::LazyLock;

use crate::dosage::Cursor;
use crate::lexicon::{concepts::rows, decimal::Decimal, tokens::tokenize};

/// Is a laboratory test with the unit in which it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaboratoryTest {
    /// The LOINC code.
    pub code: &'static str,
    /// LOINC's name.
    pub display: &'static str,
    /// How it is said, in lower case, cut as a transcript is: "hba 1 c".
    pub phrases: Vec<String>,
    /// The UCUM unit that a bare number has.
    pub unit: &'static str,
    /// The least and the greatest number that has it.
    range: (Decimal, Decimal),
}

impl LaboratoryTest {
    /// Returns the unit of a bare number, where the number can have it.
    #[must_use]
    pub fn implied_unit(&self, value: Decimal) -> Option<&'static str> {
        (value >= self.range.0 && value <= self.range.1).then_some(self.unit)
    }
}

/// Is how a test came out that is not reported as an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestFinding {
    /// What was looked for is there.
    Positive,
    /// What was looked for is not there.
    Negative,
    /// The reagent reacted.
    Reactive,
    /// The reagent did not react.
    NonReactive,
    /// What was looked for was found.
    Detected,
    /// What was looked for was not found.
    NotDetected,
}

impl TestFinding {
    /// Lists all of them.
    pub const ALL: [Self; 6] =
        [Self::Positive, Self::Negative, Self::Reactive, Self::NonReactive, Self::Detected, Self::NotDetected];

    /// Finds what words say, in lower case.
    #[must_use]
    pub fn named(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finding| finding.words().contains(&words))
    }

    /// Returns the word that stands for it in an entity.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Reactive => "reactive",
            Self::NonReactive => "non-reactive",
            Self::Detected => "detected",
            Self::NotDetected => "not detected",
        }
    }

    /// Returns SNOMED CT's code for it (<http://snomed.info/sct>) and its name.
    #[must_use]
    pub const fn snomed(self) -> (&'static str, &'static str) {
        match self {
            Self::Positive => ("10828004", "Positive"),
            Self::Negative => ("260385009", "Negative"),
            Self::Reactive => ("11214006", "Reactive"),
            Self::NonReactive => ("131194007", "Non-reactive"),
            Self::Detected => ("260373001", "Detected"),
            Self::NotDetected => ("260415000", "Not detected"),
        }
    }

    /// Tells whether it says that something is not there.
    #[must_use]
    pub const fn denies(self) -> bool {
        matches!(self, Self::Negative | Self::NonReactive | Self::NotDetected)
    }

    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Positive => &["positive", "+ ve"],
            Self::Negative => &["negative", "- ve"],
            Self::Reactive => &["reactive"],
            Self::NonReactive => &["non-reactive", "non reactive", "not reactive", "nonreactive"],
            Self::Detected => &["detected"],
            Self::NotDetected => &["not detected", "undetected"],
        }
    }
}

static TESTS: LazyLock<Vec<LaboratoryTest>> =
    LazyLock::new(|| rows(include_str!("../data/labs.tsv")).filter_map(|row| test(&row)).collect());

/// Returns all laboratory tests whose results are read.
#[must_use]
pub fn laboratory_tests() -> &'static [LaboratoryTest] {
    &TESTS
}

/// Finds the UCUM unit that words name.
#[must_use]
pub fn unit_named(words: &str) -> Option<&'static str> {
    UNITS.iter().find(|(_, names)| names.contains(&words)).map(|(unit, _)| *unit)
}

/// Takes a number, with the Indian words for a hundred thousand after it.
pub fn amount(cursor: &mut Cursor<'_>) -> Option<Decimal> {
    let value = cursor.number(0)?;
    cursor.advance(1);
    let times = match cursor.word(0) {
        "lakh" | "lakhs" | "lac" | "lacs" => 100_000,
        "thousand" => 1_000,
        _ => return Some(value),
    };
    cursor.advance(1);
    value.times(Decimal::whole(times))
}

const UNITS: [(&str, &[&str]); 12] = [
    ("%", &["%", "percent", "per cent"]),
    ("mg/dL", &["mg / dl", "mg/dl", "mg per dl", "mg dl", "milligrams per decilitre", "mg %", "mg percent"]),
    (
        "g/dL",
        &[
            "g / dl",
            "g/dl",
            "g per dl",
            "gm / dl",
            "gm/dl",
            "gm per dl",
            "grams per decilitre",
            "gm %",
            "gm percent",
            "g %",
            "g percent",
            "grams percent",
            "grams",
            "gram percent",
        ],
    ),
    ("mmol/L", &["mmol / l", "mmol/l", "mmol per litre", "millimoles per litre", "meq / l", "meq/l", "meq per litre"]),
    ("U/L", &["u / l", "u/l", "units per litre", "iu / l", "iu/l"]),
    ("ng/mL", &["ng / ml", "ng/ml", "ng per ml", "nanograms per ml", "nanograms per millilitre"]),
    ("pg/mL", &["pg / ml", "pg/ml", "pg per ml", "picograms per ml"]),
    ("ng/dL", &["ng / dl", "ng/dl", "ng per dl"]),
    ("m[IU]/L", &["miu / l", "miu/l", "uiu / ml", "micro units per ml", "milli units per litre"]),
    ("mg/L", &["mg / l", "mg/l", "mg per litre"]),
    ("mm/h", &["mm / h", "mm/h", "mm / hr", "mm/hr", "mm per hour", "mm in first hour"]),
    ("/uL", &["/ ul", "per microlitre", "cells per microlitre", "/ cumm", "per cumm"]),
];

fn test(row: &[&'static str]) -> Option<LaboratoryTest> {
    let [code, display, phrases, unit, low, high] = row else {
        return None;
    };
    let range = (low.parse().ok()?, high.parse().ok()?);
    Some(LaboratoryTest { code, display, phrases: phrases.split('|').map(cut).collect(), unit, range })
}

/// A digit ends a word of a transcript: a name that holds one is several of its words.
fn cut(phrase: &str) -> String {
    tokenize(phrase).iter().map(|token| token.word.as_str()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole() {
        assert_eq!(laboratory_tests().len(), rows(include_str!("../data/labs.tsv")).count());
        assert!(laboratory_tests().iter().all(|test| test.range.0 < test.range.1 && !test.unit.is_empty()));
        assert_eq!(laboratory_tests().first().and_then(|test| test.implied_unit(Decimal::whole(8))), Some("%"));
        assert_eq!(unit_named("gm percent"), Some("g/dL"));
    }
}
