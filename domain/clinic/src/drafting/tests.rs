//! The drafted Bundle must be what our own checker accepts.

#![expect(clippy::expect_used, reason = "tests")]

use seva_fhir::clock::RandomIds;
use seva_fhir::structure;
use seva_fhir::types::Instant;

use super::*;
use crate::dictation::{AudioPlace, DictationMode, DictationResult, DictationSettings, DictationState, Saved, Segment};
use crate::entities::{Attribute, AttributeType, Coding, EntityType};

pub(crate) fn entity(text: &str, whole: &str, category: Category, kind: EntityType) -> Entity {
    let begin = whole.find(text).expect("the words stand in the text");
    Entity {
        id: 0,
        text: text.into(),
        category,
        kind,
        begin,
        end: begin + text.len(),
        score: Some(0.91),
        traits: Vec::new(),
        attributes: Vec::new(),
        codings: Vec::new(),
        suggestion: None,
    }
}

pub(crate) fn attribute(kind: AttributeType, text: &str, value: Option<&str>) -> Attribute {
    Attribute { kind, text: text.into(), begin: 60, end: 70, score: None, value: value.map(Into::into) }
}

fn loinc(code: &str) -> Coding {
    Coding { system: "http://loinc.org".into(), code: code.into(), display: code.into(), score: None }
}

fn entities(text: &str) -> Vec<Entity> {
    let mut fever = entity("fever", text, Category::MedicalCondition, EntityType::DxName);
    fever.traits = vec![Trait::Symptom, Trait::Negation];
    let mut infection = entity("throat infection", text, Category::MedicalCondition, EntityType::DxName);
    infection.traits = vec![Trait::Diagnosis];
    let mut pressure = entity("BP", text, Category::Vital, EntityType::VitalSign);
    pressure.codings = vec![loinc("85354-9"), loinc("8480-6"), loinc("8462-4")];
    pressure.attributes = vec![
        attribute(AttributeType::TestValue, "120", Some("120")),
        attribute(AttributeType::TestValue, "80", Some("80")),
        attribute(AttributeType::TestUnit, "80", Some("mm[Hg]")),
    ];
    let mut medicine = entity("paracetamol", text, Category::Medication, EntityType::GenericName);
    medicine.attributes = vec![
        attribute(AttributeType::Dosage, "one tablet", None),
        attribute(AttributeType::Frequency, "twice a day", None),
        attribute(AttributeType::Duration, "for five days", None),
    ];
    let allergy = entity("penicillin", text, Category::Allergy, EntityType::Substance);
    vec![fever, infection, pressure, medicine, allergy]
}

pub(crate) fn record() -> EncounterRecord {
    EncounterRecord {
        encounter: Held { key: "Encounter/e".parse().expect("a key"), version: 1, body: Json::Null },
        patient: "Patient/p".into(),
        composition: None,
        medicines: Vec::new(),
        observations: Vec::new(),
        conditions: Vec::new(),
        requests: Vec::new(),
        allergies: Vec::new(),
        issues: Vec::new(),
        documents: Vec::new(),
    }
}

pub(crate) fn dictation(text: &str) -> Dictation {
    dictation_of(text, entities(text))
}

/// A dictation that was extracted to these entities.
pub(crate) fn dictation_of(text: &str, entities: Vec<Entity>) -> Dictation {
    let segment = Segment { end_ms: 9_000, text: text.into(), ..Segment::default() };
    Dictation {
        id: RandomIds.new_uuid(),
        state: DictationState::Extracted,
        patient: "Patient/p".parse().expect("a key"),
        encounter: "Encounter/e".parse().expect("a key"),
        consent: "Consent/c".parse().expect("a key"),
        consent_version: None,
        settings: DictationSettings {
            account: "a".into(),
            display: "A".into(),
            practitioner: Some("Practitioner/d".into()),
            language: "en-IN".into(),
            mode: DictationMode::Toggle,
            commands: false,
            engine: "whisper".into(),
            engine_version: "1".into(),
        },
        result: DictationResult { segments: vec![segment], entities, ..DictationResult::default() },
        saved: Saved::default(),
        audio: AudioPlace::Rows,
        uploaded: 0,
        since: Instant::from_micros(0),
        place: None,
        created: Instant::from_micros(0),
        updated: Instant::from_micros(0),
    }
}

/// The Bundle of a made-up dictation, for the tests of the prescription too.
pub(crate) fn drafted(text: &str) -> Json {
    drafted_from(&dictation(text))
}

/// The Bundle of a dictation in an encounter that holds nothing yet.
pub(crate) fn drafted_from(dictation: &Dictation) -> Json {
    let transcript = Transcript::of(&dictation.result.segments);
    let recording = Recording { size: 44, sha1: [0; 20], milliseconds: 9_000 };
    let record = record();
    let draft = Draft::of(dictation, &transcript, &record, (Instant::from_micros(0), &RandomIds));
    bundle(&draft, &Assembly { recording, record: &record, extractor: ("lexicon", "1") })
}

