use std::time::Instant;

use serde_json::{Value, json};
use seva_clinic::testing::{TranslationContract, translation_contract};
use wiremock::matchers::{body_json, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;

const HINDI: Languages<'static> = Languages { source: "en", target: "hi" };

fn translator(endpoint: String, api_key: Option<&str>) -> LibreTranslator {
    let place = Place { endpoint, api_key: api_key.map(str::to_owned), certificates: None };
    LibreTranslator::new(place).expect("a client")
}

fn said(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "translatedText": text }))
}

fn echo(request: &Request) -> ResponseTemplate {
    let asked: Value = serde_json::from_slice(&request.body).expect("JSON");
    said(asked.get("q").and_then(Value::as_str).expect("a text"))
}

/// Its errors quote what they were asked.
fn fault(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"error": "can't translate: Do not tell Meera."}))
}

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/translate")).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn it_keeps_what_a_translator_promises() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/translate")).respond_with(echo).mount(&server).await;
    let languages = ResponseTemplate::new(200).set_body_json(json!([{"code": "en", "targets": ["hi"]}]));
    Mock::given(method("GET")).and(path("/languages")).respond_with(languages).mount(&server).await;
    let (refusing, busy) = (answering(fault(400)).await, answering(fault(503)).await);
    translation_contract(TranslationContract {
        ready: &translator(server.uri(), None),
        refusing: &translator(refusing.uri(), None),
        busy: &translator(busy.uri(), None),
        away: &translator("http://127.0.0.1:9".to_owned(), None),
        limit: TEXT_LIMIT,
    })
    .await;
}

#[tokio::test]
async fn languages_and_key_are_told_and_the_key_is_in_no_place() {
    let server = MockServer::start().await;
    let asked = json!({"q": "Rest.", "source": "en", "target": "hi", "format": "text", "api_key": "k-1"});
    let answer = Mock::given(path("/mt/translate")).and(body_json(asked)).respond_with(said(" आराम करें।\n"));
    answer.expect(1).mount(&server).await;
    let asked = translator(format!("{}/mt/", server.uri()), Some("k-1"));
    assert_eq!(asked.translate("Rest.", HINDI).await.expect("it answers"), "आराम करें।");
    assert!(!format!("{asked:?}").contains("k-1"));
    assert_eq!(asked.destination(), Some(format!("libretranslate service at {}", server.uri())));
}

#[tokio::test]
async fn a_busy_service_is_asked_again_and_a_refusal_is_not() {
    for (status, wanted) in [(429, 3), (500, 3), (400, 1), (403, 1), (302, 1)] {
        let server = answering(fault(status)).await;
        let error = translator(server.uri(), None).translate("Rest.", HINDI).await.expect_err("a failure");
        assert_eq!(matches!(error, TranslationError::Unavailable { .. }), wanted > 1, "{status}: {error}");
        assert_eq!(error.to_string().contains("translation.api_key"), status == 403, "{error}");
        assert_eq!(server.received_requests().await.expect("they are kept").len(), wanted, "{status}");
    }
    let strange = answering(ResponseTemplate::new(200).set_body_string("<html>")).await;
    let error = translator(strange.uri(), None).translate("Rest.", HINDI).await.expect_err("no translation");
    assert!(error.to_string().ends_with("it answered without a translation"), "{error}");
}

#[tokio::test]
async fn a_slow_service_ends_at_the_budget_of_the_text() {
    let slow = answering(said("आराम करें।").set_delay(Duration::from_secs(30))).await;
    let budget = Duration::from_millis(400);
    let started = Instant::now();
    let error = translator(slow.uri(), None).within(budget).translate("Rest.", HINDI).await.expect_err("no answer");
    assert!(matches!(error, TranslationError::Unavailable { .. }), "{error}");
    assert!((budget..budget * 5).contains(&started.elapsed()), "{:?}", started.elapsed());
}
