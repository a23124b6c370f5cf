//! Answers with a resource: headers of http.html#versioning, and bytes as they are stored.

use chrono::{DateTime, Utc};
use poem::http::{StatusCode, header};
use poem::{Request, Response};
use seva_fhir::outcome::{Issue, OperationOutcome};
use seva_fhir::ports::Stored;
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
    let tag = etag(stored.version);
    let known = request.header(header::IF_NONE_MATCH);
    let response =
        Response::builder().header(header::ETAG, &tag).header(header::LAST_MODIFIED, http_date(stored.updated));
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag || one.trim() == "*")) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    if known.is_none() && unmodified(request, stored.updated) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    response.content_type(FHIR_JSON).body(stored.body)
}

/// `If-Modified-Since` has whole seconds: what changed within the second counts as seen (RFC 9110 §13.1.3).
fn unmodified(request: &Request, updated: Instant) -> bool {
    let since = request.header(header::IF_MODIFIED_SINCE).and_then(|text| DateTime::parse_from_rfc2822(text).ok());
    since.is_some_and(|since| updated.seconds() <= since.timestamp())
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
        Return::Outcome => {
            let issue = Issue::information(format!("stored {} as version {}", stored.key, stored.version));
            response.content_type(FHIR_JSON).body(OperationOutcome::new(vec![issue]).to_json().to_bytes())
        }
    }
}

/// Reads `If-Match: W/"3"`.
pub(super) fn if_match(request: &Request) -> Result<Option<VersionId>, Failure> {
    let Some(text) = request.header(header::IF_MATCH) else { return Ok(None) };
    match_of(text).map(Some)
}

/// Reads the text of an `If-Match` header.
pub(crate) fn match_of(text: &str) -> Result<VersionId, Failure> {
    let wrong = || Failure::BadRequest(format!("If-Match {text:?} is not a version: write W/\"3\""));
    VersionId::from_etag(text).ok_or_else(wrong)
}
