//! What becomes of a machine's statements: edited words are the clinician's, accepted ones too, and rejected ones stay in the
//! record as errors.

use serde_json::{Value, json};
use seva_clinic::dictation::{DictationState, OtherNodes};
use seva_server::demo;
use seva_tests::client::Client;

use crate::dictation::{review, sign};
use crate::moody_clinic::{Clinic, limits, works};

const PLACE: &str = "/v1/encounters/visit-rane/prescription";

async fn read(doctor: &Client, path: &str) -> Value {
    let answer = doctor.get(path).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.json);
    answer.json
}

fn labels(resource: &Value) -> Vec<&str> {
    let list = resource["meta"]["security"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|label| label["code"].as_str().unwrap()).collect()
}

fn authors(provenances: &Value) -> usize {
    let entries = provenances["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    let by_hand = entries.iter().filter(|entry| entry["resource"]["entity"].is_null());
    by_hand.filter(|entry| entry["resource"]["agent"][0]["who"]["reference"] == "Practitioner/kelkar").count()
}

#[tokio::test]
async fn edited_words_are_the_clinician_s_and_rejected_ones_stay_as_errors() {
    let clinic = Clinic::open().await;
    let node = clinic.node(works(), works(), limits());
    node.start_work(OtherNodes::Possible).await.unwrap();
    let id = clinic.recorded(&node, "rane").await;
    clinic.until(id, DictationState::Drafted).await;
    let doctor = &clinic.server.doctor;
    let seen = read(doctor, PLACE).await;
    let drafted = format!("MedicationRequest/{}", seen["medicines"][0]["id"].as_str().unwrap());
    let fever = read(doctor, "/fhir/Observation?encounter=visit-rane&derived-from:missing=false").await;
    let fever = format!("Observation/{}", fever["entry"][0]["resource"]["id"].as_str().unwrap());
    let test = read(doctor, "/fhir/ServiceRequest?encounter=visit-rane&status=draft&intent=proposal").await;
    let test = format!("ServiceRequest/{}", test["entry"][0]["resource"]["id"].as_str().unwrap());
    for resource in [&drafted, &fever, &test] {
        assert_eq!(labels(&read(doctor, &format!("/fhir/{resource}")).await), ["AIAST"], "{resource}");
    }

    // Edited: the words are the doctor's, and what was heard is still to be heard.
    let medicine = format!("{PLACE}/medicines/{}", seen["medicines"][0]["id"].as_str().unwrap());
    let line = json!({"text": "Tab paracetamol 500 mg 1-0-1 for 3 days"});
    review(doctor, &medicine, &seen["version"], line).await;
    let edited = read(doctor, &format!("/fhir/{drafted}")).await;
    assert_eq!(labels(&edited), ["CLINAST"], "{edited}");
    let evidence = read(doctor, &format!("/fhir/{drafted}/$evidence")).await;
    assert_eq!(evidence["parameter"][0]["valueBoolean"], true, "{evidence}");
    assert_eq!(authors(&read(doctor, &format!("/fhir/Provenance?target={drafted}")).await), 1);

    // Rejected: a second medicine, and the section of complaints with its finding.
    let line = json!({"text": "Tab cetirizine 10 mg at night for 5 days"});
    let mut seen = doctor.post(&format!("{PLACE}/medicines"), &line).await.unwrap().json;
    let refused = seen["medicines"].as_array().unwrap().iter().find(|one| one["name"] == "cetirizine").unwrap();
    let refused = refused["id"].as_str().unwrap().to_owned();
    seen = decided(doctor, seen, &refused).await;
    let signed = sign(doctor, PLACE, &seen["version"], demo::PIN).await;
    assert_eq!(signed.status, 201, "{}", signed.json);

    let kept = read(doctor, &format!("/fhir/{drafted}")).await;
    assert_eq!((kept["status"].as_str(), labels(&kept)), (Some("active"), vec!["CLINAST"]));
    let ordered = read(doctor, &format!("/fhir/{test}")).await;
    assert_eq!((&ordered["status"], &ordered["intent"]), (&json!("active"), &json!("order")), "{ordered}");
    assert_eq!(labels(&ordered), ["CLINAST_AIRPT"]);
    assert_eq!(authors(&read(doctor, &format!("/fhir/Provenance?target={test}")).await), 1, "the signature covers it");
    let wrong = read(doctor, &format!("/fhir/MedicationRequest/{refused}")).await;
    assert_eq!(wrong["status"], "entered-in-error", "{wrong}");
    let wrong = read(doctor, &format!("/fhir/{fever}")).await;
    assert_eq!((wrong["status"].as_str(), labels(&wrong)), (Some("entered-in-error"), vec!["AIAST"]));
    let shown = read(doctor, PLACE).await;
    let listed = shown["medicines"].as_array().unwrap().iter().find(|one| one["id"] == refused.as_str()).cloned();
    assert_eq!(listed.unwrap()["state"], "rejected", "it never vanishes");
    let note = read(doctor, "/fhir/Composition?encounter=visit-rane&status=final").await;
    assert_eq!(labels(&note["entry"][0]["resource"]), ["CLINAST_AIRPT"], "accepted with the signature");
    let paper = doctor.get(&format!("{PLACE}/document")).await.unwrap();
    let text = crate::dictation::text_of(&paper.bytes).to_lowercase();
    assert!(text.contains("paracetamol") && !text.contains("cetirizine"), "{text}");
    clinic.close([node]).await;
}

/// All sections and medicines decided: what was refused, and the complaints, are rejected.
async fn decided(doctor: &Client, mut seen: Value, refused: &str) -> Value {
    for (section, body) in [
        ("complaint", json!({"state": "rejected"})),
        ("diagnosis", json!({"text": "Viral fever", "state": "approved"})),
        ("medications", json!({"state": "approved"})),
        ("instructions", json!({"text": "Rest", "state": "approved"})),
    ] {
        seen = review(doctor, &format!("{PLACE}/sections/{section}"), &seen["version"], body).await;
    }
    for number in 0..seen["medicines"].as_array().unwrap().len() {
        let id = seen["medicines"][number]["id"].as_str().unwrap().to_owned();
        let state = if id == refused { "rejected" } else { "approved" };
        let place = format!("{PLACE}/medicines/{id}");
        seen = review(doctor, &place, &seen["version"], json!({ "state": state })).await;
    }
    assert_eq!(seen["blockers"], json!([]), "{seen}");
    seen
}
