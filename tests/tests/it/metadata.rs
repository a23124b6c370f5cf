//! `/fhir/metadata` in its modes (R4 http.html#capabilities).

use poem::http::Method;
use serde_json::Value;
use seva_server::demo::TENANT;
use seva_tests::client::Answer;
use seva_tests::server::{Program, TestServer, command, data_folder, free_port};

fn types(answer: &Answer) -> Vec<&str> {
    let resources = answer.json["rest"][0]["resource"].as_array().unwrap();
    resources.iter().map(|one| one["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_mode_has_its_statement_and_its_etag() {
    let server = TestServer::start().await.unwrap();
    let nobody = seva_tests::client::Client::anonymous(&server.base).unwrap();
    let full = nobody.get("/fhir/metadata").await.unwrap();
    assert_eq!(nobody.get("/fhir/metadata?mode=full").await.unwrap().bytes, full.bytes);
    assert!(types(&full).contains(&"Encounter"));
    let normative = nobody.get("/fhir/metadata?mode=normative").await.unwrap();
    assert_eq!(normative.json["resourceType"], "CapabilityStatement");
    assert!(types(&normative).contains(&"Patient") && !types(&normative).contains(&"Encounter"));
    let terminology = nobody.get("/fhir/metadata?mode=terminology").await.unwrap();
    assert_eq!(terminology.json["resourceType"], "TerminologyCapabilities", "{}", terminology.json);
    let cut = nobody.get("/fhir/metadata?_elements=status").await.unwrap().json;
    assert_eq!((&cut["status"], cut.get("rest")), (&serde_json::json!("active"), None));
    let mut etags = Vec::new();
    for (path, whole) in [("full", &full), ("normative", &normative), ("terminology", &terminology)] {
        let path = format!("/fhir/metadata?mode={path}");
        let etag = whole.header("etag").to_owned();
        let headers = [("if-none-match", etag.as_str())];
        let again = nobody.send(Method::GET, &path, &headers, None).await.unwrap();
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{path}");
        let packed = nobody.send(Method::GET, &path, &[("accept-encoding", "gzip")], None).await.unwrap();
        assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"), "{path}");
        assert!(!etags.contains(&etag));
        etags.push(etag);
    }
    let wrong = nobody.get("/fhir/metadata?mode=terminolgy").await.unwrap();
    assert_eq!(wrong.status, 400);
    assert!(wrong.issues().contains("none of full, normative, terminology"), "{}", wrong.issues());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_terminology_capabilities_follow_what_is_imported_for_all() {
    let data = data_folder().unwrap();
    let program = Program::start(data.path(), free_port().unwrap()).await.unwrap();
    let doctor = program.doctor().await.unwrap();
    let system = async |url: &str| -> Option<Value> {
        let statement = doctor.get("/fhir/metadata?mode=terminology").await.unwrap().json;
        let systems = statement["codeSystem"].as_array().unwrap();
        systems.iter().find(|one| one["uri"] == url).cloned()
    };
    let gender = system("http://hl7.org/fhir/administrative-gender").await.unwrap();
    assert_eq!(gender["version"], serde_json::json!([{"code": "4.0.1", "isDefault": true}]));
    let statement = doctor.get("/fhir/metadata").await.unwrap().json;
    let operations = statement["rest"][0]["operation"].as_array().unwrap();
    for name in ["export", "convert", "closure", "graphql"] {
        assert!(operations.iter().any(|one| one["name"] == name), "{name} in {operations:?}");
    }
    let table = data.path().join("mine.csv");
    std::fs::write(&table, "\"LOINC_NUM\",\"LONG_COMMON_NAME\"\n\"90001-1\",\"Ward heat\"\n").unwrap();
    let import = async |last: &[&str]| {
        let arguments = ["terminology", "import", "loinc", table.to_str().unwrap(), "--version", "9.9"];
        let done = command(data.path(), &[&arguments, last].concat(), "").await.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    import(&["--tenant", TENANT]).await;
    assert_eq!(system("http://loinc.org").await, None, "what one hospital has is nobody else's business");
    import(&[]).await;
    let loinc = system("http://loinc.org").await.unwrap();
    assert_eq!(loinc["version"], serde_json::json!([{"code": "9.9", "isDefault": true}]));
    program.kill().await.unwrap();
}
