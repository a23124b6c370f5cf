//! Answers with a resource: headers of http.html#versioning, and bytes as they are stored.

use chrono::{DateTime, Utc};
use poem::http::{StatusCode, header};
use poem::{Request, Response};
use seva_fhir::date::SECOND;
use seva_fhir::json::Json;
use seva_fhir::outcome::{Issue, OperationOutcome};
use seva_fhir::ports::Stored;
use seva_fhir::preconditions::{IfMatch, Known};
use seva_fhir::types::{Instant, VersionId};

use super::negotiation::{Return, preferred_return};
use crate::failure::{FHIR_JSON, Failure};

/// A version as an ETag: weak, because the bytes may be laid out differently.
pub(super) fn etag(version: VersionId) -> String {
    format!("W/\"{version}\"")
}

/// RFC 9110's date format.
pub(super) fn http_date(instant: Instant) -> String {
    let time = DateTime::<Utc>::from_timestamp_micros(instant.micros()).unwrap_or_default();
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A stored version, or 304 when the client has it.
pub(super) fn resource(stored: Stored, request: &Request) -> Response {
    let response = Response::builder()
        .header(header::ETAG, etag(stored.version))
        .header(header::LAST_MODIFIED, http_date(stored.updated));
    if known(request).has(stored.version, stored.updated) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    response.content_type(FHIR_JSON).body(stored.body)
}

/// What the client has. `If-Modified-Since` has whole seconds: what changed within the second counts as seen (RFC 9110
/// §13.1.3).
fn known(request: &Request) -> Known {
    let since = request.header(header::IF_MODIFIED_SINCE).and_then(|text| DateTime::parse_from_rfc2822(text).ok());
    let since = since.map(|since| Instant::from_micros((since.timestamp() + 1) * SECOND - 1));
    Known::new(request.header(header::IF_NONE_MATCH), since)
}

/// The answer to a write, as `Prefer: return` has it.
pub(super) fn written(stored: Stored, status: StatusCode, base: &str, request: &Request) -> Response {
    let location = format!("{base}/{}/_history/{}", stored.key, stored.version);
    let response = Response::builder()
        .status(status)
        .header(header::ETAG, etag(stored.version))
        .header(header::LAST_MODIFIED, http_date(stored.updated))
        .header(header::LOCATION, location);
    match preferred_return(request) {
        Return::Minimal => response.finish(),
        Return::Representation => response.content_type(FHIR_JSON).body(stored.body),
        Return::Outcome => response.content_type(FHIR_JSON).body(said(&stored).to_bytes()),
    }
}

/// The outcome of a write (`Prefer: return=OperationOutcome`).
pub(super) fn said(stored: &Stored) -> Json {
    let issue = Issue::information(format!("stored {} as version {}", stored.key, stored.version));
    OperationOutcome::new(vec![issue]).to_json()
}

/// Reads `If-Match`.
pub(super) fn if_match(request: &Request) -> Result<Option<IfMatch>, Failure> {
    let Some(text) = request.header(header::IF_MATCH) else { return Ok(None) };
    IfMatch::parse(text).map(Some).ok_or_else(|| no_version(text))
}

/// Reads the text of an `If-Match` header that names one version.
pub(crate) fn match_of(text: &str) -> Result<VersionId, Failure> {
    VersionId::from_etag(text).ok_or_else(|| no_version(text))
}

fn no_version(text: &str) -> Failure {
    Failure::BadRequest(format!("If-Match {text:?} is not a version: write W/\"3\""))
}
