//! Every page in every language and in each colour, over an API whose answers are written here.

mod entering;
mod registering;
mod reviewing;
mod translating;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use poem::http::{Method, StatusCode};
use poem::{Endpoint, Request, Response};
use serde_json::{Value, json};

use reviewing::{lexicon, omissions, proposals, walk};
use translating::translations;

use crate::{ApiClient, ApiRequest, ApiResponse, ApiUnavailable, Pages, Surroundings, WebSettings, pages};

/// Answers by the beginning of the path, and remembers what was asked.
struct Scripted {
    signed: bool,
    stale: bool,
    asked: Mutex<Vec<ApiRequest>>,
}

struct Still;

impl Surroundings for Still {
    fn now(&self) -> DateTime<Utc> {
        "2026-07-14T06:07:00Z".parse().expect("a time")
    }

    fn chance(&self) -> String {
        "7f3a91c0ffee7f3a91c0ffee7f3a91c0".to_owned()
    }
}

fn bundle(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({ "resource": resource })).collect();
    json!({"resourceType": "Bundle", "entry": entries})
}

fn patient() -> Value {
    json!({"resourceType": "Patient", "id": "rane", "gender": "female", "birthDate": "1974-03-15",
        "name": [{"family": "Rane <b>", "given": ["Meenakshi"]}],
        "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": "0042-7718"}],
        "telecom": [{"system": "phone", "value": "+91 98 0000 0000"}]})
}

fn encounter() -> Value {
    json!({"resourceType": "Encounter", "id": "e1", "status": "in-progress", "subject": {"reference": "Patient/rane"},
        "identifier": [{"value": "13"}], "reasonCode": [{"text": "Fever"}], "period": {"start": "2026-07-14T05:30:00Z"},
        "serviceProvider": {"reference": "Organization/h"},
        "participant": [{"individual": {"reference": "Practitioner/d", "display": "Dr Kelkar"}}]})
}

fn medicine(id: &str, state: &str, dosage: &Value) -> Value {
    json!({"id": id, "state": state, "name": "amlodipine", "strength": "5 mg", "form": "tablet", "text": "as <said>",
        "dosage": dosage, "line": {"en": "1 tablet in the morning", "hi": "सुबह 1 गोली", "mr": "सकाळी 1 गोळी"}, "quantity": "30 tablet",
        "suggestion": {"heard": "amlodipin", "suggested": "amlodipine"}, "score": 0.58,
        "evidence": [{"dictation": "d1", "startMs": 91_000, "endMs": 93_000, "begin": 0, "end": 4}]})
}

fn dosage(times: bool) -> Value {
    let slot = |amount: &str| if times { json!(amount) } else { Value::Null };
    json!({"text": "x", "morning": slot("1"), "noon": slot("0"), "evening": slot("0"), "night": slot("0.5"),
        "frequency": 3, "period": "1", "periodUnit": "d", "durationValue": "5", "durationUnit": "d", "route": "Oral",
        "food": "after", "asNeeded": false, "maximumPerDay": "4 tablet"})
}

