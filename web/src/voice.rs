//! The voice bar's routes, which carry the session for the page's scripts: recordings go to `/v1/dictations` the way that
//! any client's recordings go (`docs/voice-protocol.md`); only the socket is opened by the page itself, with a ticket.

mod upload;

use bytes::Bytes;
use poem::http::{StatusCode, header};
use poem::{Request, RequestBody, Response};
use serde_json::{Map, Value, json};

use crate::answers::{Message, see, value};
use crate::asker::Asker;
use crate::client::{ApiRequest, ApiResponse};
use crate::records::text;
use crate::routes::Pages;
use crate::{assets, consent, consultation};

/// What a script may send; recordings come as forms.
const LARGEST_SCRIPT_BODY: usize = 4096;
/// What it may send of frames: half a minute.
const LARGEST_FRAMES: usize = 1024 * 1024;
const REFUSED: Message<'static> = Message::of(StatusCode::FORBIDDEN, "error-other-site");
const NO_PAGE: Message<'static> = Message::of(StatusCode::NOT_FOUND, "error-no-page");
/// What it may send of a file at once.
const LARGEST_PIECE: usize = 4 * 1024 * 1024;
/// What a script sees of a dictation.
const SEEN: &[&str] = &[
    "id",
    "state",
    "place",
    "progress",
    "savedSequence",
    "savedMilliseconds",
    "uploadedBytes",
    "problem",
    "composition",
    "detail",
];
/// What the player needs to move about in a recording (RFC 9110, section 14).
const AUDIO_HEADERS: &[&str] = &["content-type", "content-range", "accept-ranges"];

/// Whether a POST below a consultation is the voice bar's.
pub(crate) fn takes(place: &[&str]) -> bool {
    matches!(
        place,
        ["demo" | "recording" | "dictations"]
            | ["dictations", _, "ticket" | "finish" | "frames" | "retry" | "recording" | "piece"]
    )
}

/// Answers a POST of the voice bar.
pub(crate) async fn post(
    pages: &Pages,
    asker: &Asker,
    (request, body): (&Request, &mut RequestBody),
    (encounter, place): (&str, &[&str]),
) -> poem::Result<Response> {
    if asker.token.is_empty() {
        return Ok(see("/log-in"));
    }
    match place {
        ["demo"] => {
            pages.fields(request, body, asker).await?;
            play_demo(pages, asker, encounter).await
        }
        ["recording"] => upload::take(pages, asker, (request, body), (encounter, None)).await,
        ["dictations", id, "recording"] => upload::take(pages, asker, (request, body), (encounter, Some(*id))).await,
        ["dictations", id, "retry"] => {
            pages.fields(request, body, asker).await?;
            let begun = pages.send(asker, ("POST", &dictation(id, "/retry")), &json!({})).await?;
            if begun.status != 202 {
                let detail = text(&value(&begun), "/detail");
                let refused = Message { status: status_of(&begun), key: "error-not-retried", detail: &detail };
                return Ok(pages.message(asker, refused));
            }
            Ok(see(&format!("/consultations/{encounter}")))
        }
        _ if !asker.sent_in_header(request) => Ok(pages.message(asker, REFUSED)),
        ["dictations"] => {
            let sent = body.take()?.into_bytes_limit(LARGEST_SCRIPT_BODY).await?;
            let asked: Value = serde_json::from_slice(&sent).unwrap_or_default();
            let commands = asked.get("commands") == Some(&Value::Bool(true));
            let (language, mode) = (text(&asked, "/language"), text(&asked, "/mode"));
            let recording = NewRecording { language: &language, mode: &mode, commands };
            let made = create(pages, asker, encounter, recording).await?;
            Ok(relay(&made, SEEN))
        }
        ["dictations", id, "ticket"] => {
            let made = pages.send(asker, ("POST", &dictation(id, "/tickets")), &json!({})).await?;
            Ok(relay(&made, &["ticket", "expires", "detail"]))
        }
        ["dictations", id, "finish"] => {
            let finished = pages.send(asker, ("POST", &dictation(id, "/finish")), &json!({})).await?;
            Ok(relay(&finished, SEEN))
        }
        ["dictations", id, "frames"] => {
            let sent = ApiRequest {
                method: "PUT".to_owned(),
                path: dictation(id, "/frames"),
                headers: vec![("content-type".to_owned(), "application/octet-stream".to_owned())],
                body: body.take()?.into_bytes_limit(LARGEST_FRAMES).await?,
                token: None,
            };
            let kept = pages.call_api(asker, sent).await?;
            Ok(relay(&kept, &["savedSequence", "savedMilliseconds", "missing", "warning", "detail"]))
        }
        ["dictations", id, "piece"] => upload::take_piece(pages, asker, (request, body), id).await,
        _ => Ok(pages.message(asker, NO_PAGE)),
    }
}

