//! SearchParameter resources of a tenant's own (R4 searchparameter.html): indexed while everything goes on.

use std::time::Duration;

use serde_json::{Value, json};
use seva_tests::client::{Answer, Client};
use seva_tests::server::TestServer;
use sqlx::{Connection, PgConnection};

fn parameter(id: &str, change: Value) -> Value {
    let mut parameter = json!({"resourceType": "SearchParameter", "id": id, "url": format!("urn:{id}"), "name": id, "status": "active",
        "description": "test", "code": id, "base": ["Patient"], "type": "string",
        "expression": "Patient.extension.where(url='urn:nick').value"});
    for (name, value) in change.as_object().unwrap() {
        parameter[name] = value.clone();
    }
    parameter
}

fn patient(id: &str, nick: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "extension": [{"url": "urn:nick", "valueString": nick}],
        "generalPractitioner": [{"reference": "Practitioner/kelkar"}], "birthDate": "1980-02-03"})
}

/// Asks until the parameter is in force.
async fn once_indexed(client: &Client, path: &str) -> Answer {
    for _ in 0..200 {
        let answer = client.get(path).await.unwrap();
        if answer.status == 200 {
            return answer;
        }
        let told = answer.issues();
        assert!(
            answer.status == 400 && (told.contains("being indexed") || told.contains("has no search parameter")),
            "{told}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} never came into force");
}

#[tokio::test]
async fn an_own_parameter_finds_old_and_new_resources() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    for number in 0..30 {
        let id = format!("before-{number}");
        admin.put(&format!("/fhir/Patient/{id}"), &patient(&id, &format!("Bunty {number}"))).await.unwrap();
    }
    assert_eq!(admin.put("/fhir/SearchParameter/nick", &parameter("nick", json!({}))).await.unwrap().status, 201);
    // Writers go on meanwhile: some of what is indexed changes, some comes, some goes.
    for round in 0..15 {
        let (changed, new) = (format!("before-{round}"), format!("during-{round}"));
        admin.put(&format!("/fhir/Patient/{changed}"), &patient(&changed, &format!("Chotu {round}"))).await.unwrap();
        admin.put(&format!("/fhir/Patient/{new}"), &patient(&new, "Munna")).await.unwrap();
        admin.delete(&format!("/fhir/Patient/before-{}", 20 + round / 3)).await.unwrap();
    }
    assert_eq!(once_indexed(admin, "/fhir/Patient?nick=bunty&_count=100").await.matches().len(), 10);
    let count =
        async |query: &str| admin.get(&format!("/fhir/Patient?_count=100&{query}")).await.unwrap().matches().len();
    assert_eq!(count("nick=chotu").await, 15);
    assert_eq!(count("nick=munna").await, 15);
    assert_eq!(count("nick:exact=Bunty 16&birthdate=1980-02").await, 1);
    assert_eq!(count("nick:missing=false").await, 40);
    let sorted = admin.get("/fhir/Patient?_sort=nick&_count=2").await.unwrap();
    assert_eq!(sorted.matches(), ["before-15", "before-16"], "{}", sorted.issues());
    assert_eq!(admin.put("/fhir/Patient/before-16", &patient("before-16", "Golu")).await.unwrap().status, 200);
    assert_eq!((count("nick=bunty 16").await, count("nick=golu").await), (0, 1));
    // What is taken away is not known any more.
    admin.delete("/fhir/SearchParameter/nick").await.unwrap();
    for _ in 0..100 {
        if admin.get("/fhir/Patient?nick=golu").await.unwrap().status == 400 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(admin.get("/fhir/Patient?nick=golu").await.unwrap().issues().contains("has no search parameter"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn own_references_chain_and_unusable_ones_say_why() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    admin.put("/fhir/Patient/p", &patient("p", "x")).await.unwrap();
    let family = parameter(
        "doctor",
        json!({"type": "reference", "expression": "Patient.generalPractitioner", "target": ["Practitioner"]}),
    );
    let wrong = parameter("wrong", json!({"expression": "Patient.name.("}));
    let draft = parameter("later", json!({"status": "draft"}));
    for own in [&family, &wrong, &draft] {
        let place = format!("/fhir/SearchParameter/{}", own["id"].as_str().unwrap());
        assert_eq!(admin.put(&place, own).await.unwrap().status, 201);
    }
    assert_eq!(once_indexed(admin, "/fhir/Patient?doctor=Practitioner/kelkar").await.matches(), ["p"]);
    assert_eq!(admin.get("/fhir/Patient?doctor:Practitioner.family=kelkar").await.unwrap().matches(), ["p"]);
    let included = admin.get("/fhir/Patient?_id=p&_include=Patient:doctor").await.unwrap();
    assert_eq!(included.json["entry"][1]["resource"]["id"], "kelkar", "{}", included.json);
    let unusable = admin.get("/fhir/Patient?wrong=x").await.unwrap();
    assert!(unusable.status == 400 && unusable.issues().contains("can't be evaluated"), "{}", unusable.issues());
    assert_eq!(admin.get("/fhir/Patient?later=x").await.unwrap().status, 400);
    server.stop().await.unwrap();
}

/// Parameters that the resource itself decides.
fn looked_at() -> Vec<Value> {
    let component = |url: &str, definition: &str| {
        let expression = format!("extension.where(url='{url}').value");
        json!({"definition": definition, "expression": expression})
    };
    let number = "http://hl7.org/fhir/SearchParameter/RiskAssessment-probability";
    let token = "http://hl7.org/fhir/SearchParameter/Observation-status";
    let date = "http://hl7.org/fhir/SearchParameter/individual-birthdate";
    vec![
        parameter("mark", json!({"type": "token", "expression": "Patient.maritalStatus"})),
        parameter("card", json!({"type": "token", "expression": "Patient.identifier"})),
        parameter("place", json!({"type": "uri", "expression": "Patient.identifier.system"})),
        parameter(
            "three",
            json!({"type": "composite", "expression": "Patient.extension.where(url='urn:three')",
            "component": [component("urn:size", number), component("urn:tone", token), component("urn:seen", date)]}),
        ),
        parameter(
            "two",
            json!({"type": "composite", "expression": "Patient.extension.where(url='urn:three')",
            "component": [component("urn:tone", token), component("urn:size", number)]}),
        ),
    ]
}

#[tokio::test]
async fn own_parameters_have_the_modifiers_that_look_at_the_resource() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    for own in &looked_at() {
        let stored = admin.put(&format!("/fhir/SearchParameter/{}", own["id"].as_str().unwrap()), own).await.unwrap();
        assert_eq!(stored.status, 201, "{}", stored.issues());
    }
    let three = |size: f64, tone: &str, seen: &str| {
        json!({"url": "urn:three", "extension": [{"url": "urn:size", "valueDecimal": size}, {"url": "urn:tone", "valueCode": tone},
            {"url": "urn:seen", "valueDate": seen}]})
    };
    let patient = json!({"resourceType": "Patient", "id": "p",
        "maritalStatus": {"coding": [{"system": "urn:m", "code": "M", "display": "Happily married"}]},
        "identifier": [{"system": "http://cards.example/ward/7", "value": "42",
            "type": {"coding": [{"system": "urn:kind", "code": "CARD"}]}}],
        "extension": [three(1.5, "red", "2020-02-03"), three(9.0, "blue", "2021-01-01")]});
    assert_eq!(admin.put("/fhir/Patient/p", &patient).await.unwrap().status, 201);
    once_indexed(admin, "/fhir/Patient?two=red$1.5").await;
    for (query, fits) in [
        ("mark:text=married", true),
        ("mark:text=divorced", false),
        ("card:of-type=urn:kind|CARD|42", true),
        ("card:of-type=urn:kind|CARD|43", false),
        ("place:below=http://cards.example/ward", true),
        ("place:above=http://cards.example/ward/7/bed/2", true),
        ("place:below=http://cards.example/wa", false),
        ("three=1.5$red$2020-02", true),
        ("three=gt1$red$lt2021", true),
        ("three=1.5$blue$2020-02", false),
        ("three=1.5$red$2021", false),
        ("two=red$gt1", true),
        ("two=red$gt2,blue$gt8", true),
        ("two=red$gt2", false),
    ] {
        let found = admin.get(&format!("/fhir/Patient?{query}")).await.unwrap();
        assert_eq!(found.status, 200, "{query}: {}", found.issues());
        assert_eq!(found.matches().contains(&"p"), fits, "{query}");
    }
    let wrong = admin.get("/fhir/Patient?three=1.5$red").await.unwrap();
    assert!(wrong.status == 400 && wrong.issues().contains("3 values"), "{}", wrong.issues());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_search_says_so_until_everything_is_indexed_again() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    let doubt = |answer: &Answer| {
        let entries = answer.json["entry"].as_array().cloned().unwrap_or_default();
        let outcome = entries.iter().find(|entry| entry["search"]["mode"] == "outcome");
        outcome.map(|entry| entry["resource"]["issue"][0].clone())
    };
    let female = "/fhir/Patient?gender=female";
    assert_eq!(doubt(&admin.get(female).await.unwrap()), None);
    let mut sql = PgConnection::connect(&server.running.private_database().unwrap()).await.unwrap();
    // What the start began is done first: it would index everything before anybody looks.
    let left = "SELECT count(*) FROM tenant t WHERE NOT EXISTS (SELECT FROM indexed_set s WHERE s.tenant = t.id)";
    for _ in 0..300 {
        if sqlx::query_scalar::<_, i64>(left).fetch_one(&mut sql).await.unwrap() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // As after a migration that makes an index anew.
    let anew = "BEGIN; TRUNCATE index_token; TRUNCATE indexed_set; UPDATE resource SET parameter_set = 0; COMMIT";
    sqlx::raw_sql(anew).execute(&mut sql).await.unwrap();
    let (mut told, mut told_inside, mut answer) = (None, false, admin.get(female).await.unwrap());
    for _ in 0..300 {
        told = told.or(doubt(&answer));
        if told.is_some() && doubt(&answer).is_none() {
            break;
        }
        if told.is_some() {
            let read = admin.get("/fhir/Patient?_id=rane").await.unwrap();
            assert_eq!(doubt(&read), None, "no index is asked");
            let inside = admin.get("/fhir/Patient?_contained=true").await.unwrap();
            told_inside |= doubt(&inside).is_some();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = admin.get(female).await.unwrap();
    }
    let told = told.unwrap();
    assert!(told_inside);
    assert_eq!((&told["severity"], &told["code"]), (&json!("warning"), &json!("incomplete")));
    assert_eq!((doubt(&answer), answer.matches().len()), (None, 3), "all are found again");
    server.stop().await.unwrap();
}
