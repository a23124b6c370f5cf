//! The reviewing doctor's help over the API: what was said is written into the dictation, the rest is the product's.

use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::{NewAccount, TestServer};
use sqlx::Connection;

use super::dictation::{begin, review, sign, until_done};

/// A dictation that was transcribed to these segments; the workers extract and draft.
pub(crate) async fn said(server: &TestServer, patient: &str, lines: &[&str]) -> Value {
    let made = begin(&server.doctor, patient, "ambient").await;
    let id = made["id"].as_str().unwrap();
    let mut start = 0;
    let mut segments = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let words: Vec<Value> = (line.split(' ').enumerate())
            .map(|(place, word)| {
                let begin = start + place as u64 * 300;
                json!({"text": word, "startMs": begin, "endMs": begin + 300, "confidence": 0.9})
            })
            .collect();
        let end = start + words.len() as u64 * 300;
        segments.push(json!({"id": number, "startMs": start, "endMs": end, "text": line, "words": words}));
        start = end;
    }
    let url = server.running.private_database().unwrap();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::query("UPDATE dictation SET state = 'transcribed', result = $1::jsonb WHERE id = $2::uuid")
        .bind(json!({ "segments": segments }).to_string())
        .bind(id)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let done = until_done(&server.doctor, id).await;
    assert_eq!(done["state"], "drafted", "{done}");
    done
}

async fn read(client: &Client, place: &str) -> Value {
    let answer = client.get(place).await.unwrap();
    assert_eq!(answer.status, 200, "{place}: {}", answer.json);
    answer.json
}

fn stop<'a>(walk: &'a Value, text: &str) -> &'a Value {
    let stops = walk["stops"].as_array().unwrap();
    stops.iter().find(|stop| stop["text"] == text).unwrap_or_else(|| panic!("no stop at {text:?}: {walk:#}"))
}

const LINES: &[&str] =
    &["No fever. No analogy. Pain in the left knee.", "Tab metphormin 500 mg twice a day for fifteen days."];

#[tokio::test]
async fn the_walk_leads_to_dangerous_words_and_a_correction_reaches_draft_and_lexicon() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let id = said(&server, "dhillon", LINES).await["id"].as_str().unwrap().to_owned();
    let place = format!("/v1/dictations/{id}/walk");
    let walk = read(doctor, &place).await;
    let first = &walk["stops"][0];
    assert_eq!((first["danger"].as_str(), first["reason"].as_str()), (Some("drug"), Some("repaired")), "{walk:#}");
    assert_eq!((first["text"].as_str(), first["suggested"].as_str()), (Some("metphormin"), Some("metformin")));
    assert_eq!(first["startMs"], 3000 - 300 + 300, "the second word of the second line");
    assert_eq!(stop(&walk, "No analogy")["reason"], "unread-negation");
    assert_eq!(stop(&walk, "left")["danger"], "side");
    assert_eq!(stop(&walk, "for fifteen days")["reason"], "sound-alike");
    let weights: Vec<f64> =
        walk["stops"].as_array().unwrap().iter().map(|stop| stop["weight"].as_f64().unwrap()).collect();
    assert!(weights.is_sorted_by(|one, other| one >= other), "{weights:?}");
    assert_eq!(walk["left"], weights.len());

    let mark = async |stop: &str, body: Value| doctor.post(&format!("{place}/{stop}"), &body).await.unwrap();
    let name = first["id"].as_str().unwrap();
    let corrected = json!({"act": "corrected", "meant": "metformin"});
    let marked = mark(name, corrected.clone()).await;
    assert_eq!(marked.status, 200, "{}", marked.json);
    let done = &stop(&marked.json, "metphormin")["mark"];
    assert_eq!((&done["applied"], &done["learnt"]), (&json!(true), &json!(true)), "{done}");
    let other = mark(name, json!({"act": "corrected", "meant": "glimepiride"})).await.json;
    assert_eq!(stop(&other, "metphormin")["mark"]["applied"], true, "corrected again: {other:#}");
    let back = mark(name, corrected.clone()).await.json;
    assert_eq!(stop(&back, "metphormin")["mark"]["applied"], true, "{back:#}");
    let again = mark(name, corrected).await.json;
    assert_eq!(again, back, "done twice, it is done once");
    let days = stop(&walk, "for fifteen days")["id"].as_str().unwrap();
    let fifty = mark(days, json!({"act": "corrected", "meant": "for fifty days"})).await.json;
    assert_eq!(stop(&fifty, "for fifteen days")["mark"]["applied"], true, "{fifty:#}");
    assert_eq!(mark(stop(&walk, "left")["id"].as_str().unwrap(), json!({"act": "heard"})).await.status, 200);
    for (stop, body, status) in [
        ("nowhere", json!({"act": "heard"}), 404),
        (name, json!({"act": "seen"}), 422),
        (name, json!({"act": "corrected"}), 422),
    ] {
        assert_eq!(mark(stop, body).await.status, status);
    }
    let reread = read(doctor, &place).await;
    assert_eq!(reread["left"].as_u64().unwrap() + 3, walk["left"].as_u64().unwrap(), "marks survive a reload");

    let medicine = &read(doctor, "/v1/encounters/visit-dhillon/prescription").await["medicines"][0];
    assert_eq!((medicine["name"].as_str(), medicine["suggestion"].is_null()), (Some("metformin"), true), "{medicine}");
    assert_eq!(medicine["dosage"]["durationValue"], "50", "{medicine}");
    let stored = read(doctor, &format!("/fhir/MedicationRequest/{}", medicine["id"].as_str().unwrap())).await;
    assert!(stored.to_string().contains("heard-name") && stored.to_string().contains("metphormin"), "{stored}");
    others_neither_mark_nor_learn(&server, (&place, name)).await;
    server.stop().await.unwrap();
}

