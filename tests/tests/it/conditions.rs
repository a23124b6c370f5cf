//! Conditions as many clients write them, and what they mean within one transaction (R4 http.html#trules).

use reqwest::Method;
use serde_json::{Value, json};
use seva_tests::client::{Answer, Client};
use seva_tests::server::TestServer;

const JSON: (&str, &str) = ("content-type", "application/fhir+json");

fn patient(number: &str) -> Value {
    json!({"resourceType": "Patient", "identifier": [{"system": "urn:test", "value": number}]})
}

fn create(number: &str, full_url: &str, criteria: Option<&str>) -> Value {
    let mut entry =
        json!({"fullUrl": full_url, "resource": patient(number), "request": {"method": "POST", "url": "Patient"}});
    if let Some(criteria) = criteria {
        entry["request"]["ifNoneExist"] = json!(criteria);
    }
    entry
}

fn about(subject: &str) -> Value {
    let resource = json!({"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": subject}});
    json!({"resource": resource, "request": {"method": "POST", "url": "Basic"}})
}

async fn transaction(client: &Client, entries: &[Value]) -> Answer {
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries}).to_string();
    let headers = [JSON, ("prefer", "return=representation")];
    client.send(Method::POST, "/fhir", &headers, Some(bundle.into())).await.unwrap()
}

