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
