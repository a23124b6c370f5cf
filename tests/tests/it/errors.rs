//! Errors in the caller's own terms: OperationOutcome inside FHIR, a problem outside.

use reqwest::Method;
use seva_tests::client::Client;
use seva_tests::server::TestServer;

/// Method, path, headers, body; the status, and a word of the diagnostics or expression.
type Case = (Method, &'static str, &'static [(&'static str, &'static str)], &'static str, u16, &'static str);

const JSON: &[(&str, &str)] = &[("content-type", "application/fhir+json")];

#[tokio::test]
async fn every_refusal_says_what_is_wrong() {
    let server = TestServer::start().await.unwrap();
    let cases: &[Case] = &[
        (Method::GET, "/fhir/Nothing", &[], "", 404, "Nothing"),
        (Method::GET, "/fhir/Patient/none", &[], "", 404, "Patient/none"),
        (Method::GET, "/fhir/Patient/a_b", &[], "", 400, "a_b"),
        (Method::GET, "/fhir/%24nothing", &[], "", 404, "$nothing"),
        (Method::PATCH, "/fhir/metadata", &[], "", 405, "PATCH"),
        (Method::GET, "/fhir/Parameters", &[], "", 404, "Parameters"),
        (Method::GET, "/fhir/Patient?_format=turtle", &[], "", 406, "turtle"),
        (Method::POST, "/fhir/Patient", &[("content-type", "text/plain")], "x", 415, "text/plain"),
        (Method::POST, "/fhir/Patient", JSON, "{\"resourceType\":\"Patient\",", 400, "line"),
        (
            Method::POST,
            "/fhir/Patient",
            JSON,
            "{\"resourceType\":\"Patient\",\"brithDate\":\"1980\"}",
            400,
            "Patient.brithDate",
        ),
        (Method::POST, "/fhir/Patient", JSON, "{\"resourceType\":\"Patient\",\"gender\":\"x\"}", 400, "Patient.gender"),
        (Method::POST, "/fhir/Patient", JSON, "{\"resourceType\":\"Device\"}", 400, "resourceType"),
        (Method::PUT, "/fhir/Patient/x", JSON, "{\"resourceType\":\"Patient\",\"id\":\"y\"}", 400, "Patient.id"),
    ];
    for (method, path, headers, body, status, word) in cases {
        let body = (!body.is_empty()).then(|| body.as_bytes().to_vec());
        let answer = server.doctor.send(method.clone(), path, headers, body).await.unwrap();
        assert_eq!(answer.status, *status, "{method} {path}: {}", answer.issues());
        assert_eq!(answer.json["resourceType"], "OperationOutcome", "{method} {path}");
        assert!(answer.issues().contains(word), "{method} {path}: {}", answer.issues());
    }
    let outside = server.doctor.get("/v1/nothing").await.unwrap();
    assert_eq!(outside.status, 404);
    assert_eq!(outside.header("content-type"), "application/problem+json");
    let slash = server.doctor.get("/fhir/Patient/").await.unwrap();
    assert_eq!(slash.status, 200);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn only_metadata_health_docs_and_log_in_are_open() {
    let server = TestServer::start().await.unwrap();
    let nobody = Client::anonymous(&server.base).unwrap();
    for path in [
        "/fhir/metadata",
        "/health",
        "/health/live",
        "/openapi.json",
        "/openapi.yaml",
        "/docs/",
        "/.well-known/jwks.json",
    ] {
        assert_eq!(nobody.get(path).await.unwrap().status, 200, "{path}");
    }
    for path in ["/fhir/Patient", "/fhir/Patient/rane", "/v1/session"] {
        let answer = nobody.get(path).await.unwrap();
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer realm=\"seva\""), "{path}");
    }
    assert_eq!(nobody.with_token("invented").get("/fhir/Patient").await.unwrap().status, 401);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_request_sent_twice_with_one_key_is_done_once() {
    let server = TestServer::start().await.unwrap();
    let send = async |key: &str, text: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let body = serde_json::json!({ "text": text }).to_string().into_bytes();
        let place = "/v1/encounters/visit-dhillon/prescription/medicines";
        server.doctor.send(Method::POST, place, &headers, Some(body)).await.unwrap()
    };
    let line = "tab paracetamol 500 mg TDS x 3 days";
    let first = send("one", line).await;
    assert_eq!(first.status, 201, "{}", first.json);
    let again = send("one", line).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(again.json, first.json);
    assert_eq!(send("one", "tab azithromycin 500 mg OD x 3 days").await.status, 422);
    assert_eq!(server.doctor.get("/fhir/MedicationRequest?patient=dhillon").await.unwrap().matches().len(), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn new_credentials_are_kept_under_no_key() {
    let server = TestServer::start().await.unwrap();
    for path in ["/v1/session/token", "/v1/session/stream-credentials"] {
        for _ in 0..2 {
            let made = server.doctor.send(Method::POST, path, &[("idempotency-key", "k-1")], None).await.unwrap();
            assert_eq!((made.status, made.header("idempotency-replayed")), (200, ""), "{path}");
        }
    }
    server.stop().await.unwrap();
}
