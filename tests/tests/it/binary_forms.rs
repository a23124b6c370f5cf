//! The forms in which a Binary goes out (R4 binary.html#rest).

use reqwest::Method;
use serde_json::json;
use seva_tests::client::Client;
use seva_tests::server::TestServer;

async fn stored(client: &Client, kind: &str, bytes: &[u8]) -> String {
    let headers = [("content-type", kind)];
    let made = client.send(Method::POST, "/fhir/Binary", &headers, Some(bytes.to_vec())).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.issues());
    format!("/fhir/Binary/{}", made.json["id"].as_str().unwrap())
}

#[tokio::test]
async fn the_media_type_that_is_asked_for_decides_the_form() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let (text, plain) = (stored(doctor, "text/plain", b"note").await, b"{\"a\":1}".as_slice());
    let own = stored(doctor, "application/vnd.example+json", plain).await;
    let form = async |path: &str, accept: &str| {
        let answer = doctor.send(Method::GET, path, &[("accept", accept)], None).await.unwrap();
        assert_eq!(answer.status, 200, "{path} {accept}: {}", answer.issues());
        answer.header("content-type").split(';').next().unwrap().to_owned()
    };
    let (fhir, xml) = ("application/fhir+json", "application/fhir+xml");
    for (path, accept, expected) in [
        (&text, "*/*", "text/plain"),
        (&text, "text/plain", "text/plain"),
        (&text, "text/html,application/xml;q=0.9,*/*;q=0.8", "text/plain"),
        (&text, fhir, fhir),
        (&text, xml, xml),
        (&text, "application/json", fhir),
        (&text, "text/plain;q=0.5, application/fhir+json", fhir),
        (&text, "text/plain, application/fhir+json;q=0.5", "text/plain"),
        (&text, "application/fhir+json, */*;q=0.1", fhir),
        (&own, "application/vnd.example+json", "application/vnd.example+json"),
    ] {
        assert_eq!(form(path, accept).await, expected, "{accept}");
    }
    assert_eq!(form(&format!("{text}?_format=xml"), "text/plain").await, xml);
    assert_eq!(form(&format!("{text}?_format=text/plain"), fhir).await, "text/plain");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn raw_content_that_is_known_is_not_sent_again() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let path = stored(doctor, "text/plain", b"note").await;
    let raw = doctor.send(Method::GET, &path, &[("accept", "text/plain")], None).await.unwrap();
    assert_eq!((raw.bytes.as_slice(), raw.header("etag")), (b"note".as_slice(), "W/\"1\""));
    let since = raw.header("last-modified").to_owned();
    for known in [("if-none-match", "W/\"1\""), ("if-modified-since", since.as_str())] {
        let headers = [("accept", "text/plain"), known];
        let again = doctor.send(Method::GET, &path, &headers, None).await.unwrap();
        assert_eq!((again.status, again.bytes.len(), again.header("etag")), (304, 0, "W/\"1\""), "{known:?}");
    }
    let head = doctor.send(Method::HEAD, &path, &[("accept", "text/plain")], None).await.unwrap();
    assert_eq!((head.status, head.bytes.len(), head.header("content-type")), (200, 0, "text/plain"));

    let put = [("content-type", "text/csv"), ("accept", "text/csv")];
    let changed = doctor.send(Method::PUT, &path, &put, Some(b"a,b".to_vec())).await.unwrap();
    assert_eq!(changed.status, 200, "{}", changed.issues());
    for (version, kind, content) in [(1, "text/plain", "note"), (2, "text/csv", "a,b")] {
        let place = format!("{path}/_history/{version}");
        let old = doctor.send(Method::GET, &place, &[("accept", "*/*")], None).await.unwrap();
        assert_eq!((old.header("content-type"), old.bytes.as_slice()), (kind, content.as_bytes()));
    }
    assert_eq!(doctor.get("/fhir/Binary?contenttype=text/csv").await.unwrap().status, 400, "R4 has no such parameter");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_binary_is_content_even_as_fhir() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let patient = br#"{"resourceType":"Patient","active":true}"#;
    let xml = br#"<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>"#;
    for (kind, content) in [
        ("application/fhir+json", patient.as_slice()),
        ("application/json", br#"{"a":1}"#),
        ("application/fhir+xml", xml),
        ("application/xml", b"<a/>"),
    ] {
        let path = stored(doctor, kind, content).await;
        let raw = doctor.send(Method::GET, &path, &[("accept", "*/*")], None).await.unwrap();
        assert_eq!((raw.header("content-type"), raw.bytes.as_slice()), (kind, content));
        let form = doctor.get(&path).await.unwrap().json;
        assert_eq!((&form["resourceType"], &form["contentType"]), (&json!("Binary"), &json!(kind)));
    }
    let fhir =
        r#"<Binary xmlns="http://hl7.org/fhir"><contentType value="text/plain"/><data value="bm90ZQ=="/></Binary>"#;
    let path = stored(doctor, "application/fhir+xml", fhir.as_bytes()).await;
    let raw = doctor.send(Method::GET, &path, &[("accept", "*/*")], None).await.unwrap();
    assert_eq!((raw.header("content-type"), raw.bytes.as_slice()), ("text/plain", b"note".as_slice()));
    let short = doctor.get(&format!("{path}?_summary=true")).await.unwrap().json;
    assert!(short.get("data").is_none() && short["contentType"] == "text/plain", "{short}");

    let guarded = [("content-type", "text/plain"), ("x-security-context", "Patient/rane")];
    let made = doctor.send(Method::POST, "/fhir/Binary", &guarded, Some(b"note".to_vec())).await.unwrap();
    let path = format!("/fhir/Binary/{}", made.json["id"].as_str().unwrap());
    let raw = doctor.send(Method::GET, &path, &[("accept", "*/*")], None).await.unwrap();
    assert_eq!(raw.header("x-security-context"), "Patient/rane");
    server.stop().await.unwrap();
}