/// Answers a read of the voice bar.
pub(crate) async fn show(
    pages: &Pages,
    asker: &Asker,
    request: &Request,
    (_encounter, place): (&str, &[&str]),
) -> poem::Result<Response> {
    match place {
        ["dictations", id] => {
            let found = pages.send(asker, ("GET", &dictation(id, "")), &Value::Null).await?;
            Ok(relay(&found, SEEN))
        }
        ["audio", id] => audio(pages, asker, request, id).await,
        _ => Ok(pages.message(asker, NO_PAGE)),
    }
}

/// How a recording begins.
struct NewRecording<'r> {
    language: &'r str,
    mode: &'r str,
    /// Whether final segments are read as commands.
    commands: bool,
}

/// Makes a dictation of the encounter's patient, under the patient's own consent.
async fn create(
    pages: &Pages,
    asker: &Asker,
    encounter: &str,
    recording: NewRecording<'_>,
) -> poem::Result<ApiResponse> {
    let patient = consultation::patient_of(pages, asker, encounter).await?;
    let Some(consent) = consent::active(pages, asker, &patient).await? else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(pages.refuse(asker, Message::of(status, "error-no-consent")));
    };
    let new = json!({ "patient": format!("Patient/{patient}"), "encounter": format!("Encounter/{encounter}"),
        "consent": format!("Consent/{}", consent.id), "language": recording.language, "mode": recording.mode,
        "commands": recording.commands });
    pages.send(asker, ("POST", "/v1/dictations"), &new).await
}

/// Sends the demo recording.
async fn play_demo(pages: &Pages, asker: &Asker, encounter: &str) -> poem::Result<Response> {
    let refused = |key| Ok(pages.message(asker, Message::of(StatusCode::UNPROCESSABLE_ENTITY, key)));
    let made =
        create(pages, asker, encounter, NewRecording { language: "en", mode: "upload", commands: false }).await?;
    if made.status != 201 {
        return refused("error-not-permitted");
    }
    let upload = ApiRequest {
        method: "PUT".to_owned(),
        path: dictation(&text(&value(&made), "/id"), "/recording"),
        headers: vec![("content-type".to_owned(), "audio/flac".to_owned())],
        body: Bytes::from_static(assets::demo_recording()),
        token: None,
    };
    if pages.call_api(asker, upload).await?.status != 202 {
        return refused("error-not-taken");
    }
    Ok(see(&format!("/consultations/{encounter}")))
}

/// The audio, whole or the part that the player asks for.
async fn audio(pages: &Pages, asker: &Asker, request: &Request, id: &str) -> poem::Result<Response> {
    let range = request.header("range").map(|range| ("range".to_owned(), range.to_owned()));
    let asked = ApiRequest {
        method: "GET".to_owned(),
        path: dictation(id, "/audio"),
        headers: range.into_iter().collect(),
        ..ApiRequest::default()
    };
    let answer = pages.call_api(asker, asked).await?;
    if !matches!(answer.status, 200 | 206) {
        pages.read(asker, &answer)?;
    }
    let mut response = Response::builder().status(status_of(&answer));
    for (name, content) in &answer.headers {
        if AUDIO_HEADERS.contains(&name.as_str()) {
            response = response.header(name.as_str(), content.as_str());
        }
    }
    Ok(response.body(answer.body))
}

/// Passes an answer on to a script: the members that it reads, and nothing else.
pub(crate) fn relay(answer: &ApiResponse, members: &[&str]) -> Response {
    let Value::Object(mut whole) = value(answer) else { return status_of(answer).into() };
    let seen: Map<String, Value> =
        members.iter().filter_map(|name| whole.remove(*name).map(|found| ((*name).to_owned(), found))).collect();
    let response = Response::builder().status(status_of(answer)).header(header::CONTENT_TYPE, "application/json");
    response.body(Value::Object(seen).to_string())
}

fn status_of(answer: &ApiResponse) -> StatusCode {
    StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY)
}

/// The address of a dictation in the API; an id from the page's address stays one segment of it.
fn dictation(id: &str, rest: &str) -> String {
    let id: String = id.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    format!("/v1/dictations/{id}{rest}")
}

#[cfg(test)]
mod tests {
    use poem::http::StatusCode;

    use super::{SEEN, dictation, relay, takes};
    use crate::client::ApiResponse;

    #[test]
    fn the_bar_takes_its_own_forms_only() {
        assert!(takes(&["recording"]) && takes(&["dictations", "1", "ticket"]));
        assert!(!takes(&["sections", "diagnosis"]) && !takes(&["dictations", "1", "else"]));
        assert_eq!(dictation("a-1/../../x?y", "/audio"), "/v1/dictations/a-1xy/audio");
    }

    #[tokio::test]
    async fn a_script_sees_what_it_needs_and_no_more() {
        let body = r#"{"id":"d","state":"live","transcript":{"text":"fever"}}"#;
        let answer = ApiResponse { status: 201, headers: Vec::new(), body: body.into() };
        let response = relay(&answer, SEEN);
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.into_body().into_string().await.expect("text"), r#"{"id":"d","state":"live"}"#);
        let broken = ApiResponse { status: 503, headers: Vec::new(), body: "gateway".into() };
        assert_eq!(relay(&broken, SEEN).status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
