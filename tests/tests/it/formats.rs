//! Formats (R4 http.html#mime-type): XML in and out, layout, versions, gzip.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use reqwest::Method;
use seva_tests::client::Answer;
use seva_tests::server::TestServer;

const PATIENT: &str = r#"<Patient xmlns="http://hl7.org/fhir"><id value="from-xml"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>Asha</p></div></text><name><family value="Rane"/><given value="Asha"><extension url="http://example.org/x"><valueDecimal value="1.00"/></extension></given></name><gender value="female"/></Patient>"#;
const XML: (&str, &str) = ("content-type", "application/fhir+xml");

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.clone()).unwrap()
}

async fn get(server: &TestServer, path: &str, accept: &str) -> Answer {
    server.doctor.send(Method::GET, path, &[("accept", accept)], None).await.unwrap()
}

#[tokio::test]
async fn a_resource_comes_as_xml_and_goes_as_either() {
    let server = TestServer::start().await.unwrap();
    let put = async |kind: &str| {
        let headers = [("content-type", kind), ("accept", "application/fhir+xml")];
        server.doctor.send(Method::PUT, "/fhir/Patient/from-xml", &headers, Some(PATIENT.into())).await.unwrap()
    };
    let created = put("application/fhir+xml; charset=UTF-8; fhirVersion=4.0").await;
    assert_eq!(created.status, 201, "{}", text(&created));
    assert_eq!(created.header("content-type"), "application/fhir+xml; charset=utf-8");
    for kind in ["application/xml", "text/xml"] {
        assert_eq!(put(kind).await.status, 200, "{kind}");
    }
    let json = server.doctor.get("/fhir/Patient/from-xml").await.unwrap();
    assert_eq!(json.json["name"][0]["given"][0], "Asha");
    assert!(text(&json).contains("\"valueDecimal\":1.00"), "{}", text(&json));
    let xml = text(&get(&server, "/fhir/Patient/from-xml", "text/xml").await);
    let inside = PATIENT.split_once("<text>").unwrap().1;
    assert!(xml.ends_with(inside), "{xml}");
    for path in ["/fhir/metadata", "/fhir/Patient", "/fhir/Patient/from-xml/_history", "/fhir/Patient/none"] {
        let answer = get(&server, path, "application/fhir+xml").await;
        assert_eq!(answer.header("content-type"), "application/fhir+xml; charset=utf-8", "{path}");
        assert!(text(&answer).starts_with("<?xml"), "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_format_that_is_asked_for_comes() {
    let server = TestServer::start().await.unwrap();
    let json = "application/fhir+json; charset=utf-8";
    let xml = "application/fhir+xml; charset=utf-8";
    let cases = [
        ("", "*/*", 200, json),
        ("", "application/xml, */*;q=0.1", 200, xml),
        ("", "application/fhir+xml;q=0.4, application/fhir+json;q=0.5", 200, json),
        ("", "application/fhir+json;q=0, */*", 200, xml),
        ("", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200, json),
        ("?_format=xml", "application/fhir+json", 200, xml),
        ("?_format=text/xml", "*/*", 200, xml),
        ("?_format=application/fhir%2Bxml", "*/*", 200, xml),
        ("?_format=application/fhir+json", "text/xml", 200, json),
        ("", "application/fhir+xml; fhirVersion=4.0", 200, xml),
        ("", "Application/FHIR+XML", 200, xml),
        ("", "", 200, json),
        ("", "application/fhir+xml; fhirVersion=3.0", 406, xml),
        ("", "text/csv", 406, json),
        ("?_format=turtle", "*/*", 406, json),
    ];
    for (query, accept, status, kind) in cases {
        let answer = get(&server, &format!("/fhir/Patient/rane{query}"), accept).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, kind), "{query} {accept}");
    }
    let head = server.doctor.send(Method::HEAD, "/fhir/Patient/rane", &[], None).await.unwrap();
    let whole = server.doctor.get("/fhir/Patient/rane").await.unwrap();
    assert_eq!(head.header("content-length"), whole.bytes.len().to_string(), "the headers of a GET");
    assert!(head.bytes.is_empty());
    let pretty = get(&server, "/fhir/Patient/rane?_pretty=true", "application/json").await;
    assert!(text(&pretty).starts_with("{\n  \"resourceType\": \"Patient\",\n"));
    assert_eq!(pretty.json, server.doctor.get("/fhir/Patient/rane").await.unwrap().json);
    let pretty = get(&server, "/fhir/Patient/rane?_pretty=true&_format=xml", "*/*").await;
    assert!(text(&pretty).contains("\n  <id value=\"rane\"/>\n"), "{}", text(&pretty));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn bundles_patches_and_refusals_are_xml_too() {
    let server = TestServer::start().await.unwrap();
    let send = async |method: Method, path: &str, body: &str| {
        let headers = [XML, ("accept", "application/fhir+xml")];
        server.doctor.send(method, path, &headers, Some(body.into())).await.unwrap()
    };
    let resource = PATIENT.replace(" xmlns=\"http://hl7.org/fhir\"", "");
    let bundle = format!(
        "<Bundle xmlns=\"http://hl7.org/fhir\"><type value=\"transaction\"/><entry><resource>{resource}</resource>\
         <request><method value=\"PUT\"/><url value=\"Patient/from-xml\"/></request></entry></Bundle>"
    );
    let done = send(Method::POST, "/fhir", &bundle).await;
    assert_eq!(done.status, 200, "{}", text(&done));
    assert!(text(&done).contains("<type value=\"transaction-response\"/>"), "{}", text(&done));
    let part = |name: &str, value: &str| format!("<part><name value=\"{name}\"/>{value}</part>");
    let patch = format!(
        "<Parameters xmlns=\"http://hl7.org/fhir\"><parameter><name value=\"operation\"/>{}{}{}</parameter></Parameters>",
        part("type", "<valueCode value=\"replace\"/>"),
        part("path", "<valueString value=\"Patient.gender\"/>"),
        part("value", "<valueCode value=\"other\"/>"),
    );
    let patched = send(Method::PATCH, "/fhir/Patient/from-xml", &patch).await;
    assert_eq!(patched.status, 200, "{}", text(&patched));
    assert!(text(&patched).contains("<gender value=\"other\"/>"));
    for (body, word) in [
        (PATIENT.replace("gender", "sex"), "Patient.sex"),
        (PATIENT.replace("female", "x"), "Patient.gender"),
        (format!("<!DOCTYPE x>{PATIENT}"), "document type"),
    ] {
        let refused = send(Method::PUT, "/fhir/Patient/from-xml", &body).await;
        assert_eq!(refused.status, 400);
        assert!(text(&refused).contains("<OperationOutcome") && text(&refused).contains(word), "{}", text(&refused));
    }
    let headers = [("content-type", "application/fhir+xml; fhirVersion=3.0")];
    let other = server.doctor.send(Method::POST, "/fhir/Patient", &headers, Some(PATIENT.into())).await.unwrap();
    assert_eq!(other.status, 415);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn gzip_is_read_within_bounds_and_written_when_asked() {
    let server = TestServer::start().await.unwrap();
    let pack = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let put = async |coding: &str, body: Vec<u8>| {
        let headers = [XML, ("content-encoding", coding)];
        server.doctor.send(Method::PUT, "/fhir/Patient/from-xml", &headers, Some(body)).await.unwrap().status
    };
    assert_eq!(put("gzip", pack(PATIENT.as_bytes())).await, 201);
    assert_eq!(put("gzip", pack(&vec![b' '; 70 * 1024 * 1024])).await, 413);
    assert_eq!(put("gzip", PATIENT.into()).await, 400);
    assert_eq!(put("br", PATIENT.into()).await, 415);
    let ask = async |path: &str, accept: &str| {
        let headers = [("accept", accept), ("accept-encoding", "gzip")];
        server.doctor.send(Method::GET, path, &headers, None).await.unwrap()
    };
    let packed = ask("/fhir/metadata", "application/fhir+json").await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut plain = Vec::new();
    GzDecoder::new(packed.bytes.as_slice()).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, server.doctor.get("/fhir/metadata").await.unwrap().bytes);
    assert_eq!(ask("/fhir/Patient/none", "application/fhir+json").await.header("content-encoding"), "");

    let raw = [("content-type", "application/xml")];
    let document = format!("<a>{}</a>", "b".repeat(4096));
    let stored = server.doctor.send(Method::POST, "/fhir/Binary", &raw, Some(document.clone().into())).await.unwrap();
    assert_eq!(stored.status, 201, "{}", stored.issues());
    let path = format!("/fhir/Binary/{}", stored.json["id"].as_str().unwrap());
    let back = ask(&path, "*/*").await;
    assert_eq!((back.header("content-type"), back.header("content-encoding")), ("application/xml", ""));
    assert_eq!(text(&back), document);
    let resource = get(&server, &path, "application/fhir+xml").await;
    assert!(text(&resource).contains("<contentType value=\"application/xml\"/>"), "{}", text(&resource));
    server.stop().await.unwrap();
}

/// A program in a browser may call from anywhere, and reads what it needs to go on (Fetch, CORS protocol).
#[tokio::test]
async fn a_page_of_another_origin_may_call() {
    let server = TestServer::start().await.unwrap();
    let client = reqwest::Client::new();
    let place = format!("{}/fhir/Patient/rane", server.base);
    let preflight = client
        .request(reqwest::Method::OPTIONS, &place)
        .header("origin", "https://app.example")
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "authorization,content-type,if-match");
    let preflight = preflight.send().await.unwrap();
    assert_eq!(preflight.status(), 200);
    let allowed = |name: &str| {
        preflight.headers().get(name).map(|value| value.to_str().unwrap().to_ascii_lowercase()).unwrap_or_default()
    };
    assert!(allowed("access-control-allow-methods").contains("put"), "{preflight:?}");
    assert!(allowed("access-control-allow-headers").contains("if-match"), "{preflight:?}");
    assert_ne!(allowed("access-control-allow-credentials"), "true", "{preflight:?}");
    let refused = client.get(&place).header("origin", "https://app.example").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert!(refused.headers().contains_key("access-control-allow-origin"), "{refused:?}");
    let shown = refused.headers()["access-control-expose-headers"].to_str().unwrap().to_ascii_lowercase();
    assert!(shown.contains("etag") && shown.contains("location"), "{shown}");
    server.stop().await.unwrap();
}