fn prescription(signed: bool) -> Value {
    let section = |code: &str, state: &str, text: &str| {
        json!({"code": code, "title": code, "required": true, "state": state, "text": text, "edited": state == "approved",
            "evidence": [{"dictation": "d1", "startMs": 9000, "endMs": 9900, "begin": 0, "end": 4}]})
    };
    json!({"encounter": "Encounter/e1", "patient": "Patient/rane", "state": if signed { "signed" } else { "draft" },
        "composition": "Composition/c", "version": 3,
        "sections": [section("complaint", "approved", "Fever .5 mg"), section("vitals", "pending", "x"),
            section("diagnosis", "pending", "theirs <i>"), section("medications", "pending", ""),
            section("tests", "rejected", "blood count"), section("follow-up", "pending", ""),
            section("instructions", "pending", "Drink 3 litres of water. <i>")],
        "medicines": [medicine("m1", "approved", &dosage(true)), medicine("m2", "pending", &dosage(false)),
            medicine("m3", "rejected", &Value::Null)],
        "vitals": [{"code": "8480-6", "name": "BP", "value": "138/86", "unit": "mm[Hg]", "evidence": []}],
        "allergies": [],
        "findings": [{"id": "f-block", "answer": null, "tier": "block", "rule": "r", "text": "f", "source": "s", "medicine": "m1"},
            {"id": "f-reason", "answer": null, "tier": "reason", "rule": "r", "text": "f", "source": "s", "medicine": "m1"},
            {"id": "f-information", "answer": null, "tier": "information", "rule": "r", "text": "f", "source": "s", "medicine": ""},
            {"id": "f4", "tier": "reason", "rule": "r", "text": "f", "source": "s", "medicine": "m2",
                "answer": {"reason": "8", "display": "d", "text": "seen", "by": "b", "at": "2026-07-14T06:10:00Z"}}],
        "blockers": if signed { json!([]) } else { json!([
            {"code": "section-not-approved", "text": "t", "target": "diagnosis"},
            {"code": "medicine-undecided", "text": "t", "target": "m2"},
            {"code": "medicine-incomplete", "text": "t", "target": "m2"},
            {"code": "name-unverified", "text": "t", "target": "m1"},
            {"code": "medicine-contradicted", "text": "t", "target": "m1"},
            {"code": "reason-needed", "text": "t", "target": "f-reason"}, {"code": "safety", "text": "t", "target": "m1"}, {"code": "else", "text": "t", "target": "m1"}]) },
        "signature": if signed { json!({"by": "Practitioner/d", "at": "2026-07-14T06:22:00Z", "hash": "9f3c22d18a71ffee00"}) } else { Value::Null }})
}

fn dictation(id: &str, state: &str) -> Value {
    json!({"id": id, "state": state, "patient": "Patient/rane", "savedMilliseconds": 134_000, "savedSequence": 4,
        "progress": 40, "language": "en", "engine": {"name": "scripted", "version": "1"}, "problem": "no <model>",
        "segments": [{"id": 0, "startMs": 0, "endMs": 900, "text": "Penicillin, no cough", "speaker": "doctor", "words": []}],
        "entities": [{"category": "ALLERGY", "begin": 0, "end": 10, "traits": ["LOW_CONFIDENCE"]},
            {"category": "MEDICAL_CONDITION", "begin": 15, "end": 20, "traits": ["NEGATION"]}]})
}

impl Scripted {
    fn answer(&self, method: &str, path: &str) -> (u16, Value) {
        let kind = path.trim_start_matches("/fhir/").split(['?', '/']).next().unwrap_or_default().to_owned();
        match (method, path, kind.as_str()) {
            ("PUT", path, _) if self.stale && path.starts_with("/v1") => {
                (412, json!({"detail": "somebody was faster"}))
            }
            ("PUT", _, "Consent") => (201, Value::Null),
            ("PUT", _, "Encounter") => (412, json!({"issue": [{"diagnostics": "it exists"}]})),
            ("PUT", _, "Patient") => (422, json!({"issue": [{"diagnostics": "birthDate: not a date"}]})),
            ("POST", "/v1/sessions", _) => (401, json!({"detail": "wrong"})),
            ("POST", path, _) if path.ends_with("/signature") => (422, json!({"detail": "the signing PIN is wrong"})),
            ("PUT", "/v1/session/pin", _) => (422, json!({"detail": "the current password is wrong"})),
            ("PUT", "/v1/session/password", _) => (204, Value::Null),
            (method, path, _) if path.ends_with("/translations") => translations(method, (self.signed, self.stale)),
            ("PUT" | "POST", _, _) => (200, json!({})),
            (_, "/v1/session", _) => {
                (200, json!({"user": {"name": "Dr Kelkar", "tenant": "Clinic", "practitioner": "Practitioner/d"}}))
            }
            (_, path, _) if path.ends_with("/prescription") => (200, prescription(self.signed)),
            (_, path, _) if path.ends_with("/dictations") => {
                let states = "created live paused uploaded damaged draining transcribed extracted drafted reviewed no-speech failed \
                    abandoned withdrawn";
                let list: Vec<Value> = states.split(' ').map(|state| dictation("d1", state)).collect();
                (200, json!({ "dictations": list }))
            }
            (_, "/v1/lexicon", _) => (200, lexicon()),
            (_, path, _) if path.ends_with("/omissions") => (200, omissions()),
            (_, path, _) if path.ends_with("/proposals") => (200, proposals()),
            (_, path, _) if path.ends_with("/walk") => (200, walk()),
            (_, "/fhir/Patient/rane", _) => (200, patient()),
            (_, "/fhir/Encounter/e1", _) => (200, encounter()),
            (_, _, "Organization") => {
                (200, json!({"name": "Clinic", "address": [{"line": ["14 Road"], "city": "Pune"}]}))
            }
            (_, _, "Practitioner") => {
                (200, json!({"name": [{"text": "Dr Kelkar"}], "identifier": [{"value": "MMC 0"}]}))
            }
            (_, _, kind) => self.search(kind),
        }
    }