async fn others_neither_mark_nor_learn(server: &TestServer, (place, stop): (&str, &str)) {
    let tenant = seva_server::demo::TENANT;
    let other = NewAccount { username: "dr.other", role: "doctor", tenant, practitioner: Some("other"), patient: None };
    let other = server.account(other).await.unwrap();
    let refused = other.post(&format!("{place}/{stop}"), &json!({"act": "heard"})).await.unwrap();
    assert_eq!(refused.status, 403, "{}", refused.json);
    assert_eq!(read(&other, "/v1/lexicon").await["names"], json!([]));
    let own = read(&server.doctor, "/v1/lexicon").await;
    assert_eq!((&own["names"][0]["heard"], &own["names"][0]["times"]), (&json!("metphormin"), &json!(1)), "{own}");
    let nobody = Client::anonymous(&server.base).unwrap();
    assert_eq!(nobody.get(place).await.unwrap().status, 401);
}

#[tokio::test]
async fn what_was_learnt_is_proposed_the_next_time_beside_what_was_heard() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let heard = "Tab met for men 500 mg twice a day for five days.";
    let first = said(&server, "dhillon", &[heard]).await;
    assert!(!first["entities"].to_string().contains("MEDICATION"), "nobody knows it yet: {first}");
    let url = server.running.private_database().unwrap();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::query("INSERT INTO learnt_name SELECT tenant, 'Practitioner/kelkar', 'met for men', 'metformin', 1, now() FROM dictation LIMIT 1")
        .execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let done = said(&server, "rane", &[heard]).await;
    let walk = read(doctor, &format!("/v1/dictations/{}/walk", done["id"].as_str().unwrap())).await;
    let name = stop(&walk, "met for men");
    assert_eq!((name["reason"].as_str(), name["suggested"].as_str()), (Some("repaired"), Some("metformin")));
    let prescription = read(doctor, "/v1/encounters/visit-rane/prescription").await;
    assert_eq!(prescription["medicines"][0]["suggestion"], json!({"heard": "met for men", "suggested": "metformin"}));
    assert!(prescription["blockers"].to_string().contains("name-unverified"), "{prescription}");
    let place = "/v1/encounters/visit-rane/prescription";
    assert_eq!(sign(doctor, place, &prescription["version"], seva_server::demo::PIN).await.status, 422);
    for status in [204, 404] {
        assert_eq!(doctor.delete("/v1/lexicon/met%20for%20men").await.unwrap().status, status);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_name_that_is_changed_beside_its_medicine_is_proposed_the_next_time() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let note = |patient: &str| format!("/v1/encounters/visit-{patient}/prescription");
    for (patient, change) in [
        ("dhillon", json!({"verification": "as-suggested"})),
        ("rane", json!({"text": "metformin 500 mg twice a day for five days"})),
    ] {
        said(&server, patient, &["Tab metphormin 500 mg twice a day for five days."]).await;
        let seen = read(doctor, &note(patient)).await;
        let offered = json!({"heard": "metphormin", "suggested": "metformin"});
        assert_eq!(seen["medicines"][0]["suggestion"], offered, "{seen:#}");
        let medicine = format!("{}/medicines/{}", note(patient), seen["medicines"][0]["id"].as_str().unwrap());
        review(doctor, &medicine, &seen["version"], change).await;
    }
    let learnt = &read(doctor, "/v1/lexicon").await["names"];
    let name = json!({"heard": "metphormin", "meant": "metformin", "times": 2});
    let found: Value =
        ["heard", "meant", "times"].into_iter().map(|key| (key.to_owned(), learnt[0][key].clone())).collect();
    assert_eq!((found, learnt.as_array().map(Vec::len)), (name, Some(1)), "{learnt}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_meter_names_what_was_said_and_is_missing_and_what_is_needed_and_unsaid() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    said(&server, "dhillon", &["Fever for three days. Father has diabetes. Tab paracetamol 650 mg twice a day."]).await;
    let place = "/v1/encounters/visit-dhillon/omissions";
    let fresh = read(doctor, place).await;
    let missing = |found: &Value| -> Vec<(String, String)> {
        let list = found["said"]["missing"].as_array().unwrap();
        list.iter()
            .map(|one| (one["text"].as_str().unwrap().to_owned(), one["reason"].as_str().unwrap().to_owned()))
            .collect()
    };
    assert_eq!(missing(&fresh), [("diabetes".to_owned(), "never-drafted".to_owned())], "{fresh:#}");
    let unsaid = fresh["required"]["unsaid"].to_string();
    for needed in ["instructions", "follow-up", "diagnosis", "medicine-route", "medicine-duration"] {
        assert!(unsaid.contains(needed), "{needed}: {unsaid}");
    }
    assert!(!unsaid.contains("medicine-dose") && !unsaid.contains("medicine-frequency"), "{unsaid}");
    let note = "/v1/encounters/visit-dhillon/prescription";
    let seen = read(doctor, note).await;
    let medicine = format!("{note}/medicines/{}", seen["medicines"][0]["id"].as_str().unwrap());
    let seen = review(doctor, &medicine, &seen["version"], json!({"state": "rejected"})).await;
    let rewritten = json!({"text": "Tired", "state": "approved"});
    review(doctor, &format!("{note}/sections/complaint"), &seen["version"], rewritten).await;
    let after = read(doctor, place).await;
    let found = missing(&after);
    for expected in [("fever", "edited-out"), ("paracetamol", "rejected")] {
        assert!(
            found.iter().any(|(text, reason)| (text.to_lowercase().as_str(), reason.as_str()) == expected),
            "{found:?}"
        );
    }
    let (total, held) = (after["said"]["total"].as_u64().unwrap(), after["said"]["held"].as_u64().unwrap());
    assert_eq!(total - held, found.len() as u64);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_recording_proposes_differences_and_duplicates_nothing() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let first = &["No fever. Temperature 38.5 celsius.", "Tab paracetamol 650 mg twice a day for five days."];
    said(&server, "dhillon", first).await;
    let place = "/v1/encounters/visit-dhillon/proposals";
    assert_eq!(read(doctor, place).await["proposals"], json!([]), "there was nothing to compare with");
    let second = &["Fever. Cough. Temperature 39 celsius.", "Tab paracetamol 650 mg three times a day."];
    let id = said(&server, "dhillon", second).await["id"].as_str().unwrap().to_owned();
    let found = read(doctor, place).await;
    for (word, difference, state) in [
        ("fever", "contradicting", "pending"),
        ("cough", "new", "settled"),
        ("temperature", "changed", "pending"),
        ("paracetamol", "changed", "pending"),
    ] {
        let proposal = proposal(&found, word);
        assert_eq!((&proposal["difference"], &proposal["state"]), (&json!(difference), &json!(state)), "{found:#}");
    }
    for (query, count) in [("MedicationRequest?patient=dhillon", 1), ("Observation?code=8310-5&patient=dhillon", 1)] {
        let stored = read(doctor, &format!("/fhir/{query}&encounter=visit-dhillon")).await;
        assert_eq!(stored["entry"].as_array().unwrap().len(), count, "{query}: {stored:#}");
    }

    decisions(doctor, &id, &found).await;
    let note = read(doctor, "/v1/encounters/visit-dhillon/prescription").await;
    let medicine = &note["medicines"][0];
    assert_eq!(
        (&medicine["dosage"]["frequency"], &medicine["dosage"]["durationValue"]),
        (&json!(3), &json!("5")),
        "{medicine}"
    );
    assert_eq!((medicine["state"].as_str(), medicine["evidence"].as_array().unwrap().len()), (Some("pending"), 2));
    let warm = |one: &&Value| one["name"] == "Body temperature";
    let warm: Vec<&Value> = note["vitals"].as_array().unwrap().iter().filter(warm).map(|one| &one["value"]).collect();
    assert_eq!(warm, [&json!("39")], "{note:#}");
    let complaint = note["sections"][0]["text"].as_str().unwrap();
    assert!(
        complaint.contains("Absent: fever") || complaint.contains("Absent: Fever"),
        "what was kept stays: {complaint}"
    );
    assert!(complaint.to_lowercase().contains("cough"), "{complaint}");
    assert_eq!(read(doctor, place).await["pending"], 0);
    server.stop().await.unwrap();
}

fn proposal<'a>(found: &'a Value, word: &str) -> &'a Value {
    let says = |one: &&Value| one["after"].as_str().unwrap().to_lowercase().contains(word);
    found["proposals"].as_array().unwrap().iter().find(says).unwrap_or(&Value::Null)
}

