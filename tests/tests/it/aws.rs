//! The services of AWS, chosen by configuration: each is asked, with its region and its time; one that is away is named.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_smithy_cbor::{Decoder, Encoder};
use reqwest::Method;
use serde_json::{Value, json};
use seva_server::demo;
use seva_tests::client::Client;
use seva_tests::project;
use seva_tests::server::{Program, TestServer, data_folder, free_port};
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::dictation::{begin, review, sign, until_done};

const DETECT: &str = "/service/ComprehendMedical_20181030/operation/DetectEntitiesV2";

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
    Mock::given(path(JOBS)).respond_with(jobs).mount(&aws).await;
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
    Mock::given(path(JOBS)).respond_with(slow).mount(&aws).await;
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

/// A bucket in memory: what is put is read again.
async fn keep_objects(aws: &MockServer) -> Arc<Mutex<HashMap<String, Vec<u8>>>> {
    let objects: Arc<Mutex<HashMap<String, Vec<u8>>>> = Arc::default();
    let (put, get) = (objects.clone(), objects.clone());
    let store = move |request: &Request| {
        assert_eq!(request.headers["x-amz-server-side-encryption"], "AES256");
        assert!(request.headers.contains_key("x-amz-checksum-sha256"));
        put.lock().unwrap().insert(request.url.path().to_owned(), request.body.clone());
        ResponseTemplate::new(200)
    };
    let read = move |request: &Request| match get.lock().unwrap().get(request.url.path()) {
        Some(bytes) => ResponseTemplate::new(200).set_body_raw(bytes.clone(), "application/pdf"),
        None => ResponseTemplate::new(404),
    };
    Mock::given(method("PUT")).and(path_regex("^/seva-blobs/")).respond_with(store).mount(aws).await;
    Mock::given(method("GET")).and(path_regex("^/seva-blobs/")).respond_with(read).mount(aws).await;
    objects
}

/// What Comprehend Medical would say of the demo dictation: a medicine with its dose, and a symptom.
fn detect(request: &Request) -> ResponseTemplate {
    let mut decoder = Decoder::new(&request.body);
    decoder.map().unwrap();
    assert_eq!(decoder.str().unwrap(), "Text");
    let text = decoder.string().unwrap();
    let lower = text.to_lowercase();
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(1).str("Entities").array(2);
    let dose = [
        ("650 m", "DOSAGE"),
        ("three times a day", "FREQUENCY"),
        ("3 times a day", "FREQUENCY"),
        ("for five days", "DURATION"),
        ("for 5 days", "DURATION"),
    ];
    let dose: Vec<_> = dose.iter().filter(|(words, _)| lower.contains(words)).collect();
    part(&mut encoder, &text, ("paracetamol", "MEDICATION", "GENERIC_NAME"));
    encoder.str("Attributes").array(dose.len());
    for (words, kind) in dose {
        // "650 mg" or "650 milligrams", as it was heard.
        let rest = &lower[lower.find(words).unwrap()..];
        let length = if *kind == "DOSAGE" { 4 + rest[4..].find([' ', '.', ',']).unwrap() } else { words.len() };
        part(&mut encoder, &text, (&rest[..length], "MEDICATION", kind));
        encoder.str("Attributes").array(0);
    }
    part(&mut encoder, &text, ("fever", "MEDICAL_CONDITION", "DX_NAME"));
    encoder.str("Attributes").array(0);
    ResponseTemplate::new(200)
        .insert_header("smithy-protocol", "rpc-v2-cbor")
        .set_body_raw(encoder.into_writer(), "application/cbor")
}

/// The members of an entity or attribute but its attributes; the demo dictation is ASCII, so bytes are code points.
fn part(encoder: &mut Encoder, text: &str, (words, category, kind): (&str, &str, &str)) {
    let begin = text.to_lowercase().find(words).unwrap();
    let end = begin + words.len();
    encoder.map(7).str("BeginOffset").integer(begin.try_into().unwrap());
    encoder.str("EndOffset").integer(end.try_into().unwrap()).str("Score").float(0.9);
    encoder.str("Text").str(&text[begin..end]).str("Category").str(category).str("Type").str(kind);
}

#[tokio::test]
async fn a_dictation_is_read_by_comprehend_and_its_paper_lies_in_s3() {
    let aws = MockServer::start().await;
    Mock::given(path(DETECT)).respond_with(detect).mount(&aws).await;
    let objects = keep_objects(&aws).await;
    let data = data_folder().unwrap();
    let program = start(data.path(), &aws.uri()).await;
    let doctor = program.doctor().await.unwrap();
    let id = begin(&doctor, "dhillon", "upload").await["id"].as_str().unwrap().to_owned();
    let file = std::fs::read(project().join("web/static/demo/dictation.flac")).unwrap();
    let recording = format!("/v1/dictations/{id}/recording");
    doctor.send(Method::PUT, &recording, &[("content-type", "audio/flac")], Some(file)).await.unwrap();
    let done = until_done(&doctor, &id).await;
    assert_eq!(done["state"], "drafted", "{done}");

    let medicines = doctor.get("/fhir/MedicationRequest?patient=dhillon&status=draft").await.unwrap();
    let text = medicines.json.to_string();
    assert_eq!(medicines.matches().len(), 1, "{text}");
    assert!(
        text.contains("N02BE01") && text.contains("\"frequency\":3"),
        "the formulary's code, our grammar's dose: {text}"
    );
    let symptoms = doctor.get("/fhir/Observation?patient=dhillon&category=exam").await.unwrap();
    assert_eq!(symptoms.matches().len(), 1, "{}", symptoms.json);
    assert_eq!(
        disclosures(data.path()).await,
        [format!("dictation/{id} to comprehend-medical in us-east-1 {{dhillon}}")]
    );

    let place = "/v1/encounters/visit-dhillon/prescription";
    let mut seen = doctor.get(place).await.unwrap().json;
    for section in ["diagnosis", "medications", "instructions"] {
        let mut body = json!({"state": "approved"});
        if section != "medications" {
            body["text"] = json!("Typed by the doctor");
        }
        seen = review(&doctor, &format!("{place}/sections/{section}"), &seen["version"], body).await;
    }
    let medicine = format!("{place}/medicines/{}", seen["medicines"][0]["id"].as_str().unwrap());
    seen = review(&doctor, &medicine, &seen["version"], json!({"state": "approved"})).await;
    let signed = sign(&doctor, place, &seen["version"], demo::PIN).await;
    assert_eq!(signed.status, 201, "{}", signed.json);
    let paper = doctor.get(&format!("{place}/document")).await.unwrap();
    assert!(paper.bytes.starts_with(b"%PDF"));
    {
        let kept = objects.lock().unwrap();
        assert_eq!(kept.len(), 1, "{:?}", kept.keys());
        assert!(kept.values().all(|bytes| !bytes.starts_with(b"%PDF")), "it lies there sealed");
    }
    assert!(program.terminate().await.unwrap());
}

/// What left, and about whom, by the audit log of the program's private database.
pub(crate) async fn disclosures(data: &std::path::Path) -> Vec<String> {
    use sqlx::Connection;
    let socket = data.join("socket").display().to_string().replace('/', "%2F");
    let mut connection = sqlx::PgConnection::connect(&format!("postgres://seva@{socket}/seva")).await.unwrap();
    let statement = "SELECT target || ' ' || patients::text FROM audit WHERE action = 'disclose' ORDER BY seq";
    sqlx::query_scalar(statement).fetch_all(&mut connection).await.unwrap()
}
