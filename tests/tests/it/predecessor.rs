//! The faults of the system that this one replaces, where no other test shows that they are not repeated;
//! `docs/predecessor.md` says which test stands for which fault.

use std::time::Duration;

use serde_json::{Value, json};
use seva_server::demo;
use seva_tests::client::Client;
use seva_tests::project;
use seva_tests::server::{NewAccount, TestServer};
use sqlx::Connection;

use super::dictation::{begin, review, sign};
use super::review::said;

const NOTE: &str = "/v1/encounters/visit-dhillon/prescription";

async fn read(client: &Client, place: &str) -> Value {
    let answer = client.get(place).await.unwrap();
    assert_eq!(answer.status, 200, "{place}: {}", answer.json);
    answer.json
}

async fn other_doctor(server: &TestServer) -> Client {
    let account = NewAccount {
        tenant: demo::TENANT,
        username: "menon",
        role: "doctor",
        practitioner: Some("menon"),
        patient: None,
    };
    server.account(account).await.unwrap()
}

#[tokio::test]
async fn lists_answer_administrators_too_with_dates_and_in_order() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    said(&server, "dhillon", &["Fever for two days. Tab paracetamol 650 mg twice a day for five days."]).await;
    for query in [
        "Encounter?date=ge2020-01-01&_sort=-date",
        "Composition?date=ge2020-01-01&patient=dhillon&_sort=-date",
        "MedicationRequest?authoredon=ge2020-01-01&status=draft&_sort=-authoredon",
        "DocumentReference?date=ge2020-01-01&_lastUpdated=ge2020-01-01&_sort=-date",
        "Observation?date=ge2020-01-01&patient=dhillon&_include=Observation:encounter",
    ] {
        for client in [&admin, &server.doctor] {
            let found = client.get(&format!("/fhir/{query}")).await.unwrap();
            assert!(found.status == 200 && !found.matches().is_empty(), "{query}: {} {}", found.status, found.json);
        }
    }
    let none = admin.get("/fhir/Encounter?date=lt1990-01-01").await.unwrap();
    assert_eq!((none.status, none.matches().len()), (200, 0));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_edited_text_of_two_clips_stands_once() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    said(&server, "dhillon", &["Fever for three days."]).await;
    said(&server, "dhillon", &["Dry cough since yesterday."]).await;
    let note = read(doctor, NOTE).await;
    let complaint = |note: &Value| note["sections"][0]["text"].as_str().unwrap().to_lowercase();
    for word in ["fever", "cough"] {
        assert_eq!(complaint(&note).matches(word).count(), 1, "{note:#}");
    }
    let words = json!({"text": "Fever and dry cough"});
    let edited = review(doctor, &format!("{NOTE}/sections/complaint"), &note["version"], words).await;
    assert_eq!(edited["sections"][0]["text"], "Fever and dry cough");
    said(&server, "dhillon", &["So fever and cough."]).await;
    let note = read(doctor, NOTE).await;
    assert_eq!(note["sections"][0]["text"], "Fever and dry cough", "{note:#}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn two_visits_of_one_patient_at_one_hour_are_not_mixed() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let second = json!({"resourceType": "Encounter", "id": "visit-second", "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": "Patient/dhillon"}});
    assert_eq!(doctor.put("/fhir/Encounter/visit-second", &second).await.unwrap().status, 201);
    said(&server, "dhillon", &["Fever for two days. Tab paracetamol 650 mg twice a day for five days."]).await;
    let other = read(doctor, "/v1/encounters/visit-second/prescription").await;
    assert_eq!((other["state"].as_str(), other["medicines"].as_array().unwrap().len()), (Some("empty"), 0), "{other}");
    assert_eq!(read(doctor, "/v1/encounters/visit-second/dictations").await["dictations"], json!([]));
    assert_eq!(read(doctor, NOTE).await["medicines"].as_array().unwrap().len(), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_spoken_changes_no_patient_and_is_never_quite_certain() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let before = read(doctor, "/fhir/Patient/dhillon").await;
    let count = doctor.get("/fhir/Patient?_count=1000").await.unwrap().matches().len();
    let lines = ["The patient's name is Ramesh Kumar. Her name is Sita.", "Fever, tab paracetamol 650 mg twice a day."];
    let done = said(&server, "dhillon", &lines).await;
    assert_eq!(read(doctor, "/fhir/Patient/dhillon").await, before);
    assert_eq!(doctor.get("/fhir/Patient?_count=1000").await.unwrap().matches().len(), count);
    let scores: Vec<Option<f64>> =
        done["entities"].as_array().unwrap().iter().map(|entity| entity["score"].as_f64()).collect();
    assert!(!scores.is_empty() && scores.iter().flatten().all(|score| *score < 1.0), "{scores:?}");

    // A patient who is not there is refused, and not made up.
    let begun = async |patient: &str, encounter: &str| {
        let new = json!({"patient": format!("Patient/{patient}"), "encounter": format!("Encounter/{encounter}"),
            "consent": "Consent/consent-dhillon", "language": "en", "mode": "upload"});
        doctor.post("/v1/dictations", &new).await.unwrap().status
    };
    assert_eq!(begun("made-up", "visit-dhillon").await, 404);
    assert_eq!(begun("rane", "visit-dhillon").await, 422, "the visit is another patient's");
    assert_eq!(doctor.get("/fhir/Patient?_count=1000").await.unwrap().matches().len(), count);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nobody_writes_the_own_role() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let role = json!({"resourceType": "PractitionerRole", "id": "mine", "active": true,
        "practitioner": {"reference": "Practitioner/kelkar"},
        "code": [{"coding": [{"system": "https://seva-arogya.org/fhir/CodeSystem/role", "code": "platform-admin"}]}]});
    assert_eq!(doctor.put("/fhir/PractitionerRole/mine", &role).await.unwrap().status, 403);
    assert_eq!(doctor.post("/fhir/PractitionerRole", &role).await.unwrap().status, 403);
    assert_eq!(doctor.get("/fhir/$export").await.unwrap().status, 403);
    let session = read(doctor, "/v1/session").await;
    assert!(!session.to_string().contains("admin"), "{session}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_stands_in_a_filter_is_a_value_and_no_statement() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let patient = json!({"resourceType": "Patient", "id": "quoted", "name": [{"family": "O'Hara \"100%\""}]});
    assert_eq!(doctor.put("/fhir/Patient/quoted", &patient).await.unwrap().status, 201);
    let found = async |value: &str| {
        let answer = doctor.get(&format!("/fhir/Patient?family:exact={value}")).await.unwrap();
        assert_eq!(answer.status, 200, "{value}: {}", answer.json);
        answer.matches().into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(found("O%27Hara%20%22100%25%22").await, ["quoted"]);
    for value in ["%27%20OR%20%271%27%3D%271", "%27%3B%20DROP%20TABLE%20resource%3B%20--", "%25", "_%25_", "%24%31"] {
        assert_eq!(found(value).await, Vec::<String>::new(), "{value}");
    }
    assert_eq!(found("O%27Hara%20%22100%25%22").await, ["quoted"], "everything is still there");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_dictation_is_heard_by_its_own_doctor_only() {
    let server = TestServer::start().await.unwrap();
    let id = begin(&server.doctor, "dhillon", "ambient").await["id"].as_str().unwrap().to_owned();
    let other = other_doctor(&server).await;
    for path in ["tickets", "finish", "pause"] {
        let refused = other.post(&format!("/v1/dictations/{id}/{path}"), &json!({})).await.unwrap();
        assert_eq!(refused.status, 403, "{path}: {}", refused.json);
    }
    // A ticket opens the socket of its own dictation, and no other one.
    let own = begin(&other, "rane", "ambient").await["id"].as_str().unwrap().to_owned();
    let ticket = other.post(&format!("/v1/dictations/{own}/tickets"), &json!({})).await.unwrap().json;
    let url = ticket["url"].as_str().unwrap().replacen(&own, &id, 1);
    assert!(tokio_tungstenite::connect_async(url).await.is_err(), "another one's socket");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_text_is_read_to_its_end() {
    let server = TestServer::start().await.unwrap();
    let filler = "Patient has no complaint of vomiting. Advised plenty of fluids and bed rest. ";
    let text = format!("{}Tab azithromycin 500 mg once daily for three days.", filler.repeat(400));
    assert!(text.len() > 30_000);
    let body = json!({"resourceType": "Parameters", "parameter": [{"name": "text", "valueString": text},
        {"name": "subject", "valueReference": {"reference": "Patient/dhillon"}}]});
    let found = server.doctor.post("/fhir/$extract", &body).await.unwrap();
    assert_eq!(found.status, 200, "{}", found.json);
    let last = found.json["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
    let last: Vec<&Value> = last.filter(|resource| resource["resourceType"] == "MedicationRequest").collect();
    assert_eq!(last.len(), 1);
    let place = text.find("azithromycin").unwrap();
    assert!(last[0].to_string().contains(&format!("\"valueInteger\":{place}")), "{}", last[0]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn paper_follows_the_note_and_what_is_signed_is_never_purged() {
    let server = TestServer::start_with(|set| set.dictation.keep_audio_seconds = 1).await.unwrap();
    let doctor = &server.doctor;
    let done = said(&server, "dhillon", &["Fever. Tab paracetamol 650 mg twice a day for five days."]).await;
    let paper = async || doctor.get(&format!("{NOTE}/document")).await.unwrap().bytes;
    let first = paper().await;
    let mut note = read(doctor, NOTE).await;
    for (section, text) in [("diagnosis", "Viral fever"), ("medications", ""), ("instructions", "Plenty of fluids")] {
        let body = if text.is_empty() { json!({}) } else { json!({ "text": text }) };
        let mut body = body;
        body["state"] = "approved".into();
        note = review(doctor, &format!("{NOTE}/sections/{section}"), &note["version"], body).await;
    }
    let second = paper().await;
    assert!(first != second, "a draft's paper is made anew with each change");
    let medicine = format!("{NOTE}/medicines/{}", note["medicines"][0]["id"].as_str().unwrap());
    note = review(doctor, &medicine, &note["version"], json!({"state": "approved"})).await;
    let signed = sign(doctor, NOTE, &note["version"], demo::PIN).await;
    assert_eq!(signed.status, 201, "{}", signed.json);
    let (third, id) = (paper().await, done["id"].as_str().unwrap());
    assert_eq!(read(doctor, &format!("/v1/dictations/{id}")).await["state"], "reviewed");

    // Long ago: the audio goes when its time is over, and what was signed stays.
    let mut connection = sqlx::PgConnection::connect(&server.running.private_database().unwrap()).await.unwrap();
    let aged = "UPDATE dictation SET since = now() - interval '400 days', updated = now() - interval '400 days'";
    sqlx::query(aged).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    for _ in 0..100 {
        if read(doctor, &format!("/v1/dictations/{id}")).await["audio"] == "shredded" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(read(doctor, &format!("/v1/dictations/{id}")).await["audio"], "shredded");
    assert_eq!(read(doctor, NOTE).await["state"], "signed");
    assert!(paper().await == third, "byte for byte as it was signed");
    server.stop().await.unwrap();
}

/// Files of the pages, without those of tests.
fn page_files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            page_files(&path, found);
        } else if path.extension().is_some_and(|kind| ["html", "js", "toml"].iter().any(|own| kind == *own)) {
            found.push(path);
        }
    }
}

#[test]
fn no_page_names_a_patient_of_the_demo() {
    let mut files = Vec::new();
    for folder in ["web/templates", "web/static/js", "web/locales"] {
        page_files(&project().join(folder), &mut files);
    }
    assert!(files.len() > 30);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap().to_lowercase();
        for name in ["rane", "dhillon", "varghese", "gawande", "naik", "kelkar"] {
            let words = text.split(|letter: char| !letter.is_alphanumeric());
            assert!(words.into_iter().all(|word| word != name), "{} names {name}", file.display());
        }
    }
}

#[test]
fn every_fault_has_a_test_that_exists() {
    let table = std::fs::read_to_string(project().join("docs/predecessor.md")).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert!(rows.len() >= 36, "{} faults", rows.len());
    for row in rows {
        let shown = row.rsplit('|').nth(1).unwrap();
        for test in shown.split('`').skip(1).step_by(2) {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{test} is no file::test"));
            let text = std::fs::read_to_string(project().join(file)).unwrap_or_else(|_| panic!("{file} is not there"));
            assert!(text.contains(&format!("fn {name}(")), "{file} has no test {name}");
        }
    }
}
