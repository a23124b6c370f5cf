//! Doctors of a real hospital: an account from the command line signs; passwords and PINs are changed, guessed and audited.

use reqwest::Method;
use serde_json::{Value, json};
use seva_server::demo::{PASSWORD, PIN, TENANT, USERNAME};
use seva_tests::client::Client;
use seva_tests::server::{Program, TestServer, command, data_folder, free_port};

use crate::dictation::{review, sign, text_of};

const SECRET: &str = "correct horse battery";

fn account<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let base =
        ["account", "--tenant", TENANT, "--username", "dr.menon", "--name", "Dr Latha Menon", "--roles", "doctor"];
    base.into_iter().chain(more.iter().copied()).collect()
}

pub(crate) async fn add_medicine(doctor: &Client, place: &str) -> Value {
    let line = json!({"text": "tab paracetamol 500 mg one tablet TDS x 3 days"});
    let added = doctor.post(&format!("{place}/medicines"), &line).await.unwrap();
    assert_eq!(added.status, 201, "{}", added.json);
    added.json
}

#[tokio::test]
async fn an_account_of_the_command_line_signs_with_its_own_number() {
    let data = data_folder().unwrap();
    let program = Program::start(data.path(), free_port().unwrap()).await.unwrap();
    let details = [
        "--pin",
        "--registration",
        "TCMC 54321",
        "--qualification",
        "MBBS, DNB",
        "--specialty",
        "Paediatrics",
        "--organization",
        "sahyadri",
    ];
    let short = command(data.path(), &account(&["--pin"]), "short\n8642\n").await.unwrap();
    assert!(!short.status.success() && String::from_utf8_lossy(&short.stderr).contains("fewer than 12"));
    let made = command(data.path(), &account(&details), &format!("{SECRET}\n8642\n")).await.unwrap();
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.success(), "{said}");
    let doctor = Client::anonymous(&program.base).unwrap().log_in("dr.menon", SECRET).await.unwrap();
    let practitioner =
        doctor.get("/v1/session").await.unwrap().json["user"]["practitioner"].as_str().unwrap().to_owned();
    assert!(said.contains(&practitioner), "{said}");
    let role = doctor.get(&format!("/fhir/PractitionerRole?practitioner={practitioner}")).await.unwrap();
    assert_eq!(role.json["entry"][0]["resource"]["specialty"][0]["text"], "Paediatrics", "{}", role.json);

    let visit = json!({"resourceType": "Encounter", "id": "visit-new", "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": "Patient/rane"}, "participant": [{"individual": {"reference": practitioner}}],
        "serviceProvider": {"reference": "Organization/sahyadri"}, "period": {"start": "2026-01-05T09:00:00Z"}});
    assert_eq!(doctor.put("/fhir/Encounter/visit-new", &visit).await.unwrap().status, 201);
    let place = "/v1/encounters/visit-new/prescription";
    let mut seen = add_medicine(&doctor, place).await;
    for (section, text) in [("diagnosis", "Fever"), ("medications", "Paracetamol"), ("instructions", "Rest")] {
        let body = json!({"text": text, "state": "approved"});
        seen = review(&doctor, &format!("{place}/sections/{section}"), &seen["version"], body).await;
    }
    let medicine = format!("{place}/medicines/{}", seen["medicines"][0]["id"].as_str().unwrap());
    seen = review(&doctor, &medicine, &seen["version"], json!({"state": "approved"})).await;
    let signed = sign(&doctor, place, &seen["version"], "8642").await;
    assert_eq!(signed.status, 201, "{}", signed.json);
    let paper = text_of(&doctor.get(&format!("{place}/document")).await.unwrap().bytes);
    assert!(paper.contains("TCMC 54321") && paper.contains("MBBS, DNB"), "{paper}");

    // Told again without a password, the account keeps it, its PIN and its Practitioner.
    let again = command(data.path(), &account(&["--registration", "TCMC 99999"]), "\n").await.unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let doctor = Client::anonymous(&program.base).unwrap().log_in("dr.menon", SECRET).await.unwrap();
    let person = doctor.get(&format!("/fhir/{practitioner}")).await.unwrap().json;
    assert_eq!((&person["identifier"][0]["value"], &person["identifier"][1]), (&json!("TCMC 99999"), &Value::Null));
    assert_eq!(person["qualification"][0]["code"]["text"], "MBBS, DNB");
    assert!(program.terminate().await.unwrap());
}

async fn change(doctor: &Client, what: &str, body: Value) -> u16 {
    let place = format!("/v1/session/{what}");
    let headers = [("content-type", "application/json")];
    doctor.send(Method::PUT, &place, &headers, Some(body.to_string().into())).await.unwrap().status
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session() {
    let server = TestServer::start().await.unwrap();
    let other = Client::anonymous(&server.base).unwrap().log_in(USERNAME, PASSWORD).await.unwrap();
    assert_eq!(other.get("/v1/session").await.unwrap().status, 200);
    let doctor = &server.doctor;
    assert_eq!(change(doctor, "password", json!({"current": "wrong", "new": SECRET})).await, 422);
    assert_eq!(change(doctor, "password", json!({"current": PASSWORD, "new": "short"})).await, 422);
    assert_eq!(change(doctor, "password", json!({"current": PASSWORD, "new": SECRET})).await, 204);
    assert_eq!(doctor.get("/v1/session").await.unwrap().status, 200, "the session that changed it goes on");
    assert_eq!(other.get("/v1/session").await.unwrap().status, 401);
    assert!(Client::anonymous(&server.base).unwrap().log_in(USERNAME, PASSWORD).await.is_err());
    assert!(Client::anonymous(&server.base).unwrap().log_in(USERNAME, SECRET).await.is_ok());
    let who = server.doctor_account().await.unwrap();
    let row = |outcome: &str| [who.clone(), outcome.to_owned(), "password".to_owned()];
    assert_eq!(server.audited("secret").await.unwrap(), [row("refused"), row("success")]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_pin_is_changed_and_wrong_ones_are_audited_and_limited() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    assert_eq!(change(doctor, "pin", json!({"pin": "1357"})).await, 422, "nothing shows that it is the owner");
    assert_eq!(change(doctor, "pin", json!({"pin": "7777", "password": PASSWORD})).await, 422);
    assert_eq!(change(doctor, "pin", json!({"pin": "1357", "password": PASSWORD})).await, 204);
    assert_eq!(change(doctor, "pin", json!({"pin": "2468", "currentPin": PIN})).await, 422, "it is no more");
    assert_eq!(change(doctor, "pin", json!({"pin": "97531", "currentPin": "1357"})).await, 204);

    let place = "/v1/encounters/visit-rane/prescription";
    let seen = add_medicine(doctor, place).await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(sign(doctor, place, &seen["version"], PIN).await.status);
    }
    assert_eq!((statuses.first(), statuses.last()), (Some(&422), Some(&429)), "{statuses:?}");
    let refused = server.audited("sign").await.unwrap();
    let who = server.doctor_account().await.unwrap();
    let row = [who, "refused".to_owned(), "Encounter/visit-rane".to_owned()];
    assert!(refused.iter().all(|one| *one == row), "{refused:?}");
    let wrong = statuses.iter().filter(|status| **status == 422).count();
    assert_eq!(refused.len(), wrong + 1, "each wrong one and the first that was too many");
    server.stop().await.unwrap();
}
