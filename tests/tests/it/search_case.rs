//! Letter case in tokens: it counts where R4's own codes and ids stand, and nowhere else (R4 search.html#token).

use reqwest::Method;
use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::TestServer;

const TESTS: &str = "http://clinic.example/cs/tests";
const TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";

fn resources() -> Vec<Value> {
    let coded = |code: &str| json!({"coding": [{"system": TESTS, "code": code}]});
    vec![
        json!({"resourceType": "CodeSystem", "id": "tests", "url": TESTS, "status": "active", "content": "complete",
            "concept": [{"code": "Blood", "concept": [{"code": "HbA1c"}]}]}),
        json!({"resourceType": "ValueSet", "id": "tests", "url": "http://clinic.example/vs/tests", "version": "1.A", "status": "active",
            "compose": {"include": [{"system": TESTS}]}}),
        json!({"resourceType": "Patient", "id": "Asha", "gender": "female", "active": true,
            "meta": {"tag": [{"system": "urn:tags", "code": "Camp"}], "security": [{"system": "urn:labels", "code": "VIP"}]},
            "identifier": [{"system": "urn:MRN", "value": "AB-12c", "type": {"coding": [{"system": TYPES, "code": "MR"}]}}],
            "telecom": [{"system": "email", "value": "Asha@Clinic.Example"}],
            "generalPractitioner": [{"identifier": {"system": "urn:staff", "value": "DR-9"}}]}),
        json!({"resourceType": "Observation", "id": "sugar", "status": "final", "subject": {"reference": "Patient/Asha"},
            "code": coded("HbA1c"), "valueQuantity": {"value": 7, "unit": "%"},
            "component": [{"code": coded("HbA1c"), "valueCodeableConcept": coded("High")}]}),
        json!({"resourceType": "MedicationRequest", "id": "inside", "status": "active", "intent": "order",
            "subject": {"reference": "Patient/Asha"}, "medicationReference": {"reference": "#m"},
            "contained": [{"resourceType": "Medication", "id": "m", "code": coded("PCM")}]}),
        json!({"resourceType": "SearchParameter", "id": "card", "url": "urn:card", "name": "card", "status": "active",
            "description": "test", "code": "card", "base": ["Patient"], "type": "token", "expression": "Patient.identifier"}),
        json!({"resourceType": "SearchParameter", "id": "sex", "url": "urn:sex", "name": "sex", "status": "active",
            "description": "test", "code": "sex", "base": ["Patient"], "type": "token", "expression": "Patient.gender"}),
    ]
}

async fn filled() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    for resource in resources() {
        let place =
            format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let answer = admin.put(&place, &resource).await.unwrap();
        assert_eq!(answer.status, 201, "{place}: {}", answer.issues());
    }
    for _ in 0..200 {
        if admin.get("/fhir/Patient?card=x&sex=x").await.unwrap().status == 200 {
            return (server, admin);
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the own parameters never came into force");
}

#[tokio::test]
async fn codes_and_identifiers_are_found_in_any_letter_case() {
    let (server, admin) = filled().await;
    for (query, expected) in [
        ("Patient?identifier=ab-12C", "Asha"),
        ("Patient?identifier=urn:MRN%7CAB-12C", "Asha"),
        ("Patient?identifier=urn:mrn%7CAB-12c", ""),
        ("Patient?identifier:not=ab-12c&_id=Asha", ""),
        ("Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203%7Cmr%7Cab-12C", "Asha"),
        ("Patient?card=AB-12C", "Asha"),
        ("Patient?email=asha@clinic.example", "Asha"),
        ("Patient?telecom=ASHA@CLINIC.EXAMPLE", "Asha"),
        ("Patient?_tag=urn:tags%7Ccamp", "Asha"),
        ("Patient?_security=vip", "Asha"),
        ("Patient?general-practitioner:identifier=urn:staff%7Cdr-9", "Asha"),
        ("Patient?_filter=identifier eq ab-12c", "Asha"),
        ("Observation?code=hba1c", "sugar"),
        ("Observation?code=http://clinic.example/cs/tests%7CHBA1C", "sugar"),
        ("Observation?combo-code=hba1c", "sugar"),
        ("Observation?code:not=hba1C&_id=sugar", ""),
        ("Observation?code:in=http://clinic.example/vs/tests", "sugar"),
        ("Observation?code:not-in=http://clinic.example/vs/tests&_id=sugar", ""),
        ("Observation?code:below=http://clinic.example/cs/tests%7CBlood", "sugar"),
        ("Observation?code-value-quantity=HBA1C$gt6", "sugar"),
        ("Observation?component-code-value-concept=hba1c$HIGH", "sugar"),
        ("Observation?patient.identifier=ab-12c", "sugar"),
        ("Patient?_has:Observation:patient:code=hba1c", "Asha"),
        ("Medication?_contained=true&code=pcm", "inside"),
        ("ValueSet?version=1.a&_id=tests", "tests"),
    ] {
        let answer = admin.get(&format!("/fhir/{query}")).await.unwrap();
        assert_eq!(answer.status, 200, "{query}: {}", answer.issues());
        assert_eq!(answer.matches().join(" "), expected, "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn letter_case_counts_in_codes_of_the_specification_and_in_ids() {
    let (server, admin) = filled().await;
    for (query, expected) in [
        ("Patient?gender=Female&_id=Asha", ""),
        ("Patient?gender:not=Female&_id=Asha", "Asha"),
        ("Patient?gender=female&_id=Asha", "Asha"),
        ("Patient?sex=Female&_id=Asha", ""),
        ("Patient?sex=female&_id=Asha", "Asha"),
        ("Patient?_id=asha", ""),
        ("Observation?status=FINAL&_id=sugar", ""),
        ("CodeSystem?code=blood", ""),
        ("CodeSystem?code=Blood", "tests"),
    ] {
        let answer = admin.get(&format!("/fhir/{query}")).await.unwrap();
        assert_eq!(answer.status, 200, "{query}: {}", answer.issues());
        assert_eq!(answer.matches().join(" "), expected, "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn criteria_that_differ_in_letter_case_make_one_resource() {
    let (server, admin) = filled().await;
    let create = async |value: &str| {
        let body = json!({"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": value}]});
        let criteria = format!("identifier=urn:x|{value}");
        let headers = [("content-type", "application/fhir+json"), ("if-none-exist", criteria.as_str())];
        let answer = admin.send(Method::POST, "/fhir/Patient", &headers, Some(body.to_string().into())).await.unwrap();
        answer.status
    };
    let values = ["Ab1", "aB1", "AB1", "ab1"];
    let mut statuses = futures_util::future::join_all(values.map(create)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 201]);
    let entry = |value: &str| {
        json!({"resource": {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": value}]},
            "request": {"method": "POST", "url": "Patient", "ifNoneExist": format!("identifier=urn:x|{value}")}})
    };
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry("Cd2"), entry("cD2")]});
    let made = admin.post("/fhir", &bundle).await.unwrap().json;
    let status = |place: usize| made["entry"][place]["response"]["status"].as_str();
    assert_eq!((status(0), status(1)), (Some("201 Created"), Some("200 OK")), "{made}");
    // A conditional reference is resolved alike.
    let entry = json!({"resource": {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "Patient?identifier=urn:MRN|AB-12C"}},
        "request": {"method": "POST", "url": "Basic"}});
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
    assert_eq!(admin.post("/fhir", &bundle).await.unwrap().status, 200);
    assert_eq!(admin.get("/fhir/Basic?subject=Patient/Asha").await.unwrap().matches().len(), 1);
    server.stop().await.unwrap();
}
