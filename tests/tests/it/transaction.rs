//! Transactions: all or nothing, references between entries (R4 http.html#transaction).

use serde_json::{Value, json};
use seva_tests::server::TestServer;

fn entry(method: &str, url: &str, full_url: &str, resource: Value) -> Value {
    json!({"fullUrl": full_url, "resource": resource, "request": {"method": method, "url": url}})
}

#[tokio::test]
async fn references_between_entries_are_resolved() {
    let server = TestServer::start().await.unwrap();
    let patient = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a";
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        entry("POST", "Observation", "urn:uuid:88f151c0-a954-468a-88bd-5ae15c08e059", json!({
            "resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": patient},
            "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{patient}\">p</a></div>")}})),
        entry("PUT", "Patient/given", patient, json!({"resourceType": "Patient", "id": "given"})),
    ]});
    let answer = server.doctor.post("/fhir", &bundle).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.issues());
    assert_eq!(answer.json["type"], "transaction-response");
    assert!(answer.json["entry"][0]["response"]["status"].as_str().unwrap().starts_with("201"));
    let found = server.doctor.get("/fhir/Observation?subject=Patient/given").await.unwrap();
    let text = String::from_utf8(found.bytes.clone()).unwrap();
    assert!(!text.contains("urn:uuid:61ebe359"), "{text}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn one_wrong_entry_leaves_nothing() {
    let server = TestServer::start().await.unwrap();
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        entry("PUT", "Patient/a", "urn:x:a", json!({"resourceType": "Patient", "id": "a"})),
        entry("PUT", "Patient/b", "urn:x:b", json!({"resourceType": "Patient", "id": "b", "birthDate": "yesterday"})),
    ]});
    let answer = server.doctor.post("/fhir", &bundle).await.unwrap();
    assert_eq!(answer.status, 400);
    assert!(answer.issues().contains("Bundle.entry[1]"), "{}", answer.issues());
    assert_eq!(server.doctor.get("/fhir/Patient/a").await.unwrap().status, 404);

    let stale = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        entry("PUT", "Patient/c", "urn:x:c", json!({"resourceType": "Patient", "id": "c"})),
        {"resource": {"resourceType": "Patient", "id": "rane"},
         "request": {"method": "PUT", "url": "Patient/rane", "ifMatch": "W/\"9\""}},
    ]});
    assert_eq!(server.doctor.post("/fhir", &stale).await.unwrap().status, 412);
    assert_eq!(server.doctor.get("/fhir/Patient/c").await.unwrap().status, 404);

    let twice = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        entry("PUT", "Patient/d", "urn:x:d", json!({"resourceType": "Patient", "id": "d"})),
        entry("PUT", "Patient/d", "urn:x:e", json!({"resourceType": "Patient", "id": "d"})),
    ]});
    assert_eq!(server.doctor.post("/fhir", &twice).await.unwrap().status, 400);
    server.stop().await.unwrap();
}
