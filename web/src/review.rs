//! Review and signature: each button is a form, each form one call of `/v1/encounters/{id}/prescription`.

use std::collections::HashMap;

use poem::Response;
use poem::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::client::ApiRequest;
use crate::routes::{Pages, message, see, value};
use crate::views::text;

/// The fields of a form.
pub(crate) type Fields = HashMap<String, String>;

/// Carries out one form of a consultation; `place` is what stands behind the encounter in the address.
pub(crate) async fn submit(
    pages: &Pages,
    token: &str,
    (encounter, place): (&str, &[&str]),
    fields: &Fields,
) -> poem::Result<Response> {
    let base = format!("/v1/encounters/{encounter}/prescription");
    let (method, path, body) = match place {
        ["sections", code] => ("PUT", format!("{base}/sections/{code}"), change(fields)),
        ["medicines"] => ("POST", format!("{base}/medicines"), json!({ "text": field(fields, "text") })),
        ["medicines", medicine] => ("PUT", format!("{base}/medicines/{medicine}"), change(fields)),
        ["signature"] => ("POST", format!("{base}/signature"), json!({ "pin": field(fields, "pin") })),
        ["amendment"] => ("POST", format!("{base}/amendment"), json!({ "reason": field(fields, "reason") })),
        _ => return Ok(message(StatusCode::NOT_FOUND, "There is no such page.")),
    };
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if let Some(version) = fields.get("version") {
        headers.push(("if-match".to_owned(), format!("W/\"{version}\"")));
    }
    let asked = ApiRequest {
        method: method.to_owned(),
        path,
        headers,
        body: body.to_string().into(),
        token: Some(token.to_owned()),
    };
    let answer = pages.call_api(asked).await?;
    if answer.status < 300 {
        return Ok(see(&format!("/consultations/{encounter}")));
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let detail = text(&value(&answer), "/detail");
    Ok(message(status, &format!("Not saved: {detail}. Go back and look at the prescription again.")))
}

/// The printed prescription.
pub(crate) async fn document(pages: &Pages, token: &str, encounter: &str) -> poem::Result<Response> {
    let path = format!("/v1/encounters/{encounter}/prescription/document");
    let answer = pages.send("GET", &path, Some(token), &Value::Null).await?;
    if answer.status != 200 {
        return Ok(message(StatusCode::NOT_FOUND, "There is nothing to print yet."));
    }
    Ok(Response::builder()
        .content_type("application/pdf")
        .header("cache-control", "no-store")
        .header("content-disposition", "inline; filename=\"prescription.pdf\"")
        .body(answer.body))
}

fn field<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).map(String::as_str).unwrap_or_default()
}

/// Text and state, whichever the form has.
fn change(fields: &Fields) -> Value {
    let mut change = Map::new();
    for name in ["text", "state"] {
        if let Some(value) = fields.get(name).filter(|value| !value.is_empty()) {
            change.insert(name.to_owned(), Value::String(value.clone()));
        }
    }
    Value::Object(change)
}
