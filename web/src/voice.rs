//! The voice bar's routes: recordings go to `/v1/dictations` the way that any client's recordings go.

use bytes::Bytes;
use poem::http::StatusCode;
use poem::{Request, RequestBody, Response};
use serde_json::json;

use crate::answers::{Message, see, value};
use crate::asker::Asker;
use crate::client::ApiRequest;
use crate::records::text;
use crate::routes::Pages;
use crate::{assets, consent, consultation};

/// Whether a form of a consultation is the voice bar's.
pub(crate) fn takes(place: &[&str]) -> bool {
    matches!(place, ["demo"])
}

/// Answers a form of the voice bar.
pub(crate) async fn post(
    pages: &Pages,
    asker: &Asker,
    (request, body): (&Request, &mut RequestBody),
    (encounter, _place): (&str, &[&str]),
) -> poem::Result<Response> {
    pages.fields(request, body, asker).await?;
    play_demo(pages, asker, encounter).await
}

/// Answers a read of the voice bar.
pub(crate) async fn show(
    pages: &Pages,
    asker: &Asker,
    _request: &Request,
    (_encounter, _place): (&str, &[&str]),
) -> poem::Result<Response> {
    Ok(pages.message(asker, Message::of(StatusCode::NOT_FOUND, "error-no-page")))
}

/// Sends the demo recording.
async fn play_demo(pages: &Pages, asker: &Asker, encounter: &str) -> poem::Result<Response> {
    let patient = consultation::patient_of(pages, asker, encounter).await?;
    let refused = |key| Ok(pages.message(asker, Message::of(StatusCode::UNPROCESSABLE_ENTITY, key)));
    let Some(consent) = consent::active(pages, asker, &patient).await? else { return refused("error-no-consent") };
    let new = json!({ "patient": format!("Patient/{patient}"), "encounter": format!("Encounter/{encounter}"),
        "consent": format!("Consent/{}", consent.id), "language": "en", "mode": "upload" });
    let made = pages.send(asker, ("POST", "/v1/dictations"), &new).await?;
    if made.status != 201 {
        return refused("error-not-permitted");
    }
    let upload = ApiRequest {
        method: "PUT".to_owned(),
        path: format!("/v1/dictations/{}/recording", text(&value(&made), "/id")),
        headers: vec![("content-type".to_owned(), "audio/flac".to_owned())],
        body: Bytes::from_static(assets::demo_recording()),
        token: None,
    };
    if pages.call_api(asker, upload).await?.status != 202 {
        return refused("error-not-taken");
    }
    Ok(see(&format!("/consultations/{encounter}")))
}
