use serde_json::{Value, json};
mod inference;

use seva_clinic::dosage;
use seva_clinic::entities::{AttributeType, Category, EntityType, Trait};
use seva_clinic::laboratory::TestFinding;
use seva_clinic::testing::{check_entities, extraction_contract};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request};

use super::*;
use crate::connection::Identity;
use crate::rpc::{respond, text_of};

const DETECT: &str = "/service/ComprehendMedical_20181030/operation/DetectEntitiesV2";

const TEXT: &str = "Patient has fever for three days. No cough. Temperature 38.5, BP 120/80. \
    Prescribe paracetamol 650 milligram three times a day for five days. He is allergic to penicillin.";

async fn extractor(endpoint: String) -> ComprehendExtractor {
    ComprehendExtractor::new(Connection {
        region: "us-east-1".to_owned(),
        endpoint: Some(endpoint),
        identity: Identity::Fixed { key_id: "test-key".to_owned(), secret: "test-secret".to_owned() },
        certificates: None,
    })
    .await
}

/// A part of the answer for some words of a text, in the shape of the API reference.
fn part(text: &str, words: &str, category: &str, kind: &str) -> Value {
    let at = text.find(words).expect("the words stand in the text");
    let begin = text.get(..at).expect("a boundary").chars().count();
    json!({"Id": 0, "BeginOffset": begin, "EndOffset": begin + words.chars().count(), "Score": 0.97, "Text": words,
        "Category": category, "Type": kind, "Traits": [], "Attributes": []})
}

fn attribute(text: &str, words: &str, kind: &str) -> Value {
    let mut each = part(text, words, "MEDICATION", kind);
    each["RelationshipScore"] = json!(0.9);
    each["RelationshipType"] = json!(kind);
    each
}

fn with(mut entity: Value, traits: &[&str], attributes: Vec<Value>) -> Value {
    entity["Traits"] = traits.iter().map(|name| json!({"Name": name, "Score": 0.8})).collect();
    entity["Attributes"] = Value::Array(attributes);
    entity
}

fn answer(entities: Vec<Value>) -> Value {
    json!({"Entities": entities, "UnmappedAttributes": [], "ModelVersion": "2.4.0"})
}

fn consultation() -> Value {
    let fever = part(TEXT, "fever", "MEDICAL_CONDITION", "DX_NAME");
    let length = part(TEXT, "for three days", "TIME_EXPRESSION", "TIME_TO_DX_NAME");
    let mut owner = fever.clone();
    owner["RelationshipScore"] = json!(0.7);
    owner["RelationshipType"] = json!("OVERLAP");
    owner.as_object_mut().expect("an object").remove("Attributes");
    let test = |name: &str, value: &str| {
        with(part(TEXT, name, "TEST_TREATMENT_PROCEDURE", "TEST_NAME"), &[], vec![attribute(TEXT, value, "TEST_VALUE")])
    };
    let dose = [("650 milligram", "DOSAGE"), ("three times a day", "FREQUENCY"), ("for five days", "DURATION")];
    let dose = dose.iter().map(|(words, kind)| attribute(TEXT, words, kind)).collect();
    answer(vec![
        with(part(TEXT, "paracetamol", "MEDICATION", "GENERIC_NAME"), &[], dose),
        with(fever, &["SYMPTOM"], Vec::new()),
        with(length, &[], vec![owner]),
        with(part(TEXT, "cough", "MEDICAL_CONDITION", "DX_NAME"), &["SYMPTOM", "NEGATION"], Vec::new()),
        test("Temperature", "38.5"),
        test("BP", "120/80"),
        part(TEXT, "penicillin", "MEDICATION", "GENERIC_NAME"),
    ])
}

async fn answering(text: &str, body: Value) -> MockServer {
    let (server, expected) = (MockServer::start().await, text.to_owned());
    let asked = move |request: &Request| text_of(request) == expected;
    Mock::given(path(DETECT)).and(asked).respond_with(respond(200, &body)).mount(&server).await;
    server
}

async fn read(text: &str, entities: Vec<Value>) -> Vec<Entity> {
    let server = answering(text, answer(entities)).await;
    let found = extractor(server.uri()).await.extract(text, "en-IN").await.expect("entities");
    check_entities(text, &found);
    found
}

#[tokio::test]
async fn comprehend_keeps_what_an_extractor_promises() {
    let server = answering(TEXT, consultation()).await;
    extraction_contract(&extractor(server.uri()).await, TEXT).await;
}