#[tokio::test]
async fn a_condition_may_be_written_as_the_whole_search() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    let base = admin.get("/fhir/metadata").await.unwrap().json["implementation"]["url"].as_str().unwrap().to_owned();
    let create = async |criteria: &str| {
        let headers = [JSON, ("if-none-exist", criteria)];
        admin.send(Method::POST, "/fhir/Patient", &headers, Some(patient("1").to_string().into())).await.unwrap()
    };
    assert_eq!(create("Patient?identifier=urn:test|1").await.status, 201);
    for criteria in
        ["identifier=urn:test|1", "?identifier=urn:test|1", &format!("{base}/Patient?identifier=urn:test|1")]
    {
        assert_eq!(create(criteria).await.status, 200, "{criteria}");
    }
    for criteria in ["Observation?code=1", "https://elsewhere.example/fhir/Patient?identifier=urn:test|1", "Patient?"] {
        assert_eq!(create(criteria).await.status, 400, "{criteria}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_conditional_delete_expects_a_version_too() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    admin.post("/fhir/Patient", &patient("1")).await.unwrap();
    let delete = async |version: &str| {
        let place = "/fhir/Patient?identifier=urn:test|1";
        admin.send(Method::DELETE, place, &[("if-match", version)], None).await.unwrap().status
    };
    assert_eq!((delete("W/\"9\"").await, delete("W/\"1\"").await), (412, 204));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn conditional_references_find_what_their_transaction_writes() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    let subject = "Patient?identifier=urn:test|1";
    let delete = json!({"request": {"method": "DELETE", "url": subject}});
    let target =
        |answer: &Answer, place: usize| answer.json["entry"][place]["resource"]["subject"]["reference"].clone();

    let made = transaction(admin, &[about(subject), create("1", "urn:test:a", None)]).await;
    assert_eq!(made.status, 200, "{}", made.issues());
    let id = made.json["entry"][1]["resource"]["id"].as_str().unwrap();
    assert_eq!(target(&made, 0), format!("Patient/{id}"));
    // There is one already, so there would be two.
    assert_eq!(transaction(admin, &[about(subject), create("1", "urn:test:a", None)]).await.status, 412);
    assert_eq!(transaction(admin, &[about(subject), delete.clone()]).await.status, 412, "what is deleted isn't found");
    let anew = transaction(admin, &[about(subject), create("1", "urn:test:a", None), delete]).await;
    assert_eq!(anew.status, 200, "{}", anew.issues());
    let id = anew.json["entry"][1]["resource"]["id"].as_str().unwrap().to_owned();
    assert_eq!(target(&anew, 0), format!("Patient/{id}"));
    // An update that no longer fits isn't found, and one that does is found once.
    let update = |number: &str| {
        let mut resource = patient(number);
        resource["id"] = json!(id);
        json!({"resource": resource, "request": {"method": "PUT", "url": format!("Patient/{id}")}})
    };
    assert_eq!(transaction(admin, &[about(subject), update("2")]).await.status, 412);
    assert_eq!(transaction(admin, &[about(subject), update("1")]).await.status, 200);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn equal_conditions_of_a_transaction_make_one_resource() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    let criteria = Some("identifier=urn:test|1");
    let made = transaction(
        admin,
        &[create("1", "urn:test:a", criteria), create("1", "urn:test:b", criteria), about("urn:test:b")],
    )
    .await;
    assert_eq!(made.status, 200, "{}", made.issues());
    let entry = |place: usize| &made.json["entry"][place];
    assert_eq!(
        (&entry(0)["response"]["status"], &entry(1)["response"]["status"]),
        (&json!("201 Created"), &json!("200 OK"))
    );
    assert_eq!(entry(0)["fullUrl"], entry(1)["fullUrl"]);
    let id = entry(0)["resource"]["id"].as_str().unwrap();
    assert_eq!(entry(2)["resource"]["subject"]["reference"], format!("Patient/{id}"));
    assert_eq!(admin.get("/fhir/Patient?identifier=urn:test|1").await.unwrap().matches().len(), 1);

    // R4: resolved identities that overlap fail the transaction.
    let put = json!({"resource": patient("2"), "request": {"method": "PUT", "url": "Patient?identifier=urn:test|2"}});
    for entries in [[put.clone(), put.clone()], [create("2", "urn:test:a", Some("identifier=urn:test|2")), put.clone()]]
    {
        let refused = transaction(admin, &entries).await;
        assert_eq!((refused.status, refused.json["issue"][0]["code"].as_str()), (400, Some("duplicate")));
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_entry_of_a_batch_without_request_fails_alone() {
    let server = TestServer::start().await.unwrap();
    let read = json!({"request": {"method": "GET", "url": "Patient/rane"}});
    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": [{"resource": patient("1")}, read]});
    let answer = server.doctor.post("/fhir", &bundle).await.unwrap();
    let status = |place: usize| answer.json["entry"][place]["response"]["status"].as_str().unwrap_or_default();
    assert_eq!((status(0), status(1)), ("400 Bad Request", "200 OK"), "{}", answer.json);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn answers_to_other_origins_still_vary_by_format() {
    let server = TestServer::start().await.unwrap();
    let origin = [("origin", "https://app.example")];
    let answer = server.doctor.send(Method::GET, "/fhir/Patient/rane", &origin, None).await.unwrap();
    let varies: Vec<&str> = answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
    let varies = varies.join(", ").to_lowercase();
    assert!(
        ["origin", "accept", "accept-encoding"].iter().all(|name| varies.split(", ").any(|own| own == *name)),
        "{varies}"
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_the_client_calls_its_request_comes_back() {
    let server = TestServer::start().await.unwrap();
    let ids = async |headers: &[(&str, &str)]| {
        let answer = server.doctor.send(Method::GET, "/fhir/Patient/rane", headers, None).await.unwrap();
        ["x-request-id", "x-correlation-id"]
            .map(|name| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned()))
    };
    assert_eq!(ids(&[("x-request-id", "a-1")]).await, [Some("a-1".to_owned()), None]);
    assert_eq!(ids(&[("x-request-id", "a-1"), ("x-correlation-id", "b 2")]).await[1].as_deref(), Some("b 2"));
    let [own, given] = ids(&[("x-request-id", "a b")]).await;
    assert_ne!(own.as_deref(), Some("a b"), "an id that could be anything doesn't go into logs");
    assert_eq!(given.as_deref(), Some("a b"));
    server.stop().await.unwrap();
}
