//! Binary (R4 <https://hl7.org/fhir/R4/binary.html>): raw in and out by `Content-Type` and `Accept`, or as a resource.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Request, Response};
use seva_clinic::blobs::{BlobLink, with_data};
use seva_fhir::json::{Json, JsonObject, Limits, object, parse};
use seva_fhir::ports::Stored;
use seva_fhir::types::{ResourceKey, VersionId};

use super::answer::{etag, http_date, resource};
use super::format::Raw;
use super::search::presentation;
use super::{CallerRef, FhirEndpoint, negotiation};
use crate::failure::Failure;
use crate::range;

/// Whose rights decide about a raw body (binary.html#security).
const SECURITY_CONTEXT: &str = "x-security-context";

/// Reads a Binary, or one version of it, as its own media type unless FHIR is asked for.
pub(super) async fn read(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    (key, version): (&ResourceKey, Option<VersionId>),
    request: &Request,
) -> Result<Response, Failure> {
    let stored = match version {
        Some(version) => face.service().vread(caller, key, version).await?,
        None => face.service().read(caller, key).await?,
    };
    let binary = parse(&stored.body, &Limits::default()).map_err(|error| Failure::Internal(error.to_string()))?;
    let context = binary.get("securityContext").and_then(|context| context.get_str("reference"));
    if let Some(context) = context.and_then(|reference| reference.parse::<ResourceKey>().ok()) {
        face.service().read(caller, &context).await?;
    }
    let bytes = match BlobLink::read(&binary) {
        Some(link) => Some(face.blobs().get(caller.tenant, &link).await?),
        None => None,
    };
    let content_type = binary.get_str("contentType").unwrap_or("application/octet-stream");
    if negotiation::wants_resource(request) && !prefers_content(request, content_type) {
        let wanted = presentation(request)?;
        let stored = match bytes {
            Some(bytes) => Stored { body: with_data(&binary, &bytes).to_bytes().into(), ..stored },
            None => stored,
        };
        return Ok(resource(wanted.shown(stored), request));
    }
    let known = resource(Stored { body: Bytes::new(), ..stored.clone() }, request);
    if known.status() == StatusCode::NOT_MODIFIED {
        return Ok(known);
    }
    let bytes = match bytes {
        Some(bytes) => bytes,
        None => STANDARD.decode(binary.get_str("data").unwrap_or_default()).unwrap_or_default(),
    };
    let mut answer = raw(&stored, content_type, &bytes, request)?;
    if let Some(context) = context.and_then(|reference| reference.parse::<HeaderValue>().ok()) {
        answer.headers_mut().insert(SECURITY_CONTEXT, context);
    }
    Ok(answer)
}

/// Whether the content is asked for before FHIR: by its own media type, which may be plain JSON, or with a higher
/// quality.
fn prefers_content(request: &Request, content_type: &str) -> bool {
    let own = negotiation::media_type(content_type);
    if let Some(format) = negotiation::named_format(request) {
        return negotiation::media_type(&format) == own && !negotiation::is_fhir(own);
    }
    let Some(accept) = request.header(header::ACCEPT) else { return false };
    let (mut content, mut fhir) = (None, None);
    for range in accept.split(',') {
        let name = negotiation::media_type(range);
        let quality = Some(negotiation::quality_of(range));
        if negotiation::is_fhir(name) || negotiation::is_json(range) && name != own {
            fhir = fhir.max(quality);
        } else if name == own || name == "*/*" || name.strip_suffix("/*").is_some_and(|kind| own.starts_with(kind)) {
            content = content.max(quality);
        }
    }
    content > fhir
}

fn raw(stored: &Stored, content_type: &str, bytes: &[u8], request: &Request) -> Result<Response, Failure> {
    let response = Response::builder()
        .header(header::ETAG, etag(stored.version))
        .header(header::LAST_MODIFIED, http_date(stored.updated))
        .header(header::ACCEPT_RANGES, "bytes")
        .extension(Raw)
        // What was stored by others is shown by no browser as a page of ours.
        .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .content_type(content_type);
    let size = bytes.len() as u64;
    let Some(part) = range::wanted(request.header(header::RANGE), size)? else {
        return Ok(response.body(bytes.to_vec()));
    };
    let place = range::content_range(&part, size);
    let cut = range::cut(bytes, &part).to_vec();
    Ok(response.status(StatusCode::PARTIAL_CONTENT).header(header::CONTENT_RANGE, place).body(cut))
}

/// Whether a body that came as FHIR is content all the same, because it is no Binary (R4 binary.html#rest).
pub(super) fn is_content(body: &[u8], kind: &str) -> Result<bool, Failure> {
    if !negotiation::is_json(kind) {
        return Ok(true);
    }
    let value = parse(body, &Limits::default()).map_err(|error| Failure::BadRequest(error.to_string()))?;
    Ok(value.get_str("resourceType") != Some("Binary"))
}

/// Wraps a raw body into the resource that is stored.
pub(super) fn wrapped(body: &[u8], content_type: &str, request: &Request, key: Option<&ResourceKey>) -> Vec<u8> {
    let mut binary: JsonObject = [("resourceType", Json::from("Binary"))].into_iter().collect();
    if let Some(key) = key {
        binary.insert("id", key.id().as_str());
    }
    binary.insert("contentType", content_type);
    if let Some(context) = request.header(SECURITY_CONTEXT) {
        binary.insert("securityContext", object([("reference", context.into())]));
    }
    binary.insert("data", STANDARD.encode(body));
    Json::Object(binary).to_bytes()
}
