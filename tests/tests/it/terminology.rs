//! Terminology over stored resources and the specification's own lists (R4 terminology-service.html).

use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::TestServer;

fn parameter<'j>(answer: &'j Value, name: &str) -> &'j Value {
    let list = answer["parameter"].as_array().unwrap();
    list.iter().find(|one| one["name"] == name).unwrap_or(&Value::Null)
}

/// A server with a code system, a value set and a concept map of a clinic.
async fn filled() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let system = json!({"resourceType": "CodeSystem", "id": "wards", "url": "http://clinic.example/cs/wards", "name": "Wards", "version": "1",
        "status": "active", "content": "complete", "concept": [{"code": "in", "display": "Inpatient", "definition": "Stays overnight",
            "concept": [{"code": "icu", "display": "Intensive care"}]}, {"code": "opd", "display": "Outpatient"}]});
    let set = json!({"resourceType": "ValueSet", "id": "beds", "url": "http://clinic.example/vs/beds", "status": "active",
        "compose": {"include": [{"system": "http://clinic.example/cs/wards", "filter": [{"property": "concept", "op": "is-a", "value": "in"}]},
            {"valueSet": ["http://hl7.org/fhir/ValueSet/administrative-gender"]}]}});
    let map = json!({"resourceType": "ConceptMap", "id": "old", "url": "http://clinic.example/cm/old", "status": "active",
        "group": [{"source": "http://clinic.example/cs/wards", "target": "urn:old", "element": [{"code": "icu",
            "target": [{"code": "7", "display": "ICU", "equivalence": "equivalent"}]}]}]});
    for resource in [system, set, map] {
        let place =
            format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        assert_eq!(admin.put(&place, &resource).await.unwrap().status, 201, "{place}");
    }
    (server, admin)
}

async fn get(client: &Client, path: &str) -> Value {
    let answer = client.get(&format!("/fhir/{path}")).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.issues());
    answer.json
}

#[tokio::test]
async fn value_sets_are_expanded_in_pages() {
    let (server, admin) = filled().await;
    let get = async |path: &str| get(&admin, path).await;
    let expanded = get("ValueSet/$expand?url=http://clinic.example/vs/beds").await;
    assert_eq!(
        (expanded["expansion"]["total"].as_i64(), expanded["expansion"]["contains"].as_array().map(Vec::len)),
        (Some(6), Some(6))
    );
    let filtered = get("ValueSet/beds/$expand?filter=care&count=5").await;
    assert_eq!(filtered["expansion"]["contains"][0]["code"], "icu", "{filtered}");
    assert_eq!(get("ValueSet/beds/$expand?offset=4").await["expansion"]["contains"].as_array().unwrap().len(), 2);
    assert_eq!(
        get("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender").await["expansion"]["total"],
        4
    );
    for (path, status) in [("ValueSet/$expand?url=urn:none", 404), ("ValueSet/$expand", 400)] {
        assert_eq!(admin.get(&format!("/fhir/{path}")).await.unwrap().status, status, "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn codes_are_checked_looked_up_compared_and_translated() {
    let (server, admin) = filled().await;
    let get = async |path: &str| get(&admin, path).await;
    let valid =
        get("ValueSet/beds/$validate-code?system=http://clinic.example/cs/wards&code=icu&display=intensive%20care")
            .await;
    assert_eq!(
        (&parameter(&valid, "result")["valueBoolean"], &parameter(&valid, "display")["valueString"]),
        (&json!(true), &json!("Intensive care"))
    );
    let wrong = get("ValueSet/beds/$validate-code?system=http://clinic.example/cs/wards&code=opd").await;
    assert_eq!(parameter(&wrong, "result")["valueBoolean"], false);
    let body = json!({"resourceType": "Parameters", "parameter": [{"name": "url", "valueUri": "http://clinic.example/cs/wards"},
        {"name": "coding", "valueCoding": {"system": "http://clinic.example/cs/wards", "code": "opd", "display": "Wrong"}}]});
    let named = admin.post("/fhir/CodeSystem/$validate-code", &body).await.unwrap().json;
    assert_eq!(parameter(&named, "result")["valueBoolean"], false);
    assert!(parameter(&named, "message")["valueString"].as_str().unwrap().contains("Outpatient"));

    let found = get("CodeSystem/$lookup?system=http://clinic.example/cs/wards&code=in").await;
    assert_eq!(
        (&parameter(&found, "display")["valueString"], &parameter(&found, "name")["valueString"]),
        (&json!("Inpatient"), &json!("Wards"))
    );
    let outcome = get("CodeSystem/wards/$subsumes?codeA=in&codeB=icu").await;
    assert_eq!(parameter(&outcome, "outcome")["valueCode"], "subsumes");
    let translated =
        get("ConceptMap/$translate?url=http://clinic.example/cm/old&system=http://clinic.example/cs/wards&code=icu")
            .await;
    assert_eq!(parameter(&translated, "match")["part"][1]["valueCoding"]["code"], "7", "{translated}");
    let none = get("ConceptMap/old/$translate?system=http://clinic.example/cs/wards&code=opd").await;
    assert_eq!(parameter(&none, "result")["valueBoolean"], false);
    for (path, status) in [
        ("CodeSystem/$lookup?system=urn:none&code=x", 404),
        ("CodeSystem/$lookup?system=http://clinic.example/cs/wards&code=x", 404),
    ] {
        assert_eq!(admin.get(&format!("/fhir/{path}")).await.unwrap().status, status, "{path}");
    }
    server.stop().await.unwrap();
}
