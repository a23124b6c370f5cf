//! Faults that are brought about on purpose: the store stays whole and the server goes on (R4 http.html#transaction).

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::{Program, TestServer, data_folder, free_port};
use sqlx::Connection as _;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const TASKS: usize = 8;
const BUNDLES: usize = 20;
const SHARED: usize = 10;
/// So many entries that a kill hits the transaction in the middle.
const ENTRIES: usize = 10_000;
/// More dropped connections than the pool has.
const DROPPED: usize = 50;

fn put(id: &str, family: &str) -> Value {
    json!({"resource": {"resourceType": "Patient", "id": id, "name": [{"family": family}]},
        "request": {"method": "PUT", "url": format!("Patient/{id}")}})
}

fn transaction(entries: Vec<Value>) -> Value {
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

/// Many writers of the same ids, each in another order: no bundle is lost, none waits for another for ever.
#[tokio::test]
async fn concurrent_bundles_with_the_same_ids_neither_deadlock_nor_lose() {
    let server = TestServer::start().await.unwrap();
    let writer = async |task: usize| {
        let mut written = 0;
        for number in 0..BUNDLES {
            let turn = |place: usize| (place * 7 + task * 3 + number) % SHARED;
            let shared = (0..SHARED).map(|place| put(&format!("shared-{}", turn(place)), &format!("T{task}N{number}")));
            let own = put(&format!("own-{task}-{number}"), "Own");
            let bundle = transaction(shared.chain([own]).collect());
            for _ in 0..200 {
                let answer = server.doctor.post("/fhir", &bundle).await.unwrap();
                // 409: another one was there first; the client sends it again.
                assert!(matches!(answer.status, 200 | 409), "{}: {}", answer.status, answer.issues());
                if answer.status == 200 {
                    written += 1;
                    break;
                }
            }
        }
        written
    };
    let all = tokio::time::timeout(Duration::from_secs(120), join_all((0..TASKS).map(writer))).await;
    assert_eq!(all.expect("no deadlock"), vec![BUNDLES; TASKS]);
    for task in 0..TASKS {
        for number in 0..BUNDLES {
            let own = server.doctor.get(&format!("/fhir/Patient/own-{task}-{number}")).await.unwrap();
            assert_eq!(own.status, 200, "own-{task}-{number}");
        }
    }
    let mut last = Vec::new();
    for place in 0..SHARED {
        let shared = server.doctor.get(&format!("/fhir/Patient/shared-{place}")).await.unwrap().json;
        assert_eq!(shared["meta"]["versionId"], (TASKS * BUNDLES).to_string(), "every write is a version");
        last.push(shared["name"][0]["family"].clone());
    }
    assert!(last.windows(2).all(|pair| pair[0] == pair[1]), "the last bundle wrote all of them: {last:?}");
    server.stop().await.unwrap();
}

async fn many(client: Client, family: &str) -> Option<u16> {
    let bundle = transaction((0..ENTRIES).map(|number| put(&format!("many-{number}"), family)).collect());
    client.post("/fhir", &bundle).await.ok().map(|answer| answer.status)
}

async fn count(doctor: &Client, family: &str) -> u64 {
    let found = doctor.get(&format!("/fhir/Patient?family:exact={family}&_summary=count")).await.unwrap();
    found.json["total"].as_u64().unwrap()
}

/// kill -9 of the server at several moments: all entries are there, or none.
#[tokio::test]
async fn a_killed_server_leaves_all_of_a_transaction_or_nothing() {
    let data = data_folder().unwrap();
    for (round, wait) in [100_u64, 700, 1500].into_iter().enumerate() {
        let family = format!("Killed{round}");
        let program = Program::start(data.path(), free_port().unwrap()).await.unwrap();
        let doctor = program.doctor().await.unwrap();
        let sending = tokio::spawn({
            let family = family.clone();
            async move { many(doctor, &family).await }
        });
        tokio::time::sleep(Duration::from_millis(wait)).await;
        program.kill().await.unwrap();
        let answered = sending.await.unwrap();
        let again = Program::start(data.path(), free_port().unwrap()).await.unwrap();
        let found = count(&again.doctor().await.unwrap(), &family).await;
        assert!(found == 0 || found == ENTRIES as u64, "{found} of {ENTRIES} after {wait} ms");
        assert!(answered != Some(200) || found == ENTRIES as u64, "an acknowledged transaction is there");
        assert!(again.terminate().await.unwrap());
    }
}

/// kill -9 of PostgreSQL: an error, all or nothing, and the server has it back by itself.
#[tokio::test]
async fn a_killed_database_leaves_all_of_a_transaction_or_nothing() {
    let data = data_folder().unwrap();
    let program = Program::start(data.path(), free_port().unwrap()).await.unwrap();
    let doctor = program.doctor().await.unwrap();
    let sending = tokio::spawn(many(doctor.clone(), "Postmaster"));
    tokio::time::sleep(Duration::from_millis(700)).await;
    let pid = std::fs::read_to_string(data.path().join("postgres/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap();
    let killed = std::process::Command::new("kill").args(["-9", pid]).status().unwrap();
    assert!(killed.success());
    let answered = sending.await.unwrap();
    let mut status = 0;
    for _ in 0..150 {
        status = doctor.get("/fhir/Patient/rane").await.map_or(0, |answer| answer.status);
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(status, 200, "PostgreSQL is started again");
    let found = count(&doctor, "Postmaster").await;
    assert!(found == 0 || found == ENTRIES as u64, "{found} of {ENTRIES}");
    assert!(answered != Some(200) || found == ENTRIES as u64, "an acknowledged transaction is there");
    assert!(program.terminate().await.unwrap());
}

/// A client that goes away in the middle of its transaction takes no connection of the pool with it.
#[tokio::test]
async fn dropped_connections_leak_nothing() {
    let server = TestServer::start().await.unwrap();
    let token = server.doctor.post("/v1/session/token", &json!({})).await.unwrap().json["accessToken"].clone();
    let address = server.base.strip_prefix("http://").unwrap();
    for number in 0..DROPPED {
        let entries = (0..500).map(|entry| put(&format!("dropped-{number}-{entry}"), &format!("Dropped{number}")));
        let body = transaction(entries.collect()).to_string();
        let head = format!(
            "POST /fhir HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-type: application/fhir+json\r\ncontent-length: {}\r\n\r\n",
            token.as_str().unwrap(),
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(number as u64 * 3)).await;
        drop(stream);
    }
    // As many requests at the same time as any pool has connections, at once.
    let reads = join_all((0..32).map(|_| server.doctor.get("/fhir/Patient/rane")));
    let reads = tokio::time::timeout(Duration::from_secs(20), reads).await.expect("the pool is free");
    assert!(reads.into_iter().all(|answer| answer.unwrap().status == 200));
    for number in 0..DROPPED {
        let found = count(&server.doctor, &format!("Dropped{number}")).await;
        assert!(found == 0 || found == 500, "{found} of 500");
    }
    server.stop().await.unwrap();
}

/// Each limit refuses in words of its own, as an OperationOutcome.
#[tokio::test]
async fn every_limit_says_which_one_it_is() {
    let server = TestServer::start().await.unwrap();
    let send = async |body: Vec<u8>| {
        let headers = [("content-type", "application/fhir+json")];
        server.doctor.send(reqwest::Method::POST, "/fhir/Basic", &headers, Some(body)).await.unwrap()
    };
    let large = send(vec![b' '; 65 * 1024 * 1024]).await;
    let deep = send([vec![b'['; 5000], vec![b']'; 5000]].concat()).await;
    let chain = format!("/fhir/Observation?{}:Patient.name=x", ["subject:Patient.link:Patient"; 9].join("."));
    let chain = server.doctor.get(&chain).await.unwrap();
    let conditions: Vec<String> = (0..300).map(|number| format!("name:contains=a{number}")).collect();
    let conditions = server.doctor.get(&format!("/fhir/Patient?{}", conditions.join("&"))).await.unwrap();
    let entries = vec![r#"{"request":{"method":"GET","url":"Basic/x"}}"#; 20_001].join(",");
    let bundle =
        |kind: &str| format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{entries}]}}"#).into_bytes();
    let headers = [("content-type", "application/fhir+json")];
    let many = server.doctor.send(reqwest::Method::POST, "/fhir", &headers, Some(bundle("transaction"))).await.unwrap();
    let batch = server.doctor.send(reqwest::Method::POST, "/fhir", &headers, Some(bundle("batch"))).await.unwrap();
    let seen = [&large, &deep, &chain, &conditions, &many, &batch].map(|answer| answer.status);
    assert_eq!(seen, [413, 400, 400, 400, 400, 400], "{} {}", deep.issues(), chain.issues());
    assert_eq!(conditions.json["issue"][0]["code"], "too-costly", "{}", conditions.issues());
    assert_eq!((many.json["issue"][0]["code"].as_str(), many.issues()), (Some("too-costly"), batch.issues()));
    let told: std::collections::BTreeSet<String> =
        [large, deep, chain, conditions, many].iter().map(|answer| answer.issues()).collect();
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told.iter().all(|issues| issues.contains("diagnostics")), "{told:?}");
    assert!(told.iter().any(|issues| issues.contains("nest") || issues.contains("deep")), "{told:?}");
    server.stop().await.unwrap();
}

/// What is said again narrows nothing more, and alternatives aren't combined.
#[tokio::test]
async fn conditions_that_are_said_again_or_alternatives_cost_nothing() {
    let server = TestServer::start().await.unwrap();
    let again = server.doctor.get(&format!("/fhir/Patient?{}", ["name=rane"; 300].join("&"))).await.unwrap();
    assert_eq!((again.status, again.matches()), (200, vec!["rane"]), "{}", again.issues());
    assert_eq!(again.link("self").map(|url| url.matches("name=rane").count()), Some(1));
    let values: Vec<String> = (0..300).map(|number| format!("a{number}")).collect();
    let either = server.doctor.get(&format!("/fhir/Patient?name={},rane", values.join(","))).await.unwrap();
    assert_eq!((either.status, either.matches()), (200, vec!["rane"]), "{}", either.issues());
    let filter: Vec<String> = values.iter().map(|value| format!("name%20co%20{value}")).collect();
    let both = server.doctor.get(&format!("/fhir/Patient?_filter={}", filter.join("%20and%20"))).await.unwrap();
    assert_eq!((both.status, both.json["issue"][0]["code"].as_str()), (400, Some("too-costly")), "{}", both.issues());
    let either = server.doctor.get(&format!("/fhir/Patient?_filter={}", filter.join("%20or%20"))).await.unwrap();
    assert_eq!((either.status, either.matches().len()), (200, 0), "{}", either.issues());
    server.stop().await.unwrap();
}

/// An include that is cut says so beside what it brought.
#[tokio::test]
async fn an_include_that_is_cut_says_so() {
    let server = TestServer::start().await.unwrap();
    let of_rane = |number: usize| {
        json!({"resource": {"resourceType": "Basic", "code": {"text": number.to_string()}, "subject": {"reference": "Patient/rane"}},
            "request": {"method": "POST", "url": "Basic"}})
    };
    let entry: Vec<Value> = (0..1001).map(of_rane).collect();
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entry});
    assert_eq!(server.doctor.post("/fhir", &bundle).await.unwrap().status, 200);
    let answer = server.doctor.get("/fhir/Patient?_id=rane&_revinclude=Basic:subject").await.unwrap();
    let entries = answer.json["entry"].as_array().unwrap();
    let of_mode = |mode: &str| entries.iter().filter(|entry| entry["search"]["mode"] == mode).collect::<Vec<_>>();
    assert_eq!((of_mode("match").len(), of_mode("include").len()), (1, 1000));
    assert_eq!(of_mode("outcome")[0]["resource"]["issue"][0]["code"], "incomplete");
    server.stop().await.unwrap();
}

