//! Transcribe's own interface over our engine: a client of the AWS SDK with its endpoint set to this server gets the words
//! of what it sends (<https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html>).
//!
//! Nothing is stored: no dictation is made, no resource is written. Who asks shows it by AWS's signature (version 4), with
//! credentials that a session makes; the secret of each is derived from its token, so none is kept.

mod conversation;
mod message;
mod signature;
mod transcript;

use std::sync::Arc;

use futures_util::stream::poll_fn;
use poem::http::{HeaderName, StatusCode};
use poem::web::Data;
use poem::{Body, Request, Response, handler};
use seva_clinic::speech::{SAMPLE_RATE, SpeechMode, SpeechRequest};
use tokio::sync::mpsc;

use crate::authentication::{RequestId, caller_of};
use crate::failure::Failure;
use crate::services::Services;
use conversation::Conversation;
use signature::Signed;

const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";
/// The SDK takes the kind of an error from here.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// Messages that may wait for the client.
const MESSAGES: usize = 64;

/// Opens a stream and answers while it is sent.
#[handler]
pub(crate) async fn open_stream(
    request: &Request,
    body: Body,
    id: Data<&RequestId>,
    services: Data<&Arc<Services>>,
) -> Response {
    match begin(request, body, id.0, services.0).await {
        Ok(response) => response,
        Err(failure) => refusal(&failure),
    }
}

async fn begin(
    request: &Request,
    body: Body,
    origin: &RequestId,
    services: &Arc<Services>,
) -> Result<Response, Failure> {
    let signed = Signed::read(request)?;
    let authenticator = &services.authenticator;
    let session = authenticator.session_of(Some(&format!("Bearer {}", signed.token))).await?;
    let keys = &authenticator.parts.keys;
    if signed.key_id != keys.stream_key_id(&signed.token) {
        return Err(Failure::Unauthenticated("the access key id does not belong to the session token"));
    }
    let now = authenticator.parts.clock.now().seconds();
    let secret = keys.stream_secret(&signed.token);
    let chain = signed.verify(&secret, now)?;
    let asked = asked(request)?;
    let language = asked.language.clone();
    let (caller, id) = (caller_of(&session, origin.origin()), origin.id.as_ref());
    let listening = services.dictations.listen_only(&caller, asked).await?;
    let (says, mut said) = mpsc::channel(MESSAGES);
    let conversation = Conversation { listening, chain, says, closing: services.closing.clone() };
    // The task ends with its request: when everything was said, the client is gone, or the server stops.
    tokio::spawn(conversation.run(body));
    let messages = poll_fn(move |context| said.poll_recv(context).map(|message| message.map(Ok::<_, std::io::Error>)));
    Ok(Response::builder()
        .content_type(EVENT_STREAM)
        .header("x-amzn-request-id", id)
        .header("x-amzn-transcribe-session-id", header(request, "session-id").unwrap_or(id))
        .header("x-amzn-transcribe-language-code", language)
        .header("x-amzn-transcribe-sample-rate", SAMPLE_RATE.to_string())
        .header("x-amzn-transcribe-media-encoding", "pcm")
        .body(Body::from_bytes_stream(messages)))
}

/// What the engine is asked for; a format that is not read is refused and not guessed.
fn asked(request: &Request) -> Result<SpeechRequest, Failure> {
    let language =
        header(request, "language-code").ok_or_else(|| wrong("x-amzn-transcribe-language-code is missing"))?;
    if header(request, "media-encoding") != Some("pcm") {
        return Err(wrong("x-amzn-transcribe-media-encoding must be pcm"));
    }
    if header(request, "sample-rate").and_then(|rate| rate.parse().ok()) != Some(SAMPLE_RATE) {
        return Err(wrong("x-amzn-transcribe-sample-rate must be 16000"));
    }
    if header(request, "number-of-channels").is_some_and(|count| count != "1") {
        return Err(wrong("x-amzn-transcribe-number-of-channels must be 1"));
    }
    let conversation = header(request, "type") == Some("CONVERSATION");
    let mode = if conversation { SpeechMode::Conversation } else { SpeechMode::Dictation };
    Ok(SpeechRequest { language: language.to_owned(), mode, ..SpeechRequest::default() })
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.header(format!("x-amzn-transcribe-{name}").as_str())
}

fn wrong(text: &str) -> Failure {
    Failure::BadRequest(text.to_owned())
}

/// A problem as elsewhere, with the name that an AWS client looks for.
fn refusal(failure: &Failure) -> Response {
    let mut response = failure.to_problem();
    let name = match response.status() {
        StatusCode::UNAUTHORIZED => "UnrecognizedClientException",
        StatusCode::FORBIDDEN => "AccessDeniedException",
        StatusCode::TOO_MANY_REQUESTS => "LimitExceededException",
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailableException",
        status if status.is_server_error() => "InternalFailureException",
        _ => "BadRequestException",
    };
    response.headers_mut().insert(ERROR_TYPE, poem::http::HeaderValue::from_static(name));
    response
}
