//! Review and signature: each button is a form, each form one call of `/v1/encounters/{id}/prescription`.

use std::time::Duration;

use poem::Response;
use poem::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answers::{Message, see, value};
use crate::asker::Asker;
use crate::client::{ApiRequest, ApiResponse};
use crate::conflict::Overtaken;
use crate::consultation::{self, Outcome};
use crate::once;
use crate::records::text;
use crate::routes::{Fields, Pages};

/// How often, and how long each time, a form waits for its own first click.
const PATIENCE: usize = 3;
const PAUSE: Duration = Duration::from_millis(300);

/// Carries out one form of a consultation; `place` is what stands behind the encounter in the address.
pub(crate) async fn submit(
    pages: &Pages,
    asker: &Asker,
    (encounter, place): (&str, &[&str]),
    fields: &Fields,
) -> poem::Result<Response> {
    let Some((method, path, body)) = call(place, fields) else {
        return Ok(pages.message(asker, Message::of(StatusCode::NOT_FOUND, "error-no-page")));
    };
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if let Some(version) = fields.get("version") {
        headers.push(("if-match".to_owned(), format!("W/\"{version}\"")));
    }
    if method == "POST" {
        headers.push(("idempotency-key".to_owned(), once::key(&asker.place, fields)));
    }
    let request = ApiRequest {
        method: method.to_owned(),
        path: format!("/v1/encounters/{encounter}/prescription{path}"),
        headers,
        body: body.to_string().into(),
        token: None,
    };
    let mut answer = pages.call_api(asker, request.clone()).await?;
    // The second of two clicks waits until the first is done, and gets its answer.
    for _ in 0..PATIENCE {
        if answer.status != 409 || method != "POST" {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        answer = pages.call_api(asker, request.clone()).await?;
    }
    match answer.status {
        ..300 => Ok(see(&back(encounter, place))),
        401 => Ok(see("/log-in")),
        _ => {
            let query: Fields = asked_again(place, fields);
            consultation::show_after(pages, asker, (encounter, &query), outcome(place, fields, &answer)).await
        }
    }
}

fn call(place: &[&str], fields: &Fields) -> Option<(&'static str, String, Value)> {
    Some(match place {
        ["sections", code] => ("PUT", format!("/sections/{code}"), change(fields)),
        ["medicines"] => ("POST", "/medicines".to_owned(), json!({ "text": field(fields, "text") })),
        ["medicines", medicine] => ("PUT", format!("/medicines/{medicine}"), change(fields)),
        ["findings", finding] => ("PUT", format!("/findings/{finding}"), change(fields)),
        ["signature"] => ("POST", "/signature".to_owned(), signature(fields)),
        ["amendment"] => ("POST", "/amendment".to_owned(), json!({ "reason": field(fields, "reason") })),
        _ => return None,
    })
}

/// Back to the place of the page that was worked on.
fn back(encounter: &str, place: &[&str]) -> String {
    match place {
        ["sections", code] => format!("/consultations/{encounter}?tab=note#section-{code}"),
        ["medicines", medicine] => format!("/consultations/{encounter}?tab=medicines#medicine-{medicine}"),
        ["findings", finding] => format!("/consultations/{encounter}?tab=medicines#finding-{finding}"),
        ["medicines"] => format!("/consultations/{encounter}?tab=medicines"),
        _ => format!("/consultations/{encounter}"),
    }
}

/// What was open stays open when a form did not succeed.
fn asked_again(place: &[&str], fields: &Fields) -> Fields {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    match place {
        ["signature"] => [pair("sign", "1"), pair("language", field(fields, "language"))].into(),
        ["medicines" | "findings", ..] => [pair("tab", "medicines")].into(),
        _ => Fields::new(),
    }
}

fn outcome(place: &[&str], fields: &Fields, answer: &ApiResponse) -> Outcome {
    let detail = text(&value(answer), "/detail");
    let problem = match (answer.status, place) {
        (412, ["sections", _]) => "conflict-section",
        (412, _) => "conflict-other",
        (422, ["signature"]) if detail.contains("no signing PIN") => "error-pin-none",
        (422, ["signature"]) if detail.contains("PIN") => "error-pin",
        (429, _) => "log-in-too-many",
        (403, _) => "error-not-allowed",
        (400 | 409 | 422, _) => "error-refused",
        _ => "error-not-saved",
    };
    let section = match place {
        ["sections", code] => (*code).to_owned(),
        _ => String::new(),
    };
    let overtaken = (answer.status == 412).then(|| Overtaken {
        section,
        yours: field(fields, "text").to_owned(),
        state: field(fields, "state").to_owned(),
    });
    Outcome { problem, detail, overtaken }
}

/// The PIN, and the language of the handout where one was chosen.
fn signature(fields: &Fields) -> Value {
    let mut body = json!({ "pin": field(fields, "pin") });
    if let (Some(language), Some(members)) = (fields.get("language"), body.as_object_mut()) {
        members.insert("language".to_owned(), Value::String(language.clone()));
    }
    body
}

fn field<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).map(String::as_str).unwrap_or_default()
}

/// Text, state, reason and verification, whichever the form has.
fn change(fields: &Fields) -> Value {
    let mut change = Map::new();
    for name in ["text", "state", "reason", "verification"] {
        if let Some(value) = fields.get(name).filter(|value| !value.is_empty()) {
            change.insert(name.to_owned(), Value::String(value.clone()));
        }
    }
    Value::Object(change)
}
