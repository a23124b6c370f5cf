//! Binaries of more than 64 KB: their data lies sealed in the blob store, each version's under its own name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::Method;
use serde_json::{Value, json};
use seva_tests::client::{Answer, Client};
use seva_tests::server::{Program, TestServer, data_folder, free_port};
use sqlx::{Connection as _, PgConnection};

use super::orphans::{blobs, hold, release, until};

/// Bytes that don't repeat.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn binary(id: &str, bytes: &[u8]) -> Value {
    json!({"resourceType": "Binary", "id": id, "contentType": "application/octet-stream", "data": STANDARD.encode(bytes)})
}

async fn raw(client: &Client, path: &str) -> Answer {
    client.send(Method::GET, path, &[("accept", "*/*")], None).await.unwrap()
}

async fn connect(server: &TestServer) -> PgConnection {
    PgConnection::connect(&server.running.private_database().unwrap()).await.unwrap()
}

async fn number(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

const BLOBS: &str = "SELECT count(*) FROM blob";
const LARGEST: &str = "SELECT max(octet_length(body))::int8 FROM (SELECT body FROM resource WHERE id = 'big' \
    UNION ALL SELECT body FROM history WHERE id = 'big') v";

#[tokio::test]
async fn each_version_of_a_large_binary_gives_its_own_bytes() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let (first, second) = (noise(1, 300_000), noise(2, 70_000));
    let created = admin.put("/fhir/Binary/big", &binary("big", &first)).await.unwrap();
    assert_eq!(created.status, 201, "{}", created.issues());
    assert_eq!(raw(&admin, "/fhir/Binary/big").await.bytes, first);
    let part = [("accept", "*/*"), ("range", "bytes=100000-100009")];
    let part = admin.send(Method::GET, "/fhir/Binary/big", &part, None).await.unwrap();
    assert_eq!((part.status, part.bytes.as_slice()), (206, &first[100_000..100_010]));
    let whole = admin.get("/fhir/Binary/big").await.unwrap();
    assert_eq!((&whole.json["data"], whole.json.get("_data")), (&json!(STANDARD.encode(&first)), None));

    assert_eq!(admin.put("/fhir/Binary/big", &binary("big", &second)).await.unwrap().status, 200);
    assert_eq!(admin.put("/fhir/Binary/big", &binary("big", b"small")).await.unwrap().status, 200);
    assert_eq!(admin.delete("/fhir/Binary/big").await.unwrap().status, 204);
    for (version, bytes) in [(1, first.as_slice()), (2, second.as_slice()), (3, b"small")] {
        assert_eq!(raw(&admin, &format!("/fhir/Binary/big/_history/{version}")).await.bytes, bytes, "{version}");
    }
    for path in ["/fhir/Binary/big/_history", "/fhir/Binary/_history"] {
        let history = admin.get(path).await.unwrap();
        let entries = history.json["entry"].as_array().unwrap();
        let data: Vec<Option<&str>> = entries.iter().map(|entry| entry["resource"]["data"].as_str()).collect();
        let expected =
            [None, Some(STANDARD.encode(b"small")), Some(STANDARD.encode(&second)), Some(STANDARD.encode(&first))];
        assert_eq!(data, expected.iter().map(Option::as_deref).collect::<Vec<_>>(), "{path}");
    }
    let mut connection = connect(&server).await;
    assert_eq!(number(&mut connection, BLOBS).await, 2);
    assert!(number(&mut connection, LARGEST).await < 1000, "the rows are small");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn large_binaries_come_by_every_way_in() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let bytes = noise(3, 100_000);
    let headers = [("content-type", "application/octet-stream")];
    let posted = admin.send(Method::POST, "/fhir/Binary", &headers, Some(bytes.clone())).await.unwrap();
    assert_eq!(posted.status, 201, "{}", posted.issues());
    let id = posted.json["id"].as_str().unwrap();
    assert_eq!(raw(&admin, &format!("/fhir/Binary/{id}")).await.bytes, bytes);

    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": binary("t", &bytes), "request": {"method": "PUT", "url": "Binary/t"}},
        {"request": {"method": "GET", "url": "Binary/t"}}]});
    let done = admin.post("/fhir", &bundle).await.unwrap();
    assert_eq!(done.status, 200, "{}", done.issues());
    assert_eq!(done.json["entry"][1]["resource"]["data"], STANDARD.encode(&bytes));
    let found = admin.get("/fhir/Binary?_id=t").await.unwrap();
    assert_eq!(found.json["entry"][0]["resource"]["data"], STANDARD.encode(&bytes));
    let patch = json!([{"op": "replace", "path": "/contentType", "value": "text/x-noise"}]).to_string();
    let headers = [("content-type", "application/json-patch+json")];
    let patched = admin.send(Method::PATCH, "/fhir/Binary/t", &headers, Some(patch.into())).await.unwrap();
    assert_eq!(patched.status, 200, "{}", patched.issues());
    let patched = raw(&admin, "/fhir/Binary/t").await;
    assert_eq!((patched.header("content-type"), &patched.bytes), ("text/x-noise", &bytes));

    // Nobody names another one's blob; a write that is refused leaves none behind.
    let mut connection = connect(&server).await;
    let name: String =
        sqlx::query_scalar("SELECT id::text FROM blob LIMIT 1").fetch_one(&mut connection).await.unwrap();
    let part = |url: &str, kind: &str, value: Value| json!({"url": url, kind: value});
    let mark = json!({"url": "https://seva-arogya.org/fhir/StructureDefinition/blob", "extension": [
        part("name", "valueString", json!(name)), part("size", "valueDecimal", json!(100_000)), part("sha256", "valueString", json!("00"))]});
    let stored: Vec<u8> =
        sqlx::query_scalar("SELECT body FROM resource WHERE id = 't'").fetch_one(&mut connection).await.unwrap();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    assert_eq!(stored["_data"]["extension"][0]["url"], mark["url"]);
    let thief =
        json!({"resourceType": "Binary", "id": "thief", "contentType": "text/plain", "_data": {"extension": [mark]}});
    let refused = admin.put("/fhir/Binary/thief", &thief).await.unwrap();
    assert_eq!(refused.status, 422, "{}", refused.issues());
    let before = number(&mut connection, BLOBS).await;
    let headers = [("content-type", "application/fhir+json"), ("if-match", "W/\"1\"")];
    let body = binary("t", &noise(4, 90_000)).to_string();
    let stale = admin.send(Method::PUT, "/fhir/Binary/t", &headers, Some(body.into())).await.unwrap();
    assert_eq!(stale.status, 412);
    assert_eq!(number(&mut connection, BLOBS).await, before);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_kill_between_blob_and_commit_leaves_an_orphan_that_is_swept() {
    let data = data_folder().unwrap();
    let port = free_port().unwrap();
    let program = Program::start(data.path(), port).await.unwrap();
    let doctor = program.doctor().await.unwrap();
    let kept = noise(5, 100_000);
    assert_eq!(doctor.put("/fhir/Binary/kept", &binary("kept", &kept)).await.unwrap().status, 201);
    let folder = data.path().join("blobs");
    let before = blobs(&folder).len();
    assert!(before > 0, "{}", folder.display());

    // The commit waits behind a lock, so the blob is there and the version isn't.
    let pid = std::fs::read_to_string(data.path().join("postgres/postmaster.pid")).unwrap();
    let socket = pid.lines().nth(4).unwrap().replace('/', "%2F");
    let url = format!("postgres://seva@{socket}/seva");
    let held = hold(&url).await;
    let writer = doctor.clone();
    let writing =
        tokio::spawn(async move { writer.put("/fhir/Binary/lost", &binary("lost", &noise(6, 100_000))).await });
    until(&folder, |count| count > before).await;
    assert_eq!(blobs(&folder).len(), before + 1);
    program.kill().await.unwrap();
    let _ = writing.await;
    // What waits would be done all the same when the lock is free: its connection is cut like the program.
    release(held).await;
    let program = Program::start(data.path(), port).await.unwrap();
    until(&folder, |count| count == before).await;
    assert_eq!(blobs(&folder).len(), before, "the orphan is gone, the other one stays");
    let doctor = program.doctor().await.unwrap();
    assert_eq!(raw(&doctor, "/fhir/Binary/kept").await.bytes, kept);
    assert_eq!(doctor.get("/fhir/Binary/lost").await.unwrap().status, 404);
    program.kill().await.unwrap();
}
