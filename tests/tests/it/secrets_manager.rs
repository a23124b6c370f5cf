//! Settings that lie in Secrets Manager: the program reads them at its start, and shows them to nobody.

use std::path::Path;

use serde_json::json;
use seva_tests::server::{Program, data_folder, free_port};
use wiremock::matchers::{body_partial_json, header};
use wiremock::{Mock, MockServer, ResponseTemplate};

const KEY: &str = "5b1f0c7d9e2a46831b0f5c7d9e2a46835b1f0c7d9e2a46831b0f5c7d9e2a4683";

async fn start(data: &Path, aws: &MockServer, setting: (&str, &str)) -> anyhow::Result<Program> {
    let variables = [
        setting,
        ("SEVA_SECRETS_ENDPOINT", &aws.uri()),
        ("SEVA_LOG_LEVEL", "trace"),
        ("AWS_ACCESS_KEY_ID", "test-key"),
        ("AWS_SECRET_ACCESS_KEY", "test-secret"),
    ];
    Program::start_with(data, free_port()?, &variables).await
}

async fn answering(status: u16, body: &serde_json::Value) -> MockServer {
    let aws = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/x-amz-json-1.1");
    Mock::given(header("x-amz-target", "secretsmanager.GetSecretValue"))
        .and(body_partial_json(json!({"SecretId": arn()})))
        .respond_with(answer)
        .mount(&aws)
        .await;
    aws
}

fn arn() -> String {
    "arn:aws:secretsmanager:ap-south-1:111122223333:secret:seva/keys-a1B2c3".to_owned()
}

#[tokio::test]
async fn the_master_key_comes_from_secrets_manager_and_stands_in_no_log() {
    let aws = answering(200, &json!({"SecretString": json!({"master": KEY}).to_string()})).await;
    let data = data_folder().unwrap();
    let setting = format!("{}#master", arn());
    let program = start(data.path(), &aws, ("SEVA_DATA_MASTER_KEY", &setting)).await.unwrap();
    assert!(program.terminate().await.unwrap());
    assert!(!data.path().join("master.key").exists(), "no other key was made");
    let log = std::fs::read_to_string(data.path().join("seva.log")).unwrap();
    assert!(log.contains("read a setting from Secrets Manager") && log.contains("data.master_key"), "it is logged");
    assert!(!log.contains(KEY), "the key is in no line, not even of trace");
}

#[tokio::test]
async fn a_start_without_its_secret_names_setting_and_secret() {
    for (status, body, said) in [
        (400, json!({"__type": "AccessDeniedException", "message": KEY}), "AccessDeniedException"),
        (200, json!({"SecretString": KEY}), "no JSON object with a text \"url\""),
        (200, json!({"SecretString": json!({"url": KEY}).to_string()}), "database.url is not a PostgreSQL URL"),
    ] {
        let aws = answering(status, &body).await;
        let data = data_folder().unwrap();
        let ended = start(data.path(), &aws, ("SEVA_DATABASE_URL", &format!("{}#url", arn()))).await;
        let log = ended.err().expect("it can't start").to_string();
        assert!(log.contains("database.url") && log.contains(said), "{log}");
        assert!(!log.contains(KEY), "the value is in no line");
    }
}
