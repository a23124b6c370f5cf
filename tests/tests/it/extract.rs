//! `$extract`: a text of another program becomes statements with their evidence, and nothing is stored.

use reqwest::Method;
use serde_json::{Value, json};
use seva_clinic::drafting::elements::EXTENSION;
use seva_tests::client::Client;
use seva_tests::server::{NewAccount, TestServer};

fn asked(text: &str, more: &[Value]) -> Value {
    let mut parameters = vec![
        json!({"name": "text", "valueString": text}),
        json!({"name": "subject", "valueReference": {"reference": "Patient/rane"}}),
    ];
    parameters.extend_from_slice(more);
    json!({"resourceType": "Parameters", "parameter": parameters})
}

async fn total(doctor: &Client) -> Value {
    let answer = doctor.get("/fhir/MedicationRequest?_summary=count").await.unwrap();
    assert_eq!(answer.status, 200);
    answer.json["total"].clone()
}

#[tokio::test]
async fn a_text_becomes_statements_with_evidence_and_nothing_is_stored() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let before = total(doctor).await;
    // Devanagari first: offsets count code points and not bytes.
    let text = "नमस्ते। Fever since 3 days, no cough. BP 130 over 80. Tab paracetamol 650 mg twice a day for 5 days.";
    let encounter = json!({"name": "encounter", "valueReference": {"reference": "Encounter/visit-rane"}});
    let answer = doctor.post("/fhir/$extract", &asked(text, &[encounter])).await.unwrap();
    assert_eq!((answer.status, answer.json["type"].as_str()), (200, Some("collection")), "{}", answer.json);
    let entries = answer.json["entry"].as_array().unwrap();
    let of = |kind: &str| {
        let resources = entries.iter().map(|entry| &entry["resource"]);
        resources.filter(|resource| resource["resourceType"] == kind).collect::<Vec<_>>()
    };
    let medicine = of("MedicationRequest")[0];
    assert_eq!((medicine["status"].as_str(), medicine["intent"].as_str()), (Some("draft"), Some("proposal")));
    assert_eq!(medicine["subject"]["reference"], "Patient/rane");
    assert_eq!(medicine["encounter"]["reference"], "Encounter/visit-rane");
    assert_eq!(medicine["dosageInstruction"][0]["timing"]["repeat"]["frequency"], 2, "{medicine}");

    let document = entries[0]["fullUrl"].as_str().unwrap();
    let span = &medicine["extension"][0]["extension"];
    let part = |name: &str, value: &str| {
        span.as_array().unwrap().iter().find(|part| part["url"] == name).map(|part| part[value].clone()).unwrap()
    };
    assert_eq!(part("reference", "valueReference")["reference"], document);
    let (offset, length) = (part("offset", "valueInteger"), part("length", "valueInteger"));
    let words: String = (text.chars())
        .skip(usize::try_from(offset.as_u64().unwrap()).unwrap())
        .take(usize::try_from(length.as_u64().unwrap()).unwrap())
        .collect();
    assert_eq!(words, "paracetamol");
    assert!(!answer.json.to_string().contains(&format!("{EXTENSION}audio-span")), "nobody spoke it");

    let cough = of("Observation").into_iter().find(|one| one["code"]["text"] == "cough").unwrap();
    assert_eq!(cough["valueCodeableConcept"]["coding"][0]["code"], "2667000", "what is denied is absent");
    let pressure = of("Observation").into_iter().find(|one| one["component"].is_array()).unwrap();
    assert_eq!(pressure["component"][0]["valueQuantity"]["value"], 130);
    let targets = of("Provenance")[0]["target"].as_array().unwrap().len();
    assert_eq!(targets, entries.len() - 3, "all but text, machine and itself");
    assert_eq!(of("Device").len(), 1);

    assert_eq!(total(doctor).await, before, "nothing is stored");
    // What came out is what a transaction takes.
    let transaction: Vec<Value> = (entries.iter())
        .map(|entry| {
            let kind = entry["resource"]["resourceType"].clone();
            json!({"fullUrl": entry["fullUrl"], "resource": entry["resource"], "request": {"method": "POST", "url": kind}})
        })
        .collect();
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": transaction});
    let system = server.administrator().await.unwrap();
    let stored = system.post("/fhir", &bundle).await.unwrap();
    assert_eq!(stored.status, 200, "{}", stored.json);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_can_t_be_extracted_is_said_in_the_caller_s_terms() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let refused = async |body: &Value| doctor.post("/fhir/$extract", body).await.unwrap();
    let nothing = refused(&asked("  ", &[])).await;
    assert_eq!((nothing.status, nothing.json["resourceType"].as_str()), (422, Some("OperationOutcome")));
    let unknown = json!({"name": "language", "valueCode": "xx"});
    let foreign = refused(&asked("Fever.", &[unknown])).await;
    assert_eq!(foreign.status, 422, "{}", foreign.json);
    assert!(foreign.json.to_string().contains("xx"));
    let nobody = json!({"resourceType": "Parameters", "parameter": [{"name": "text", "valueString": "Fever."}]});
    assert_eq!(refused(&nobody).await.status, 400);
    let other = json!({"resourceType": "Parameters", "parameter": [{"name": "text", "valueString": "Fever."},
        {"name": "subject", "valueReference": {"reference": "Group/x"}}]});
    assert!(refused(&other).await.json.to_string().contains("no Patient/x"));
    let got = doctor.send(Method::GET, "/fhir/$extract?text=Fever", &[], None).await.unwrap();
    assert_eq!(got.status, 405, "a clinical text does not stand in an address");
    let new = NewAccount {
        tenant: seva_server::demo::TENANT,
        username: "asha",
        role: "patient",
        practitioner: None,
        patient: Some("rane"),
    };
    let patient = server.account(new).await.unwrap();
    assert_eq!(patient.post("/fhir/$extract", &asked("Fever.", &[])).await.unwrap().status, 403);
    drop(patient);
    server.stop().await.unwrap();
}