#[test]
fn a_drafted_bundle_has_the_structure_of_r4() {
    let text = "No fever. BP 120 over 80. Throat infection, throat infection. Tab paracetamol one tablet twice a day for \
                five days. Allergic to penicillin. Drink plenty of water. Review after 3 days.";
    let bundle = drafted(text);
    let faults: Vec<String> = structure::check(&bundle).iter().map(|issue| issue.to_json().to_string()).collect();
    assert_eq!(faults, Vec::<String>::new());
    let kinds: Vec<&str> = (bundle.get("entry").map_or(&[][..], Json::items).iter())
        .filter_map(|entry| entry.get("resource")?.get_str("resourceType"))
        .collect();
    for kind in
        ["Device", "Observation", "Condition", "MedicationRequest", "AllergyIntolerance", "Composition", "Provenance"]
    {
        assert!(kinds.contains(&kind), "{kind} is missing");
    }
    let text = bundle.to_string();
    assert!(text.contains("2667000") && text.contains("Review after 3 days."));
    assert!(text.contains("\"dispenseRequest\":{\"quantity\":{\"value\":10"), "quantity is calculated");
}

#[test]
fn a_test_with_a_result_is_an_observation_and_no_request() {
    let text = "Creatinine 1.4.";
    let mut result = entity("Creatinine", text, Category::TestTreatmentProcedure, EntityType::TestName);
    result.codings = vec![loinc("2160-0")];
    result.attributes = vec![
        attribute(AttributeType::TestValue, "1.4", Some("1.4")),
        attribute(AttributeType::TestUnit, "1.4", Some("mg/dL")),
    ];
    let whole = "No fever. BP. throat infection paracetamol penicillin";
    let mut dictation = dictation(whole);
    dictation.result.entities = vec![result.clone()];
    let bundle = drafted_from(&dictation).to_string();
    assert!(bundle.contains("\"laboratory\"") && bundle.contains("\"value\":1.4"), "{bundle}");
    assert!(!bundle.contains("ServiceRequest"), "{bundle}");
    // Of another day it has a date that nobody said, and it is not asked for either.
    result.traits.push(Trait::PastHistory);
    dictation.result.entities = vec![result];
    let bundle = drafted_from(&dictation).to_string();
    assert!(!bundle.contains("\"laboratory\"") && !bundle.contains("ServiceRequest"), "{bundle}");
}

#[test]
fn a_result_in_words_is_an_observation_with_a_code_and_its_words_as_evidence() {
    let said = "NS1 was negative. Review.";
    let mut result = entity("NS1", said, Category::TestTreatmentProcedure, EntityType::TestName);
    let begin = said.find("negative").expect("it stands there");
    let value = attribute(AttributeType::TestValue, "negative", Some("negative"));
    result.attributes = vec![Attribute { begin, end: begin + "negative".len(), ..value }];
    let bundle = drafted_from(&dictation_of(said, vec![result]));
    let faults: Vec<String> = structure::check(&bundle).iter().map(|issue| issue.to_json().to_string()).collect();
    assert_eq!(faults, Vec::<String>::new());
    let text = bundle.to_string();
    assert!(text.contains("\"code\":{\"text\":\"NS1\"}"), "{text}");
    assert!(
        text.contains(
            "\"valueCodeableConcept\":{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":\"260385009\""
        ),
        "{text}"
    );
    assert!(text.contains("{\"url\":\"length\",\"valueInteger\":16}"), "name and word: {text}");
    assert!(
        text.contains("NS1: negative") && !text.contains("ServiceRequest") && !text.contains("\"Condition\""),
        "{text}"
    );
}

#[test]
fn what_was_taken_back_is_no_word_of_an_order() {
    for (said, name, expected) in [
        ("amoxicillin 250, no sorry, 500 mg twice a day", "amoxicillin", "500 mg, twice a day"),
        (
            "amoxicillin 250 mg, sorry, 500 mg swallowed whole twice a day",
            "amoxicillin",
            "500 mg, swallowed whole, twice a day",
        ),
        ("amoxicillin 500 mg, not that one, twice a day", "amoxicillin", "500 mg, not that one, twice a day"),
    ] {
        let mut medicine = entity(name, said, Category::Medication, EntityType::GenericName);
        let place = |kind, text: &str, value: Option<&str>| {
            let begin = said.find(text).expect("the words stand in the text");
            Attribute { begin, end: begin + text.len(), ..attribute(kind, text, value) }
        };
        medicine.attributes = vec![
            place(AttributeType::Dosage, "500 mg", Some("500 mg")),
            place(AttributeType::Frequency, "twice a day", None),
        ];
        let bundle = drafted_from(&dictation_of(said, vec![medicine])).to_string();
        assert!(bundle.contains(&format!("\"text\":\"{expected}\"")), "{said}: {bundle}");
    }
}