/// A form says how it wants its answer, as the URL of a GET does.
#[tokio::test]
async fn a_search_form_may_ask_for_xml() {
    let server = TestServer::start().await.unwrap();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let form = b"name=rane&_format=xml&_pretty=true".to_vec();
    let answer =
        server.doctor.send(reqwest::Method::POST, "/fhir/Patient/_search", &headers, Some(form)).await.unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/fhir+xml; charset=utf-8"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn formats_have_older_names_and_short_ones() {
    let server = TestServer::start().await.unwrap();
    let (json, xml) = ("application/fhir+json; charset=utf-8", "application/fhir+xml; charset=utf-8");
    for (query, accept, expected) in [
        ("", "application/xml+fhir", xml),
        ("", "application/json+fhir", json),
        ("?_format=application/xml%2Bfhir", "*/*", xml),
        ("?_format=XML", "*/*", xml),
        ("?_format=html", "*/*", json),
        ("?_format=", "application/fhir+xml", xml),
    ] {
        let answer = get(&server, &format!("/fhir/Patient/rane{query}"), accept).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, expected), "{query} {accept}");
    }
    let headers = [("content-type", "application/json+fhir")];
    let body = br#"{"resourceType":"Patient"}"#.to_vec();
    let created = server.doctor.send(Method::POST, "/fhir/Patient", &headers, Some(body)).await.unwrap();
    assert_eq!(created.status, 201, "{}", text(&created));
    server.stop().await.unwrap();
}
