//! What further recordings propose, from `/v1/encounters/{id}/proposals` of the contract.

use poem::Response;
use poem::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answers::{Message, see, value};
use crate::asker::Asker;
use crate::client::ApiRequest;
use crate::once;
use crate::records::text;
use crate::routes::{Fields, Pages};

/// The proposals of an encounter.
#[derive(Deserialize, Serialize)]
pub(crate) struct Proposals {
    pending: usize,
    proposals: Vec<Proposal>,
}

/// A proposal.
#[derive(Deserialize, Serialize)]
#[serde(rename_all(deserialize = "camelCase"))]
struct Proposal {
    dictation: String,
    number: u32,
    difference: String,
    state: String,
    before: Option<String>,
    after: String,
    start_ms: Option<i64>,
    end_ms: Option<i64>,
}

/// Sends a form of the review to the API as a POST of JSON that is done once; anything but success becomes a page.
pub(crate) async fn once_posted(
    pages: &Pages,
    asker: &Asker,
    (path, body): (String, serde_json::Value),
    fields: &Fields,
) -> poem::Result<()> {
    let headers =
        [("content-type", "application/json".to_owned()), ("idempotency-key", once::key(&asker.place, fields))];
    let request = ApiRequest {
        method: "POST".to_owned(),
        path,
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        body: body.to_string().into(),
        token: None,
    };
    let answer = pages.call_api(asker, request).await?;
    match answer.status {
        ..300 => Ok(()),
        401 => Err(poem::Error::from_response(see("/log-in"))),
        status => {
            let key = if status == 403 { "error-not-allowed" } else { "error-refused" };
            let detail = text(&value(&answer), "/detail");
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            Err(pages.refuse(asker, Message { status, key, detail: &detail }))
        }
    }
}

/// Decides a proposal.
pub(crate) async fn submit(
    pages: &Pages,
    asker: &Asker,
    (encounter, dictation, number): (&str, &str, &str),
    fields: &Fields,
) -> poem::Result<Response> {
    let decision = fields.get("decision").map(String::as_str).unwrap_or_default();
    let call = (format!("/v1/dictations/{dictation}/proposals/{number}"), json!({ "decision": decision }));
    once_posted(pages, asker, call, fields).await?;
    Ok(see(&format!("/consultations/{encounter}?tab=note#proposals")))
}
