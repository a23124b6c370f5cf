//! The specification's own code systems and value sets are here without being stored, with names and meanings
//! (R4 terminologies-systems.html).

use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::TestServer;

const GENDER: &str = "http://hl7.org/fhir/administrative-gender";

async fn get(client: &Client, path: &str) -> Value {
    let answer = client.get(&format!("/fhir/{path}")).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.issues());
    answer.json
}

fn parameter<'j>(answer: &'j Value, name: &str) -> &'j Value {
    let list = answer["parameter"].as_array().unwrap();
    list.iter().find(|one| one["name"] == name).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn codes_of_required_bindings_have_names() {
    let server = TestServer::start().await.unwrap();
    let get = async |path: &str| get(&server.doctor, path).await;
    let expanded = get("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender").await;
    let names: Vec<(&str, &str)> = expanded["expansion"]["contains"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["code"].as_str().unwrap(), one["display"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(names, [("male", "Male"), ("female", "Female"), ("other", "Other"), ("unknown", "Unknown")]);
    let units = get("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/units-of-time&filter=week").await;
    assert_eq!(units["expansion"]["contains"][0]["code"], "wk", "{units}");
    let told =
        get("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/issue-type&property=definition&filter=conflict").await;
    let meaning = &told["expansion"]["contains"][0]["extension"][0]["extension"][1]["valueString"];
    assert!(meaning.as_str().unwrap().contains("version"), "{told}");
    // The hierarchy of a code system of the specification is known too.
    let tree = get("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/issue-type&excludeNested=false").await;
    let processing = tree["expansion"]["contains"].as_array().unwrap().iter().find(|one| one["code"] == "processing");
    assert!(processing.unwrap()["contains"].as_array().unwrap().iter().any(|one| one["code"] == "not-found"), "{tree}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn code_systems_of_required_bindings_are_looked_up_and_compared() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let get = async |path: &str| get(doctor, path).await;
    let female = get(&format!("CodeSystem/$lookup?system={GENDER}&code=female")).await;
    assert_eq!(parameter(&female, "name")["valueString"], "AdministrativeGender");
    assert_eq!(parameter(&female, "version")["valueString"], "4.0.1");
    assert_eq!(parameter(&female, "display")["valueString"], "Female");
    let place = format!("CodeSystem/$validate-code?url={GENDER}&code=male&display=female");
    let wrong = get(&place).await;
    assert_eq!(parameter(&wrong, "result")["valueBoolean"], false, "{wrong}");
    let system = "http://hl7.org/fhir/issue-type";
    let above = get(&format!("CodeSystem/$subsumes?system={system}&codeA=processing&codeB=not-found")).await;
    assert_eq!(parameter(&above, "outcome")["valueCode"], "subsumes");
    let absent = doctor.get(&format!("/fhir/CodeSystem/$lookup?system={GENDER}%7C3.0.1&code=male")).await.unwrap();
    assert_eq!(absent.status, 404, "another version is another system");
    let absent = doctor.get(&format!("/fhir/CodeSystem/$lookup?system={GENDER}&code=m")).await.unwrap();
    assert_eq!(absent.status, 404);

    let set = json!({"resourceType": "ValueSet", "id": "found", "url": "urn:found", "status": "active",
        "compose": {"include": [{"system": system, "filter": [{"property": "concept", "op": "descendent-of", "value": "security"}]}]}});
    assert_eq!(doctor.post("/fhir/ValueSet/$expand", &set).await.unwrap().json["expansion"]["total"], 5);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn definitions_are_used_as_they_are_now() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let gender = "http://hl7.org/fhir/ValueSet/administrative-gender";
    for place in [format!("ValueSet/$expand?url={gender}"), format!("CodeSystem/$lookup?system={GENDER}&code=male")] {
        let then = doctor.get(&format!("/fhir/{place}&date=2001-01-01")).await.unwrap();
        assert!(then.status == 400 && then.issues().contains("not-supported"), "{place}: {}", then.issues());
        assert_eq!(doctor.get(&format!("/fhir/{place}&date=2100-01-01")).await.unwrap().status, 200, "{place}");
        assert_eq!(doctor.get(&format!("/fhir/{place}&date=soon")).await.unwrap().status, 400, "{place}");
    }
    server.stop().await.unwrap();
}
