//! What every entity extractor promises, and the labelled sentences on which ours are measured.

use crate::{
    entities::{AttributeType, Category, Entity, EntityExtractor, EntityType, Trait},
    lexicon::{Span, concepts::rows},
};

/// Is a labelled sentence.
#[derive(Clone, Debug)]
pub struct GoldenCase {
    /// The sentence.
    pub text: &'static str,
    /// The labels that a clinician gives.
    pub expected: Vec<String>,
}

/// Returns the labelled sentences.
#[must_use]
pub fn golden_cases() -> Vec<GoldenCase> {
    rows(include_str!("../../data/golden.tsv"))
        .filter_map(|row| {
            let [text, labels] = row.as_slice() else {
                return None;
            };
            Some(GoldenCase { text, expected: labels.split('|').map(str::to_owned).collect() })
        })
        .collect()
}

/// Returns the label of an entity as the labelled sentences write it.
#[must_use]
pub fn golden_label(entity: &Entity) -> String {
    let mut label = String::new();
    let flags = [
        (Trait::Negation, "!"),
        (Trait::PastHistory, "past-"),
        (Trait::FamilyHistory, "family-"),
        (Trait::Hypothetical, "if-"),
    ];
    for (flag, mark) in flags {
        if entity.has(flag) {
            label.push_str(mark);
        }
    }
    if entity.has(Trait::LowConfidence) && entity.suggestion.is_none() {
        label.push_str("doubt-");
    }
    label.push_str(match entity.category {
        Category::Medication => "med:",
        Category::MedicalCondition => "cond:",
        Category::TestTreatmentProcedure => "test:",
        Category::Anatomy => "anat:",
        Category::ProtectedHealthInformation => "age:",
        Category::Vital => "vital:",
        Category::Allergy => "allergy:",
        Category::BehavioralEnvironmentalSocial => "social:",
        Category::CarePlan if entity.kind == EntityType::FollowUp => "visit:",
        Category::CarePlan => "advice:",
    });
    if entity.category == Category::Vital {
        let code = entity.codings.first().map(|coding| coding.code.as_str());
        let values: Vec<&str> =
            entity.attributes_of(AttributeType::TestValue).filter_map(|attribute| attribute.value.as_deref()).collect();
        label.push_str(&format!("{}={}", code.unwrap_or_default(), values.join("/")));
    } else {
        label.push_str(&entity.text.to_lowercase());
    }
    label
}

/// Checks an extractor against the port's promises with a text that it can read.
pub async fn extraction_contract(extractor: &dyn EntityExtractor, text: &str) {
    assert!(!extractor.name().is_empty(), "an extractor has a name");
    assert!(!extractor.version().is_empty(), "an extractor has a version");
    let empty = extractor.extract("", "en-IN").await;
    assert!(empty.is_ok_and(|found| found.is_empty()), "an empty text has no entities");
    let unknown = extractor.extract(text, "zz").await;
    assert!(unknown.is_err(), "a language that the engine does not know is an error");
    let found = extractor.extract(text, "en-IN").await.expect("the text under contract can be read");
    check_entities(text, &found);
}

/// Checks that each entity and attribute quotes the text at its place, in order, with honest scores.
pub fn check_entities(text: &str, found: &[Entity]) {
    let mut last = 0;
    for entity in found {
        assert_eq!(entity.span().text_in(text), entity.text, "an entity quotes the text");
        assert!(entity.begin >= last, "entities stand in order");
        last = entity.begin;
        let scores = entity.attributes.iter().filter_map(|attribute| attribute.score);
        for score in scores.chain(entity.score) {
            assert!(score > 0.0 && score < 1.0, "a score is an estimate, never certainty");
        }
        for attribute in &entity.attributes {
            let quoted = Span::new(attribute.begin, attribute.end).text_in(text);
            assert_eq!(quoted, attribute.text, "an attribute quotes the text");
        }
    }
}
