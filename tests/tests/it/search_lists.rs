//! `_list`: of a List and of what is current, in searches and histories (R4 search.html#list, http.html#history).

use serde_json::{Value, json};
use seva_tests::client::{Answer, Client};
use seva_tests::server::TestServer;

fn concept(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code}]})
}

fn allergy(id: &str, status: &str, verification: &str, category: &str) -> Value {
    json!({"resourceType": "AllergyIntolerance", "id": id, "patient": {"reference": "Patient/rane"}, "category": [category],
        "clinicalStatus": concept("allergyintolerance-clinical", status),
        "verificationStatus": concept("allergyintolerance-verification", verification)})
}

fn problem(id: &str, status: &str, verification: &str) -> Value {
    json!({"resourceType": "Condition", "id": id, "subject": {"reference": "Patient/rane"},
        "clinicalStatus": concept("condition-clinical", status),
        "verificationStatus": concept("condition-ver-status", verification)})
}

fn order(id: &str, status: &str, intent: &str) -> Value {
    json!({"resourceType": "MedicationRequest", "id": id, "status": status, "intent": intent,
        "subject": {"reference": "Patient/rane"}, "medicationCodeableConcept": {"text": "x"}})
}

async fn put(admin: &Client, resource: &Value) {
    let place = format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    let answer = admin.put(&place, resource).await.unwrap();
    assert!(answer.status < 300, "{place}: {}", answer.issues());
}

async fn filled() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let statement = json!({"resourceType": "MedicationStatement", "id": "taken", "status": "active",
        "subject": {"reference": "Patient/rane"}, "medicationCodeableConcept": {"text": "y"}});
    for resource in [
        allergy("nuts", "active", "confirmed", "food"),
        allergy("penicillin", "active", "unconfirmed", "medication"),
        allergy("gone", "resolved", "confirmed", "medication"),
        allergy("wrong", "active", "refuted", "medication"),
        problem("asthma", "active", "confirmed"),
        problem("gout", "recurrence", "confirmed"),
        problem("flu", "resolved", "confirmed"),
        problem("no-flu", "active", "refuted"),
        order("running", "active", "order"),
        order("over", "completed", "order"),
        order("proposed", "active", "proposal"),
        statement,
    ] {
        put(&admin, &resource).await;
    }
    (server, admin)
}

fn ids(answer: &Answer) -> String {
    let mut found = answer.matches();
    found.sort_unstable();
    found.join(" ")
}

#[tokio::test]
async fn functional_lists_hold_what_is_current() {
    let (server, admin) = filled().await;
    for (query, expected) in [
        ("AllergyIntolerance?_list=$current-allergies&patient=rane", "allergy-rane nuts penicillin"),
        ("AllergyIntolerance?_list=$current-drug-allergies&patient=rane&_id=nuts,penicillin,gone,wrong", "penicillin"),
        ("Condition?_list=$current-problems&patient=rane", "asthma gout"),
        ("MedicationRequest?_list=$current-medications", "running"),
        ("?_type=MedicationRequest,MedicationStatement&_list=$current-medications", "running taken"),
        ("Patient?_has:Condition:patient:_list=$current-problems", "rane"),
        // It holds nothing of other types.
        ("Patient?_list=$current-problems", ""),
    ] {
        let answer = admin.get(&format!("/fhir/{query}")).await.unwrap();
        assert_eq!((answer.status, ids(&answer).as_str()), (200, expected), "{query}: {}", answer.issues());
    }
    let unknown = admin.get("/fhir/Condition?_list=$current-moods").await.unwrap();
    assert!(unknown.status == 400 && unknown.issues().contains("$current-problems"), "{}", unknown.issues());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_history_may_be_one_of_listed_versions() {
    let (server, admin) = filled().await;
    for active in [true, false] {
        for id in ["whole", "part"] {
            put(&admin, &json!({"resourceType": "Patient", "id": id, "active": active})).await;
        }
    }
    let entry = |reference: &str| json!({"item": {"reference": reference}});
    let list = json!({"resourceType": "List", "id": "mine", "status": "current", "mode": "working",
        "entry": [entry("Patient/whole"), entry("Patient/part/_history/1"), entry("Condition/flu")]});
    put(&admin, &list).await;
    let versions = async |path: &str| {
        let answer = admin.get(&format!("/fhir/{path}")).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.issues());
        let entries = answer.json["entry"].as_array().cloned().unwrap_or_default();
        let version = |entry: &Value| {
            let resource = &entry["resource"];
            format!("{}/{}", resource["id"].as_str().unwrap(), resource["meta"]["versionId"].as_str().unwrap())
        };
        (entries.iter().map(version).collect::<Vec<_>>().join(" "), answer)
    };
    for (path, expected) in [
        ("Patient/_history?_list=mine", "whole/2 part/1 whole/1"),
        ("_history?_list=List/mine", "whole/2 part/1 whole/1 flu/1"),
        ("Patient/whole/_history?_list=mine", "whole/2 whole/1"),
        ("Patient/part/_history?_list=mine", "part/1"),
        ("Patient/rane/_history?_list=mine", ""),
        ("Patient/_history?_list=nobodys", ""),
        ("Condition/_history?_list=$current-problems", "gout/1 asthma/1"),
        ("_history?_list=$current-problems", "gout/1 asthma/1"),
    ] {
        assert_eq!(versions(path).await.0, expected, "{path}");
    }
    let (first, page) = versions("Patient/_history?_list=mine&_count=2").await;
    let next = page.link("next").unwrap().split_once("/fhir/").unwrap().1.to_owned();
    assert_eq!((first.as_str(), versions(&next).await.0.as_str()), ("whole/2 part/1", "whole/1"));
    let (none, page) = versions("Patient/_history?_count=0").await;
    assert!(none.is_empty() && page.json.get("total").is_none(), "{}", page.json);
    for (query, word) in [("_list=$current-moods", "_list"), ("_count=1&_count=2", "more than once")] {
        let refused = admin.get(&format!("/fhir/_history?{query}")).await.unwrap();
        assert!(refused.status == 400 && refused.issues().contains(word), "{query}: {}", refused.issues());
    }
    server.stop().await.unwrap();
}
