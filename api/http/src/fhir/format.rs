//! Formats at the two edges (R4 <https://hl7.org/fhir/R4/http.html#mime-type>): XML and gzip become JSON before anything
//! reads them, and the answer is converted after it is made, only where something else than JSON is asked for.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use poem::http::{HeaderValue, Method, header};
use poem::{Body, Request, Response};
use seva_fhir::FhirService;
use seva_fhir::json::{Limits, parse};
use seva_fhir::xml::{self, Layout};

use super::negotiation::{self, Format, Presentation};
use super::target::Target;
use super::{LARGEST_BODY, body_of};
use crate::failure::{FHIR_JSON, FHIR_XML, Failure};

/// Below this size compression saves nothing.
const SMALLEST_COMPRESSED: usize = 1024;

/// How our JSON is.
const COMPACT: Presentation = Presentation { format: Format::Json, layout: Layout::Compact };

/// Marks an answer that is no resource: its bytes go out as they are.
#[derive(Clone, Copy)]
pub(super) struct Raw;

/// How a client wants its answer.
pub(super) struct Wishes {
    presentation: Presentation,
    coding: Coding,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Plain,
    Gzip,
}

impl Wishes {
    pub(super) fn of(request: &Request) -> Self {
        let coding = if takes_gzip(request) { Coding::Gzip } else { Coding::Plain };
        Self { presentation: negotiation::presentation(request), coding }
    }

    /// Whether the answer goes out as gzip of the JSON that we have.
    pub(super) fn is_packed_json(&self) -> bool {
        self.coding == Coding::Gzip && self.presentation == COMPACT
    }
}

/// Whether a body is the form that POST `_search` takes.
pub(super) fn is_form(kind: &str) -> bool {
    negotiation::media_type(kind).eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Whether a client unpacks gzip.
pub(super) fn takes_gzip(request: &Request) -> bool {
    let accepts = |text: &str| {
        text.split(',').any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            let refused = quality.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0);
            name.trim().eq_ignore_ascii_case("gzip") && !refused
        })
    };
    request.header(header::ACCEPT_ENCODING).is_some_and(accepts)
}

/// A form may say how it wants its answer, as the URL of a GET does (R4 http.html#search): it is moved there. Tells
/// whether it said so.
pub(super) async fn lift_wishes(request: &mut Request) -> bool {
    if request.method() != Method::POST || !request.header(header::CONTENT_TYPE).is_some_and(is_form) {
        return false;
    }
    // A body that can't be read is refused where it is needed.
    let Ok(form) = body_of(request).await else { return false };
    let wishes: Vec<&str> = form
        .split(|byte| *byte == b'&')
        .filter(|pair| pair.starts_with(b"_format=") || pair.starts_with(b"_pretty="))
        .filter_map(|pair| std::str::from_utf8(pair).ok())
        .collect();
    if !wishes.is_empty() {
        let own = request.uri().query().map(|query| format!("{query}&")).unwrap_or_default();
        let place = format!("{}?{own}{}", request.uri().path(), wishes.join("&"));
        if let Ok(uri) = place.parse() {
            *request.uri_mut() = uri;
        }
    }
    let said = !wishes.is_empty();
    request.set_body(Body::from_bytes(form));
    said
}

/// Replaces a compressed body by its content, and XML by JSON.
pub(super) async fn receive(service: &FhirService, target: &Target, request: &mut Request) -> Result<(), Failure> {
    if let Some(coding) = request.header(header::CONTENT_ENCODING).map(str::to_owned) {
        if matches!(coding.as_str(), "gzip" | "x-gzip") {
            let body = body_of(request).await?;
            request.set_body(Body::from_bytes(unpacked(&body)?));
        } else if coding != "identity" {
            return Err(Failure::UnsupportedMediaType(format!("Content-Encoding {coding:?} is not read: send gzip")));
        }
        request.headers_mut().remove(header::CONTENT_ENCODING);
    }
    let kind = request.header(header::CONTENT_TYPE).unwrap_or_default();
    if !negotiation::is_xml_body(kind, target) {
        return Ok(());
    }
    negotiation::check_content_type(kind)?;
    let body = body_of(request).await?;
    if body.is_empty() {
        return Ok(());
    }
    let json = service.read_xml(&body)?;
    if target.is_binary() && json.get_str("resourceType") != Some("Binary") {
        // R4 binary.html: what is written there and is no Binary is content, even if it is FHIR.
        request.set_body(Body::from_bytes(body));
        return Ok(());
    }
    request.set_body(Body::from_bytes(json.to_bytes().into()));
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(FHIR_JSON));
    Ok(())
}