    fn search(&self, kind: &str) -> (u16, Value) {
        let status = if self.signed { "final" } else { "preliminary" };
        let found = match kind {
            "Patient" => vec![patient()],
            "Encounter" => {
                let waiting = json!({"resourceType": "Encounter", "id": "e2", "status": "arrived", "identifier": [{"value": "77"}],
                    "participant": [{"individual": {"reference": "Practitioner/other"}}], "subject": {"reference": "Patient/rane"},
                    "period": {"start": "2026-07-14T05:45:00Z"}});
                vec![encounter(), waiting, patient()]
            }
            "Composition" => vec![json!({"resourceType": kind, "status": status, "date": "2026-07-14T06:00:00Z",
                "encounter": {"reference": "Encounter/e1"}})],
            "AllergyIntolerance" => vec![json!({"resourceType": kind, "code": {"text": "Penicillin"},
                "patient": {"reference": "Patient/rane"}, "recordedDate": "2019-08",
                "verificationStatus": {"coding": [{"code": "confirmed"}]},
                "reaction": [{"manifestation": [{"text": "anaphylaxis"}]}]})],
            "AuditEvent" => vec![json!({"resourceType": kind, "type": {"code": "rest"}, "action": "R", "outcome": "8",
                "recorded": "2026-07-14T06:03:00Z", "agent": [{"name": "Dr <Kelkar>", "requestor": true}]})],
            "Consent" => vec![
                json!({"resourceType": kind, "id": "c", "meta": {"versionId": "4"}, "dateTime": "2026-07-14T06:03:00Z",
                "provision": {"type": "permit"}}),
            ],
            "Observation" => {
                vec![json!({"resourceType": kind, "status": "final", "effectiveDateTime": "2026-07-14T06:00:00Z",
                "code": {"coding": [{"code": "29463-7", "display": "Body weight"}]},
                "valueQuantity": {"value": 61, "unit": "kg"}})]
            }
            "Condition" => {
                vec![json!({"resourceType": kind, "code": {"text": "Hypertension"}, "recordedDate": "2025-11",
                "clinicalStatus": {"coding": [{"code": "active"}]}, "verificationStatus": {"coding": [{"code": "provisional"}]}})]
            }
            "MedicationRequest" => ["active", "draft", "stopped"]
                .map(|status| {
                    json!({"resourceType": kind, "status": status, "authoredOn": "2025-11-19",
                    "medicationCodeableConcept": {"text": "telmisartan"},
                    "dosageInstruction": [{"text": "x", "timing": {"repeat": {"when": ["MORN"]}},
                        "doseAndRate": [{"doseQuantity": {"value": 1}}]}]})
                })
                .to_vec(),
            _ => Vec::new(),
        };
        (200, bundle(&found))
    }
}

