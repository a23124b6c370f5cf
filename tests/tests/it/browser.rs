//! The pages in a real browser: Debian's chromium, driven by playwright-core.

use serde_json::{Value, json};
use seva_tests::project;
use seva_tests::server::TestServer;

#[tokio::test]
async fn a_doctor_logs_in_dictates_reviews_signs_and_prints() {
    let server = TestServer::start().await.unwrap();
    let output = tokio::process::Command::new("node")
        .arg(project().join("tests/browser/consultation.js"))
        .arg(&server.base)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let expected = json!({"before": "/log-in", "status": 200, "patients": 7, "faults": [], "httpOnly": true,
        "transcript": true, "temperature": true, "paracetamol": true, "medicines": 2, "pdf": "application/pdf", "hindi": true});
    assert_eq!(seen, expected);
    server.stop().await.unwrap();
}
