//! Somebody else's client works against the server: PyPI fhirpy lists, pages, creates, updates, deletes.

use serde_json::{Value, json};
use seva_tests::project;
use seva_tests::server::TestServer;

#[tokio::test]
async fn fhirpy_lists_pages_creates_updates_and_deletes() {
    let server = TestServer::start().await.unwrap();
    let fresh = server.doctor.post("/v1/session/token", &json!({})).await.unwrap();
    let python = project().join("tests/.venv/bin/python");
    let output = tokio::process::Command::new(&python)
        .arg(project().join("tests/peer/fhirpy_client.py"))
        .arg(format!("{}/fhir", server.base))
        .arg(fresh.json["accessToken"].as_str().unwrap())
        .output()
        .await
        .unwrap_or_else(|error| panic!("{}: {error}: run `make test`", python.display()));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let expected = json!({"first": 3, "all": 7, "birthDate": "1999-12-31", "version": "2", "found": 1, "gone": true});
    assert_eq!(result, expected);
    server.stop().await.unwrap();
}
