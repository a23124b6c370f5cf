//! A medicine that is said twice in one recording: once drafted, with both places, or a contradiction for the doctor to decide.

use serde_json::{Value, json};
use seva_server::demo;
use seva_tests::client::Client;
use seva_tests::server::TestServer;

use super::dictation::{review, sign};
use super::review::said;

const NOTE: &str = "/v1/encounters/visit-dhillon/prescription";
const PROPOSALS: &str = "/v1/encounters/visit-dhillon/proposals";

async fn read(client: &Client, place: &str) -> Value {
    let answer = client.get(place).await.unwrap();
    assert_eq!(answer.status, 200, "{place}: {}", answer.json);
    answer.json
}

#[tokio::test]
async fn the_same_order_said_twice_is_one_draft_and_another_order_is_the_doctor_s_to_decide() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let lines = [
        "Tab paracetamol 650 mg three times a day.",
        "Tab azithromycin 500 mg once daily for three days. Get a complete blood count.",
        "So paracetamol 650 mg for five days.",
        "Azithromycin 250 mg once daily for three days, and the complete blood count.",
    ];
    let id = said(&server, "dhillon", &lines).await["id"].as_str().unwrap().to_owned();
    let note = read(doctor, NOTE).await;
    let medicines = note["medicines"].as_array().unwrap();
    assert_eq!(medicines.len(), 2, "{note:#}");
    let named = |note: &Value, name: &str| {
        note["medicines"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned().unwrap()
    };
    let paracetamol = named(&note, "paracetamol");
    let dosage = &paracetamol["dosage"];
    assert_eq!((&dosage["frequency"], &dosage["durationValue"]), (&json!(3), &json!("5")), "{paracetamol:#}");
    let places: Vec<u64> =
        paracetamol["evidence"].as_array().unwrap().iter().map(|span| span["begin"].as_u64().unwrap()).collect();
    let second = lines[..2].iter().map(|line| line.chars().count() as u64 + 1).sum::<u64>();
    assert!(places.len() == 2 && places[0] < 10 && places[1] >= second, "{places:?} and {second}");
    let tests = read(doctor, "/fhir/ServiceRequest?encounter=visit-dhillon").await;
    assert_eq!(tests["total"].as_u64().or(Some(1)), Some(1), "{tests}");
    assert_eq!(tests["entry"].as_array().unwrap().len(), 1, "{tests}");

    let proposals = read(doctor, PROPOSALS).await;
    assert_eq!((proposals["pending"].as_u64(), proposals["proposals"].as_array().unwrap().len()), (Some(1), 1));
    let other = &proposals["proposals"][0];
    assert_eq!((other["difference"].as_str(), other["state"].as_str()), (Some("contradicting"), Some("pending")));
    assert!(
        other["before"].as_str().unwrap().contains("500 mg") && other["after"].as_str().unwrap().contains("250 mg")
    );
    let place = format!("/v1/dictations/{id}/proposals/{}", other["number"]);
    let waiting = note;
    let decided = doctor.post(&place, &json!({"decision": "accepted"})).await.unwrap();
    assert_eq!(decided.status, 200, "{}", decided.json);
    let note = read(doctor, NOTE).await;
    let text = named(&note, "azithromycin").to_string();
    assert!(text.contains("250 mg") && !text.contains("500 mg, 1 time"), "{text}");
    assert_eq!(note["medicines"].as_array().unwrap().len(), 2, "{note:#}");
    let contradicted = |note: &Value| note["blockers"].to_string().contains("medicine-contradicted");
    assert!(contradicted(&waiting) && !contradicted(&note), "what was accepted hinders no more: {note:#}");
    server.stop().await.unwrap();
}

/// Approves all that a signature needs.
async fn approved(doctor: &Client) -> Value {
    let mut seen = read(doctor, NOTE).await;
    for (section, body) in [
        ("diagnosis", json!({"text": "Throat infection", "state": "approved"})),
        ("medications", json!({"state": "approved"})),
        ("instructions", json!({"state": "approved"})),
    ] {
        seen = review(doctor, &format!("{NOTE}/sections/{section}"), &seen["version"], body).await;
    }
    decided(doctor, &seen, "approved").await
}

/// Approves or rejects the only medicine.
async fn decided(doctor: &Client, seen: &Value, state: &str) -> Value {
    let place = format!("{NOTE}/medicines/{}", seen["medicines"][0]["id"].as_str().unwrap());
    review(doctor, &place, &seen["version"], json!({ "state": state })).await
}

fn hindrances(seen: &Value) -> Vec<(&str, &str)> {
    let blockers = seen["blockers"].as_array().unwrap().iter();
    blockers.map(|one| (one["code"].as_str().unwrap(), one["target"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn nothing_is_signed_while_a_contradicting_order_waits_for_a_decision() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let lines = [
        "Tab azithromycin 500 mg once daily for three days.",
        "Azithromycin 250 mg once daily for three days. Plenty of fluids.",
    ];
    let id = said(&server, "dhillon", &lines).await["id"].as_str().unwrap().to_owned();
    let mut seen = approved(doctor).await;
    let medicine = seen["medicines"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(hindrances(&seen), [("medicine-contradicted", medicine.as_str())], "{seen:#}");
    let refused = sign(doctor, NOTE, &seen["version"], demo::PIN).await;
    assert_eq!(refused.status, 422, "{}", refused.json);
    let why = "azithromycin is ordered otherwise by a proposal that is neither accepted nor rejected";
    assert!(refused.json["detail"].as_str().unwrap().to_lowercase().contains(why), "{}", refused.json);

    // Who rejects the draft orders one thing less, and who approves it again stands where he stood.
    seen = decided(doctor, &seen, "rejected").await;
    assert_eq!(hindrances(&seen), []);
    seen = decided(doctor, &seen, "approved").await;
    assert_eq!(hindrances(&seen), [("medicine-contradicted", medicine.as_str())]);

    let number = read(doctor, PROPOSALS).await["proposals"][0]["number"].clone();
    let place = format!("/v1/dictations/{id}/proposals/{number}");
    let kept = doctor.post(&place, &json!({"decision": "rejected"})).await.unwrap();
    assert_eq!(kept.status, 200, "{}", kept.json);
    seen = read(doctor, NOTE).await;
    assert_eq!(hindrances(&seen), []);
    let signed = sign(doctor, NOTE, &seen["version"], demo::PIN).await;
    assert_eq!(signed.status, 201, "{}", signed.json);
    server.stop().await.unwrap();
}