#[async_trait]
impl ApiClient for Scripted {
    async fn call(&self, request: ApiRequest) -> Result<ApiResponse, ApiUnavailable> {
        let (status, body) = self.answer(&request.method, &request.path);
        self.asked.lock().expect("one test").push(request);
        Ok(ApiResponse { status, headers: Vec::new(), body: body.to_string().into() })
    }
}

fn site(signed: bool, stale: bool) -> (Pages, Arc<Scripted>) {
    let api = Arc::new(Scripted { signed, stale, asked: Mutex::default() });
    let settings = WebSettings { url: "http://localhost".to_owned(), zone: chrono_tz::Asia::Kolkata };
    (pages(api.clone(), Arc::new(Still), settings), api)
}

async fn text(mut response: Response) -> (StatusCode, String) {
    let status = response.status();
    (status, response.take_body().into_string().await.expect("a page"))
}

async fn get(site: &Pages, path: &str, cookies: &str) -> Response {
    let uri = path.parse().expect("a path");
    site.call(Request::builder().uri(uri).header("cookie", cookies).finish()).await.expect("an answer")
}

async fn post(site: &Pages, path: &str, form: &str) -> Response {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path.parse().expect("a path"))
        .header("cookie", "seva_session=s; seva_form=f")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    site.call(request).await.expect("an answer")
}

const PLACES: &[&str] = &[
    "/worklist",
    "/worklist?show=all",
    "/account",
    "/patients",
    "/patients?q=rane",
    "/patients/rane",
    "/patients/rane/looks",
    "/consultations/e1",
    "/consultations/e1?tab=medicines&edit=m2",
    "/consultations/e1?edit=diagnosis",
    "/consultations/e1?sign=1",
    "/consultations/e1/walk",
    "/consultations/e1/prescription?language=mr",
    "/log-in",
    "/nothing",
];