#[test]
fn the_words_of_an_order_keep_what_the_grammar_does_not_read() {
    for (said, expected) in [
        ("paracetamol 650 mg swallowed whole three times a day", "650 mg, swallowed whole, three times a day"),
        ("650 mg of paracetamol three times a day", "650 mg, three times a day"),
        ("paracetamol six fifty mg and to be taken three times a day", "650 mg, three times a day"),
        ("paracetamol 650 mg. He sleeps well. three times a day", "650 mg, three times a day"),
        ("paracetamol 650 mg for both twins three times a day", "650 mg, both twins, three times a day"),
        (
            "650 mg crushed paracetamol dissolved in water, three times a day",
            "650 mg, crushed, dissolved in water, three times a day",
        ),
    ] {
        let mut medicine = entity("paracetamol", said, Category::Medication, EntityType::GenericName);
        let place = |kind, text: &str, value: Option<&str>| {
            let begin = said.find(text).expect("the words stand in the text");
            Attribute { begin, end: begin + text.len(), ..attribute(kind, text, value) }
        };
        let dose = if said.contains("six fifty mg") { "six fifty mg" } else { "650 mg" };
        medicine.attributes = vec![
            place(AttributeType::Dosage, dose, Some("650 mg")),
            place(AttributeType::Frequency, "three times a day", None),
        ];
        let bundle = drafted_from(&dictation_of(said, vec![medicine])).to_string();
        assert!(bundle.contains(&format!("\"text\":\"{expected}\"")), "{said}: {bundle}");
        assert!(bundle.contains("\"frequency\":3"), "{said}");
    }
}

#[test]
fn what_two_orders_share_brings_no_words_of_the_other_one() {
    let said = "cefixime 200 mg twice a day and metronidazole 400 mg thrice a day, both for five days";
    let mut medicine = entity("cefixime", said, Category::Medication, EntityType::GenericName);
    let place = |kind, text: &str, value: Option<&str>| {
        let begin = said.find(text).expect("the words stand in the text");
        Attribute { begin, end: begin + text.len(), ..attribute(kind, text, value) }
    };
    medicine.attributes = vec![
        place(AttributeType::Dosage, "200 mg", Some("200 mg")),
        place(AttributeType::Frequency, "twice a day", None),
        place(AttributeType::Duration, "for five days", Some("5 d")),
    ];
    let bundle = drafted_from(&dictation_of(said, vec![medicine])).to_string();
    assert!(bundle.contains("\"text\":\"200 mg, twice a day, for five days\""), "{bundle}");
}

#[test]
fn the_words_around_an_order_are_its_words_and_an_order_in_words_alone_has_them_too() {
    let said = "metformin sustained release 500 mg twice a day while awake";
    let placed = |text: &str, kind, value: Option<&str>| {
        let begin = said.find(text).expect("the words stand in the text");
        Attribute { begin, end: begin + text.len(), ..attribute(kind, text, value) }
    };
    let mut medicine = entity("metformin", said, Category::Medication, EntityType::GenericName);
    let instruction = placed("while awake", AttributeType::Instruction, None);
    medicine.attributes = vec![
        placed("500 mg", AttributeType::Dosage, Some("500 mg")),
        placed("twice a day", AttributeType::Frequency, None),
        instruction.clone(),
    ];
    let bundle = drafted_from(&dictation_of(said, vec![medicine.clone()])).to_string();
    assert!(bundle.contains("\"text\":\"sustained release, 500 mg, twice a day, while awake\""), "{bundle}");
    medicine.attributes = vec![instruction];
    let bundle = drafted_from(&dictation_of(said, vec![medicine])).to_string();
    assert!(bundle.contains("\"dosageInstruction\":[{\"text\":") && bundle.contains("while awake"), "{bundle}");
}

#[test]
fn a_planned_procedure_says_when_in_words_and_belongs_to_the_next_visit() {
    let said = "ear syringing after one week";
    let mut planned = entity("ear syringing", said, Category::TestTreatmentProcedure, EntityType::ProcedureName);
    let bare = drafted_from(&dictation_of(said, vec![planned.clone()])).to_string();
    assert!(!bare.contains("ServiceRequest"), "nobody said that it is to be done: {bare}");
    planned.attributes = vec![attribute(AttributeType::Duration, "after one week", Some("1 wk"))];
    let bundle = drafted_from(&dictation_of(said, vec![planned]));
    let faults: Vec<String> = structure::check(&bundle).iter().map(|issue| issue.to_json().to_string()).collect();
    assert_eq!(faults, Vec::<String>::new());
    let text = bundle.to_string();
    assert!(text.contains("\"occurrenceTiming\":{\"code\":{\"text\":\"after one week\"}}"), "{text}");
    assert!(text.contains("ear syringing, after one week") && text.contains("\"code\":\"follow-up\""), "{text}");
    assert!(!text.contains("\"code\":\"tests\""), "{text}");
}
