//! What a write must keep is chosen in the configuration: structure, rules, or profiles too.

use poem::http::Method;
use serde_json::{Value, json};
use seva_server::configuration::Level;
use seva_tests::client::Client;
use seva_tests::server::TestServer;

const PROFILE: &str = "http://hospital.example/named-patient";

async fn server(level: &str) -> (TestServer, Client) {
    let level: Level = level.to_owned().try_into().unwrap();
    let server = TestServer::start_with(|configuration| configuration.validation.level = level).await.unwrap();
    let admin = server.administrator().await.unwrap();
    (server, admin)
}

/// Breaks `pat-1`: a contact without name, telecom, address or organization.
fn lonely() -> Value {
    json!({"resourceType": "Patient", "id": "lonely", "contact": [{"gender": "female"}]})
}

fn profiled(family: Option<&str>) -> Value {
    let name = family.map(|family| json!([{"family": family}]));
    let mut patient = json!({"resourceType": "Patient", "meta": {"profile": [PROFILE]}, "active": true});
    if let Some(name) = name {
        patient["name"] = name;
    }
    patient
}

fn profile(least: u32) -> Value {
    json!({"resourceType": "StructureDefinition", "id": "named-patient", "url": PROFILE, "name": "NamedPatient", "status": "active",
        "kind": "resource", "abstract": false, "type": "Patient", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": {"element": [{"id": "Patient", "path": "Patient"}, {"id": "Patient.name", "path": "Patient.name", "min": least}]}})
}

fn transaction(resource: &Value) -> Value {
    let harmless = json!({"resource": {"resourceType": "Basic", "code": {"text": "x"}}, "request": {"method": "POST", "url": "Basic"}});
    let entry = json!({"resource": resource, "request": {"method": "PUT", "url": "Patient/lonely"}});
    json!({"resourceType": "Bundle", "type": "transaction", "entry": [harmless, entry]})
}

#[tokio::test]
async fn rules_are_enforced_on_every_way_in_when_configured() {
    let (server, admin) = server("rules").await;
    let by_put = admin.put("/fhir/Patient/lonely", &lonely()).await.unwrap();
    assert_eq!(
        (by_put.status, &by_put.json["issue"][0]["expression"]),
        (422, &json!(["Patient.contact[0]"])),
        "{}",
        by_put.json
    );
    assert!(by_put.issues().contains("pat-1"), "{}", by_put.issues());
    let by_post = admin.post("/fhir/Patient", &lonely()).await.unwrap();
    assert_eq!(by_post.status, 422);
    let together = admin.post("/fhir", &transaction(&lonely())).await.unwrap();
    let place = json!(["Bundle.entry[1].resource.contact[0]"]);
    assert_eq!((together.status, &together.json["issue"][0]["expression"]), (422, &place), "{}", together.json);
    let fine = json!({"resourceType": "Patient", "id": "lonely", "contact": [{"name": {"text": "A friend"}}]});
    assert_eq!(admin.put("/fhir/Patient/lonely", &fine).await.unwrap().status, 201);
    let patch = br#"[{"op": "replace", "path": "/contact/0", "value": {"gender": "other"}}]"#.to_vec();
    let headers = [("content-type", "application/json-patch+json")];
    let patched = admin.send(Method::PATCH, "/fhir/Patient/lonely", &headers, Some(patch)).await.unwrap();
    assert_eq!(patched.status, 422, "{}", patched.issues());
    assert_eq!(admin.get("/fhir/Patient/lonely").await.unwrap().json["meta"]["versionId"], "1");
    assert_eq!(admin.get("/fhir/Basic?_summary=count").await.unwrap().json["total"], 0);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn profiles_are_enforced_as_they_are_now() {
    let (server, admin) = server("profiles").await;
    assert_eq!(
        admin.post("/fhir/Patient", &profiled(None)).await.unwrap().status,
        201,
        "an unknown profile is a warning"
    );
    assert_eq!(admin.put("/fhir/StructureDefinition/named-patient", &profile(1)).await.unwrap().status, 201);
    for _ in 0..2 {
        let nameless = admin.post("/fhir/Patient", &profiled(None)).await.unwrap();
        assert_eq!(nameless.status, 422);
        assert!(nameless.issues().contains("name"), "{}", nameless.issues());
    }
    assert_eq!(admin.post("/fhir/Patient", &profiled(Some("Rane"))).await.unwrap().status, 201);
    // The compiled profile is no longer used when its definition changes.
    assert_eq!(admin.put("/fhir/StructureDefinition/named-patient", &profile(0)).await.unwrap().status, 200);
    assert_eq!(admin.post("/fhir/Patient", &profiled(None)).await.unwrap().status, 201);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn structure_alone_is_enforced_by_default() {
    let server = TestServer::start().await.unwrap();
    assert_eq!(server.doctor.put("/fhir/Patient/lonely", &lonely()).await.unwrap().status, 201);
    server.stop().await.unwrap();
}