#[tokio::test]
async fn a_consultation_reads_as_the_mapper_needs_it() {
    let server = answering(TEXT, consultation()).await;
    let found = extractor(server.uri()).await.extract(TEXT, "en").await.expect("entities");
    let named = |words: &str| found.iter().find(|entity| entity.text == words).expect(words);
    let medicine = named("paracetamol");
    assert_eq!(medicine.score, Some(0.97));
    assert!(medicine.codings.iter().any(|coding| coding.code == "N02BE01"), "the formulary codes it");
    assert_eq!(medicine.dosage_text(), "650 mg, three times a day, for five days");
    let steps = dosage::parse(&medicine.dosage_text());
    let [step] = steps.as_slice() else { panic!("one step: {steps:?}") };
    assert_eq!(step.timing.per_day(), Some(3));
    assert!(step.duration.is_some() && step.substance().is_some());
    assert!(!medicine.has(Trait::LowConfidence));
    assert_eq!(medicine.attributes.first().and_then(|each| each.score), Some(0.9), "the lesser of the two scores");
    let fever = named("fever");
    let length = fever.attributes_of(AttributeType::Duration).next().expect("its length");
    assert_eq!((length.text.as_str(), length.value.as_deref()), ("for three days", Some("3 d")));
    assert!(named("cough").has(Trait::Negation));
    let temperature = named("Temperature 38.5");
    assert_eq!((temperature.category, temperature.kind), (Category::Vital, EntityType::VitalSign));
    let values: Vec<_> = temperature.attributes.iter().filter_map(|each| each.value.as_deref()).collect();
    assert_eq!(values, ["38.5", "Cel"]);
    let pressure = named("BP 120/80");
    let values: Vec<_> = pressure.attributes.iter().filter_map(|each| each.value.as_deref()).collect();
    assert_eq!(values, ["120", "mm[Hg]", "80"]);
    let penicillin = named("penicillin");
    assert_eq!(penicillin.category, Category::Allergy, "what somebody is allergic to is not prescribed");
    assert!(!penicillin.codings.is_empty() || penicillin.has(Trait::LowConfidence));
}

#[tokio::test]
async fn allergies_are_never_turned_around() {
    let text = "No known allergies. Not allergic to peanuts. Prescribe ibuprofen.";
    let allergy = |words: &str| part(text, words, "BEHAVIORAL_ENVIRONMENTAL_SOCIAL", "ALLERGIES");
    let found = read(
        text,
        vec![
            with(allergy("known allergies"), &["NEGATION"], Vec::new()),
            with(allergy("allergic to peanuts"), &["NEGATION"], Vec::new()),
            part(text, "ibuprofen", "MEDICATION", "GENERIC_NAME"),
        ],
    )
    .await;
    let [none, peanuts, ibuprofen] = found.as_slice() else { panic!("{found:?}") };
    assert!(none.category == Category::Allergy && none.has(Trait::Negation) && none.codings.is_empty());
    assert_eq!(peanuts.category, Category::BehavioralEnvironmentalSocial, "one denied substance is not all of them");
    assert_eq!(ibuprofen.category, Category::Medication);
}

#[tokio::test]
async fn a_denied_or_unstatable_dose_is_doubtful() {
    let text = "Start metformin 500 mg or 850 mg. Aspirin 75 mg not twice a day.";
    let mut twice = attribute(text, "twice a day", "FREQUENCY");
    twice["Traits"] = json!([{"Name": "NEGATION", "Score": 0.9}]);
    let doses = ["500 mg", "850 mg"].map(|words| attribute(text, words, "DOSAGE")).to_vec();
    let found = read(
        text,
        vec![
            with(part(text, "metformin", "MEDICATION", "GENERIC_NAME"), &[], doses),
            with(
                part(text, "Aspirin", "MEDICATION", "GENERIC_NAME"),
                &[],
                vec![attribute(text, "75 mg", "DOSAGE"), twice],
            ),
        ],
    )
    .await;
    assert!(found.iter().all(|entity| entity.has(Trait::LowConfidence)), "{found:?}");
    assert!(found.iter().all(|entity| entity.attributes_of(AttributeType::Frequency).next().is_none()));
}

