//! A second recording against what the first one drafted.

#![expect(clippy::expect_used, reason = "tests")]

use seva_fhir::clock::RandomIds;
use seva_fhir::json::Json;

use super::accepting::{changed, rewritten};
use super::*;
use crate::drafting::tests::{attribute, dictation, dictation_of, drafted_from, entity};
use crate::drafting::{Assembly, Draft, Recording, SectionKind, section_code, section_text};
use crate::encounter_record::Held;
use crate::entities::{Attribute, AttributeType, Category, EntityType, Trait};
use crate::prescription::tests::{read_back, read_back_from};

const TEXT: &str = "No fever. BP 120 over 80. It is a throat infection. Tab paracetamol one tablet twice a day for five days. \
                    Allergic to penicillin. Drink plenty of water.";

fn condition(name: &str, traits: &[Trait]) -> Entity {
    let mut condition = entity(name, TEXT, Category::MedicalCondition, EntityType::DxName);
    condition.traits = traits.to_vec();
    condition
}

fn medicine(attributes: &[(AttributeType, &str)]) -> Entity {
    let mut medicine = entity("paracetamol", TEXT, Category::Medication, EntityType::GenericName);
    medicine.attributes = attributes.iter().map(|(kind, text)| attribute(*kind, text, None)).collect();
    medicine
}

fn pressure(values: [&str; 2]) -> Entity {
    let mut pressure = dictation(TEXT).result.entities.into_iter().find(|one| one.category == Category::Vital);
    let pressure = pressure.as_mut().expect("a vital sign");
    let values = values.map(|value| attribute(AttributeType::TestValue, value, Some(value)));
    pressure.attributes.retain(|each| each.kind == AttributeType::TestUnit);
    pressure.attributes.extend(values);
    pressure.clone()
}

fn said(entities: Vec<Entity>) -> Dictation {
    let mut said = dictation(TEXT);
    said.result.entities = (0..).zip(entities).map(|(id, entity)| Entity { id, ..entity }).collect();
    said
}

/// A dictation of another text.
fn numbered(text: &str, entities: Vec<Entity>) -> Dictation {
    dictation_of(text, (0..).zip(entities).map(|(id, entity)| Entity { id, ..entity }).collect())
}

fn differences(record: &EncounterRecord, entities: Vec<Entity>) -> Vec<(Difference, ProposalState)> {
    proposals(record, &said(entities)).iter().map(|one| (one.difference, one.state)).collect()
}

#[test]
fn what_is_held_is_the_same_changed_or_contradicted_and_the_rest_is_new() {
    use {Difference::*, ProposalState::*};
    let record = read_back(TEXT);
    let mut none_known = entity("penicillin", TEXT, Category::Allergy, EntityType::Substance);
    none_known.traits = vec![Trait::Negation];
    let mut no_more = medicine(&[]);
    no_more.traits = vec![Trait::Negation];
    let found = differences(
        &record,
        vec![
            medicine(&[(AttributeType::Dosage, "one tablet"), (AttributeType::Frequency, "twice a day")]),
            medicine(&[(AttributeType::Frequency, "three times a day")]),
            no_more,
            condition("throat infection", &[Trait::Diagnosis]),
            condition("throat infection", &[Trait::Diagnosis, Trait::Negation]),
            condition("fever", &[Trait::Symptom, Trait::Negation]),
            condition("fever", &[Trait::Symptom]),
            condition("water", &[Trait::Symptom]),
            pressure(["120", "80"]),
            pressure(["140", "90"]),
            none_known,
            condition("fever", &[Trait::Symptom, Trait::FamilyHistory]),
        ],
    );
    let expected = [
        (Same, Settled),
        (Changed, Pending),
        (Contradicting, Pending),
        (Same, Settled),
        (Contradicting, Pending),
        (Same, Settled),
        (Contradicting, Pending),
        (New, Settled),
        (Same, Settled),
        (Changed, Pending),
        (Contradicting, Pending),
    ];
    assert_eq!(found, expected);
    let mut rejected = read_back(TEXT);
    let held = rejected.medicines.first_mut().and_then(|held| held.body.as_object_mut()).expect("a medicine");
    let state = seva_models::ExtensionValue::Code("rejected".to_owned());
    crate::drafting::elements::set_extension(held, "review-state", state);
    let mut denied = medicine(&[]);
    denied.traits = vec![Trait::Negation];
    let again = differences(&rejected, vec![medicine(&[]), denied]);
    assert_eq!(again, [(Contradicting, Pending), (Same, Settled)], "what was rejected and said again is never lost");
    let first = EncounterRecord { composition: None, ..record };
    let mut denied = entity("penicillin", TEXT, Category::Allergy, EntityType::Substance);
    denied.traits = vec![Trait::Negation];
    let found = differences(&first, vec![denied, medicine(&[])]);
    assert_eq!(found, [(Contradicting, Pending)], "a first recording that denies a known allergy is not lost");
    assert_eq!(differences(&first, vec![medicine(&[])]), [], "the first recording has nothing to compare with");
}

