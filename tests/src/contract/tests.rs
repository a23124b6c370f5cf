use super::*;

fn answer(status: u16, kind: &'static str, json: Value) -> Answer {
    let headers = [(reqwest::header::CONTENT_TYPE, reqwest::header::HeaderValue::from_static(kind))];
    Answer { status, headers: headers.into_iter().collect(), bytes: json.to_string().into_bytes(), json }
}

fn complaint(path: &str, answer: &Answer) -> String {
    check("GET", path, answer).map_or_else(|error| format!("{error:#}"), |()| String::new())
}

#[test]
fn an_answer_against_the_contract_is_found_out() {
    let live = |status: Value| answer(200, "application/json", json!({ "status": status }));
    assert_eq!(complaint("/health/live", &live(json!("up"))), "");
    assert!(complaint("/health/live", &live(json!("alive"))).contains("at \"/status\""));
    let teapot = complaint("/health/live", &answer(418, "application/json", json!({})));
    assert!(teapot.contains("GET /health/live, answered 418") && teapot.contains("lists 200"), "{teapot}");
    assert!(complaint("/health/live", &answer(200, "text/html", json!({}))).contains("media type"));
    assert!(complaint("/v1/nothing", &answer(200, "application/json", json!({}))).contains("no such operation"));
    assert_eq!(complaint("/consultations/x", &answer(200, "text/html", json!({}))), "");
}

#[test]
fn resources_are_checked_by_their_type() {
    let page = |resource: Value| {
        let bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource}]});
        answer(200, "application/fhir+json", bundle)
    };
    assert_eq!(complaint("/fhir/Patient?_id=x", &page(json!({"resourceType": "Patient", "gender": "male"}))), "");
    let wrong = complaint("/fhir/Patient?_id=x", &page(json!({"resourceType": "Patient", "gender": "m"})));
    assert!(wrong.contains("/entry/0/resource") && wrong.contains("\"/gender\""), "{wrong}");
}

#[test]
fn concrete_paths_go_before_templates() {
    let found = |method, path| operation(method, path).unwrap_or_default();
    assert_eq!(found("GET", "/fhir/Patient/x"), "/paths/~1fhir~1Patient~1{id}/get");
    assert_eq!(found("PATCH", "/fhir/Device/x"), "/paths/~1fhir~1{type}~1{id}/patch");
    assert_eq!(found("GET", "/fhir/Patient/_history"), "/paths/~1fhir~1Patient~1_history/get");
    assert_eq!(found("GET", "/fhir/Patient/x/Observation"), "/paths/~1fhir~1{compartment}~1{id}~1{member}/get");
    assert_eq!(found("GET", "/fhir/Patient/x/$everything"), "/paths/~1fhir~1Patient~1{id}~1$everything/get");
    assert_eq!(found("GET", "/fhir/Patient/x/$invented"), "");
}

#[test]
fn events_are_checked_by_their_type() {
    assert!(check_event(&json!({"type": "no-speech"})).is_ok());
    assert!(check_event(&json!({"type": "ack", "sequence": 1, "savedMilliseconds": 1000})).is_ok());
    let wrong = check_event(&json!({"type": "ack", "sequence": "1"})).expect_err("no number");
    assert!(wrong.to_string().contains("AckEvent") && wrong.to_string().contains("/sequence"), "{wrong}");
    assert!(check_event(&json!({"type": "invented"})).is_err());
}
