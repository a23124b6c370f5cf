//! kill -9 at any moment loses nothing that was acknowledged.

use serde_json::json;
use seva_tests::server::{Program, data_folder, free_port};

#[tokio::test]
async fn an_acknowledged_create_survives_kill_9_and_sigterm_ends_everything() {
    let data = data_folder().unwrap();
    let port = free_port().unwrap();
    let program = Program::start(data.path(), port).await.unwrap();
    let doctor = program.doctor().await.unwrap();
    let created = doctor.post("/fhir/Patient", &json!({"resourceType": "Patient", "gender": "other"})).await.unwrap();
    assert_eq!(created.status, 201);
    program.kill().await.unwrap();

    let id = created.json["id"].as_str().unwrap();
    let again = Program::start(data.path(), port).await.unwrap();
    let doctor = again.doctor().await.unwrap();
    let read = doctor.get(&format!("/fhir/Patient/{id}")).await.unwrap();
    assert_eq!(read.bytes, created.bytes);
    assert!(again.terminate().await.unwrap());
    assert!(!data.path().join("postgres/postmaster.pid").exists(), "PostgreSQL still runs");
}

#[tokio::test]
async fn who_comes_second_uses_the_database_of_the_first_and_outlives_it() {
    let data = data_folder().unwrap();
    let first = Program::start(data.path(), free_port().unwrap()).await.unwrap();
    let second = Program::start(data.path(), free_port().unwrap()).await.unwrap();
    let doctor = second.doctor().await.unwrap();
    assert_eq!(doctor.get("/fhir/Patient/rane").await.unwrap().status, 200);
    assert!(first.terminate().await.unwrap(), "it stops its PostgreSQL");
    let mut status = 0;
    for _ in 0..100 {
        status = doctor.get("/fhir/Patient/rane").await.map_or(0, |answer| answer.status);
        if status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(status, 200, "the second has started it again");
    assert!(second.terminate().await.unwrap());
}