#[test]
fn a_test_that_is_asked_for_is_the_same_when_it_is_said_again() {
    let text = "Get a complete blood count.";
    let test = entity("complete blood count", text, Category::TestTreatmentProcedure, EntityType::TestName);
    let record = read_back_from(&drafted_from(&dictation_of(text, vec![test.clone()])));
    assert_eq!(differences(&record, vec![test.clone()]), [(Difference::Same, ProposalState::Settled)]);
    let again = said(vec![test]);
    let transcript = Transcript::of(&again.result.segments);
    assert!(!drafting_of(&again, &transcript, &record).to_string().contains("\"resourceType\":\"ServiceRequest\""));
}

#[test]
fn a_result_in_words_is_compared_by_its_word() {
    let text = "NS1 negative.";
    let tested = |word: &str| {
        let mut test = entity("NS1", text, Category::TestTreatmentProcedure, EntityType::TestName);
        test.attributes = vec![attribute(AttributeType::TestValue, word, Some(word))];
        test
    };
    let record = read_back_from(&drafted_from(&dictation_of(text, vec![tested("negative")])));
    assert_eq!(differences(&record, vec![tested("negative")]), [(Difference::Same, ProposalState::Settled)]);
    assert_eq!(differences(&record, vec![tested("positive")]), [(Difference::Changed, ProposalState::Pending)]);
}

/// A medicine that stands at a place of the text, with a dose and how often.
fn order(text: &str, place: usize, dose: &str, often: &str) -> Entity {
    let mut order = entity("paracetamol", text, Category::Medication, EntityType::GenericName);
    (order.begin, order.end) = (place, place + "paracetamol".len());
    let part = |kind, text: &str, begin| Attribute { begin, end: begin + text.len(), ..attribute(kind, text, None) };
    order.attributes = vec![
        part(AttributeType::Dosage, dose, order.end + 1),
        part(AttributeType::Frequency, often, order.end + 2 + dose.len()),
    ];
    order
}

#[test]
fn a_medicine_that_is_said_twice_alike_is_drafted_once_with_both_places() {
    let text = "Paracetamol one tablet twice a day. Again, paracetamol one tablet twice a day.";
    let text = text.to_lowercase();
    let second = text.rfind("paracetamol").expect("it is said twice");
    let twice = [0, second].map(|place| order(&text, place, "one tablet", "twice a day"));
    let said = numbered(&text, twice.to_vec());
    let first = crate::drafting::tests::record();
    assert_eq!(proposals(&first, &said), [], "there is nothing to decide");
    let transcript = Transcript::of(&said.result.segments);
    let bundle = drafting_of(&said, &transcript, &first);
    let resources: Vec<&Json> =
        bundle.get("entry").map_or(&[][..], Json::items).iter().filter_map(|entry| entry.get("resource")).collect();
    let kind = |resource: &&&Json, kind: &str| resource.get_str("resourceType") == Some(kind);
    let medicines: Vec<String> =
        resources.iter().filter(|one| kind(one, "MedicationRequest")).map(|one| one.to_string()).collect();
    assert_eq!(medicines.len(), 1, "{medicines:?}");
    assert_eq!(medicines.concat().matches("derivation-reference").count(), 2);
    let note = resources.iter().find(|one| kind(one, "Composition")).map(|one| one.to_string()).unwrap_or_default();
    assert_eq!(note.matches("twice a day").count(), 1, "one line: {note}");
    assert_eq!(note.matches("derivation-reference").count(), 2, "{note}");
}

#[test]
fn a_medicine_that_is_said_twice_differently_waits_for_a_decision() {
    let text = "paracetamol one tablet twice a day. no, paracetamol one tablet three times a day.";
    let second = text.rfind("paracetamol").expect("it is said twice");
    let orders = [(0, "twice a day"), (second, "three times a day")]
        .map(|(place, often)| order(text, place, "one tablet", often));
    let said = numbered(text, orders.to_vec());
    let first = crate::drafting::tests::record();
    let found = proposals(&first, &said);
    let states: Vec<_> = found.iter().map(|one| (one.number, one.difference, one.state)).collect();
    assert_eq!(states, [(1, Difference::Contradicting, ProposalState::Pending)]);
    let words = found.first().map(|one| (one.before.clone().unwrap_or_default(), one.after.clone()));
    let (before, after) = words.expect("a proposal");
    assert!(before.ends_with("twice a day") && after.ends_with("three times a day"), "{before} → {after}");
    let transcript = Transcript::of(&said.result.segments);
    let bundle = drafting_of(&said, &transcript, &first).to_string();
    assert_eq!(bundle.matches("\"resourceType\":\"MedicationRequest\"").count(), 1, "{bundle}");
}

