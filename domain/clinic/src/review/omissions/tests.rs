//! Both meters over a drafted note, as it is and after the doctor worked on it.

#![expect(clippy::expect_used, reason = "tests")]

use super::*;
use crate::drafting::elements::set_extension;
use crate::drafting::tests::{dictation, dictation_of, drafted_from, entity};
use crate::prescription::tests::{read_back, read_back_from};
use seva_models::ExtensionValue;

const TEXT: &str = "No fever. BP 120 over 80. It is a throat infection. Tab paracetamol one tablet twice a day for five days. \
                    Allergic to penicillin. Drink plenty of water. Father has diabetes.";

fn said() -> Dictation {
    let mut said = dictation(TEXT);
    said.state = DictationState::Drafted;
    said
}

/// The record that was drafted from a dictation.
fn drafted(said: &Dictation) -> EncounterRecord {
    let mut record = read_back(TEXT);
    // Another dictation drafted it: the same concepts hold what was said.
    record.documents.clear();
    assert!(!said.result.entities.is_empty());
    record
}

fn missing_of(record: &EncounterRecord, said: &Dictation) -> Vec<(String, MissingReason)> {
    let found = omissions(record, std::slice::from_ref(said));
    found.said.missing.into_iter().map(|one| (one.text, one.reason)).collect()
}

fn set(held: &mut Held, name: &str, value: ExtensionValue) {
    set_extension(held.body.as_object_mut().expect("an object"), name, value);
}

#[test]
fn a_fresh_draft_holds_what_was_said() {
    let said = said();
    let found = omissions(&drafted(&said), std::slice::from_ref(&said));
    assert_eq!((found.said.total, found.said.held, found.said.missing.len()), (5, 5, 0));
    let other = Dictation { state: DictationState::Extracted, ..said };
    assert_eq!(omissions(&drafted(&other), &[other]).said.total, 0, "nothing is drafted from it yet");
}

#[test]
fn what_was_rejected_removed_or_never_drafted_is_missing_with_its_reason() {
    let mut said = said();
    let mut diabetes = entity("diabetes", TEXT, Category::MedicalCondition, EntityType::DxName);
    diabetes.traits = vec![Trait::FamilyHistory];
    said.result.entities.push(diabetes);
    let water = entity("plenty of water", TEXT, Category::CarePlan, EntityType::Advice);
    said.result.entities.push(water);
    let mut record = drafted(&said);
    assert_eq!(missing_of(&record, &said), [("diabetes".to_owned(), MissingReason::NeverDrafted)]);

    let medicine = record.medicines.first_mut().expect("a medicine");
    set(medicine, "review-state", ExtensionValue::Code("rejected".to_owned()));
    record.allergies.clear();
    let found = missing_of(&record, &said);
    assert!(found.contains(&("paracetamol".to_owned(), MissingReason::Rejected)), "{found:?}");
    assert!(found.contains(&("penicillin".to_owned(), MissingReason::Removed)), "{found:?}");
    let medicine = record.medicines.first_mut().expect("a medicine");
    medicine.body.as_object_mut().expect("an object").insert("status", "entered-in-error");
    let signed = missing_of(&record, &said);
    assert!(
        signed.contains(&("paracetamol".to_owned(), MissingReason::Rejected)),
        "a signature ends what was rejected"
    );
    let medicine = record.medicines.first_mut().expect("a medicine");
    set(medicine, "review-state", ExtensionValue::Code("approved".to_owned()));
    assert!(missing_of(&record, &said).contains(&("paracetamol".to_owned(), MissingReason::Removed)));
}

#[test]
fn what_the_record_denies_is_not_held_by_it() {
    let mut said = said();
    let mut none_known = entity("Allergic to penicillin", TEXT, Category::Allergy, EntityType::Substance);
    none_known.traits = vec![Trait::Negation];
    let mut fever = entity("fever", TEXT, Category::MedicalCondition, EntityType::DxName);
    fever.traits = vec![Trait::Symptom];
    said.result.entities = vec![none_known, fever];
    let found: Vec<MissingReason> = missing_of(&drafted(&said), &said).into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(found, [MissingReason::Contradicted, MissingReason::Contradicted]);
}

#[test]
fn a_section_that_was_rewritten_without_it_does_not_hold_it() {
    let said = said();
    let mut record = drafted(&said);
    let composition = record.composition.as_mut().expect("a note");
    let sections = composition.body.as_object_mut().and_then(|body| body.get_mut("section"));
    for section in sections.and_then(Json::as_array_mut).expect("sections") {
        if section_code(section) == Some(SectionKind::Diagnosis) {
            let members = section.as_object_mut().expect("an object");
            let content =
                crate::drafting::SectionContent { text: "Viral illness", state: "approved", entries: Vec::new() };
            crate::drafting::set_section(members, SectionKind::Diagnosis, content);
            set_extension(members, "edited", ExtensionValue::Boolean(true));
        }
    }
    assert_eq!(missing_of(&record, &said), [("throat infection".to_owned(), MissingReason::EditedOut)]);
}

#[test]
fn a_test_is_held_by_its_request_and_missing_with_it() {
    let text = "Get a complete blood count.";
    let test = entity("complete blood count", text, Category::TestTreatmentProcedure, EntityType::TestName);
    let mut said = dictation_of(text, vec![test]);
    said.state = DictationState::Drafted;
    let mut record = read_back_from(&drafted_from(&said));
    record.composition = None;
    assert_eq!(missing_of(&record, &said), [], "no section names it, and the request stands");
    let request = record.requests.first_mut().and_then(|held| held.body.as_object_mut()).expect("a request");
    request.insert("status", "entered-in-error");
    assert_eq!(missing_of(&record, &said), [("complete blood count".to_owned(), MissingReason::Removed)]);
}

#[test]
fn what_a_prescription_needs_and_nobody_said_is_named() {
    let said = said();
    let record = drafted(&said);
    let found = omissions(&record, &[]);
    let codes: Vec<(&str, &str)> = found.required.unsaid.iter().map(|one| (one.code, one.target.as_str())).collect();
    assert!(codes.contains(&("section", "follow-up")) && !codes.contains(&("section", "diagnosis")), "{codes:?}");
    assert!(codes.iter().any(|(code, _)| *code == "medicine-route"), "{codes:?}");
    for known in ["medicine-dose", "medicine-frequency", "medicine-duration", "medicine-reason", "allergies"] {
        assert!(!codes.iter().any(|(code, _)| *code == known), "{known}: {codes:?}");
    }
    assert_eq!(found.required.total, found.required.met + found.required.unsaid.len());
    let mut bare = record;
    let medicine = bare.medicines.first_mut().and_then(|held| held.body.as_object_mut()).expect("a medicine");
    medicine.remove("dosageInstruction");
    medicine.remove("reasonReference");
    bare.allergies.clear();
    let found = omissions(&bare, &[]).required.unsaid;
    for code in ["medicine-dose", "medicine-frequency", "medicine-duration", "medicine-reason", "allergies"] {
        assert!(found.iter().any(|one| one.code == code), "{code}");
    }
}