#[tokio::test]
async fn traits_and_kinds_are_carried_over() {
    let text = "Mother had diabetes. Smokes. Age 45. MRI of the knee. Crocin.";
    let found = read(
        text,
        vec![
            with(
                part(text, "diabetes", "MEDICAL_CONDITION", "DX_NAME"),
                &["PERTAINS_TO_FAMILY", "DIAGNOSIS"],
                Vec::new(),
            ),
            part(text, "Smokes", "BEHAVIORAL_ENVIRONMENTAL_SOCIAL", "TOBACCO_USE"),
            part(text, "45", "PROTECTED_HEALTH_INFORMATION", "AGE"),
            part(text, "MRI", "TEST_TREATMENT_PROCEDURE", "TEST_NAME"),
            part(text, "knee", "ANATOMY", "SYSTEM_ORGAN_SITE"),
            part(text, "Crocin", "MEDICATION", "BRAND_NAME"),
            part(text, "of the", "A_CATEGORY_OF_TOMORROW", "NEW_TYPE"),
        ],
    )
    .await;
    let kinds: Vec<EntityType> = found.iter().map(|entity| entity.kind).collect();
    use EntityType::{Age, BrandName, DxName, Habit, SystemOrganSite, TestName};
    assert_eq!(kinds, [DxName, Habit, Age, TestName, SystemOrganSite, BrandName]);
    assert_eq!(found.first().map(|entity| entity.traits.clone()), Some(vec![Trait::FamilyHistory, Trait::Diagnosis]));
    assert!(found.last().is_some_and(|entity| entity.suggestion.is_none()), "a brand is not repaired into a generic");
}

#[tokio::test]
async fn a_long_text_is_asked_in_pieces_and_places_are_of_the_whole() {
    let server = MockServer::start().await;
    let answering = |request: &Request| {
        let text = text_of(request);
        assert!(text.len() < 20_000, "{} bytes", text.len());
        respond(200, &answer(vec![part(&text, "fever", "MEDICAL_CONDITION", "DX_NAME")]))
    };
    Mock::given(path(DETECT)).respond_with(answering).mount(&server).await;
    let text = "बुखार means fever today. ".repeat(2000);
    let extractor = extractor(server.uri()).await;
    let found = extractor.extract(&text, "en").await.expect("entities");
    check_entities(&text, &found);
    let asked = server.received_requests().await.expect("requests").len();
    assert_eq!((found.len(), asked), (asked, text.len().div_ceil(19_990)));
    let ids: Vec<u32> = found.iter().map(|entity| entity.id).collect();
    assert_eq!(ids, (0..u32::try_from(asked).expect("few")).collect::<Vec<_>>());
    let long = "x".repeat(TEXT_LIMIT + 1);
    assert!(matches!(extractor.extract(&long, "en").await, Err(ExtractionError::TooLong { .. })));
}

#[tokio::test]
async fn results_of_tests_are_amounts_or_words_and_a_test_to_come_is_asked_for() {
    let text = "Haemoglobin 9.8 gm/dl. Platelet count 1.2 lakh. NS1 negative. Widal above 160. CBC tomorrow. HIV not negative.";
    let test = |name: &str, traits: &[&str], values: &[(&str, &str)]| {
        let values = values.iter().map(|(words, kind)| attribute(text, words, kind)).collect();
        with(part(text, name, "TEST_TREATMENT_PROCEDURE", "TEST_NAME"), traits, values)
    };
    let mut denied = test("HIV", &["NEGATION"], &[]);
    let mut value = attribute(text, "negative", "TEST_VALUE");
    let begin = text.find("not negative").expect("it stands there") + "not ".len();
    (value["BeginOffset"], value["EndOffset"]) = (json!(begin), json!(begin + "negative".len()));
    denied["Attributes"] = json!([value]);
    let found = read(
        text,
        vec![
            test("Haemoglobin", &[], &[("9.8", "TEST_VALUE"), ("gm/dl", "TEST_UNITS")]),
            test("Platelet count", &[], &[("1.2 lakh", "TEST_VALUE")]),
            test("NS1", &[], &[("negative", "TEST_VALUE")]),
            test("Widal", &[], &[("above 160", "TEST_VALUE")]),
            test("CBC", &["FUTURE"], &[]),
            denied,
        ],
    )
    .await;
    let [haemoglobin, platelets, ns1, widal, cbc, hiv] = found.as_slice() else { panic!("{found:?}") };
    let values =
        |entity: &Entity| -> Vec<String> { entity.attributes.iter().filter_map(|each| each.value.clone()).collect() };
    assert_eq!(
        (haemoglobin.text.as_str(), values(haemoglobin)),
        ("Haemoglobin 9.8 gm/dl", vec!["9.8".into(), "g/dL".into()])
    );
    assert_eq!(haemoglobin.codings.first().map(|coding| coding.code.as_str()), Some("718-7"));
    assert_eq!(values(platelets), ["120000", "/uL"]);
    assert_eq!(ns1.finding(), Some(TestFinding::Negative));
    assert_eq!((widal.finding(), values(widal)), (None, Vec::new()));
    assert!(cbc.is_requested() && !cbc.has(Trait::Hypothetical));
    assert_eq!(hiv.finding(), None, "what is denied is no result");
    assert!(hiv.has(Trait::LowConfidence));
}

