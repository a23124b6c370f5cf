//! Nobody reads what isn't theirs: tenant, compartment, role, author.

use serde_json::json;
use seva_server::demo::{PASSWORD, TENANT, USERNAME};
use seva_tests::server::{NewAccount, TestServer};

const NOBODY: NewAccount<'static> =
    NewAccount { tenant: TENANT, username: "someone", role: "doctor", practitioner: None, patient: None };

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let server = TestServer::start().await.unwrap();
    let other = server.account(NewAccount { tenant: "Elsewhere", ..NOBODY }).await.unwrap();
    assert_eq!(other.get("/fhir/Patient/rane").await.unwrap().status, 404);
    assert_eq!(other.get("/fhir/Patient?family=rane").await.unwrap().matches().len(), 0);
    assert_eq!(other.get("/fhir/Patient/rane/_history").await.unwrap().status, 404);
    let same = json!({"resourceType": "Patient", "id": "rane", "name": [{"family": "Other"}]});
    assert_eq!(other.put("/fhir/Patient/rane", &same).await.unwrap().status, 201);
    assert_eq!(server.doctor.get("/fhir/Patient/rane").await.unwrap().json["name"][0]["family"], "Rane");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_patient_sees_the_own_record_only() {
    let server = TestServer::start().await.unwrap();
    let rane = NewAccount { username: "rane", role: "patient", patient: Some("rane"), ..NOBODY };
    let patient = server.account(rane).await.unwrap();
    assert_eq!(patient.get("/fhir/Patient").await.unwrap().matches(), ["rane"]);
    assert_eq!(patient.get("/fhir/Observation").await.unwrap().matches(), ["weight-rane"]);
    assert_eq!(patient.get("/fhir/Observation/weight-rane").await.unwrap().status, 200);
    assert_eq!(patient.get("/fhir/Observation/weight-naik").await.unwrap().status, 404);
    assert_eq!(patient.get("/fhir/Patient/naik").await.unwrap().status, 404);
    let around = patient.get("/fhir/Organization?_revinclude=Patient:organization").await.unwrap();
    assert!(!String::from_utf8(around.bytes).unwrap().contains("Naik"));
    assert_eq!(patient.delete("/fhir/Observation/weight-rane").await.unwrap().status, 403);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn another_doctors_prescription_is_not_changed() {
    let server = TestServer::start().await.unwrap();
    let request = json!({"resourceType": "MedicationRequest", "id": "m", "status": "draft", "intent": "proposal",
        "medicationCodeableConcept": {"text": "paracetamol"}, "subject": {"reference": "Patient/rane"},
        "requester": {"reference": "Practitioner/kelkar"}});
    assert_eq!(server.doctor.put("/fhir/MedicationRequest/m", &request).await.unwrap().status, 201);
    let menon = NewAccount { username: "menon", practitioner: Some("menon"), ..NOBODY };
    let other = server.account(menon).await.unwrap();
    let refused = other.put("/fhir/MedicationRequest/m", &request).await.unwrap();
    assert_eq!((refused.status, refused.json["issue"][0]["code"].as_str()), (403, Some("forbidden")));
    assert_eq!(other.delete("/fhir/MedicationRequest/m").await.unwrap().status, 403);
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": request, "request": {"method": "PUT", "url": "MedicationRequest/m"}}]});
    assert_eq!(other.post("/fhir", &bundle).await.unwrap().status, 403);
    assert_eq!(server.doctor.put("/fhir/MedicationRequest/m", &request).await.unwrap().status, 200);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_removed_doctor_and_an_ended_session_are_cut_off() {
    let server = TestServer::start().await.unwrap();
    let doctor = server.account(NewAccount { username: "leaving", ..NOBODY }).await.unwrap();
    assert_eq!(doctor.get("/fhir/Patient").await.unwrap().status, 200);
    server.remove("leaving").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert_eq!(doctor.get("/fhir/Patient").await.unwrap().status, 401);
    assert_eq!(server.doctor.delete("/v1/session").await.unwrap().status, 204);
    assert_eq!(server.doctor.get("/v1/session").await.unwrap().status, 401);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn access_tokens_are_jwts_that_our_keys_verify() {
    let server = TestServer::start().await.unwrap();
    let fresh = server.doctor.post("/v1/session/token", &json!({})).await.unwrap();
    let token = fresh.json["accessToken"].as_str().unwrap().to_owned();
    assert_eq!(token.split('.').count(), 3);
    let by_jwt = server.doctor.with_token(&token);
    assert_eq!(by_jwt.get("/fhir/Patient/rane").await.unwrap().status, 200);
    let (body, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{body}.{}", signature.chars().rev().collect::<String>());
    assert_eq!(server.doctor.with_token(&forged).get("/fhir/Patient/rane").await.unwrap().status, 401);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_access_token_does_not_renew_itself() {
    let server = TestServer::start().await.unwrap();
    let fresh = server.doctor.post("/v1/session/token", &json!({})).await.unwrap();
    let by_jwt = server.doctor.with_token(fresh.json["accessToken"].as_str().unwrap());
    let refused = by_jwt.post("/v1/session/token", &json!({})).await.unwrap();
    assert_eq!(refused.status, 403, "{}", refused.json);
    assert!(refused.json["detail"].as_str().unwrap().contains("send the session's token"), "{}", refused.json);
    assert_eq!(by_jwt.get("/v1/session").await.unwrap().status, 200, "the session goes on");
    assert_eq!(by_jwt.delete("/v1/session").await.unwrap().status, 204, "and ends by either token");
    assert_eq!(server.doctor.get("/v1/session").await.unwrap().status, 401);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_refused_log_in_leaves_an_audit_record() {
    let server = TestServer::start().await.unwrap();
    let doctor = server.doctor_account().await.unwrap();
    let log_in = async |username: &str, tenant: Option<&str>, password: &str| {
        let body = json!({"username": username, "password": password, "tenant": tenant});
        server.doctor.post("/v1/sessions", &body).await.unwrap().status
    };
    let before = server.audited("log-in").await.unwrap().len();
    assert_eq!(log_in(USERNAME, None, "wrong").await, 401);
    assert_eq!(log_in("nobody-of-this-name", None, "wrong").await, 401);
    assert_eq!(log_in(USERNAME, Some("Elsewhere"), PASSWORD).await, 401);
    let row = |who: &str| [who.to_owned(), "refused".to_owned(), "session".to_owned()];
    let rows = server.audited("log-in").await.unwrap();
    assert_eq!(rows[before..], [row(&doctor), row("unknown"), row(&doctor)], "what was typed is not kept");
    let statuses: Vec<u16> = {
        let mut seen = Vec::new();
        for _ in 0..14 {
            seen.push(log_in("nobody-again", None, "wrong").await);
        }
        seen
    };
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[10..], [429; 4]);
    let rows = server.audited("log-in").await.unwrap();
    assert_eq!(rows.len(), before + 3 + 11, "the first attempt too many is recorded, the flood is not");
    server.stop().await.unwrap();
}
