//! Voice commands of a consultation, typed or heard, over `/v1/encounters/{id}/commands` of the contract.

use poem::http::StatusCode;
use poem::{Request, RequestBody, Response};
use serde_json::{Value, json};

use crate::answers::{Message, see, value};
use crate::asker::Asker;
use crate::client::ApiRequest;
use crate::once;
use crate::records::text;
use crate::routes::{Fields, Pages};
use crate::voice::relay;

/// What a script may send.
const LARGEST: usize = 4096;
/// What a script sees of the outcome.
const SEEN: &[&str] = &["recognised", "command", "effect", "field", "medicine", "say", "detail"];

/// Carries a command out: a script gets the outcome, a form goes back to the page.
pub(crate) async fn submit(
    pages: &Pages,
    asker: &Asker,
    (request, body): (&Request, &mut RequestBody),
    encounter: &str,
) -> poem::Result<Response> {
    if asker.token.is_empty() {
        return Ok(see("/log-in"));
    }
    if asker.sent_in_header(request) {
        let sent = body.take()?.into_bytes_limit(LARGEST).await?;
        let sent: Value = serde_json::from_slice(&sent).unwrap_or_default();
        let names = ["text", "field", "dictation", "segment", "once"];
        let fields = names.map(|name| (name.to_owned(), text(&sent, &format!("/{name}")))).into();
        return Ok(relay(&carried_out(pages, asker, (encounter, &fields)).await?, SEEN));
    }
    let fields = pages.fields(request, body, asker).await?;
    let answer = carried_out(pages, asker, (encounter, &fields)).await?;
    let outcome = value(&answer);
    if answer.status >= 300 {
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let detail = text(&outcome, "/detail");
        return Ok(pages.message(asker, Message { status, key: "error-refused", detail: &detail }));
    }
    if outcome.get("recognised") != Some(&Value::Bool(true)) {
        let key = "error-no-command";
        return Ok(pages.message(asker, Message::of(StatusCode::UNPROCESSABLE_ENTITY, key)));
    }
    if text(&outcome, "/effect") == "refused" {
        let detail = text(&outcome, "/say");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(pages.message(asker, Message { status, key: "error-refused", detail: &detail }));
    }
    let (field, medicine) = (text(&outcome, "/field"), text(&outcome, "/medicine"));
    let place = if medicine.is_empty() {
        format!("?tab=note#section-{field}")
    } else {
        format!("?tab=medicines#medicine-{medicine}")
    };
    Ok(see(&format!("/consultations/{encounter}{place}")))
}

/// Sends a command. What was heard in a segment is carried out once, by whichever page.
async fn carried_out(
    pages: &Pages,
    asker: &Asker,
    (encounter, fields): (&str, &Fields),
) -> poem::Result<crate::client::ApiResponse> {
    let field = |name: &str| fields.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let key = match (field("dictation"), field("segment")) {
        (Some(dictation), Some(segment)) => format!("command-{dictation}-{segment}"),
        _ => once::key(&asker.place, fields),
    };
    let body = json!({ "text": field("text").unwrap_or_default(), "field": field("field") });
    let headers = [("content-type", "application/json".to_owned()), ("idempotency-key", key)];
    let request = ApiRequest {
        method: "POST".to_owned(),
        path: format!("/v1/encounters/{encounter}/commands"),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        body: body.to_string().into(),
        token: None,
    };
    pages.call_api(asker, request).await
}
