use super::*;

const RXNORM: &str = "/service/ComprehendMedical_20181030/operation/InferRxNorm";
const ICD10CM: &str = "/service/ComprehendMedical_20181030/operation/InferICD10CM";
const SNOMEDCT: &str = "/service/ComprehendMedical_20181030/operation/InferSNOMEDCT";

/// A part with its concepts, the likeliest first.
fn inferred(text: &str, words: &str, member: &str, concepts: &[(&str, f64)]) -> Value {
    let mut entity = part(text, words, "MEDICATION", "GENERIC_NAME");
    let concept =
        |(code, score): &(&str, f64)| json!({"Code": code, "Description": format!("{code} in words"), "Score": score});
    entity[member] = concepts.iter().map(concept).collect();
    entity
}

fn codes<'a>(found: &'a [Entity], words: &str, system: &str) -> Vec<(&'a str, Option<f32>)> {
    let entity = found.iter().find(|entity| entity.text == words).expect(words);
    let of = entity.codings.iter().filter(|coding| coding.system == system);
    of.map(|coding| (coding.code.as_str(), coding.score)).collect()
}

#[tokio::test]
async fn inferred_codes_join_what_was_found_and_replace_nothing() {
    let server = answering(TEXT, consultation()).await;
    let medicines = json!({"Entities": [
        inferred(TEXT, "paracetamol", "RxNormConcepts", &[("999", 0.91), ("202433", 0.4)]),
        inferred(TEXT, "650 milligram", "RxNormConcepts", &[("9", 0.9)]),
    ]});
    let conditions = json!({"Entities": [inferred(TEXT, "fever", "ICD10CMConcepts", &[("R50.9", 0.8)]),
        inferred(TEXT, "BP", "ICD10CMConcepts", &[("I10", 0.8)])]});
    let concepts = json!({"Entities": [inferred(TEXT, "BP", "SNOMEDCTConcepts", &[("75367002", 0.8)]),
        inferred(TEXT, "cough", "SNOMEDCTConcepts", &[("49727002", 0.9)])]});
    for (place, answer) in [(RXNORM, &medicines), (ICD10CM, &conditions), (SNOMEDCT, &concepts)] {
        Mock::given(path(place)).respond_with(respond(200, answer)).expect(1).mount(&server).await;
    }
    let plain = extractor(server.uri()).await.extract(TEXT, "en").await.expect("entities");
    let all = vec![Ontology::RxNorm, Ontology::Icd10Cm, Ontology::SnomedCt];
    let found = extractor(server.uri()).await.inferring(all).extract(TEXT, "en").await.expect("entities");
    check_entities(TEXT, &found);
    assert_eq!(
        codes(&found, "paracetamol", "http://www.nlm.nih.gov/research/umls/rxnorm"),
        [("161", None)],
        "the formulary's code stays"
    );
    assert_eq!(found[0].codings[0], plain[0].codings[0], "codes of our own come first");
    let own = codes(&plain, "fever", "http://hl7.org/fhir/sid/icd-10-cm");
    let joined = codes(&found, "fever", "http://hl7.org/fhir/sid/icd-10-cm");
    assert_eq!(joined, if own.is_empty() { vec![("R50.9", Some(0.8))] } else { own });
    assert_eq!(codes(&found, "cough", "http://snomed.info/sct").len(), 1);
    let pressure =
        |found: &[Entity]| found.iter().find(|entity| entity.text == "BP").map(|entity| entity.codings.clone());
    assert_eq!(pressure(&found), pressure(&plain), "a measurement keeps its components");
}

#[tokio::test]
async fn words_that_no_list_of_ours_has_get_the_likeliest_code_with_its_score() {
    const WORDS: &str = "Quincke oedema";
    let server = answering(WORDS, answer(vec![part(WORDS, WORDS, "MEDICAL_CONDITION", "DX_NAME")])).await;
    let concepts = [("T78.3", 0.71), ("J38.4", 0.2)];
    let inferred = json!({"Entities": [inferred(WORDS, WORDS, "ICD10CMConcepts", &concepts)]});
    Mock::given(path(ICD10CM)).respond_with(respond(200, &inferred)).mount(&server).await;
    let extractor = extractor(server.uri()).await.inferring(vec![Ontology::Icd10Cm, Ontology::RxNorm]);
    let found = extractor.extract(WORDS, "en").await.expect("entities");
    assert_eq!(codes(&found, WORDS, "http://hl7.org/fhir/sid/icd-10-cm"), [("T78.3", Some(0.71))]);
    let asked = server.received_requests().await.expect("requests");
    assert!(asked.iter().all(|request| request.url.path() != RXNORM), "no medicine, no question about medicines");
}

#[tokio::test]
async fn long_texts_are_asked_in_pieces_below_the_lower_limit() {
    let server = MockServer::start().await;
    let sentence = "बुखार means fever today. ";
    let whole = |request: &Request| {
        let text = text_of(request);
        respond(200, &answer(vec![part(&text, "fever", "MEDICAL_CONDITION", "DX_NAME")]))
    };
    let coding = |request: &Request| {
        let text = text_of(request);
        assert!(text.len() < 10_000, "{} bytes", text.len());
        respond(200, &json!({"Entities": [inferred(&text, "fever", "ICD10CMConcepts", &[("R50.9", 0.8)])]}))
    };
    Mock::given(path(DETECT)).respond_with(whole).mount(&server).await;
    Mock::given(path(ICD10CM)).respond_with(coding).mount(&server).await;
    let text = sentence.repeat(900);
    let extractor = extractor(server.uri()).await.inferring(vec![Ontology::Icd10Cm]);
    let found = extractor.extract(&text, "en").await.expect("entities");
    check_entities(&text, &found);
    let asked = server.received_requests().await.expect("requests");
    assert_eq!(asked.iter().filter(|request| request.url.path() == ICD10CM).count(), text.len().div_ceil(9_990));
}

#[tokio::test]
async fn a_code_for_words_that_are_not_there_is_refused_whole() {
    let server = answering("fever", answer(vec![part("fever", "fever", "MEDICAL_CONDITION", "DX_NAME")])).await;
    let mut wrong = inferred("fever", "fever", "ICD10CMConcepts", &[("R50.9", 0.8)]);
    wrong["Text"] = json!("cough");
    Mock::given(path(ICD10CM)).respond_with(respond(200, &json!({"Entities": [wrong]}))).mount(&server).await;
    let extractor = extractor(server.uri()).await.inferring(vec![Ontology::Icd10Cm]);
    assert!(matches!(extractor.extract("fever", "en").await, Err(ExtractionError::Misplaced { .. })));
}
