//! Writes what an extractor found as the labels of the corpus.

use seva_clinic::entities::{AttributeType, Category, Entity, EntityType, Trait};
use seva_clinic::laboratory::TestFinding;
use seva_clinic::lexicon::concepts::{Concept, ConceptKind, concepts};
use seva_clinic::testing::dosage_label;

use super::corpus::{Labels, generic};

/// Returns the labels of the entities of a dictation.
pub fn labels(entities: &[Entity]) -> Labels {
    let mut labels = Labels::default();
    for entity in entities {
        let words = entity.text.to_lowercase();
        match (entity.category, entity.kind) {
            (Category::Medication, _) => labels.medications.push(medicine(entity)),
            (Category::MedicalCondition, _) => labels.problems.push(format!("{}{words}", flags(entity))),
            (Category::Vital, _) => labels.vitals.push(measurement(entity)),
            (Category::Allergy, _) => labels.allergies.push(allergy(entity, &words)),
            (Category::TestTreatmentProcedure, _) if entity.finding().is_some() => stated(entity, words, &mut labels),
            (Category::TestTreatmentProcedure, _)
                if entity.attributes_of(AttributeType::TestValue).next().is_some() =>
            {
                labels.labs.push(measurement(entity));
            }
            (Category::TestTreatmentProcedure, _) => labels.tests.push(format!("{}{words}", flags(entity))),
            (Category::CarePlan, EntityType::FollowUp) => labels.follow_up.push(visit(entity, words)),
            (Category::CarePlan, _) => labels.advice.push(words),
            _ => {}
        }
    }
    labels
}

/// The corpus labels a test with its result in words by its name, and one that is named by its disease among the problems.
fn stated(entity: &Entity, words: String, labels: &mut Labels) {
    let denied = entity.finding().is_some_and(TestFinding::denies);
    let disease = |concept: &&Concept| concept.kind == ConceptKind::Condition;
    let is_disease = concepts().iter().filter(disease).any(|concept| concept.phrases.contains(&words.as_str()));
    match (is_disease, denied) {
        (false, _) => labels.tests.push(format!("{}{words}", flags(entity))),
        (true, true) => labels.problems.push(format!("{}!{words}", flags(entity))),
        (true, false) => labels.problems.push(format!("{}{words}", flags(entity))),
    }
}

fn flags(entity: &Entity) -> String {
    let marks = [
        (Trait::Negation, "!"),
        (Trait::PastHistory, "past-"),
        (Trait::FamilyHistory, "family-"),
        (Trait::Hypothetical, "if-"),
    ];
    marks.into_iter().filter(|(flag, _)| entity.has(*flag)).map(|(_, mark)| mark).collect()
}

fn medicine(entity: &Entity) -> String {
    let named = entity.suggestion.as_ref().map_or(entity.text.as_str(), |repair| repair.suggested.as_str());
    let name = generic(named);
    if entity.has(Trait::Negation) {
        return format!("!{name}");
    }
    if entity.has(Trait::PastHistory) {
        return format!("past-{name}");
    }
    if entity.has(Trait::LowConfidence) && entity.suggestion.is_none() {
        return format!("{name}|?");
    }
    format!("{name}|{}", dosage_label(&entity.dosage_text()))
}

fn measurement(entity: &Entity) -> String {
    let code = entity.codings.first().map_or(entity.text.as_str(), |coding| coding.code.as_str());
    let values: Vec<&str> =
        entity.attributes_of(AttributeType::TestValue).filter_map(|each| each.value.as_deref()).collect();
    let unit = entity.attributes_of(AttributeType::TestUnit).find_map(|each| each.value.as_deref());
    format!("{code}={} {}", values.join("/"), unit.unwrap_or_default()).trim().to_owned()
}

fn allergy(entity: &Entity, words: &str) -> String {
    let of_anything = entity.codings.is_empty() && (words.contains("allerg") || words == "nkda" || words == "nka");
    match (entity.has(Trait::Negation), of_anything) {
        (true, true) => "!*".to_owned(),
        (true, false) => format!("!{words}"),
        (false, _) => words.to_owned(),
    }
}

fn visit(entity: &Entity, words: String) -> String {
    let length = entity.attributes_of(AttributeType::Duration).next();
    length.map_or(words, |length| length.value.clone().unwrap_or_else(|| length.text.to_lowercase()))
}