/// Unpacks no more than the largest body, however small the packed one is.
fn unpacked(body: &[u8]) -> Result<Bytes, Failure> {
    let mut content = Vec::new();
    let mut decoder = MultiGzDecoder::new(body).take(LARGEST_BODY as u64 + 1);
    decoder
        .read_to_end(&mut content)
        .map_err(|_| Failure::BadRequest("the body is not the gzip that Content-Encoding says".to_owned()))?;
    if content.len() > LARGEST_BODY { Err(Failure::TooLarge { limit: LARGEST_BODY }) } else { Ok(content.into()) }
}

/// Gives an answer the format, the layout and the coding that are asked for.
pub(super) async fn present(mut response: Response, wishes: &Wishes) -> Response {
    if response.data::<Raw>().is_some() {
        return response;
    }
    if response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != FHIR_JSON) {
        return response;
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type(Format::Json));
    let asked = wishes.presentation;
    let is_ready = response.headers().contains_key(header::CONTENT_ENCODING);
    if is_ready || (asked == COMPACT && wishes.coding == Coding::Plain) {
        return response;
    }
    let body = match response.take_body().into_bytes().await {
        Ok(body) => body,
        Err(error) => return Failure::Internal(error.to_string()).to_outcome(),
    };
    let mut response = match converted(body, asked) {
        Ok((body, format)) => {
            response.headers_mut().insert(header::CONTENT_TYPE, content_type(format));
            response.set_body(Body::from_bytes(body));
            response
        }
        Err(failure) => failure.to_outcome(),
    };
    if wishes.coding == Coding::Gzip {
        compress(&mut response).await;
    }
    response
}

fn content_type(format: Format) -> HeaderValue {
    HeaderValue::from_static(match format {
        Format::Json => "application/fhir+json; charset=utf-8",
        Format::Xml => "application/fhir+xml; charset=utf-8",
    })
}

/// JSON into what is asked for; a refusal of XML goes out as JSON, which can carry any text.
fn converted(body: Bytes, asked: Presentation) -> Result<(Bytes, Format), Failure> {
    if body.is_empty() || (asked.format == Format::Json && asked.layout == Layout::Compact) {
        return Ok((body, Format::Json));
    }
    let limits = Limits { max_bytes: usize::MAX, max_depth: 128, max_nodes: usize::MAX };
    let value = parse(&body, &limits).map_err(|error| Failure::Internal(format!("an answer is no JSON: {error}")))?;
    match asked.format {
        Format::Json => Ok((value.to_pretty_bytes().into(), Format::Json)),
        Format::Xml => match xml::write(&value, asked.layout) {
            Ok(text) => Ok((text.into(), Format::Xml)),
            // An outcome keeps its status: only what it says may hold a character that XML has not.
            Err(_) if value.get_str("resourceType") == Some("OperationOutcome") => Ok((body, Format::Json)),
            Err(error) => Err(Failure::NotAcceptable(format!("{FHIR_XML} can't carry it, ask for JSON: {error}"))),
        },
    }
}

async fn compress(response: &mut Response) {
    let Ok(body) = response.take_body().into_bytes().await else { return };
    let packed = if body.len() > SMALLEST_COMPRESSED { packed(&body, Compression::fast()) } else { None };
    if let Some(packed) = packed {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response.set_body(Body::from_bytes(packed));
    } else {
        response.set_body(Body::from_bytes(body));
    }
}

/// The gzip of a body.
pub(super) fn packed(body: &[u8], level: Compression) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), level);
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
