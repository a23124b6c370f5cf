//! Codes by value set and by hierarchy in searches (R4 search.html#token).

use reqwest::Method;
use serde_json::json;
use seva_tests::client::Client;
use seva_tests::server::TestServer;

const WARDS: &str = "http://clinic.example/cs/wards";

/// Four conditions coded by wards, of a system with a hierarchy, and one value set.
async fn filled() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let system = json!({"resourceType": "CodeSystem", "id": "wards", "url": WARDS, "status": "active", "content": "complete",
        "concept": [{"code": "in", "concept": [{"code": "icu", "concept": [{"code": "nicu"}]}]}, {"code": "opd"}]});
    let set = json!({"resourceType": "ValueSet", "id": "beds", "url": "http://clinic.example/vs/beds", "version": "2", "status": "active",
        "compose": {"include": [{"system": WARDS, "filter": [{"property": "concept", "op": "is-a", "value": "icu"}]}]}});
    let genders = json!({"resourceType": "ValueSet", "id": "two", "url": "http://clinic.example/vs/two", "status": "active",
        "compose": {"include": [{"system": "http://hl7.org/fhir/administrative-gender", "concept": [{"code": "male"}, {"code": "other"}]}]}});
    let many: Vec<_> = (0..10_001).map(|number| json!({"code": number.to_string()})).collect();
    let large = json!({"resourceType": "ValueSet", "id": "large", "url": "http://clinic.example/vs/large", "status": "active",
        "compose": {"include": [{"system": "urn:numbers", "concept": many}]}});
    let mut all = vec![system, set, genders, large];
    for code in ["in", "icu", "nicu", "opd"] {
        all.push(
            json!({"resourceType": "Condition", "id": format!("at-{code}"), "subject": {"reference": "Patient/rane"},
            "code": {"coding": [{"system": WARDS, "code": code}]}}),
        );
    }
    for resource in all {
        let place =
            format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let answer = admin.put(&place, &resource).await.unwrap();
        assert_eq!(answer.status, 201, "{place}: {}", answer.issues());
    }
    (server, admin)
}

#[tokio::test]
async fn codes_are_found_by_value_set_and_by_hierarchy() {
    let (server, admin) = filled().await;
    for (query, expected) in [
        ("Condition?code:in=http://clinic.example/vs/beds", "at-icu at-nicu"),
        ("Condition?code:in=http://clinic.example/vs/beds%7C2", "at-icu at-nicu"),
        ("Condition?code:in=ValueSet/beds", "at-icu at-nicu"),
        ("Condition?code:not-in=ValueSet/beds&_id=at-in,at-icu,at-nicu,at-opd", "at-in at-opd"),
        ("Condition?code:below=http://clinic.example/cs/wards%7Cicu", "at-icu at-nicu"),
        (
            "Condition?code:below=http://clinic.example/cs/wards%7Copd,http://clinic.example/cs/wards%7Cnicu",
            "at-nicu at-opd",
        ),
        ("Condition?code:above=http://clinic.example/cs/wards%7Cicu", "at-icu at-in"),
        ("Condition?_filter=code in \"http://clinic.example/vs/beds\"", "at-icu at-nicu"),
        ("Condition?_filter=code ni ValueSet/beds and _id eq at-opd", "at-opd"),
        ("Condition?_filter=code sb \"http://clinic.example/cs/wards|icu\"", "at-icu at-nicu"),
        ("Condition?_filter=not (code ss \"http://clinic.example/cs/wards|icu\") and _id eq at-nicu", "at-nicu"),
        ("Patient?_has:Condition:patient:code:below=http://clinic.example/cs/wards%7Cicu", "rane"),
        ("Condition?patient.gender:in=http://clinic.example/vs/two&code=http://clinic.example/cs/wards%7C", ""),
        (
            "Condition?patient.gender:not-in=http://clinic.example/vs/two&code=http://clinic.example/cs/wards%7Cin",
            "at-in",
        ),
        ("Condition?code:below=http://clinic.example/cs/wards%7Cin&_count=1&_sort=-_id", "at-nicu"),
    ] {
        let answer = admin.get(&format!("/fhir/{query}")).await.unwrap();
        assert_eq!(answer.status, 200, "{query}: {}", answer.issues());
        let mut found: Vec<String> = answer.matches().iter().map(|id| (*id).to_owned()).collect();
        found.sort();
        assert_eq!(found.join(" "), expected, "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn codes_that_cannot_be_found_are_refused_or_named() {
    let (server, admin) = filled().await;
    for (query, words) in [
        ("Condition?code:in=http://clinic.example/vs/none", "vs/none is not on this server"),
        ("Condition?code:in=ValueSet/none", "does not exist"),
        ("Condition?code:below=http://clinic.example/cs/wards%7Cnone", "is not on this server"),
        ("Condition?code:below=icu", "system|code"),
        ("Condition?code:above=http://clinic.example/cs/none%7Cx", "cs/none is not on this server"),
        ("Condition?code:in=http://clinic.example/vs/large", "10001 codes"),
        ("Patient?_has:Condition:patient:code:in=http://clinic.example/vs/none", "vs/none"),
    ] {
        let answer = admin.get(&format!("/fhir/{query}")).await.unwrap();
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.issues().contains(words), "{query}: {}", answer.issues());
    }
    let lenient = async |query: &str| {
        let prefer = [("prefer", "handling=lenient")];
        admin.send(Method::GET, &format!("/fhir/{query}"), &prefer, None).await.unwrap()
    };
    let answer = lenient("Condition?code:in=urn:none&_id=at-in").await;
    assert_eq!((answer.status, answer.matches().len()), (200, 1), "{}", answer.issues());
    assert!(answer.json.to_string().contains("it was ignored"), "{}", answer.json);
    let answer = lenient("Condition?code:in=ValueSet/large").await;
    assert_eq!(answer.status, 400, "what is too much is never left out");

    let criteria = "code:below=http://clinic.example/cs/wards%7Cnicu";
    let deleted = admin.delete(&format!("/fhir/Condition?{criteria}")).await.unwrap();
    assert!(deleted.status < 300, "{}", deleted.issues());
    assert_eq!(admin.get("/fhir/Condition/at-nicu").await.unwrap().status, 410);
    assert_eq!(admin.get("/fhir/Condition/at-icu").await.unwrap().status, 200);
    let body = json!({"resourceType": "Condition", "subject": {"reference": "Patient/rane"}});
    let headers = [("content-type", "application/fhir+json"), ("if-none-exist", "code:in=ValueSet/beds")];
    let created = admin.send(Method::POST, "/fhir/Condition", &headers, Some(body.to_string().into())).await.unwrap();
    assert_eq!(created.status, 200, "one fits already: {}", created.issues());
    server.stop().await.unwrap();
}
