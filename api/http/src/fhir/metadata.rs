//! `/fhir/metadata`: prepared bytes (R4 <https://hl7.org/fhir/R4/http.html#capabilities>).

use bytes::Bytes;
use flate2::Compression;
use poem::http::{Method, StatusCode, header};
use poem::{Request, Response};
use seva_fhir::capability::capability_statement;
use sha2::{Digest, Sha256};

use super::format;
use crate::failure::{FHIR_JSON, Failure};

/// The CapabilityStatement, rendered once.
pub(super) struct Metadata {
    body: Bytes,
    /// Its gzip, which is a twentieth of it.
    packed: Option<Bytes>,
    etag: String,
}

impl Metadata {
    pub(super) fn render(base_url: &str) -> Self {
        let body: Bytes = capability_statement(base_url).to_bytes().into();
        let digest = hex::encode(Sha256::digest(&body));
        let etag = format!("W/\"{}\"", digest.get(..16).unwrap_or_default());
        let packed = format::packed(&body, Compression::best());
        Self { body, packed, etag }
    }
}

pub(super) fn answer(request: &Request, metadata: &Metadata) -> Result<Response, Failure> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Failure::MethodNotAllowed { method: request.method().to_string(), allow: "GET, HEAD" });
    }
    let response = Response::builder().header(header::ETAG, &metadata.etag);
    if request.header(header::IF_NONE_MATCH) == Some(metadata.etag.as_str()) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let response = response.content_type(FHIR_JSON);
    match metadata.packed.clone().filter(|_| format::Wishes::of(request).is_packed_json()) {
        Some(packed) => Ok(response.header(header::CONTENT_ENCODING, "gzip").body(packed)),
        None => Ok(response.body(metadata.body.clone())),
    }
}
