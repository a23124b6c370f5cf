//! What a transaction makes of links between its entries (R4 http.html#trules).

use serde_json::{Value, json};
use seva_tests::client::Answer;
use seva_tests::server::TestServer;

fn entry(method: &str, url: &str, full_url: &str, resource: Value) -> Value {
    json!({"fullUrl": full_url, "resource": resource, "request": {"method": method, "url": url}})
}

async fn transaction(server: &TestServer, entries: Value) -> Answer {
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    let headers = [("content-type", "application/fhir+json"), ("prefer", "return=representation")];
    let answer = server.doctor.send(reqwest::Method::POST, "/fhir", &headers, Some(bundle.to_string().into_bytes()));
    let answer = answer.await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.issues());
    answer
}

#[tokio::test]
async fn references_to_versions_name_those_that_the_transaction_makes() {
    let server = TestServer::start().await.unwrap();
    let patient = |id: &str| json!({"resourceType": "Patient", "id": id});
    for id in ["again", "gone"] {
        server.doctor.put(&format!("/fhir/Patient/{id}"), &patient(id)).await.unwrap();
    }
    server.doctor.send(reqwest::Method::DELETE, "/fhir/Patient/gone", &[], None).await.unwrap();
    let basic =
        |reference: &str| json!({"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": reference}});
    let elsewhere = "http://other.example/fhir";
    let entries = json!([
        entry("PUT", "Patient/again", &format!("{elsewhere}/Patient/again"), patient("again")),
        entry("PUT", "Patient/gone", &format!("{elsewhere}/Patient/gone"), patient("gone")),
        entry("POST", "Patient", &format!("{elsewhere}/Patient/7"), json!({"resourceType": "Patient"})),
        entry("POST", "Basic", "urn:x:1", basic(&format!("{elsewhere}/Patient/again/_history/41"))),
        entry("POST", "Basic", "urn:x:2", basic(&format!("{elsewhere}/Patient/gone/_history/41"))),
        entry("POST", "Basic", &format!("{elsewhere}/Basic/8"), basic("Patient/7/_history/41")),
        entry("POST", "Basic", "urn:x:3", basic("Patient/rane/_history/1")),
        entry("POST", "Basic", "urn:x:4", basic(&format!("{elsewhere}/Patient/none/_history/41"))),
    ]);
    let answer = transaction(&server, entries).await;
    let subject = |place: usize| answer.json["entry"][place]["resource"]["subject"]["reference"].as_str().unwrap();
    assert_eq!([subject(3), subject(4)], ["Patient/again/_history/2", "Patient/gone/_history/3"]);
    let made = answer.json["entry"][2]["resource"]["id"].as_str().unwrap();
    assert_eq!(subject(5), format!("Patient/{made}/_history/1"));
    assert_eq!(subject(6), "Patient/rane/_history/1");
    assert_eq!(subject(7), format!("{elsewhere}/Patient/none/_history/41"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn links_are_rewritten_and_names_are_not() {
    let server = TestServer::start().await.unwrap();
    let own = "http://other.example/fhir/Binary/7";
    let extension = |name: &str| json!({"url": "http://x.example/e", name: own});
    let patient = json!({"resourceType": "Patient",
        "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href='{own}'>x</a><img src=\"{own}\" alt=\"{own}s\"/></div>")},
        "extension": [extension("valueUri"), extension("valueUrl"), extension("valueCanonical"), extension("valueString"), {"url": own, "valueBoolean": true}],
        "_birthDate": {"extension": [extension("valueUri")]},
        "identifier": [{"system": own, "value": own}],
        "photo": [{"url": own}]});
    let binary = json!({"resourceType": "Binary", "contentType": "text/plain", "data": "YQ=="});
    let answer = transaction(
        &server,
        json!([entry("POST", "Binary", own, binary), entry("POST", "Patient", "urn:x:p", patient)]),
    )
    .await;
    let made = format!("Binary/{}", answer.json["entry"][0]["resource"]["id"].as_str().unwrap());
    let patient = &answer.json["entry"][1]["resource"];
    let links = [
        &patient["extension"][0]["valueUri"],
        &patient["extension"][1]["valueUrl"],
        &patient["_birthDate"]["extension"][0]["valueUri"],
        &patient["photo"][0]["url"],
    ];
    assert!(links.iter().all(|link| **link == made), "{patient}");
    let names = [
        &patient["extension"][2]["valueCanonical"],
        &patient["extension"][3]["valueString"],
        &patient["extension"][4]["url"],
        &patient["identifier"][0]["system"],
        &patient["identifier"][0]["value"],
    ];
    assert!(names.iter().all(|name| **name == own), "{patient}");
    let narrative = patient["text"]["div"].as_str().unwrap();
    let expected = [format!("href='{made}'"), format!("src=\"{made}\""), format!("alt=\"{own}s\"")];
    assert!(expected.iter().all(|part| narrative.contains(part)), "{narrative}");
    server.stop().await.unwrap();
}
