//! The pages looked at by axe-core and worked by keyboard alone: WCAG 2.2 AA (<https://www.w3.org/TR/WCAG22/>).

use serde_json::{Value, json};
use seva_server::configuration::TranslationEngine;
use seva_tests::project;
use seva_tests::server::TestServer;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::review;

/// A translator with LibreTranslate's interface that is right in Hindi, and loses the number in Marathi.
fn translate(request: &Request) -> ResponseTemplate {
    let asked: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(asked["q"], "Drink 3 litres of water a day.", "number words leave as digits");
    let said = if asked["target"] == "hi" {
        "दिन में 3 लीटर पानी पिएं।"
    } else {
        "दिवसभर पाणी प्या."
    };
    ResponseTemplate::new(200).set_body_json(json!({ "translatedText": said }))
}

#[tokio::test]
async fn every_page_is_usable_by_everybody() {
    let machine = MockServer::start().await;
    Mock::given(path("/translate")).respond_with(translate).mount(&machine).await;
    let server = TestServer::start_with(|configuration| {
        configuration.translation.engine = TranslationEngine::Libretranslate;
        configuration.translation.endpoint = Some(machine.uri());
    })
    .await
    .unwrap();
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
        "translated": {"offered": 1, "said": "दिन में 3 लीटर पानी पिएं।", "refused": ["Number 3: 1 in your words, 0 in the machine's", "Amount 3 L: 1 in your words, 0 in the machine's"], "faults": []},
        "keyboard": {"refused": 1, "sealed": 1, "faults": []},
        "conflict": true, "faults": []});
    assert_eq!(seen, expected, "{seen:#}");
    server.stop().await.unwrap();
}
