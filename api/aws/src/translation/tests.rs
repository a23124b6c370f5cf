use std::time::Instant;

use serde_json::json;
use seva_clinic::testing::{TranslationContract, translation_contract};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::connection::Identity;
use crate::rpc::{respond, text_of};

const TRANSLATE: &str = "/service/AWSShineFrontendService_20170701/operation/TranslateText";
const LANGUAGES: &str = "/service/AWSShineFrontendService_20170701/operation/ListLanguages";
const TERMINOLOGY: &str = "/service/AWSShineFrontendService_20170701/operation/GetTerminology";
const HINDI: Languages<'static> = Languages { source: "en", target: "hi" };

async fn translator(endpoint: String, terminologies: &[&str]) -> AmazonTranslator {
    let connection = Connection {
        region: "ap-south-1".to_owned(),
        endpoint: Some(endpoint),
        identity: Identity::Fixed { key_id: "test-key".to_owned(), secret: "test-secret".to_owned() },
        certificates: None,
    };
    AmazonTranslator::new(connection, terminologies.iter().map(|name| (*name).to_owned()).collect()).await
}

fn said(text: &str) -> ResponseTemplate {
    respond(200, &json!({"TranslatedText": text, "SourceLanguageCode": "en", "TargetLanguageCode": "hi"}))
}

fn fault(status: u16, code: &str) -> ResponseTemplate {
    respond(status, &json!({"__type": format!("com.amazonaws.translate#{code}"), "message": "it quotes: rest"}))
}

#[tokio::test]
async fn languages_terminologies_and_formality_are_told() {
    let server = MockServer::start().await;
    Mock::given(path(TRANSLATE)).respond_with(said("आराम करें।")).mount(&server).await;
    let asked = translator(server.uri(), &["seva-medicines"]).await;
    assert_eq!(asked.translate("Rest.", HINDI).await.expect("it answers"), "आराम करें।");
    assert_eq!(asked.destination().as_deref(), Some("amazon-translate in ap-south-1"));
    let requests = server.received_requests().await.expect("they are kept");
    let request = requests.first().expect("one request");
    assert_eq!(text_of(request), "Rest.");
    for wanted in ["seva-medicines", "FORMAL", "SourceLanguageCode", "TargetLanguageCode"] {
        assert!(request.body.windows(wanted.len()).any(|part| part == wanted.as_bytes()), "{wanted}");
    }
    assert!(
        request
            .headers
            .get("authorization")
            .is_some_and(|value| value.to_str().is_ok_and(|v| v.contains("ap-south-1")))
    );
}

#[tokio::test]
async fn a_long_text_is_asked_in_pieces_and_none_is_lost() {
    let server = MockServer::start().await;
    let echo = |request: &Request| said(&text_of(request));
    Mock::given(path(TRANSLATE)).respond_with(echo).mount(&server).await;
    let text = (0..1500).map(|number| format!("Sentence {number}.")).collect::<Vec<_>>().join(" ");
    let asked = translator(server.uri(), &[]).await;
    assert_eq!(asked.translate(&text, HINDI).await.expect("it answers"), text);
    let requests = server.received_requests().await.expect("they are kept");
    assert!(requests.len() > 1 && requests.iter().all(|request| text_of(request).len() <= PIECE_LIMIT));
    let long = "a".repeat(TEXT_LIMIT + 1);
    let refused = asked.translate(&long, HINDI).await.expect_err("too long");
    assert!(matches!(refused, TranslationError::TooLong { .. }));
    assert_eq!(server.received_requests().await.expect("they are kept").len(), requests.len(), "it did not leave");
}

#[tokio::test]
async fn overload_is_asked_again_and_a_refusal_is_not() {
    for (status, code, wanted) in [
        (429, "TooManyRequestsException", 4),
        (503, "ServiceUnavailableException", 4),
        (400, "ResourceNotFoundException", 1),
        (400, "UnsupportedLanguagePairException", 1),
    ] {
        let server = MockServer::start().await;
        Mock::given(path(TRANSLATE)).respond_with(fault(status, code)).mount(&server).await;
        let error = translator(server.uri(), &[]).await.translate("Rest.", HINDI).await.expect_err("a failure");
        assert_eq!(matches!(error, TranslationError::Unavailable { .. }), wanted > 1, "{code}: {error}");
        assert!(!error.to_string().contains("rest"), "the service's words stay with the service");
        assert_eq!(server.received_requests().await.expect("they are kept").len(), wanted, "{code}");
    }
    let server = MockServer::start().await;
    Mock::given(path(TRANSLATE))
        .respond_with(fault(503, "InternalServerException"))
        .up_to_n_times(2)
        .mount(&server)
        .await;
    Mock::given(path(TRANSLATE)).respond_with(said("आराम करें।")).mount(&server).await;
    let asked = translator(server.uri(), &[]).await;
    assert_eq!(asked.translate("Rest.", HINDI).await.expect("the third answers"), "आराम करें।");
}

#[tokio::test]
async fn health_names_a_terminology_that_is_missing() {
    let server = MockServer::start().await;
    Mock::given(path(LANGUAGES)).respond_with(respond(200, &json!({"Languages": []}))).mount(&server).await;
    Mock::given(path(TERMINOLOGY)).respond_with(fault(400, "ResourceNotFoundException")).mount(&server).await;
    translator(server.uri(), &[]).await.health().await.expect("the languages answer");
    let error = translator(server.uri(), &["gone"]).await.health().await.expect_err("no such terminology");
    assert!(error.to_string().contains("ResourceNotFoundException"), "{error}");
}

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path(TRANSLATE)).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn it_keeps_what_a_translator_promises() {
    let server = MockServer::start().await;
    let echo = |request: &Request| said(&text_of(request));
    Mock::given(path(TRANSLATE)).respond_with(echo).mount(&server).await;
    Mock::given(path(LANGUAGES)).respond_with(respond(200, &json!({"Languages": []}))).mount(&server).await;
    let refusing = answering(fault(400, "UnsupportedLanguagePairException")).await;
    let busy = answering(fault(503, "ServiceUnavailableException")).await;
    translation_contract(TranslationContract {
        ready: &translator(server.uri(), &[]).await,
        refusing: &translator(refusing.uri(), &[]).await,
        busy: &translator(busy.uri(), &[]).await,
        away: &translator("http://127.0.0.1:9".to_owned(), &[]).await,
        limit: TEXT_LIMIT,
    })
    .await;
}

#[tokio::test]
async fn a_slow_service_ends_at_the_budget_of_the_text() {
    let slow = answering(said("आराम करें।").set_delay(Duration::from_secs(30))).await;
    let budget = Duration::from_millis(600);
    let asked = translator(slow.uri(), &[]).await.within(budget);
    let started = Instant::now();
    let error = asked.translate("Rest.", HINDI).await.expect_err("no answer");
    assert!(matches!(error, TranslationError::Unavailable { .. }), "{error}");
    assert!((budget..budget * 5).contains(&started.elapsed()), "{:?}", started.elapsed());
    // Many pieces that are each in time end there, too.
    let steady = answering(said("आराम करें।").set_delay(Duration::from_millis(400))).await;
    let asked = translator(steady.uri(), &[]).await.within(budget);
    let started = Instant::now();
    let text = "Rest well. ".repeat(10 * PIECE_LIMIT / 11);
    asked.translate(&text, HINDI).await.expect_err("three rounds of four pieces");
    assert!((budget..budget * 5).contains(&started.elapsed()), "{:?}", started.elapsed());
    assert_eq!(BUDGET, Duration::from_secs(45), "docs/operations.md says so");
}
