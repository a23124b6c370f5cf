//! The walk over dictations that are written here, with the confidences of their words.

#![expect(clippy::expect_used, reason = "tests")]

use super::*;
use crate::dictation::{Segment, SegmentWord};
use crate::drafting::tests::{attribute, dictation_of, entity};

const TEXT: &str = "No known analogy. No fever. Tab paracetmol 50 mg fifteen days. Pain in the left knee, all right.";

/// A dictation of one segment, each word with this confidence.
fn said(text: &str, confidence: Option<f32>, entities: Vec<Entity>) -> Dictation {
    let words = text.split_whitespace().enumerate().map(|(number, word)| {
        let start_ms = number as u64 * 100;
        SegmentWord { text: word.to_owned(), start_ms, end_ms: start_ms + 100, confidence, suggested: None }
    });
    let words = words.collect();
    let mut dictation = dictation_of(text, entities);
    dictation.result.segments = vec![Segment { end_ms: 9_000, text: text.into(), words, ..Segment::default() }];
    dictation
}

fn placed(text: &str, whole: &str, kind: AttributeType, value: Option<&str>) -> Attribute {
    let begin = whole.find(text).expect("the words stand in the text");
    Attribute { begin, end: begin + text.len(), ..attribute(kind, text, value) }
}

fn repaired(heard: &str, suggested: &str) -> Entity {
    let mut medicine = entity(heard, TEXT, Category::Medication, EntityType::GenericName);
    medicine.suggestion = Some(Suggestion { heard: heard.into(), suggested: suggested.into(), distance: 1 });
    medicine.traits = vec![Trait::LowConfidence];
    medicine.attributes = vec![
        placed("50 mg", TEXT, AttributeType::Strength, Some("50 mg")),
        placed("fifteen days", TEXT, AttributeType::Duration, None),
    ];
    medicine
}

fn of(stops: &[Stop], danger: Danger) -> Vec<(&str, DoubtReason)> {
    stops.iter().filter(|stop| stop.danger == danger).map(|stop| (stop.text.as_str(), stop.doubt.reason)).collect()
}

#[test]
fn dangerous_words_come_by_danger_times_doubt() {
    let mut fever = entity("fever", TEXT, Category::MedicalCondition, EntityType::DxName);
    fever.traits = vec![Trait::Symptom, Trait::Negation];
    let entities = vec![fever, repaired("paracetmol", "paracetamol")];
    let begin = TEXT.find("paracetmol").expect("it stands there");
    let touched = [Touched { resource: "MedicationRequest/m".into(), span: Span::new(begin, begin + 10) }];
    let stops = stops(&said(TEXT, Some(0.95), entities), &touched);
    assert_eq!(of(&stops, Danger::Drug), [("paracetmol", DoubtReason::Repaired)]);
    // Nobody makes 50 mg of it: micrograms may have been said.
    assert_eq!(of(&stops, Danger::Dose), [("50 mg", DoubtReason::NotMade)]);
    assert_eq!(of(&stops, Danger::Number), [("fifteen days", DoubtReason::SoundAlike)]);
    assert_eq!(of(&stops, Danger::Side), [("left", DoubtReason::Words)]);
    // "No known allergy" was misheard: the denial that nobody read is a stop before the one that was read.
    let read = of(&stops, Danger::Negation);
    assert_eq!(read, [("No known", DoubtReason::UnreadNegation), ("No fever", DoubtReason::Score)]);
    let weights: Vec<f32> = stops.iter().map(Stop::weight).collect();
    assert!(weights.is_sorted_by(|one, other| one >= other), "{weights:?}");
    let first = stops.first().expect("a stop");
    assert_eq!((first.danger, first.resource.as_deref()), (Danger::Drug, Some("MedicationRequest/m")));
    assert_eq!((first.times, first.after.starts_with(" 50 mg")), (Some((600, 700)), true));
    assert!(first.before.ends_with("Tab "), "{}", first.before);
    assert!(first.after.ends_with(" …") && !first.after.contains("rig"), "whole words only: {}", first.after);
}

#[test]
fn a_confidence_that_the_engine_does_not_give_is_a_doubt_of_its_own() {
    let text = "Give paracetamol daily.";
    let mut medicine = entity("paracetamol", text, Category::Medication, EntityType::GenericName);
    medicine.score = Some(0.99);
    let doubt = |confidence| stops(&said(text, confidence, vec![medicine.clone()]), &[]).first().map(|stop| stop.doubt);
    assert_eq!(doubt(None), Some(Doubt { value: 0.5, reason: DoubtReason::Unknown }));
    let sure = doubt(Some(1.0)).expect("a stop");
    assert!(sure.value < 0.02 && sure.reason == DoubtReason::Score, "{sure:?}");
    assert_eq!(doubt(Some(f32::NAN)).map(|doubt| doubt.value), Some(0.5), "no number is no confidence");
    assert_eq!(doubt(Some(0.25)).map(|doubt| doubt.value), Some(0.75));
}

#[test]
fn a_unit_of_its_own_is_a_stop_and_an_implied_one_is_its_number() {
    let text = "Temperature 38.5 celsius, pulse 80.";
    let mut warm = entity("Temperature 38.5 celsius", text, Category::Vital, EntityType::VitalSign);
    warm.attributes = vec![
        placed("38.5", text, AttributeType::TestValue, Some("38.5")),
        placed("celsius", text, AttributeType::TestUnit, Some("Cel")),
    ];
    let mut pulse = entity("pulse 80", text, Category::Vital, EntityType::VitalSign);
    pulse.attributes = vec![
        placed("80", text, AttributeType::TestValue, Some("80")),
        placed("80", text, AttributeType::TestUnit, Some("/min")),
    ];
    let stops = stops(&said(text, Some(0.9), vec![warm, pulse]), &[]);
    assert_eq!(of(&stops, Danger::Unit), [("celsius", DoubtReason::Words)]);
    assert_eq!(of(&stops, Danger::Number), [("80", DoubtReason::SoundAlike), ("38.5", DoubtReason::Words)]);
    let ids: std::collections::HashSet<&str> = stops.iter().map(|stop| stop.id.as_str()).collect();
    assert_eq!(ids.len(), stops.len());
}

#[test]
fn what_the_extractor_doubts_and_names_of_people_are_stops() {
    let text = "Mr Sharma takes metformin.";
    let name = entity("Sharma", text, Category::ProtectedHealthInformation, EntityType::Name);
    let mut medicine = entity("metformin", text, Category::Medication, EntityType::GenericName);
    medicine.traits = vec![Trait::LowConfidence];
    let stops = stops(&said(text, Some(0.97), vec![name, medicine]), &[]);
    assert_eq!(of(&stops, Danger::Drug), [("metformin", DoubtReason::Doubted)]);
    assert_eq!(of(&stops, Danger::Name).len(), 1);
}
