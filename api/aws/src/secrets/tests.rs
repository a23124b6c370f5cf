use std::time::Instant;

use serde_json::json;
use wiremock::matchers::{body_json, header, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::connection::Identity;
use crate::moto::Moto;

const VALUE: &str = "the-hidden-value";

fn connection(endpoint: String) -> Connection {
    Connection {
        region: "ap-south-1".to_owned(),
        endpoint: Some(endpoint),
        identity: Identity::Fixed { key_id: "test-key".to_owned(), secret: "test-secret".to_owned() },
        certificates: None,
    }
}

fn reference(text: &str) -> SecretReference {
    SecretReference::find(text).expect("legal").expect("a reference")
}

fn answer(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/x-amz-json-1.1")
}

fn fault(status: u16, code: &str) -> ResponseTemplate {
    answer(status, &json!({"__type": code, "message": format!("it quotes {VALUE}")}))
}

async fn holding(body: &Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(answer(200, body)).mount(&server).await;
    server
}

#[tokio::test]
async fn a_secret_is_asked_for_by_its_name_and_signed_for_its_region() {
    let server = MockServer::start().await;
    Mock::given(header("x-amz-target", "secretsmanager.GetSecretValue"))
        .and(body_json(json!({"SecretId": "seva/url"})))
        .respond_with(answer(200, &json!({"Name": "seva/url", "SecretString": format!("{VALUE}\n")})))
        .expect(1)
        .mount(&server)
        .await;
    let manager = SecretsManager::new(&connection(server.uri())).await;
    assert_eq!(manager.get(&reference("secretsmanager:seva/url")).await.expect("it answers"), VALUE);
    let requests = server.received_requests().await.expect("they are kept");
    let signed = requests.first().and_then(|request| request.headers.get("authorization")).expect("signed");
    assert!(signed.to_str().expect("text").contains("/ap-south-1/secretsmanager/aws4_request"));
}

#[tokio::test]
async fn a_member_is_taken_and_what_is_none_is_named_without_the_value() {
    let object = json!({"key": VALUE, "port": 5432}).to_string();
    let server = holding(&json!({"SecretString": object})).await;
    let manager = SecretsManager::new(&connection(server.uri())).await;
    assert_eq!(manager.get(&reference("secretsmanager:seva/speech#key")).await.expect("a member"), VALUE);
    for member in ["port", "other"] {
        let error = manager.get(&reference(&format!("secretsmanager:seva/speech#{member}"))).await;
        let text = error.expect_err("no text").to_string();
        assert!(text.contains("seva/speech") && text.contains(member) && !text.contains(VALUE), "{text}");
    }
    let server = holding(&json!({"SecretString": VALUE})).await;
    let manager = SecretsManager::new(&connection(server.uri())).await;
    let text = manager.get(&reference("secretsmanager:a#key")).await.expect_err("no JSON").to_string();
    assert_eq!(text, "the secret \"a\" is no JSON object with a text \"key\"");
    for body in [json!({"SecretBinary": "AAEC"}), json!({"SecretString": "\n"})] {
        let server = holding(&body).await;
        let manager = SecretsManager::new(&connection(server.uri())).await;
        let text = manager.get(&reference("secretsmanager:a")).await.expect_err("no text").to_string();
        assert_eq!(text, "the secret \"a\" holds no text");
    }
}

#[tokio::test]
async fn a_busy_service_is_asked_again_and_a_refusal_is_not() {
    for (status, code, wanted) in [
        (400, "ThrottlingException", 4),
        (500, "InternalServiceError", 4),
        (400, "ResourceNotFoundException", 1),
        (400, "AccessDeniedException", 1),
        (400, "DecryptionFailure", 1),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("POST")).respond_with(fault(status, code)).mount(&server).await;
        let manager = SecretsManager::new(&connection(server.uri())).await;
        let error = manager.get(&reference("secretsmanager:seva/url")).await.expect_err("a failure");
        assert_eq!(matches!(error, SecretError::Unavailable { .. }), wanted > 1, "{code}: {error}");
        let text = error.to_string();
        assert!(text.contains(code) && text.contains("seva/url") && !text.contains(VALUE), "{text}");
        assert_eq!(server.received_requests().await.expect("they are kept").len(), wanted, "{code}");
    }
}

#[tokio::test]
async fn a_slow_service_ends_at_the_time_that_it_has() {
    let server = MockServer::start().await;
    let slow = answer(200, &json!({"SecretString": VALUE})).set_delay(Duration::from_secs(30));
    Mock::given(method("POST")).respond_with(slow).mount(&server).await;
    let patience =
        Patience { attempt: Duration::from_millis(200), all: Duration::from_millis(500), attempts: PATIENCE.attempts };
    let manager = SecretsManager::waiting(&connection(server.uri()), patience).await;
    let started = Instant::now();
    let error = manager.get(&reference("secretsmanager:a")).await.expect_err("no answer");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(error.to_string(), "Secrets Manager does not hand out \"a\" now: no answer in time");
    assert!(PATIENCE.all <= Duration::from_secs(20), "a start waits no longer");
}

#[tokio::test]
async fn moto_keeps_a_secret_as_the_service_does() {
    let moto = Moto::start().await;
    let body = json!({"Name": "seva/speech", "SecretString": json!({"key": VALUE}).to_string()}).to_string();
    let headers = "X-Amz-Target: secretsmanager.CreateSecret\r\nContent-Type: application/x-amz-json-1.1\r\n";
    let made = moto.ask("POST /", "secretsmanager", headers, &body).await;
    let made: Value = serde_json::from_str(made.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    let manager = SecretsManager::new(&moto.connection()).await;
    assert_eq!(manager.get(&reference("secretsmanager:seva/speech#key")).await.expect("by name"), VALUE);
    let arn = made.get("ARN").and_then(Value::as_str).expect("an ARN");
    assert_eq!(reference(arn).region(), Some("ap-south-1"));
    assert_eq!(manager.get(&reference(&format!("{arn}#key"))).await.expect("by ARN"), VALUE);
    let error = manager.get(&reference("secretsmanager:seva/absent")).await.expect_err("no such secret");
    assert!(error.to_string().ends_with("\"seva/absent\": ResourceNotFoundException"), "{error}");
}
