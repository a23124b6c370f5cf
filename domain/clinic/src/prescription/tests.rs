//! A drafted Bundle, read back as a prescription: what is shown, what hinders signing, what is unsafe.

#![expect(clippy::expect_used, reason = "tests")]

use std::collections::HashSet;

use seva_fhir::json::{Json, Limits, array, object, parse};

use super::*;
use crate::drafting::tests::{drafted, record};

pub(crate) fn read_back(text: &str) -> EncounterRecord {
    read_back_from(&drafted(text))
}

/// A drafted Bundle as it is stored, each `urn:uuid` in it with its key.
pub(crate) fn read_back_from(bundle: &Json) -> EncounterRecord {
    let mut record = record();
    let mut text = bundle.to_string();
    let entries = bundle.get("entry").map_or(&[][..], Json::items);
    for (number, entry) in entries.iter().enumerate() {
        let kind = entry.get("resource").and_then(|resource| resource.get_str("resourceType")).unwrap_or_default();
        text = text.replace(entry.get_str("fullUrl").unwrap_or("no url"), &format!("{kind}/r{number}"));
    }
    let stored = parse(text.as_bytes(), &Limits::default()).expect("a Bundle");
    for (number, entry) in stored.get("entry").map_or(&[][..], Json::items).iter().enumerate() {
        let body = entry.get("resource").expect("every entry has a resource").clone();
        let kind = body.get_str("resourceType").expect("every resource has a type").to_owned();
        let held = Held { key: format!("{kind}/r{number}").parse().expect("a key"), version: 1, body };
        match kind.as_str() {
            "Composition" => record.composition = Some(held),
            "MedicationRequest" => record.medicines.push(held),
            "Observation" => record.observations.push(held),
            "Condition" => record.conditions.push(held),
            "ServiceRequest" => record.requests.push(held),
            "AllergyIntolerance" => record.allergies.push(held),
            _ => {}
        }
    }
    record
}

/// The drafted medicine of a made-up dictation.
pub(super) fn medicine_of(text: &str) -> Held {
    read_back(text).medicines.into_iter().next().expect("one medicine")
}

const TEXT: &str = "No fever. BP 120 over 80. It is a throat infection. Tab paracetamol one tablet twice a day for five days. \
                    Allergic to penicillin. Drink plenty of water. Review after 3 days.";

#[test]
fn a_draft_is_shown_with_its_evidence_and_waits_for_approval() {
    let view = view::of(&read_back(TEXT), &HashSet::new());
    assert_eq!((view.state, view.version), ("draft", 1));
    assert_eq!(view.vitals.first().map(|vital| vital.value.as_str()), Some("120/80"));
    let complaint = view.sections.first().expect("the complaint comes first");
    assert_eq!((complaint.text.as_str(), complaint.state.as_str()), ("Absent: fever", "pending"));
    assert_eq!(complaint.evidence.first().and_then(|span| span.end_ms), Some(9_000));
    let medicine = view.medicines.first().expect("one medicine");
    assert!(medicine.line.en.is_some() && medicine.line.hi.is_some() && !medicine.lacks_dose());
    let codes: Vec<&str> = view.blockers.iter().map(|blocker| blocker.target.as_str()).collect();
    assert!(["diagnosis", "medications", "instructions"].iter().all(|code| codes.contains(code)));
}

#[test]
fn an_allergy_blocks_every_medicine_of_its_group() {
    let mut record = read_back(TEXT);
    let body = object([
        ("resourceType", "MedicationRequest".into()),
        ("status", "draft".into()),
        ("medicationCodeableConcept", object([("text", "amoxicillin".into())])),
        ("dosageInstruction", array(Vec::<Json>::new())),
    ]);
    record.medicines.push(Held { key: "MedicationRequest/a".parse().expect("a key"), version: 1, body });
    let findings = checks::findings(&record);
    assert!(findings.iter().any(|finding| finding.rule == "allergy-class" && finding.tier == Tier::Block));
    assert!(findings.iter().all(|finding| finding.medicine == "a"), "paracetamol is not a penicillin");
}

#[test]
fn a_brand_is_checked_for_all_that_it_holds() {
    let mut record = read_back(TEXT);
    let named = |id: &str, text: &str| Held {
        key: format!("MedicationRequest/{id}").parse().expect("a key"),
        version: 1,
        body: object([
            ("resourceType", "MedicationRequest".into()),
            ("status", "draft".into()),
            ("medicationCodeableConcept", object([("text", text.into())])),
            ("dosageInstruction", array(Vec::<Json>::new())),
        ]),
    };
    record.medicines.extend([named("a", "Augmentin"), named("b", "Nexito Plus"), named("c", "Rivotril")]);
    let findings = checks::findings(&record);
    let rules = |id: &str| -> Vec<&str> {
        findings.iter().filter(|finding| finding.medicine == id).map(|finding| finding.rule).collect()
    };
    assert_eq!((rules("a"), rules("b")), (vec!["allergy-class"], vec![]));
    assert_eq!(rules("c"), ["duplicate-ingredient"], "clonazepam is in both");
}

#[test]
fn a_note_without_sections_is_not_signed() {
    let mut record = read_back(TEXT);
    record.medicines.clear();
    let note = record.composition.as_mut().and_then(|held| held.body.as_object_mut()).expect("a note");
    note.remove("section");
    for emptied in [false, true] {
        if emptied {
            record.composition = None;
        }
        let view = view::of(&record, &HashSet::new());
        let targets: Vec<&str> = view.blockers.iter().map(|blocker| blocker.target.as_str()).collect();
        assert_eq!(targets, ["diagnosis", "medications", "instructions"]);
        assert_eq!(view.state, if emptied { "empty" } else { "draft" });
    }
}
