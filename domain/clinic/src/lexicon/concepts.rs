//! The phrase lists that ship as data: how clinicians in India name conditions, symptoms, tests and body sites.
//!
//! Codes are ICD-10-CM (United States public domain, <https://www.cdc.gov/nchs/icd/icd-10-cm/>) and LOINC
//! (<https://loinc.org>); a row without a certain code has none.

use std::sync::LazyLock;

/// Names the list that a concept stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConceptKind {
    /// A diagnosis.
    Condition,
    /// What the patient feels or shows.
    Symptom,
    /// A laboratory test or an image.
    Test,
    /// Something that is done to the patient.
    Procedure,
    /// A site of the body.
    Anatomy,
}

impl ConceptKind {
    /// Returns the URI of the list's code system.
    #[must_use]
    pub const fn system(self) -> &'static str {
        match self {
            Self::Condition | Self::Symptom => "http://hl7.org/fhir/sid/icd-10-cm",
            Self::Test => "http://loinc.org",
            Self::Procedure | Self::Anatomy => "http://snomed.info/sct",
        }
    }
}

/// Is one row of a phrase list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concept {
    /// The list that it stands in.
    pub kind: ConceptKind,
    /// The code, where one is certain.
    pub code: Option<&'static str>,
    /// The name of the concept.
    pub display: &'static str,
    /// How it is said, in lower case.
    pub phrases: Vec<&'static str>,
    /// Where the code comes from.
    pub source: &'static str,
}

static CONCEPTS: LazyLock<Vec<Concept>> = LazyLock::new(|| {
    let lists = [
        (ConceptKind::Condition, include_str!("../../data/conditions.tsv")),
        (ConceptKind::Symptom, include_str!("../../data/symptoms.tsv")),
        (ConceptKind::Test, include_str!("../../data/tests.tsv")),
        (ConceptKind::Procedure, include_str!("../../data/procedures.tsv")),
        (ConceptKind::Anatomy, include_str!("../../data/anatomy.tsv")),
    ];
    lists.into_iter().flat_map(|(kind, text)| rows(text).filter_map(move |row| concept(kind, &row))).collect()
});

/// Returns all concepts of the phrase lists.
#[must_use]
pub fn concepts() -> &'static [Concept] {
    &CONCEPTS
}

/// Splits a table into the cells of its rows, leaving comments and the heading out.
pub(crate) fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .skip(1)
        .map(|line| line.split('\t').map(str::trim).collect())
}

fn concept(kind: ConceptKind, row: &[&'static str]) -> Option<Concept> {
    let [code, display, phrases, source] = row else {
        return None;
    };
    Some(Concept {
        kind,
        code: (!code.is_empty()).then_some(*code),
        display,
        phrases: phrases.split('|').map(str::trim).filter(|phrase| !phrase.is_empty()).collect(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_is_whole_and_no_phrase_stands_twice() {
        let data = [
            include_str!("../../data/conditions.tsv"),
            include_str!("../../data/symptoms.tsv"),
            include_str!("../../data/tests.tsv"),
            include_str!("../../data/procedures.tsv"),
            include_str!("../../data/anatomy.tsv"),
        ];
        let count: usize = data.into_iter().map(|text| rows(text).count()).sum();
        assert_eq!(concepts().len(), count, "a row has a wrong number of cells");
        let mut seen = HashSet::new();
        for concept in concepts() {
            assert!(!concept.source.is_empty() && !concept.display.is_empty());
            for phrase in &concept.phrases {
                assert_eq!(*phrase, phrase.to_lowercase());
                assert!(seen.insert(*phrase), "{phrase} stands twice");
            }
        }
    }
}
