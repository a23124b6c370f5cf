//! The services of AWS, chosen by configuration: each is asked, with its region and its time; one that is away is named.

use std::time::{Duration, Instant};

use serde_json::Value;
use seva_tests::client::Client;
use seva_tests::server::{Program, TestServer, data_folder, free_port};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const JOBS: &str = "/service/ComprehendMedical_20181030/operation/ListEntitiesDetectionV2Jobs";
/// An empty map in CBOR (RFC 8949): no jobs.
const NO_JOBS: [u8; 1] = [0xa0];

async fn start(data: &std::path::Path, endpoint: &str) -> Program {
    let variables = [
        ("SEVA_EXTRACTION_ENGINE", "comprehend-medical"),
        ("SEVA_EXTRACTION_REGION", "us-east-1"),
        ("SEVA_EXTRACTION_ENDPOINT", endpoint),
        ("SEVA_BLOBS_STORE", "s3"),
        ("SEVA_BLOBS_BUCKET", "seva-blobs"),
        ("SEVA_BLOBS_REGION", "ap-south-1"),
        ("SEVA_BLOBS_ENDPOINT", endpoint),
        ("AWS_ACCESS_KEY_ID", "test-key"),
        ("AWS_SECRET_ACCESS_KEY", "test-secret"),
    ];
    Program::start_with(data, free_port().unwrap(), &variables).await.unwrap()
}

fn named<'a>(answer: &'a Value, list: &str, key: &str, name: &str) -> &'a Value {
    let items = answer[list].as_array().unwrap();
    items.iter().find(|item| item[key] == name).unwrap_or_else(|| panic!("no {name} in {answer}"))
}

#[tokio::test]
async fn nothing_of_aws_is_asked_unless_it_is_configured() {
    let server = TestServer::start().await.unwrap();
    let found = server.doctor.get("/health/aws-connectivity").await.unwrap();
    assert_eq!((found.status, &found.json["services"]), (200, &serde_json::json!([])));
    let health = server.doctor.get("/health").await.unwrap();
    assert_eq!(named(&health.json, "checks", "name", "extraction")["status"], "up");
    assert_eq!(named(&health.json, "checks", "name", "blobs")["status"], "up");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn each_configured_service_tells_region_state_and_time() {
    let aws = MockServer::start().await;
    let jobs = ResponseTemplate::new(200)
        .insert_header("smithy-protocol", "rpc-v2-cbor")
        .set_body_raw(NO_JOBS, "application/cbor")
        .set_delay(Duration::from_millis(120));
    Mock::given(method("POST")).and(path(JOBS)).respond_with(jobs).mount(&aws).await;
    Mock::given(method("HEAD")).and(path("/seva-blobs/")).respond_with(ResponseTemplate::new(200)).mount(&aws).await;
    Mock::given(method("HEAD")).and(path("/seva-blobs")).respond_with(ResponseTemplate::new(200)).mount(&aws).await;
    let data = data_folder().unwrap();
    let program = start(data.path(), &aws.uri()).await;
    let client = Client::anonymous(&program.base).unwrap();
    let found = client.get("/health/aws-connectivity").await.unwrap();
    let comprehend = named(&found.json, "services", "service", "comprehendmedical");
    assert_eq!((&comprehend["region"], &comprehend["status"]), (&"us-east-1".into(), &"up".into()), "{comprehend}");
    assert!(comprehend["milliseconds"].as_u64().unwrap() >= 120, "{comprehend}");
    let store = named(&found.json, "services", "service", "s3");
    assert_eq!((&store["region"], &store["status"]), (&"ap-south-1".into(), &"up".into()), "{store}");
    let asked = aws.received_requests().await.unwrap().len();
    for _ in 0..5 {
        assert_eq!(client.get("/health/aws-connectivity").await.unwrap().json, found.json);
    }
    assert_eq!(aws.received_requests().await.unwrap().len(), asked, "visitors do not turn us against AWS");
    let health = client.get("/health").await.unwrap();
    let extraction = named(&health.json, "checks", "name", "extraction");
    assert!(extraction["detail"].as_str().unwrap().contains("comprehend-medical in us-east-1"), "{extraction}");
    assert!(program.terminate().await.unwrap());
}

#[tokio::test]
async fn a_service_that_is_away_is_named_within_the_time_limit() {
    let aws = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(method("POST")).and(path(JOBS)).respond_with(slow).mount(&aws).await;
    Mock::given(method("HEAD")).respond_with(ResponseTemplate::new(403)).mount(&aws).await;
    let data = data_folder().unwrap();
    let program = start(data.path(), &aws.uri()).await;
    let client = Client::anonymous(&program.base).unwrap();
    let started = Instant::now();
    let found = client.get("/health/aws-connectivity").await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let comprehend = named(&found.json, "services", "service", "comprehendmedical");
    assert_eq!((&comprehend["status"], &comprehend["detail"]), (&"down".into(), &"no answer within 3 s".into()));
    let store = named(&found.json, "services", "service", "s3");
    assert!(store["detail"].as_str().unwrap().contains("may not list the bucket"), "{store}");
    let health = client.get("/health").await.unwrap();
    assert_eq!((health.status, &health.json["status"]), (200, &"degraded".into()), "the rest works on");
    assert!(program.terminate().await.unwrap());
}
