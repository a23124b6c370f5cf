//! `/fhir/metadata`: prepared bytes (R4 <https://hl7.org/fhir/R4/http.html#capabilities>).

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use poem::http::{Method, StatusCode, header};
use poem::{Request, Response};
use seva_fhir::FhirService;
use seva_fhir::capability::{OfferedSystem, capability_statement, normative_statement, terminology_capabilities};
use seva_fhir::json::Json;
use seva_fhir::search::{Presentation, parse_query_string};
use sha2::{Digest, Sha256};

use super::format;
use super::search::presentation;
use crate::failure::{FHIR_JSON, Failure};

/// The statements; each is rendered once.
pub(super) struct Metadata {
    full: Statement,
    normative: Statement,
    /// Rendered anew when the code systems have changed.
    terminology: Mutex<Option<(Vec<OfferedSystem>, Arc<Statement>)>>,
}

/// A statement as it is served.
struct Statement {
    body: Bytes,
    /// Its gzip, which is a twentieth of it.
    packed: Option<Bytes>,
    etag: String,
}

impl Statement {
    fn of(statement: &Json) -> Self {
        let body: Bytes = statement.to_bytes().into();
        let digest = hex::encode(Sha256::digest(&body));
        let etag = format!("W/\"{}\"", digest.get(..16).unwrap_or_default());
        let packed = format::packed(&body, Compression::best());
        Self { body, packed, etag }
    }

    fn answer(&self, request: &Request, shown: &Presentation) -> Response {
        if let Cow::Owned(part) = shown.cut(&self.body) {
            return Response::builder().content_type(FHIR_JSON).body(part);
        }
        let response = Response::builder().header(header::ETAG, &self.etag);
        if request.header(header::IF_NONE_MATCH) == Some(self.etag.as_str()) {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        let response = response.content_type(FHIR_JSON);
        match self.packed.clone().filter(|_| format::Wishes::of(request).is_packed_json()) {
            Some(packed) => response.header(header::CONTENT_ENCODING, "gzip").body(packed),
            None => response.body(self.body.clone()),
        }
    }
}

impl Metadata {
    pub(super) fn render(base_url: &str) -> Self {
        let full = capability_statement(base_url);
        let statement = Statement::of(&full);
        Self { full: statement, normative: Statement::of(&normative_statement(full)), terminology: Mutex::new(None) }
    }

    async fn terminology(&self, service: &FhirService) -> Result<Arc<Statement>, Failure> {
        let systems = service.offered_systems().await?;
        let kept = self.terminology.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, statement)) = kept.filter(|(known, _)| *known == systems) {
            return Ok(statement);
        }
        let statement = Arc::new(Statement::of(&terminology_capabilities(service.base_url(), &systems)));
        let mut kept = self.terminology.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((systems, Arc::clone(&statement)));
        Ok(statement)
    }
}

pub(super) async fn answer(request: &Request, metadata: &Metadata, service: &FhirService) -> Result<Response, Failure> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Failure::MethodNotAllowed { method: request.method().to_string(), allow: "GET, HEAD" });
    }
    let pairs = parse_query_string(request.uri().query().unwrap_or_default())?;
    let mode = pairs.iter().find(|(name, _)| name == "mode").map_or("full", |(_, value)| value.as_str());
    let shown = &presentation(request)?;
    match mode {
        "full" => Ok(metadata.full.answer(request, shown)),
        "normative" => Ok(metadata.normative.answer(request, shown)),
        "terminology" => Ok(metadata.terminology(service).await?.answer(request, shown)),
        other => Err(Failure::BadRequest(format!("mode: {other:?} is none of full, normative, terminology"))),
    }
}
