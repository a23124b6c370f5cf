//! What is recorded of a patient beside the consultation: a visit, and the end of a consent.

use super::*;

#[tokio::test]
async fn a_consent_is_withdrawn_in_the_version_that_was_read() {
    let (site, api) = site(false, false);
    let (status, _) = text(post(&site, "/consultations/e1/consent/withdraw", "form_token=other").await).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let answer = post(&site, "/consultations/e1/consent/withdraw", "form_token=f").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let asked = api.asked.lock().expect("one test");
    let written: Vec<_> = asked.iter().filter(|request| request.method == "PUT").collect();
    assert_eq!(written.iter().map(|request| request.path.as_str()).collect::<Vec<_>>(), ["/fhir/Consent/c"]);
    let body: Value = serde_json::from_slice(&written[0].body).expect("JSON");
    assert_eq!((&body["status"], &body["provision"]["type"]), (&json!("inactive"), &json!("permit")));
    assert!(written[0].headers.contains(&("if-match".to_owned(), "W/\"4\"".to_owned())), "{:?}", written[0].headers);
}

#[tokio::test]
async fn a_visit_begins_with_the_next_number_and_a_refused_patient_says_why() {
    let (site, api) = site(false, false);
    // The store answers that the visit exists, as it does to the second of two clicks.
    for _ in 0..2 {
        let answer = post(&site, "/patients/rane/visits", "form_token=f&once=1&reason=Fever").await;
        assert!(answer.headers()["location"].to_str().expect("text").starts_with("/consultations/"));
    }
    let made = api
        .asked
        .lock()
        .expect("one test")
        .iter()
        .filter(|asked| asked.method == "PUT")
        .map(|asked| (asked.path.clone(), asked.body.clone()))
        .collect::<Vec<_>>();
    let [(first, body), (second, _)] = made.as_slice() else { panic!("two clicks") };
    assert_eq!(first, second);
    let body: Value = serde_json::from_slice(body).expect("JSON");
    assert_eq!((&body["identifier"][0]["value"], &body["reasonCode"][0]["text"]), (&json!("78"), &json!("Fever")));
    let (status, html) = text(post(&site, "/patients", "form_token=f&family=Rane&born=x").await).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("birthDate: not a date"));
}
