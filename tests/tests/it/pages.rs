//! The pages looked at by axe-core and worked by keyboard alone: WCAG 2.2 AA (<https://www.w3.org/TR/WCAG22/>).

use serde_json::{Value, json};
use seva_tests::project;
use seva_tests::server::TestServer;

use super::review;

#[tokio::test]
async fn every_page_is_usable_by_everybody() {
    let server = TestServer::start().await.unwrap();
    let lines = ["No fever. Pain in the left knee.", "Tab metphormin 500 mg twice a day for fifteen days."];
    review::said(&server, "rane", &lines).await;
    let output = tokio::process::Command::new("node")
        .arg(project().join("tests/browser/pages.js"))
        .arg(&server.base)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let expected = json!({"scriptless": {"before": 0, "found": [1, 1], "unasked": 1, "visit": true},
        "review": {"meters": 2, "walked": true, "heard": true, "marked": 1, "kept": 1, "scriptless": 2, "drafted": true},
        "keyboard": {"refused": 1, "sealed": 1, "faults": []},
        "conflict": true, "faults": []});
    assert_eq!(seen, expected, "{seen:#}");
    server.stop().await.unwrap();
}
