//! Transactions: all or nothing, references between entries (R4 http.html#transaction).

use reqwest::Method;
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
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": patient}],
            "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{patient}\">p</a></div>")}})),
        entry("PUT", "Patient/given", patient, json!({"resourceType": "Patient", "id": "given"})),
    ]});
    let answer = server.doctor.post("/fhir", &bundle).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.issues());
    assert_eq!(answer.json["type"], "transaction-response");
    assert!(answer.json["entry"][0]["response"]["status"].as_str().unwrap().starts_with("201"));
    let found = server.doctor.get("/fhir/Observation?subject=Patient/given").await.unwrap();
    let text = String::from_utf8(found.bytes.clone()).unwrap();
    assert_eq!(text.matches("urn:uuid:61ebe359").count(), 1, "{text}");
    let observation = &found.json["entry"][0]["resource"];
    assert_eq!(observation["identifier"][0]["value"], patient, "a name of the business is no link");
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

#[tokio::test]
async fn a_read_sees_the_writes_and_undoes_them_when_it_fails() {
    let server = TestServer::start().await.unwrap();
    let read = |url: &str| json!({"request": {"method": "GET", "url": url}});
    let written = |id: &str, last: &str| {
        let patient = json!({"resourceType": "Patient", "id": id, "name": [{"family": "Readback"}]});
        let url = format!("Patient/{id}");
        json!({"resourceType": "Bundle", "type": "transaction", "entry": [
            read(&url), read("Patient?family=readback&_revinclude=Observation:subject&_total=accurate"), read(last),
            entry("PUT", &url, "urn:x:p", patient),
            entry("POST", "Observation", "urn:x:o", json!({
                "resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": url}})),
        ]})
    };
    let answer = server.doctor.post("/fhir", &written("kept", "Patient/kept/_history/1")).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.issues());
    let resource = |place: usize| &answer.json["entry"][place]["resource"];
    assert_eq!(resource(0)["name"][0]["family"], "Readback");
    assert_eq!(resource(1)["total"], 1);
    assert_eq!(resource(1)["entry"][1]["resource"]["subject"]["reference"], "Patient/kept");
    assert_eq!(resource(2)["meta"]["versionId"], "1");

    for (id, last, status) in [("a", "Patient/nobody", 404), ("b", "Patient/b/_history/2", 404)] {
        let answer = server.doctor.post("/fhir", &written(id, last)).await.unwrap();
        assert_eq!(answer.status, status, "{}", answer.issues());
        assert_eq!(server.doctor.get(&format!("/fhir/Patient/{id}")).await.unwrap().status, 404);
        let found = server.doctor.get(&format!("/fhir/Observation?subject=Patient/{id}")).await.unwrap();
        assert_eq!(found.json["entry"].as_array().map_or(0, Vec::len), 0);
    }
    // What was undone left no lock behind.
    let again = server.doctor.post("/fhir", &written("a", "Patient/a")).await.unwrap();
    assert_eq!(again.status, 200, "{}", again.issues());
    server.stop().await.unwrap();
}