/// A statement that runs too long ends, says so, and its connection serves the next request.
#[tokio::test]
async fn a_statement_has_an_end() {
    let server = TestServer::start_with(|configuration| configuration.database.statement_seconds = 1).await.unwrap();
    let url = server.running.private_database().unwrap();
    let mut other = sqlx::PgConnection::connect(&url).await.unwrap();
    let mut lock = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE index_string IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let search = server.doctor.get("/fhir/Patient?name=rane").await.unwrap();
    assert_eq!(
        (search.status, search.json["issue"][0]["code"].as_str()),
        (503, Some("timeout")),
        "{}",
        search.issues()
    );
    let patient = json!({"resourceType": "Patient", "name": [{"family": "Waits"}]});
    assert_eq!(server.doctor.post("/fhir/Patient", &patient).await.unwrap().status, 503);
    lock.rollback().await.unwrap();
    let after = server.doctor.get("/fhir/Patient?name=waits,rane").await.unwrap();
    assert_eq!(after.json["entry"].as_array().unwrap().len(), 1, "{}", after.json);
    server.stop().await.unwrap();
}

/// Whoever waits for a resource that another transaction holds holds nobody else up.
#[tokio::test]
async fn a_held_resource_holds_up_only_its_own_writers() {
    let server = TestServer::start().await.unwrap();
    let patient = |id: &str| json!({"resourceType": "Patient", "id": id, "name": [{"family": "Held"}]});
    for id in ["held", "free"] {
        assert_eq!(server.doctor.put(&format!("/fhir/Patient/{id}"), &patient(id)).await.unwrap().status, 201);
    }
    let mut other = sqlx::PgConnection::connect(&server.running.private_database().unwrap()).await.unwrap();
    let mut lock = other.begin().await.unwrap();
    sqlx::query("SELECT FROM resource WHERE id = 'held' FOR UPDATE").execute(&mut *lock).await.unwrap();
    let waiting = [1, 2].map(|_| {
        let (doctor, body) = (server.doctor.clone(), patient("held"));
        tokio::spawn(async move { doctor.put("/fhir/Patient/held", &body).await.unwrap().status })
    });
    for version in 2..=10 {
        let free = patient("free");
        let others = server.doctor.put("/fhir/Patient/free", &free);
        let others =
            tokio::time::timeout(Duration::from_secs(10), others).await.expect("nobody waits for another").unwrap();
        assert_eq!((others.status, others.header("etag")), (200, format!("W/\"{version}\"").as_str()));
    }
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    lock.rollback().await.unwrap();
    for done in join_all(waiting).await {
        assert_eq!(done.unwrap(), 200);
    }
    server.stop().await.unwrap();
}
