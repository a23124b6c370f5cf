//! Conditional interactions, patches, histories and batches (R4 http.html).

use reqwest::Method;
use serde_json::{Value, json};
use seva_tests::client::{Answer, Client};
use seva_tests::server::TestServer;

const FHIR: (&str, &str) = ("content-type", "application/fhir+json");

fn patient(number: &str, family: &str) -> Value {
    json!({"resourceType": "Patient", "identifier": [{"system": "urn:test", "value": number}], "name": [{"family": family}]})
}

async fn send(client: &Client, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let headers: Vec<(&str, &str)> = [FHIR].iter().chain(headers).copied().collect();
    client.send(method, path, &headers, Some(body.to_string().into())).await.unwrap()
}

#[tokio::test]
async fn what_criteria_find_is_created_updated_and_deleted_once() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.administrator().await.unwrap();
    let none_exist = [("if-none-exist", "identifier=urn:test|1")];
    let requests = (0..8).map(|_| {
        let doctor = doctor.clone();
        async move { send(&doctor, Method::POST, "/fhir/Patient", &none_exist, &patient("1", "One")).await.status }
    });
    let mut statuses = futures_util::future::join_all(requests).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201], "eight at once make one");

    let place = "/fhir/Patient?identifier=urn:test|2";
    let first = send(doctor, Method::PUT, place, &[], &patient("2", "Two")).await;
    let second = send(doctor, Method::PUT, place, &[], &patient("2", "Too")).await;
    assert_eq!((first.status, second.status), (201, 200), "{}", second.json);
    assert_eq!((&second.json["id"], &second.json["meta"]["versionId"]), (&first.json["id"], &json!("2")));
    let mut other = patient("2", "Two");
    other["id"] = json!("another");
    assert_eq!(send(doctor, Method::PUT, place, &[], &other).await.status, 400);
    assert_eq!(send(doctor, Method::POST, "/fhir/Patient", &[], &patient("2", "Twin")).await.status, 201);
    assert_eq!(send(doctor, Method::PUT, place, &[], &patient("2", "Two")).await.status, 412);
    assert_eq!(send(doctor, Method::PUT, "/fhir/Patient?", &[], &patient("2", "Two")).await.status, 400);
    assert_eq!(send(doctor, Method::PUT, "/fhir/Patient?famly=x", &[], &patient("2", "Two")).await.status, 400);

    let operations = json!([{"op": "replace", "path": "/name/0/family", "value": "Patched"}]);
    let json_patch = [("content-type", "application/json-patch+json")];
    let patch = async |path: &str| {
        doctor.send(Method::PATCH, path, &json_patch, Some(operations.to_string().into())).await.unwrap()
    };
    assert_eq!(patch("/fhir/Patient?identifier=urn:test|1").await.json["name"][0]["family"], "Patched");
    assert_eq!(patch(place).await.status, 412);
    assert_eq!(patch("/fhir/Patient?identifier=urn:test|none").await.status, 404, "nothing to change");
    assert_eq!(doctor.delete(place).await.unwrap().status, 204);
    assert_eq!(doctor.get(place).await.unwrap().matches().len(), 0);
    assert_eq!(doctor.delete("/fhir/Patient").await.unwrap().status, 400, "nothing deletes a whole type");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn headers_decide_about_versions() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let read = doctor.get("/fhir/Patient/rane").await.unwrap();
    let since = [("if-modified-since", read.header("last-modified"))];
    assert_eq!(doctor.send(Method::GET, "/fhir/Patient/rane", &since, None).await.unwrap().status, 304);
    let long_ago = [("if-modified-since", "Mon, 01 Jan 2001 00:00:00 GMT")];
    assert_eq!(doctor.send(Method::GET, "/fhir/Patient/rane", &long_ago, None).await.unwrap().status, 200);
    let kept = send(doctor, Method::PUT, "/fhir/Patient/rane", &[("if-none-match", "*")], &read.json).await;
    assert_eq!(kept.status, 412);
    let parameters = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Patient.gender"},
        {"name": "value", "valueCode": "other"}]}]});
    let stale = send(doctor, Method::PATCH, "/fhir/Patient/rane", &[("if-match", "W/\"7\"")], &parameters).await;
    let done = send(doctor, Method::PATCH, "/fhir/Patient/rane", &[("if-match", "W/\"1\"")], &parameters).await;
    assert_eq!((stale.status, done.status, &done.json["gender"]), (412, 200, &json!("other")));
    let wrong = json!([{"op": "add", "path": "/nonsense", "value": 1}]).to_string();
    let json_patch = [("content-type", "application/json-patch+json")];
    let refused = doctor.send(Method::PATCH, "/fhir/Patient/rane", &json_patch, Some(wrong.into())).await.unwrap();
    assert_eq!(refused.status, 400, "what a patch makes is checked: {}", refused.json);
    assert_eq!(
        doctor.send(Method::PATCH, "/fhir/Patient/nobody", &json_patch, Some(b"[]".to_vec())).await.unwrap().status,
        404
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn histories_list_a_type_a_moment_and_everything() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.administrator().await.unwrap();
    let before = doctor.get("/fhir/Patient/naik").await.unwrap().json["meta"]["lastUpdated"].clone();
    let mut naik = doctor.get("/fhir/Patient/naik").await.unwrap().json;
    naik["gender"] = json!("other");
    let changed = doctor.put("/fhir/Patient/naik", &naik).await.unwrap().json;
    let made = doctor.post("/fhir/Patient", &patient("9", "Nine")).await.unwrap().json;
    doctor.delete(&format!("/fhir/Patient/{}", made["id"].as_str().unwrap())).await.unwrap();

    let since = changed["meta"]["lastUpdated"].as_str().unwrap();
    let page = doctor.get(&format!("/fhir/Patient/_history?_since={since}&_count=2")).await.unwrap();
    let verbs = |answer: &Answer| -> Vec<String> {
        let entries = answer.json["entry"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["request"]["method"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(verbs(&page), ["DELETE", "POST"], "{}", page.json);
    let rest = doctor.get(page.link("next").unwrap()).await.unwrap();
    assert_eq!((verbs(&rest), rest.link("next")), (vec!["PUT".to_owned()], None));
    let system = doctor.get("/fhir/_history?_count=3").await.unwrap();
    assert_eq!(verbs(&system), ["DELETE", "POST", "PUT"]);
    let at = format!("/fhir/Patient/naik/_history?_at={}", before.as_str().unwrap());
    let at = doctor.get(&at).await.unwrap();
    assert_eq!(at.json["entry"].as_array().unwrap().len(), 1, "{}", at.json);
    assert_eq!(at.json["entry"][0]["resource"]["meta"]["versionId"], "1");
    assert_eq!(doctor.get("/fhir/Patient/_history?_since=yesterday").await.unwrap().status, 400);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_batch_answers_each_entry_and_a_transaction_resolves_conditions() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.administrator().await.unwrap();
    let request = |method: &str, url: &str| json!({"method": method, "url": url});
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": request("GET", "Patient/rane")},
        {"request": request("GET", "Patient/nobody")},
        {"request": request("GET", "Observation?patient=rane")},
        {"request": request("POST", "Patient"), "resource": {"resourceType": "Patient", "gender": "nonsense"}},
        {"request": request("POST", "Patient"), "resource": patient("5", "Five")},
        {"request": request("DELETE", "Patient?identifier=urn:test|none")}]});
    let answer = doctor.post("/fhir", &batch).await.unwrap();
    assert_eq!((answer.status, &answer.json["type"]), (200, &json!("batch-response")), "{}", answer.json);
    let entries = answer.json["entry"].as_array().unwrap();
    let statuses: Vec<&str> = entries.iter().map(|entry| &entry["response"]["status"].as_str().unwrap()[..3]).collect();
    assert_eq!(statuses, ["200", "404", "200", "400", "201", "204"]);
    assert_eq!(entries[2]["resource"]["type"], "searchset");
    assert!(entries[3]["response"]["outcome"]["issue"][0]["expression"][0].as_str().unwrap().contains("gender"));

    let observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "pulse"},
        "subject": {"reference": "Patient?identifier=urn:test|5"}, "performer": [{"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}]});
    let transaction = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": request("GET", "Patient?identifier=urn:test|6")},
        {"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "resource": {"resourceType": "Practitioner", "identifier": [{"value": "p"}]},
            "request": {"method": "POST", "url": "Practitioner", "ifNoneExist": "identifier=p"}},
        {"request": request("POST", "Observation"), "resource": observation},
        {"request": request("PUT", "Patient?identifier=urn:test|6"), "resource": patient("6", "Six")},
        {"request": request("PATCH", "Patient/naik"), "resource": {"resourceType": "Binary", "contentType": "application/json-patch+json",
            "data": "W3sib3AiOiJhZGQiLCJwYXRoIjoiL2FjdGl2ZSIsInZhbHVlIjpmYWxzZX1d"}}]});
    for (round, expected) in [["201", "201", "201", "200"], ["200", "201", "200", "200"]].into_iter().enumerate() {
        let answer = doctor.post("/fhir", &transaction).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.json);
        let entries = answer.json["entry"].as_array().unwrap();
        assert_eq!(
            entries[0]["resource"]["entry"].as_array().unwrap().len(),
            1,
            "reads come after writes, round {round}"
        );
        let statuses: Vec<&str> =
            entries[1..].iter().map(|entry| &entry["response"]["status"].as_str().unwrap()[..3]).collect();
        assert_eq!(statuses, expected, "round {round}");
    }
    assert_eq!(
        doctor
            .get("/fhir/Observation?subject.identifier=urn:test|5&performer.identifier=p")
            .await
            .unwrap()
            .matches()
            .len(),
        2
    );
    assert_eq!(doctor.get("/fhir/Patient/naik").await.unwrap().json["active"], false);
    let dangling = json!({"resourceType": "Bundle", "type": "transaction", "entry": [{"request": request("POST", "Observation"),
        "resource": {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient?identifier=none"}}}]});
    assert_eq!(doctor.post("/fhir", &dangling).await.unwrap().status, 412);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn tags_may_be_strong_listed_or_a_star() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let body = json!({"resourceType": "Patient", "id": "tagged"});
    let absent = send(doctor, Method::PUT, "/fhir/Patient/tagged", &[("if-match", "*")], &body).await;
    assert_eq!(absent.status, 412, "{}", absent.issues());
    assert_eq!(send(doctor, Method::PUT, "/fhir/Patient/tagged", &[], &body).await.status, 201);
    for (tags, status) in [("*", 200), ("W/\"7\", \"2\"", 200), ("\"3\"", 200), ("W/\"3\"", 412), ("W/\"four\"", 400)] {
        let answer = send(doctor, Method::PUT, "/fhir/Patient/tagged", &[("if-match", tags)], &body).await;
        assert_eq!(answer.status, status, "If-Match {tags}: {}", answer.issues());
    }
    for (tags, status) in [("\"4\"", 304), ("W/\"1\", W/\"4\"", 304), ("*", 304), ("W/\"3\"", 200)] {
        let known = [("if-none-match", tags)];
        let answer = doctor.send(Method::GET, "/fhir/Patient/tagged", &known, None).await.unwrap();
        assert_eq!(answer.status, status, "If-None-Match {tags}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_history_is_cut_as_a_read_is() {
    let server = TestServer::start().await.unwrap();
    let history = server.doctor.get("/fhir/Patient/rane/_history?_elements=gender&_count=1").await.unwrap();
    let resource = &history.json["entry"][0]["resource"];
    assert_eq!((resource["gender"].is_string(), &resource["name"]), (true, &Value::Null), "{resource}");
    assert!(history.link("self").unwrap().contains("_elements=gender"));
    let wrong = server.doctor.get("/fhir/Patient/_history?_summary=short").await.unwrap();
    assert_eq!(wrong.status, 400);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_condition_that_finds_nothing_replaces_nothing() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let mut body = patient("7", "Seven");
    body["id"] = json!("rane");
    let place = "/fhir/Patient?identifier=urn:test|7";
    let refused = send(doctor, Method::PUT, place, &[], &body).await;
    assert_eq!(refused.status, 409, "{}", refused.issues());
    assert_eq!(doctor.get("/fhir/Patient/rane").await.unwrap().json["name"][0]["family"], "Rane");
    body["id"] = json!("seven");
    assert_eq!(send(doctor, Method::PUT, place, &[], &body).await.status, 201, "an update creates");
    assert_eq!(send(doctor, Method::PUT, place, &[], &body).await.status, 200, "and then it is found");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_patch_that_does_not_apply_is_unprocessable() {
    let server = TestServer::start().await.unwrap();
    let json_patch = [("content-type", "application/json-patch+json")];
    for (patch, status) in [
        (json!([{"op": "test", "path": "/gender", "value": "male"}]), 422),
        (json!([{"op": "remove", "path": "/telecom"}]), 422),
        // What is no patch, and what makes no resource, is a bad request still.
        (json!({"op": "remove"}), 400),
        (json!([{"op": "replace", "path": "/gender", "value": "x"}]), 400),
    ] {
        let answer =
            server.doctor.send(Method::PATCH, "/fhir/Patient/rane", &json_patch, Some(patch.to_string().into()));
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, status, "{patch}: {}", answer.issues());
    }
    let replace = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Patient.telecom"},
        {"name": "value", "valueContactPoint": {"value": "1"}}]}]});
    let answer = send(&server.doctor, Method::PATCH, "/fhir/Patient/rane", &[], &replace).await;
    assert_eq!(answer.status, 422, "{}", answer.issues());
    server.stop().await.unwrap();
}
