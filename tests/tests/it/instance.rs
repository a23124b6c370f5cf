//! read, vread, create, update, delete, history (R4 http.html).

use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use seva_tests::server::TestServer;

#[tokio::test]
async fn a_resource_lives_through_create_update_delete_and_history() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let patient = json!({"resourceType": "Patient", "name": [{"family": "Deshpande"}], "birthDate": "1980-02-01"});

    let created = doctor.post("/fhir/Patient", &patient).await.unwrap();
    assert_eq!(created.status, 201, "{}", created.issues());
    let id = created.json["id"].as_str().unwrap().to_owned();
    assert_eq!(created.header("etag"), "W/\"1\"");
    assert_eq!(created.header("location"), format!("{}/fhir/Patient/{id}/_history/1", server.base));
    assert!(created.header("last-modified").ends_with("GMT"));
    assert_eq!(created.header("content-type"), "application/fhir+json; charset=utf-8");

    let path = format!("/fhir/Patient/{id}");
    let read = doctor.get(&path).await.unwrap();
    assert_eq!(read.bytes, created.bytes);
    let known = doctor.send(Method::GET, &path, &[("if-none-match", "W/\"1\"")], None).await.unwrap();
    assert_eq!(known.status, 304);

    let changed = json!({"resourceType": "Patient", "id": id, "name": [{"family": "Kulkarni"}]});
    let body = Some(changed.to_string().into_bytes());
    let stale = [("if-match", "W/\"7\""), ("content-type", "application/fhir+json")];
    assert_eq!(doctor.send(Method::PUT, &path, &stale, body.clone()).await.unwrap().status, 412);
    let current = [("if-match", "W/\"1\""), ("content-type", "application/fhir+json")];
    let updated = doctor.send(Method::PUT, &path, &current, body.clone()).await.unwrap();
    assert_eq!((updated.status, updated.header("etag")), (200, "W/\"2\""));
    assert_eq!(doctor.send(Method::PUT, &path, &current, body).await.unwrap().status, 412);

    let first = doctor.get(&format!("{path}/_history/1")).await.unwrap();
    assert_eq!(first.json["name"][0]["family"], "Deshpande");
    assert_eq!(doctor.get("/fhir/Patient?family=deshpande").await.unwrap().matches(), Vec::<&str>::new());
    assert_eq!(doctor.get("/fhir/Patient?family=kulk").await.unwrap().matches(), [id.as_str()]);

    assert_eq!(doctor.delete(&path).await.unwrap().status, 204);
    assert_eq!(doctor.get(&path).await.unwrap().status, 410);
    assert_eq!(doctor.get("/fhir/Patient?family=kulk").await.unwrap().matches(), Vec::<&str>::new());
    let history = doctor.get(&format!("{path}/_history")).await.unwrap();
    let methods: Vec<&str> =
        history.json["entry"].as_array().unwrap().iter().map(|e| e["request"]["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["DELETE", "PUT", "POST"]);

    let back = doctor.put(&path, &changed).await.unwrap();
    assert_eq!((back.status, back.header("etag")), (201, "W/\"4\""));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn decimals_and_extensions_survive_digit_for_digit() {
    let server = TestServer::start().await.unwrap();
    let body = br#"{"resourceType":"Observation","id":"exact","status":"final","code":{"text":"x"},
        "valueQuantity":{"value":1.00,"_value":{"extension":[{"url":"http://example.org/e","valueDecimal":1e2}]}}}"#;
    let headers = [("content-type", "application/fhir+json")];
    let put = server.doctor.send(Method::PUT, "/fhir/Observation/exact", &headers, Some(body.to_vec())).await.unwrap();
    assert_eq!(put.status, 201, "{}", put.issues());
    let read = String::from_utf8(server.doctor.get("/fhir/Observation/exact").await.unwrap().bytes).unwrap();
    assert!(read.contains("\"value\":1.00") && read.contains("\"valueDecimal\":1e2"), "{read}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn prefer_return_is_honoured() {
    let server = TestServer::start().await.unwrap();
    let body = json!({"resourceType": "Patient"}).to_string().into_bytes();
    for (prefer, kind) in
        [("return=minimal", ""), ("return=OperationOutcome", "OperationOutcome"), ("return=representation", "Patient")]
    {
        let headers = [("content-type", "application/fhir+json"), ("prefer", prefer)];
        let answer = server.doctor.send(Method::POST, "/fhir/Patient", &headers, Some(body.clone())).await.unwrap();
        assert_eq!((answer.status, answer.json["resourceType"].as_str().unwrap_or_default()), (201, kind));
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn updates_at_once_lose_nothing() {
    let server = TestServer::start().await.unwrap();
    let patient =
        |family: usize| json!({"resourceType": "Patient", "id": "busy", "name": [{"family": family.to_string()}]});
    assert_eq!(server.doctor.put("/fhir/Patient/busy", &patient(0)).await.unwrap().status, 201);
    let mut writers = tokio::task::JoinSet::new();
    for number in 1..=4 {
        let (doctor, body) = (server.doctor.clone(), patient(number));
        writers.spawn(async move { doctor.put("/fhir/Patient/busy", &body).await.unwrap().status });
    }
    let done = writers.join_all().await;
    assert!(done.iter().all(|status| *status == 200), "{done:?}");
    let history = server.doctor.get("/fhir/Patient/busy/_history").await.unwrap();
    assert_eq!(history.json["entry"].as_array().unwrap().len(), 5);
    server.stop().await.unwrap();
}

/// Many resources, each replaced twice from the same version and then deleted, all at once: each change is one version, each stale one is
/// told so, each entry of the history and of the audit log is that of its own request.
#[tokio::test]
async fn many_updates_and_deletions_at_once_are_each_written_once() {
    const RESOURCES: usize = 24;
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let patient = |id: usize, family: &str| json!({"resourceType": "Patient", "id": format!("many-{id}"), "name": [{"family": family}]});
    let path = |id: usize| format!("/fhir/Patient/many-{id}");
    let all = || 0..RESOURCES;
    let put = async |id: usize, family: &str| {
        let headers = [("content-type", "application/fhir+json"), ("if-match", "W/\"1\"")];
        let body = Some(patient(id, family).to_string().into_bytes());
        server.doctor.send(Method::PUT, &path(id), &headers, body).await.unwrap()
    };
    let created =
        join_all(all().map(async |id| server.doctor.put(&path(id), &patient(id, "First")).await.unwrap())).await;
    assert!(created.iter().all(|answer| answer.status == 201));

    let twice = join_all(all().flat_map(|id| [put(id, "Left"), put(id, "Right")])).await;
    for (id, pair) in twice.chunks(2).enumerate() {
        let mut seen: Vec<u16> = pair.iter().map(|answer| answer.status).collect();
        seen.sort_unstable();
        assert_eq!(seen, [200, 412], "many-{id}");
        let family = if pair[0].status == 200 { "left" } else { "right" };
        let found = server.doctor.get(&format!("/fhir/Patient?_id=many-{id}&family={family}")).await.unwrap();
        assert_eq!(found.matches(), [format!("many-{id}")], "the index rows are those of the version that won");
        assert_eq!(found.json["entry"][0]["resource"]["meta"]["versionId"], "2");
    }
    assert_eq!(server.doctor.get("/fhir/Patient?family=first").await.unwrap().matches(), Vec::<&str>::new());

    let removed = join_all(all().map(async |id| server.doctor.delete(&path(id)).await.unwrap())).await;
    assert!(removed.iter().all(|answer| answer.status == 204));
    for id in all() {
        let history = server.doctor.get(&format!("{}/_history", path(id))).await.unwrap();
        let methods: Vec<&str> = history.json["entry"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["request"]["method"].as_str().unwrap())
            .collect();
        assert_eq!(methods, ["DELETE", "PUT", "PUT"], "many-{id}");
        let written = admin.get(&format!("/fhir/AuditEvent?entity=Patient/many-{id}&action=U,D")).await.unwrap();
        let entries = written.json["entry"].as_array().unwrap();
        let versions: Vec<&str> =
            entries.iter().map(|entry| entry["resource"]["entity"][0]["what"]["reference"].as_str().unwrap()).collect();
        let expected = [3, 2, 1].map(|version| format!("Patient/many-{id}/_history/{version}"));
        assert_eq!(versions, expected, "{}", written.json);
        let requests: HashSet<String> =
            entries.iter().map(|entry| entry["resource"]["entity"][2].to_string()).collect();
        assert_eq!(requests.len(), 3, "each is of its own request: {}", written.json);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_version_that_never_was_is_told_from_a_resource_that_never_was() {
    let server = TestServer::start().await.unwrap();
    for (path, text) in [
        ("/fhir/Patient/rane/_history/7", "Patient/rane has no version 7"),
        ("/fhir/Patient/nobody/_history/7", "Patient/nobody does not exist"),
    ] {
        let answer = server.doctor.get(path).await.unwrap();
        assert!(answer.status == 404 && answer.issues().contains(text), "{path}: {}", answer.issues());
    }
    server.stop().await.unwrap();
}
