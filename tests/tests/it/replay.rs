//! Histories that are posted (R4 http.html#other-bundles).

use serde_json::{Value, json};
use seva_tests::server::TestServer;

#[tokio::test]
async fn a_history_is_done_again_from_its_oldest_entry_on() {
    let server = TestServer::start().await.unwrap();
    let patient = |version: &str, family: &str| json!({"resourceType": "Patient", "id": "moved", "meta": {"versionId": version}, "name": [{"family": family}]});
    let done = |method: &str, url: &str, id: &str, resource: Value| {
        json!({"fullUrl": format!("http://other.example/fhir/{id}"), "resource": resource,
            "request": {"method": method, "url": url, "ifMatch": "W/\"41\""},
            "response": {"status": "200", "lastModified": "2026-01-02T03:04:05Z"}})
    };
    let visit = json!({"resourceType": "Observation", "id": "seen", "status": "final", "code": {"text": "x"},
        "subject": {"reference": "Patient/moved"}});
    let bundle = json!({"resourceType": "Bundle", "type": "history", "total": 5, "entry": [
        {"fullUrl": "http://other.example/fhir/Basic/left", "request": {"method": "DELETE", "url": "Basic/left"},
            "response": {"status": "204", "lastModified": "2026-01-02T03:04:05Z"}},
        done("PUT", "Patient?identifier=x|1", "Patient/moved", patient("9", "Second")),
        done("PUT", "Patient/moved", "Patient/moved", json!({"resourceType": "Patient", "id": "moved", "birthDate": "x"})),
        done("POST", "Observation", "Observation/seen", visit),
        done("POST", "Patient", "Patient/moved", patient("7", "First")),
        done("POST", "Basic", "Basic/left", json!({"resourceType": "Basic", "id": "left", "code": {"text": "x"}})),
    ]});
    let answer = server.doctor.post("/fhir", &bundle).await.unwrap();
    assert_eq!((answer.status, answer.json["type"].as_str()), (200, Some("batch-response")), "{}", answer.json);
    let entries = answer.json["entry"].as_array().unwrap();
    let said: Vec<&str> = entries.iter().map(|entry| &entry["response"]["status"].as_str().unwrap()[..3]).collect();
    assert_eq!(said, ["204", "200", "400", "201", "201", "201"], "{}", answer.json);
    let read = server.doctor.get("/fhir/Patient/moved").await.unwrap();
    assert_eq!(read.json["name"][0]["family"], "Second", "{}", read.json);
    assert_eq!(server.doctor.get("/fhir/Patient/moved/_history/1").await.unwrap().json["name"][0]["family"], "First");
    assert_eq!(server.doctor.get("/fhir/Basic/left").await.unwrap().status, 410);
    assert_eq!(server.doctor.get("/fhir/Observation?subject=Patient/moved").await.unwrap().matches(), ["seen"]);

    // What this server says of itself is taken back.
    let own = server.doctor.get("/fhir/Patient/moved/_history").await.unwrap();
    let again = server.doctor.post("/fhir", &own.json).await.unwrap();
    assert_eq!((again.status, again.json["entry"].as_array().map(Vec::len)), (200, Some(2)), "{}", again.json);
    let versions = server.doctor.get("/fhir/Patient/moved/_history").await.unwrap();
    assert_eq!(
        (versions.json["total"].as_u64(), read.json["name"].clone()),
        (Some(4), versions.json["entry"][0]["resource"]["name"].clone())
    );

    let other = server.doctor.post("/fhir", &json!({"resourceType": "Bundle", "type": "collection"})).await.unwrap();
    assert_eq!(other.status, 400);
    assert!(other.issues().contains("history"), "{}", other.issues());
    server.stop().await.unwrap();
}
