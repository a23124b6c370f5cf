//! PostgreSQL backends die: in the middle of a statement the request is told so, nothing is half written, and the next request
//! finds a connection; between requests nobody notices.

use std::time::Duration;

use serde_json::{Value, json};
use seva_tests::client::{Answer, Client};
use seva_tests::server::TestServer;
use sqlx::{Connection, PgConnection};

/// Ends what waits for a lock; tells how many that were.
async fn end_waiting(connection: &mut PgConnection) -> i64 {
    let waiting = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    sqlx::query_scalar(waiting).fetch_one(connection).await.unwrap()
}

/// Sends a request that waits behind a lock of a table, ends its backend, and gives the lock back.
async fn interrupted(server: &TestServer, lock: &'static str, request: impl Future<Output = Answer>) -> Answer {
    let mut holder = PgConnection::connect(&server.running.private_database().unwrap()).await.unwrap();
    let mut locked = holder.begin().await.unwrap();
    sqlx::query(lock).execute(&mut *locked).await.unwrap();
    let mut request = std::pin::pin!(request);
    let mut ended = 0;
    for _ in 0..200 {
        tokio::select! {
            answer = &mut request => {
                assert!(ended > 0, "nothing waited");
                locked.rollback().await.unwrap();
                return answer;
            }
            () = tokio::time::sleep(Duration::from_millis(50)) => ended += end_waiting(&mut locked).await,
        }
    }
    panic!("the request was never answered, {ended} backends were ended");
}

async fn works(client: &Client) {
    let searches = (0..40).map(|_| client.get("/fhir/Patient?family=rane"));
    for answer in futures_util::future::join_all(searches).await {
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.matches()), (200, vec!["rane"]), "{}", answer.issues());
    }
}

fn is_told(answer: &Answer) {
    assert_eq!((answer.status, &answer.json["issue"][0]["code"]), (503, &json!("transient")), "{}", answer.json);
    assert!(!answer.issues().contains("terminating"), "the database's words stay inside: {}", answer.issues());
}

#[tokio::test]
async fn a_search_whose_backend_dies_is_told_and_the_pool_recovers() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let search = async { doctor.get("/fhir/Patient?family=naik").await.unwrap() };
    is_told(&interrupted(&server, "LOCK TABLE index_string IN ACCESS EXCLUSIVE MODE", search).await);
    works(doctor).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn writes_whose_backend_dies_leave_nothing_behind() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let lock = "LOCK TABLE change IN EXCLUSIVE MODE";
    let entries: Vec<Value> = (0..30)
        .map(|number| {
            let patient =
                json!({"resourceType": "Patient", "id": format!("cut-{number}"), "name": [{"family": "Cut"}]});
            json!({"resource": patient, "request": {"method": "PUT", "url": format!("Patient/cut-{number}")}})
        })
        .collect();
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    is_told(&interrupted(&server, lock, async { doctor.post("/fhir", &bundle).await.unwrap() }).await);
    works(doctor).await;
    assert_eq!(doctor.get("/fhir/Patient?family=cut").await.unwrap().json["total"], 0);
    assert_eq!(doctor.get("/fhir/Patient/cut-0/_history").await.unwrap().status, 404);

    let single = json!({"resourceType": "Patient", "id": "rane-2", "name": [{"family": "Cut"}]});
    is_told(&interrupted(&server, lock, async { doctor.put("/fhir/Patient/rane-2", &single).await.unwrap() }).await);
    let changed = json!({"resourceType": "Patient", "id": "naik", "name": [{"family": "Cut"}]});
    is_told(&interrupted(&server, lock, async { doctor.put("/fhir/Patient/naik", &changed).await.unwrap() }).await);
    works(doctor).await;
    assert_eq!(doctor.get("/fhir/Patient?family=cut").await.unwrap().json["total"], 0);
    assert_eq!(doctor.get("/fhir/Patient/naik").await.unwrap().json["meta"]["versionId"], "1");
    // The same again is written whole.
    assert_eq!(doctor.post("/fhir", &bundle).await.unwrap().status, 200);
    assert_eq!(doctor.get("/fhir/Patient?family=cut&_summary=count").await.unwrap().json["total"], 30);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn backends_that_die_at_rest_are_replaced_before_anybody_asks() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    works(doctor).await;
    // A connection is asked for a sign of life once it rested for a second.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let mut killer = PgConnection::connect(&server.running.private_database().unwrap()).await.unwrap();
    let resting = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE pid <> pg_backend_pid() AND state = 'idle' AND query LIKE '%index_string%'";
    let ended: i64 = sqlx::query_scalar(resting).fetch_one(&mut killer).await.unwrap();
    assert!(ended > 0, "no connection rested");
    works(doctor).await;
    server.stop().await.unwrap();
}
