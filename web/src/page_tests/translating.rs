//! Advice in the patient's language, on the prescription's page.

use poem::http::StatusCode;
use serde_json::{Value, json};

use super::{get, post, site, text};

const PAGE: &str = "/consultations/e1/prescription";

/// The offer; a translation that holds, one that is refused (of a signed note), and none (when stale).
pub(super) fn translations(method: &str, (signed, stale): (bool, bool)) -> (u16, Value) {
    let said = |text: Value, differences: Value| {
        json!({"section": "instructions", "version": 3, "source": "Drink 3 litres of water. <i>", "sourceLanguage": "en", "language": "mr",
            "text": text, "label": "AIAST", "engine": "scripted", "engineVersion": "1", "differences": differences})
    };
    match (method, signed, stale) {
        ("GET", ..) => (
            200,
            json!({"languages": ["hi", "mr"], "sections": ["instructions", "follow-up", "tests", "referral"],
                "destination": "scripted at example"}),
        ),
        (_, _, true) => (503, json!({"detail": "translation engine scripted is unavailable"})),
        (_, true, _) => {
            let one = |kind: &str, value: &str| json!({"kind": kind, "value": value, "said": 1, "translated": 0});
            let differences = [one("number", "3"), one("unit", "3 l"), one("medicine", "ors"), one("denial", "")];
            (200, said(Value::Null, json!(differences)))
        }
        _ => (200, said(json!("3 लिटर पाणी प्या. <i>"), json!([]))),
    }
}

#[tokio::test]
async fn advice_is_offered_where_there_is_any() {
    let (site, api) = site(false, false);
    let (_, html) = text(get(&site, PAGE, "seva_session=s; seva_form=f").await).await;
    assert!(html.contains("lang=\"en\">scripted at example</span>"), "{html}");
    assert_eq!(html.matches("name=\"section\"").count(), 1, "what is empty or rejected is not offered");
    assert!(html.contains("name=\"language\" value=\"mr\" lang=\"mr\">मराठी</button>"));
    assert!(!html.contains("data-translated"), "nothing is translated by itself");
    let asked = api.asked.lock().expect("one test");
    assert!(asked.iter().all(|asked| asked.method == "GET"));
}

#[tokio::test]
async fn a_translation_stands_beside_the_doctors_words_and_in_no_store() {
    let (site, api) = site(false, false);
    let form = "form_token=f&once=1&section=instructions&language=mr";
    let (status, html) = text(post(&site, &format!("{PAGE}/translation"), form).await).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("data-translated lang=\"mr\">3 लिटर पाणी प्या. &lt;i&gt;</p>"), "{html}");
    assert!(html.contains("Drink 3 litres of water. &lt;i&gt;"), "the doctor's words");
    assert!(html.contains("Words of a machine (scripted)") && html.contains("nothing else was checked"));
    assert!(html.contains("lang=\"mr\">सकाळी"), "the paper is in the same language");
    let again = get(&site, &format!("{PAGE}/translation"), "seva_session=s; seva_form=f").await;
    assert_eq!(again.headers()["location"], PAGE);
    let asked = api.asked.lock().expect("one test");
    let sent = asked.iter().find(|asked| asked.method == "POST").expect("a question");
    assert!(!sent.headers.iter().any(|(name, _)| name == "idempotency-key"), "its answer would be kept");
    let body: Value = serde_json::from_slice(&sent.body).expect("JSON");
    assert_eq!(body, json!({"section": "instructions", "language": "mr"}));
}

#[tokio::test]
async fn what_the_guard_found_is_said_in_every_language() {
    let (site, _) = site(true, false);
    for (language, words) in
        [("en", "Number 3: 1 in your words, 0 in the machine"), ("hi", "संख्या 3"), ("mr", "औषध ors")]
    {
        let request = poem::Request::builder()
            .method(poem::http::Method::POST)
            .uri(format!("{PAGE}/translation").parse().expect("a path"))
            .header("cookie", format!("seva_session=s; seva_form=f; seva_language={language}"))
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("form_token=f&section=instructions&language=mr");
        let (status, html) = text(poem::Endpoint::call(&site, request).await.expect("an answer")).await;
        assert_eq!(status, StatusCode::OK, "{language}");
        assert!(html.contains(words) && html.contains("data-refused"), "{language}: {html}");
        assert!(!html.contains("data-translated"), "{language}");
        let notice = html.split("data-refused").nth(1).and_then(|rest| rest.split("</ul>").next()).unwrap_or_default();
        assert_eq!(notice.matches("<li>").count(), 4, "{language}: {notice}");
    }
}

#[tokio::test]
async fn a_translator_that_is_away_is_said_and_the_words_stay() {
    let (site, _) = site(false, true);
    let form = "form_token=f&section=instructions&language=hi";
    let (status, html) = text(post(&site, &format!("{PAGE}/translation"), form).await).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(html.contains("Not translated. Your own words are unchanged."), "{html}");
    assert!(html.contains("translation engine scripted is unavailable."));
    assert!(html.contains("Drink 3 litres of water. &lt;i&gt;"));
}
