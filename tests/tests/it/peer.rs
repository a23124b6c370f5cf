//! Somebody else's programs work against the server: the clients fhirpy, fhirclient (PyPI) and fhir-kit-client (npm), and
//! schemathesis (PyPI), which tries what the contract describes.

use serde_json::{Value, json};
use seva_tests::project;
use seva_tests::server::{TestServer, data_folder};

/// Runs a client against a server of its own; its last line is what it saw.
async fn sees(program: &std::path::Path, script: &str) -> Value {
    let server = TestServer::start().await.unwrap();
    let fresh = server.doctor.post("/v1/session/token", &json!({})).await.unwrap();
    let output = tokio::process::Command::new(program)
        .arg(project().join("tests/peer").join(script))
        .arg(format!("{}/fhir", server.base))
        .arg(fresh.json["accessToken"].as_str().unwrap())
        .output()
        .await
        .unwrap_or_else(|error| panic!("{}: {error}: run `make test`", program.display()));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    server.stop().await.unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

fn python() -> std::path::PathBuf {
    project().join("tests/.venv/bin/python")
}

#[tokio::test]
async fn fhirpy_lists_pages_creates_updates_and_deletes() {
    let expected = json!({"first": 3, "all": 7, "birthDate": "1999-12-31", "version": "2", "found": 1, "gone": true});
    assert_eq!(sees(&python(), "fhirpy_client.py").await, expected);
}

#[tokio::test]
async fn fhirclient_reads_everything_into_its_typed_models() {
    let expected =
        json!({"software": "seva", "all": 7, "active": [true], "name": "Peer Smart", "readings": true, "left": 0});
    assert_eq!(sees(&python(), "fhirclient_client.py").await, expected);
}

#[tokio::test]
async fn fhir_kit_client_does_all_that_it_can() {
    let expected = json!({"software": "seva", "able": true, "all": 7, "same": true, "gender": "other", "before": null, "versions": 2,
        "compartment": 1, "resolved": true, "batch": "200", "everything": 2, "gone": 410});
    assert_eq!(sees(std::path::Path::new("node"), "fhir_kit_client.js").await, expected);
}

/// No server error, and every answer as the contract describes it, for data that is made from the contract.
#[tokio::test]
async fn schemathesis_finds_no_fault() {
    let server = TestServer::start().await.unwrap();
    let fresh = server.doctor.post("/v1/session/token", &json!({})).await.unwrap();
    let folder = data_folder().unwrap();
    let output = tokio::process::Command::new(python())
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
