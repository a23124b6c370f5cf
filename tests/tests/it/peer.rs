//! Somebody else's programs work against the server: PyPI fhirpy lists, pages, creates, updates, deletes; PyPI schemathesis
//! tries what the contract describes.

use serde_json::{Value, json};
use seva_tests::project;
use seva_tests::server::{TestServer, data_folder};

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

/// No server error, and every answer as the contract describes it, for data that is made from the contract.
#[tokio::test]
async fn schemathesis_finds_no_fault() {
    let server = TestServer::start().await.unwrap();
    let fresh = server.doctor.post("/v1/session/token", &json!({})).await.unwrap();
    let folder = data_folder().unwrap();
    let output = tokio::process::Command::new(project().join("tests/.venv/bin/python"))
        .arg(project().join("tests/peer/schemathesis_run.py"))
        .arg(&server.base)
        .arg(fresh.json["accessToken"].as_str().unwrap())
        .current_dir(folder.path())
        .output()
        .await
        .unwrap();
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("Tested: "), "{text}\n{errors}");
    assert_eq!(server.doctor.get("/health/live").await.unwrap().status, 200);
    server.stop().await.unwrap();
}