/// Each proposal is decided once, and only where there is something to decide.
async fn decisions(doctor: &Client, id: &str, found: &Value) {
    let decide = async |word: &str, decision: &str| {
        let number = &proposal(found, word)["number"];
        let place = format!("/v1/dictations/{id}/proposals/{number}");
        doctor.post(&place, &json!({ "decision": decision })).await.unwrap()
    };
    let accepted = decide("paracetamol", "accepted").await;
    assert_eq!(accepted.status, 200, "{}", accepted.json);
    assert_eq!(decide("paracetamol", "accepted").await.json, accepted.json, "decided once");
    assert_eq!(decide("paracetamol", "rejected").await.status, 409);
    assert_eq!(decide("fever", "perhaps").await.status, 422);
    assert_eq!(decide("cough", "accepted").await.status, 409, "it was drafted: there is nothing to decide");
    assert_eq!(decide("fever", "rejected").await.status, 200);
    assert_eq!(decide("temperature", "accepted").await.status, 200);
}

#[tokio::test]
async fn commands_make_drafts_that_are_taken_back_and_nothing_is_signed_by_voice() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let place = "/v1/encounters/visit-dhillon/commands";
    let say = async |text: &str, field: Option<&str>| {
        doctor.post(place, &json!({"text": text, "field": field})).await.unwrap()
    };
    let note = async || read(doctor, "/v1/encounters/visit-dhillon/prescription").await;
    let drafted = say("Prescribe azithromycin five hundred once daily for three days.", None).await;
    let seen = (drafted.status, drafted.json["effect"].as_str(), drafted.json["field"].as_str());
    assert_eq!(seen, (200, Some("drafted"), Some("medications")), "{}", drafted.json);
    let medicine = note().await["medicines"][0].clone();
    assert_eq!((&medicine["id"], &medicine["state"]), (&drafted.json["medicine"], &json!("pending")), "{medicine}");
    assert_eq!((&medicine["dosage"]["frequency"], &medicine["dosage"]["durationValue"]), (&json!(1), &json!("3")));
    assert!(medicine["text"].as_str().unwrap().contains("500 mg"), "{medicine}");

    assert_eq!(say("approve azithromycin", None).await.json["effect"], "approved");
    assert_eq!(note().await["medicines"][0]["state"], "approved");
    assert_eq!(say("scratch that", None).await.json["effect"], "undone");
    assert_eq!(note().await["medicines"][0]["state"], "pending");
    let read_back = say("read back medicines", None).await.json;
    assert_eq!(read_back["say"], "azithromycin: 500 mg, 1 time a day, for 3 days");
    assert_eq!(say("next field", Some("diagnosis")).await.json["field"], "medications");
    assert_eq!(say("sign the prescription", None).await.json["effect"], "refused");
    assert_eq!(note().await["state"], "draft");
    assert_eq!(say("scratch that", None).await.json["effect"], "undone", "what was taken back is not taken back again");
    let empty = note().await;
    assert_eq!((&empty["medicines"], &empty["sections"][3]["text"]), (&json!([]), &json!("")), "{empty:#}");
    for (text, field, status) in [
        ("scratch that", None, 422),
        ("approve diagnosis", None, 422),
        ("remove paracetamol", None, 422),
        ("next field", Some("nowhere"), 422),
    ] {
        assert_eq!(say(text, field).await.status, status, "{text}");
    }
    let other = say("The patient was told to rest.", None).await.json;
    assert_eq!((&other["recognised"], &other["effect"]), (&json!(false), &json!("none")));
    assert_eq!(note().await["version"], empty["version"], "what is no command changes nothing");
    server.stop().await.unwrap();
}
