//! Advice in the patient's language: by request, audited before it leaves, and refused where it says something else.

use aws_smithy_cbor::{Decoder, Encoder};
use reqwest::Method;
use serde_json::json;
use seva_tests::server::{Program, TestServer, data_folder, free_port};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::aws::disclosures;
use crate::dictation::review;
use crate::secrets::add_medicine;

const TRANSLATE: &str = "/service/AWSShineFrontendService_20170701/operation/TranslateText";
const PRESCRIPTION: &str = "/v1/encounters/visit-dhillon/prescription";
const PLACE: &str = "/v1/encounters/visit-dhillon/translations";

/// A translator that is right about water, and wrong about walking.
fn translate(request: &Request) -> ResponseTemplate {
    let mut decoder = Decoder::new(&request.body);
    decoder.map().unwrap();
    assert_eq!(decoder.str().unwrap(), "Text");
    let text = match decoder.string().unwrap().as_str() {
        "Drink 3 litres of water a day." => "दिन में ३ लीटर पानी पिएं।",
        "Do not walk for 5 days." => "15 दिन टहलें।",
        other => panic!("{other} was not to leave"),
    };
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(3).str("TranslatedText").str(text).str("SourceLanguageCode").str("en");
    encoder.str("TargetLanguageCode").str("hi");
    ResponseTemplate::new(200)
        .insert_header("smithy-protocol", "rpc-v2-cbor")
        .set_body_raw(encoder.into_writer(), "application/cbor")
}

#[tokio::test]
async fn advice_is_translated_and_what_says_something_else_is_refused() {
    let aws = MockServer::start().await;
    Mock::given(path(TRANSLATE)).respond_with(translate).mount(&aws).await;
    let data = data_folder().unwrap();
    let (endpoint, port) = (aws.uri(), free_port().unwrap());
    let variables = [
        ("SEVA_TRANSLATION_ENGINE", "amazon-translate"),
        ("SEVA_TRANSLATION_REGION", "ap-south-1"),
        ("SEVA_TRANSLATION_ENDPOINT", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "test-key"),
        ("AWS_SECRET_ACCESS_KEY", "test-secret"),
    ];
    let program = Program::start_with(data.path(), port, &variables).await.unwrap();
    let doctor = program.doctor().await.unwrap();
    let start = add_medicine(&doctor, PRESCRIPTION).await;
    let section = |name: &str| format!("{PRESCRIPTION}/sections/{name}");
    let water = json!({"text": "Drink three litres of water a day."});
    let seen = review(&doctor, &section("instructions"), &start["version"], water).await;
    let walk = json!({"text": "Do not walk for five days."});
    review(&doctor, &section("follow-up"), &seen["version"], walk).await;

    let offer = doctor.get(PLACE).await.unwrap().json;
    assert_eq!(offer["languages"], json!(["hi", "mr"]));
    assert_eq!(offer["destination"], "amazon-translate in ap-south-1");
    let asked = |section: &str| json!({"section": section, "language": "hi"});
    let key = [("idempotency-key", "the-same"), ("content-type", "application/json")];
    let body = asked("instructions").to_string();
    let first = doctor.send(Method::POST, PLACE, &key, Some(body.clone().into())).await.unwrap();
    let said = doctor.send(Method::POST, PLACE, &key, Some(body.into())).await.unwrap();
    assert_eq!((first.status, said.status), (200, 200), "{}", said.json);
    assert_eq!(said.header("idempotency-replayed"), "", "a translation is kept under no key");
    assert_eq!(said.json["text"], "दिन में ३ लीटर पानी पिएं।");
    assert_eq!(said.json["source"], "Drink three litres of water a day.", "the doctor's own words stand beside it");
    assert_eq!((&said.json["label"], &said.json["engine"]), (&json!("AIAST"), &json!("amazon-translate")));
    let refused = doctor.post(PLACE, &asked("follow-up")).await.unwrap();
    assert_eq!((refused.status, &refused.json["text"]), (200, &json!(null)), "{}", refused.json);
    assert_eq!(refused.json["source"], "Do not walk for five days.");
    let kinds: Vec<_> = refused.json["differences"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert!(kinds.contains(&json!("number")) && kinds.contains(&json!("denial")), "{}", refused.json);

    for (body, status) in [
        (asked("medications"), 422),
        (json!({"section": "instructions", "language": "ta"}), 422),
        (asked("referral"), 404),
    ] {
        let answer = doctor.post(PLACE, &body).await.unwrap();
        assert_eq!(answer.status, status, "{body}: {}", answer.json);
    }
    let left = "advice of Encounter/visit-dhillon to amazon-translate in ap-south-1 {dhillon}";
    assert_eq!(disclosures(data.path()).await, [left, left, left], "what is refused before does not leave");
    let unchanged = doctor.get(PRESCRIPTION).await.unwrap().json;
    assert!(!unchanged.to_string().contains("लीटर"), "nothing is stored");
    assert!(program.terminate().await.unwrap());
}

#[tokio::test]
async fn without_a_translator_that_is_said() {
    let server = TestServer::start().await.unwrap();
    let answer = server.doctor.post(PLACE, &json!({"section": "instructions", "language": "hi"})).await.unwrap();
    assert_eq!(answer.status, 409, "{}", answer.json);
    let offer = server.doctor.get(PLACE).await.unwrap().json;
    assert_eq!((&offer["languages"], &offer["destination"]), (&json!([]), &json!(null)), "nothing is offered");
    let page = server.doctor.get("/health").await.unwrap();
    assert!(!page.json.to_string().contains("translation"));
    assert!(answer.json["detail"].as_str().unwrap().contains("translation.engine"));
    server.stop().await.unwrap();
}
