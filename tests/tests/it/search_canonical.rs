//! Versions in references: canonicals, and references to versions elsewhere (R4 search.html#reference,
//! references.html#canonical).

use serde_json::json;
use seva_tests::server::TestServer;

#[tokio::test]
async fn canonicals_are_found_by_their_versions_and_below_them() {
    let server = TestServer::start().await.unwrap();
    let canonical = "http://x.example/Questionnaire/q";
    for (id, version) in [("none", ""), ("v2", "|2"), ("v21", "|2.1"), ("v213", "|2.1.3"), ("v210", "|2.10")] {
        let response = json!({"resourceType": "QuestionnaireResponse", "id": id, "status": "completed",
            "questionnaire": format!("{canonical}{version}")});
        let put = server.doctor.put(&format!("/fhir/QuestionnaireResponse/{id}"), &response).await.unwrap();
        assert_eq!(put.status, 201, "{}", put.issues());
    }
    for (name, version, expected) in [
        ("questionnaire", "", vec!["none", "v2", "v21", "v210", "v213"]),
        ("questionnaire", "|2.1", vec!["v21"]),
        ("questionnaire:below", "", vec!["none", "v2", "v21", "v210", "v213"]),
        ("questionnaire:below", "|2", vec!["v2", "v21", "v210", "v213"]),
        ("questionnaire:below", "|2.1", vec!["v21", "v213"]),
        ("questionnaire:above", "|2.1.3", vec!["v2", "v21", "v213"]),
        ("questionnaire:below", "|3", vec![]),
    ] {
        let url = format!("/fhir/QuestionnaireResponse?{name}={canonical}{version}&_sort=_id");
        let answer = server.doctor.get(&url).await.unwrap();
        assert_eq!((answer.status, answer.matches()), (200, expected), "{url} {}", answer.issues());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn references_to_versions_elsewhere_are_found_without_them() {
    let server = TestServer::start().await.unwrap();
    let elsewhere = "http://other.example/fhir/Patient/7";
    for (id, reference) in [
        ("external", format!("{elsewhere}/_history/3")),
        ("piped", format!("{elsewhere}|3")),
        ("local", "Patient/rane/_history/1".to_owned()),
    ] {
        let observation = json!({"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"},
            "identifier": [{"value": "versioned"}], "subject": {"reference": reference}});
        let put = server.doctor.put(&format!("/fhir/Observation/{id}"), &observation).await.unwrap();
        assert_eq!(put.status, 201, "{}", put.issues());
    }
    for (subject, expected) in [
        (elsewhere.to_owned(), vec!["external", "piped"]),
        (format!("{elsewhere}/_history/3"), vec!["external"]),
        ("Patient/rane".to_owned(), vec!["local"]),
    ] {
        let url = format!("/fhir/Observation?identifier=versioned&subject={subject}&_sort=_id");
        let answer = server.doctor.get(&url).await.unwrap();
        assert_eq!((answer.status, answer.matches()), (200, expected), "{url} {}", answer.issues());
    }
    server.stop().await.unwrap();
}