async fn failing(status: u16, code: &str) -> (MockServer, ExtractionError) {
    let server = MockServer::start().await;
    let body = json!({"__type": format!("com.amazonaws.comprehendmedical#{code}"), "message": "no"});
    Mock::given(path(DETECT)).respond_with(respond(status, &body)).mount(&server).await;
    let failed = extractor(server.uri()).await.extract("fever", "en").await.expect_err("failed");
    (server, failed)
}

#[tokio::test]
async fn overload_is_asked_again_and_a_refusal_is_not() {
    for (status, code) in [
        (400, "TooManyRequestsException"),
        (400, "ThrottlingException"),
        (500, "InternalServerException"),
        (503, "ServiceUnavailableException"),
    ] {
        let (server, failed) = failing(status, code).await;
        assert!(matches!(failed, ExtractionError::Unavailable { .. }), "{code}: {failed}");
        assert_eq!(server.received_requests().await.expect("requests").len(), 4, "{code}");
    }
    for (status, code) in
        [(400, "AccessDeniedException"), (400, "InvalidRequestException"), (400, "TextSizeLimitExceededException")]
    {
        let (server, failed) = failing(status, code).await;
        assert!(matches!(failed, ExtractionError::Refused { .. }), "{code}: {failed}");
        assert_eq!(server.received_requests().await.expect("requests").len(), 1, "{code}");
    }
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let extractor = extractor("http://127.0.0.1:9".to_owned()).await;
    assert!(matches!(extractor.extract("fever", "en").await, Err(ExtractionError::Unavailable { .. })));
    assert!(matches!(extractor.health().await, Err(ExtractionError::Unavailable { .. })));
}

#[tokio::test]
async fn places_outside_the_text_or_wrong_quotes_are_refused_whole() {
    for (begin, end, words) in [(0, 99, "fever"), (3, 3, ""), (-1, 4, "feve"), (0, 5, "cough")] {
        let mut entity = part("fever", "fever", "MEDICAL_CONDITION", "DX_NAME");
        entity["BeginOffset"] = json!(begin);
        entity["EndOffset"] = json!(end);
        entity["Text"] = json!(words);
        let server = answering("fever", answer(vec![entity])).await;
        let failed = extractor(server.uri()).await.extract("fever", "en").await.expect_err("misplaced");
        assert!(matches!(failed, ExtractionError::Misplaced { .. }), "{begin}..{end}: {failed}");
    }
}

#[tokio::test]
async fn health_asks_a_free_question() {
    let server = MockServer::start().await;
    let jobs = "/service/ComprehendMedical_20181030/operation/ListEntitiesDetectionV2Jobs";
    let none = respond(200, &json!({"ComprehendMedicalAsyncJobPropertiesList": []}));
    Mock::given(path(jobs)).respond_with(none).expect(1).mount(&server).await;
    let extractor = extractor(server.uri()).await;
    extractor.health().await.expect("healthy");
    assert_eq!(extractor.destination().as_deref(), Some("comprehend-medical in us-east-1"));
}

#[tokio::test]
async fn a_slow_service_ends_at_the_budget_of_the_text() {
    let server = MockServer::start().await;
    let slow = respond(200, &answer(Vec::new())).set_delay(Duration::from_secs(30));
    Mock::given(path(DETECT)).respond_with(slow).mount(&server).await;
    let budget = Duration::from_millis(500);
    let asked = extractor(server.uri()).await.within(budget);
    let started = std::time::Instant::now();
    let late = asked.extract(TEXT, "en").await.expect_err("no answer");
    assert!(matches!(late, ExtractionError::Unavailable { .. }), "{late}");
    assert!((budget..budget * 6).contains(&started.elapsed()), "{:?}", started.elapsed());
    assert_eq!(BUDGET, Duration::from_secs(90), "docs/operations.md says so");
}
