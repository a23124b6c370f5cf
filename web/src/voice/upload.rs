//! A recording from a file, `multipart/form-data` (RFC 7578, <https://www.rfc-editor.org/rfc/rfc7578>): passed on while it
//! arrives; a script sends it in pieces, and goes on after a cut.

use poem::http::StatusCode;
use poem::web::{Field, Multipart};
use poem::{Body, FromRequest, Request, RequestBody, Response};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::{LARGEST_PIECE, NewRecording, REFUSED, SEEN, create, dictation, relay, status_of};
use crate::answers::{Message, see, value};
use crate::asker::Asker;
use crate::client::{ApiRequest, ApiResponse};
use crate::records::text;
use crate::routes::Pages;

/// A field beside the file.
const LONGEST_FIELD: u64 = 256;

/// What comes before the file in the form.
struct Form {
    token: String,
    language: String,
    file: Option<Field>,
}

/// Takes the form's file as a dictation of the encounter, or in the place of a damaged one.
pub(super) async fn take(
    pages: &Pages,
    asker: &Asker,
    (request, body): (&Request, &mut RequestBody),
    (encounter, damaged): (&str, Option<&str>),
) -> poem::Result<Response> {
    let by_script = request.header("accept").is_some_and(|accepted| accepted.contains("application/json"));
    let form = read(Multipart::from_request(request, body).await?).await?;
    if !asker.sent(&form.token) && !asker.sent_in_header(request) {
        return Ok(pages.message(asker, REFUSED));
    }
    let id = match damaged {
        Some(id) => id.to_owned(),
        None => {
            let recording = NewRecording { language: &form.language, mode: "upload", commands: false };
            let made = create(pages, asker, encounter, recording).await?;
            if made.status != 201 {
                return Ok(answer(pages, asker, (&made, "error-not-permitted"), by_script));
            }
            text(&value(&made), "/id")
        }
    };
    let Some(file) = form.file else {
        return Ok(pages.message(asker, Message::of(StatusCode::UNPROCESSABLE_ENTITY, "error-not-taken")));
    };
    let kind = file.content_type().unwrap_or("application/octet-stream").to_owned();
    let upload = ApiRequest {
        method: "PUT".to_owned(),
        path: dictation(&id, "/recording"),
        headers: vec![("content-type".to_owned(), kind)],
        ..ApiRequest::default()
    };
    let taken = pages.pass_on(asker, upload, Body::from_async_read(file.into_async_read())).await?;
    if taken.status == 202 && !by_script {
        return Ok(see(&format!("/consultations/{encounter}")));
    }
    if taken.status != 202 && damaged.is_none() {
        // What did not arrive leaves no half a recording behind.
        pages.send(asker, ("DELETE", &dictation(&id, "")), &Value::Null).await?;
    }
    Ok(answer(pages, asker, (&taken, "error-not-taken"), by_script))
}

/// Takes the next piece of a file from a script, with the place of it in `Content-Range`.
pub(super) async fn take_piece(
    pages: &Pages,
    asker: &Asker,
    (request, body): (&Request, &mut RequestBody),
    id: &str,
) -> poem::Result<Response> {
    let range = request.header("content-range").unwrap_or_default().to_owned();
    let piece = ApiRequest {
        method: "PUT".to_owned(),
        path: dictation(id, "/recording"),
        headers: vec![
            ("content-type".to_owned(), "application/octet-stream".to_owned()),
            ("content-range".to_owned(), range),
        ],
        body: body.take()?.into_bytes_limit(LARGEST_PIECE).await?,
        token: None,
    };
    Ok(relay(&pages.call_api(asker, piece).await?, SEEN))
}

/// The fields up to the file, which the form has last.
async fn read(mut fields: Multipart) -> poem::Result<Form> {
    let mut form = Form { token: String::new(), language: "en".to_owned(), file: None };
    while let Some(field) = fields.next_field().await? {
        match field.name().unwrap_or_default() {
            "file" => {
                form.file = Some(field);
                break;
            }
            "form_token" => form.token = words(field).await?,
            "language" => form.language = words(field).await?,
            _ => drop(words(field).await?),
        }
    }
    Ok(form)
}

async fn words(field: Field) -> poem::Result<String> {
    let mut words = String::new();
    let mut reader = std::pin::pin!(field.into_async_read().take(LONGEST_FIELD));
    reader.read_to_string(&mut words).await.map_err(poem::error::BadRequest)?;
    Ok(words)
}

/// A script gets the API's answer, a form a page that says it.
fn answer(pages: &Pages, asker: &Asker, (found, key): (&ApiResponse, &'static str), by_script: bool) -> Response {
    if by_script {
        return relay(found, SEEN);
    }
    let detail = text(&value(found), "/detail");
    let status = if found.status < 300 { StatusCode::UNPROCESSABLE_ENTITY } else { status_of(found) };
    pages.message(asker, Message { status, key, detail: &detail })
}