#[tokio::test]
async fn every_page_renders_in_every_language_and_colour() {
    for signed in [false, true] {
        let (site, _) = site(signed, false);
        for language in ["en", "hi", "mr"] {
            for theme in ["device", "light", "dark"] {
                for place in PLACES {
                    let cookies = format!("seva_session=s; seva_form=f; seva_language={language}; seva_theme={theme}");
                    let response = get(&site, place, &cookies).await;
                    let policy = response.headers()["content-security-policy"].to_str().expect("text").to_owned();
                    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"));
                    assert_eq!(response.headers()["cache-control"], "no-store");
                    let (status, html) = text(response).await;
                    let expected = if *place == "/nothing" { 404 } else { 200 };
                    assert_eq!(status.as_u16(), expected, "{place} in {language}");
                    let root = format!("<html lang=\"{language}\" data-theme=\"{theme}\">");
                    assert!(html.contains(&root), "{place} in {language}");
                    assert_eq!(html.matches("<h1").count(), 1, "{place} has one title");
                    assert!(!html.contains("<b>,") && !html.contains("<i>"), "{place} is escaped");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_consultation_says_where_it_stands() {
    let (draft, _) = site(false, false);
    let (_, html) = text(get(&draft, "/consultations/e1", "seva_session=s; seva_form=f").await).await;
    for wanted in [
        "amLODIPine",
        "Fever 0.5\u{a0}mg",
        "86\u{a0}mmHg",
        "data-kind=\"denied\"",
        "data-voice=\"start\"",
        "href=\"?tab=note#section-diagnosis\"",
        "name=\"version\" value=\"3\"",
        "lang=\"hi\">सुबह",
        "name=\"language\"",
        "aria-disabled=\"true\"",
        "#finding-f-reason\">",
        "Give a reason for amLODIPine",
        "value=\"as-suggested\"",
        "Reason given: Other reason",
    ] {
        assert!(html.contains(wanted), "{wanted}");
    }
    let (signed, _) = site(true, false);
    let (_, html) = text(get(&signed, "/consultations/e1", "seva_session=s; seva_form=f").await).await;
    assert!(html.contains("Signed 14\u{a0}July 2026, 11:52."), "{html}");
    assert!(html.contains("data-state=\"sealed\""));
    assert!(!html.contains("/signature") && !html.contains("name=\"version\""));
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_page() {
    let (site, api) = site(false, false);
    let (status, _) = text(post(&site, "/consultations/e1/consent", "form_token=other").await).await;
    assert_eq!((status, api.asked.lock().expect("one test").len()), (StatusCode::FORBIDDEN, 0));
    let answer = post(&site, "/consultations/e1/consent", "form_token=f").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let asked = api.asked.lock().expect("one test");
    let made = asked
        .iter()
        .find(|request| request.method == "PUT" && request.path.starts_with("/fhir/Consent/"))
        .expect("a consent");
    let body: Value = serde_json::from_slice(&made.body).expect("JSON");
    assert_eq!(body["dateTime"], "2026-07-14T11:37:00+05:30");
    assert_eq!(body["extension"][0]["valueReference"]["reference"], "Practitioner/d");
    assert!(asked.iter().all(|request| request.headers.iter().any(|(name, _)| name == "x-request-id")));
}

#[tokio::test]
async fn the_worklist_shows_a_doctors_own_visits_first() {
    let (site, _) = site(false, false);
    let (_, mine) = text(get(&site, "/worklist", "seva_session=s; seva_form=f").await).await;
    let (_, all) = text(get(&site, "/worklist?show=all", "seva_session=s; seva_form=f").await).await;
    let row = "<td class=\"worklist-token\"><b>77</b>";
    assert!(!mine.contains(row) && all.contains(row));
}

#[tokio::test]
async fn a_stale_version_shows_both_texts() {
    let (site, _) = site(false, true);
    let form = "form_token=f&version=2&text=mine&state=approved";
    let (status, html) = text(post(&site, "/consultations/e1/sections/diagnosis", form).await).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    for wanted in [
        "Save mine",
        "Take theirs",
        "data-kind=\"yours\">mine</mark>",
        "theirs &lt;i&gt;",
        "rows=\"4\">mine</textarea>",
    ] {
        assert!(html.contains(wanted), "{wanted}");
    }
    let (status, html) = text(post(&site, "/consultations/e1/medicines/m2", form).await).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    assert!(html.contains("after you opened it") && html.contains("Request 7f3a91c0ffee"));
}

#[tokio::test]
async fn problems_stay_where_they_arise() {
    let (site, _) = site(false, false);
    let (status, html) = text(post(&site, "/consultations/e1/signature", "form_token=f&version=3&pin=0").await).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("<dialog") && html.contains("The signing PIN is not right"));
    let (status, html) = text(post(&site, "/log-in", "form_token=f&username=x&password=y").await).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("value=\"x\"") && html.contains("aria-invalid=\"true\"") && !html.contains("value=\"y\""));
    let (status, html) = text(post(&site, "/account/pin", "form_token=f&current=x&new=1357&again=1357").await).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("id=\"problem-pin\"") && html.contains("the current password is wrong"));
    let (_, html) = text(post(&site, "/account/password", "form_token=f&current=x&new=a&again=b").await).await;
    assert!(html.contains("The two are not the same"));
    let answer = post(&site, "/account/password", "form_token=f&current=x&new=a&again=a").await;
    assert_eq!(answer.headers()["location"], "/account?done=password");
    let answer = post(&site, "/choices", "form_token=f&language=mr&theme=dark&place=/patients").await;
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().map(|c| c.to_str().expect("text")).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("seva_language=mr;")));
    assert!(cookies.iter().any(|cookie| cookie.starts_with("seva_theme=dark;")));
    assert_eq!(answer.headers()["location"], "/patients");
}