#[test]
fn what_is_held_is_never_drafted_a_second_time() {
    let record = read_back(TEXT);
    let again = said(dictation(TEXT).result.entities);
    let transcript = Transcript::of(&again.result.segments);
    let bundle = drafting_of(&again, &transcript, &record);
    let kinds: Vec<&str> = (bundle.get("entry").map_or(&[][..], Json::items).iter())
        .filter_map(|entry| entry.get("resource")?.get_str("resourceType"))
        .collect();
    for kind in ["MedicationRequest", "Observation", "Condition", "AllergyIntolerance"] {
        assert!(!kinds.contains(&kind), "{kind} is drafted twice: {kinds:?}");
    }
}

fn draft<'a>(said: &'a Dictation, transcript: &'a Transcript, record: &EncounterRecord) -> Draft<'a> {
    Draft::of(said, transcript, record, (Instant::from_micros(0), &RandomIds))
}

fn drafting_of(said: &Dictation, transcript: &Transcript, record: &EncounterRecord) -> Json {
    let recording = Recording { size: 44, sha1: [0; 20], milliseconds: 9_000 };
    let assembly = Assembly { recording, record, extractor: ("lexicon", "1") };
    crate::drafting::bundle(&draft(said, transcript, record), &assembly)
}

/// A held resource after a proposal was accepted.
fn accepted(record: &EncounterRecord, entity: Entity) -> Json {
    let said = said(vec![entity]);
    let transcript = Transcript::of(&said.result.segments);
    let entity = said.result.entities.first().expect("an entity");
    let held: &Held = held_of(record, entity).expect("it is held");
    changed(&draft(&said, &transcript, record), held, entity, "DocumentReference/t").expect("a change")
}

#[test]
fn accepting_changes_what_was_said_again_and_keeps_the_rest() {
    let record = read_back(TEXT);
    let medicine = accepted(&record, medicine(&[(AttributeType::Frequency, "three times a day")])).to_string();
    assert!(medicine.contains("\"frequency\":3") && medicine.contains("\"boundsDuration\":{\"value\":5"), "{medicine}");
    assert!(medicine.contains("\"dispenseRequest\":{\"quantity\":{\"value\":15"), "{medicine}");
    assert_eq!(medicine.matches("derivation-reference").count(), 2, "old and new evidence: {medicine}");
    let pressure = accepted(&record, pressure(["140", "90"])).to_string();
    assert!(pressure.contains("\"value\":140") && !pressure.contains("\"value\":120"), "{pressure}");
    let fever = accepted(&record, condition("fever", &[Trait::Symptom])).to_string();
    assert!(fever.contains("52101004") && !fever.contains("2667000"), "{fever}");
    let ruled_out = accepted(&record, condition("throat infection", &[Trait::Diagnosis, Trait::Negation]));
    let status = ruled_out.get("verificationStatus").map(Json::to_string).unwrap_or_default();
    assert!(status.contains("refuted"), "{ruled_out}");
}

#[test]
fn the_line_of_the_section_says_what_was_said_last_and_waits_for_approval() {
    let record = read_back(TEXT);
    let composition = record.composition.as_ref().expect("a note");
    let note = rewritten(&composition.body, &condition("fever", &[Trait::Symptom]), &Json::Null);
    let sections = note.get("section").map_or(&[][..], Json::items);
    let complaint = sections.iter().find(|section| section_code(section) == Some(SectionKind::Complaint));
    assert_eq!(complaint.map(section_text).as_deref(), Some("fever"));
    let note = rewritten(&composition.body, &pressure(["140", "90"]), &Json::Null);
    let sections = note.get("section").map_or(&[][..], Json::items);
    let vitals = sections.iter().find(|section| section_code(section) == Some(SectionKind::Vitals));
    let text = vitals.map(section_text).unwrap_or_default();
    assert!(text.contains("140/90") && !text.contains("120/80"), "{text}");
    let entity = medicine(&[(AttributeType::Frequency, "three times a day")]);
    let note = rewritten(&composition.body, &entity, &accepted(&record, entity.clone()));
    let sections = note.get("section").map_or(&[][..], Json::items);
    let medicines = sections.iter().find(|section| section_code(section) == Some(SectionKind::Medications));
    let text = medicines.map(section_text).unwrap_or_default();
    assert!(text.contains("3 times a day") && text.contains("5 days"), "the whole dose: {text}");
}