/// A batch may ask for whatever a GET may, not for reads and searches of one type alone.
#[tokio::test]
async fn a_batch_takes_every_get() {
    let server = TestServer::start().await.unwrap();
    let urls = [
        "metadata",
        "Patient/rane/_history",
        "Patient/_history?_count=1",
        "_history?_count=1",
        "?_type=Patient,Observation&_id=rane",
        "Patient/rane/Observation?code=29463-7",
        "Patient/rane/_history/9",
        "Patient/rane/$meta",
        "Foo/1",
    ];
    let entry: Vec<Value> = urls.iter().map(|url| json!({"request": {"method": "GET", "url": url}})).collect();
    let answer =
        server.doctor.post("/fhir", &json!({"resourceType": "Bundle", "type": "batch", "entry": entry})).await.unwrap();
    let entries = answer.json["entry"].as_array().unwrap();
    let seen: Vec<(&str, &str)> = entries
        .iter()
        .map(|entry| {
            let status = entry["response"]["status"].as_str().unwrap();
            (
                status.get(..3).unwrap_or(status),
                entry["resource"]["type"].as_str().or(entry["resource"]["resourceType"].as_str()).unwrap_or_default(),
            )
        })
        .collect();
    let expected = [
        ("200", "CapabilityStatement"),
        ("200", "history"),
        ("200", "history"),
        ("200", "history"),
        ("200", "searchset"),
        ("200", "searchset"),
        ("404", ""),
        ("200", "Parameters"),
        ("404", ""),
    ];
    assert_eq!(seen, expected, "{}", answer.json);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_get_entry_is_not_answered_again_when_its_version_is_known() {
    let server = TestServer::start().await.unwrap();
    let updated = server.doctor.get("/fhir/Patient/rane").await.unwrap().json["meta"]["lastUpdated"].clone();
    for kind in ["batch", "transaction"] {
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [
            {"request": {"method": "GET", "url": "Patient/rane", "ifNoneMatch": "W/\"1\""}},
            {"request": {"method": "GET", "url": "Patient/rane", "ifNoneMatch": "W/\"2\""}},
            {"request": {"method": "GET", "url": "Patient/rane", "ifModifiedSince": updated}},
            {"request": {"method": "GET", "url": "Patient/rane?_elements=gender", "ifModifiedSince": "2001-01-01T00:00:00Z"}},
        ]});
        let answer = server.doctor.post("/fhir", &bundle).await.unwrap();
        let entries = answer.json["entry"].as_array().unwrap();
        let seen: Vec<(&str, bool)> = (entries.iter())
            .map(|entry| (entry["response"]["status"].as_str().unwrap(), entry["resource"].is_object()))
            .collect();
        let (known, sent) = (("304 Not Modified", false), ("200 OK", true));
        assert_eq!(seen, [known, sent, known, sent], "{kind}");
        assert_eq!(
            (&entries[1]["resource"]["name"][0]["family"], &entries[3]["resource"]["name"]),
            (&json!("Rane"), &Value::Null)
        );
    }
    let kept = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": {"resourceType": "Patient", "id": "rane"},
         "request": {"method": "PUT", "url": "Patient/rane", "ifNoneMatch": "*"}}]});
    assert_eq!(server.doctor.post("/fhir", &kept).await.unwrap().status, 412);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_relative_reference_is_meant_on_the_server_that_its_entry_comes_from() {
    let server = TestServer::start().await.unwrap();
    let observation = |subject: &str| {
        json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
            "subject": {"reference": subject}, "note": [{"text": "Patient/17"}]})
    };
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        entry("POST", "Observation", "http://elsewhere.example/fhir/Observation/1", observation("Patient/17")),
        entry("POST", "Observation", "http://third.example/fhir/Observation/1", observation("Patient/17")),
        entry("POST", "Patient", "http://elsewhere.example/fhir/Patient/17", json!({"resourceType": "Patient"})),
    ]});
    let prefer = [("prefer", "return=representation"), ("content-type", "application/fhir+json")];
    let answer = server.doctor.send(Method::POST, "/fhir", &prefer, Some(bundle.to_string().into())).await.unwrap();
    let resource = |place: usize| &answer.json["entry"][place]["resource"];
    let patient = format!("Patient/{}", resource(2)["id"].as_str().unwrap());
    assert_eq!(resource(0)["subject"]["reference"], patient.as_str());
    assert_eq!(resource(0)["note"][0]["text"], "Patient/17", "only references are relative");
    assert_eq!(resource(1)["subject"]["reference"], "Patient/17", "another server's");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn entries_have_names_of_their_own_and_outcomes_for_those_who_ask() {
    let server = TestServer::start().await.unwrap();
    let patient = || json!({"resourceType": "Patient"});
    let url = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a";
    let twins = json!({"resourceType": "Bundle", "type": "transaction",
        "entry": [entry("POST", "Patient", url, patient()), entry("POST", "Patient", url, patient())]});
    let refused = server.doctor.post("/fhir", &twins).await.unwrap();
    assert_eq!(refused.status, 400);
    assert!(refused.issues().contains("bdl-7") && refused.issues().contains("Bundle.entry[1].fullUrl"));

    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        entry("POST", "Patient", url, patient()), {"request": {"method": "GET", "url": "Pateint/1"}}]});
    let prefer = [("prefer", "return=OperationOutcome"), ("content-type", "application/fhir+json")];
    let answer = server.doctor.send(Method::POST, "/fhir", &prefer, Some(bundle.to_string().into())).await.unwrap();
    let created = &answer.json["entry"][0];
    assert_eq!(created["response"]["outcome"]["issue"][0]["severity"], "information", "{created}");
    assert_eq!(created["resource"], Value::Null);
    assert_eq!(answer.json["entry"][1]["response"]["status"], "404 Not Found", "as it would be alone");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn entries_may_ask_for_heads_and_search_by_post() {
    let server = TestServer::start().await.unwrap();
    let entry = |method: &str, url: &str| json!({"request": {"method": method, "url": url}});
    let entries = [
        entry("HEAD", "Patient/rane"),
        entry("HEAD", "Patient?_id=rane"),
        entry("HEAD", "metadata"),
        entry("POST", "Patient/_search?_id=rane"),
        entry("GET", "Patient/_search?_id=rane"),
        entry("POST", "_search?_type=Patient&_id=rane"),
    ];
    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": entries});
    let answer = server.doctor.post("/fhir", &bundle).await.unwrap();
    let entries = answer.json["entry"].as_array().unwrap();
    let heads = entries.iter().take(3).map(|entry| (entry["response"]["status"].as_str(), entry.get("resource")));
    assert!(heads.eq([(Some("200 OK"), None); 3]), "{}", answer.json);
    assert_eq!(entries[0]["response"]["etag"], "W/\"1\"");
    for entry in &entries[3..] {
        assert_eq!(entry["resource"]["entry"][0]["resource"]["id"], "rane", "{}", answer.json);
    }
    let bundle =
        json!({"resourceType": "Bundle", "type": "transaction", "entry": &bundle["entry"].as_array().unwrap()[..2]});
    let answer = server.doctor.post("/fhir", &bundle).await.unwrap();
    assert_eq!((answer.status, answer.json["entry"][0].get("resource")), (200, None), "{}", answer.json);
    server.stop().await.unwrap();
}
