//! Entries of a batch that are no matter of the kernel (R4 <https://hl7.org/fhir/R4/bundle.html#batch>): operations that
//! answer with a resource and change nothing, histories, searches beyond one type or by `_search`, the CapabilityStatement. Each entry is
//! its own request.

use std::collections::HashSet;

use bytes::Bytes;
use poem::http::Method;
use poem::{Body, Request, Response};
use seva_fhir::json::Json;

use super::target::Target;
use super::{CallerRef, FhirEndpoint, history, metadata, operations, search};
use crate::failure::{FHIR_JSON, Failure};

/// An entry that is carried out here, and its place among the entries.
pub(super) struct OwnEntry {
    pub(super) place: usize,
    request: Request,
    target: Target,
}

/// Takes such entries out of a batch; they keep their places, and mean nothing to the kernel any more.
pub(super) fn take_own(base: &str, bundle: &mut Json) -> Vec<OwnEntry> {
    let entries = bundle.get_mut("entry").and_then(Json::as_array_mut);
    let mut taken = Vec::new();
    for (place, entry) in entries.into_iter().flatten().enumerate() {
        // What can't be read is refused by the kernel, which names the entry.
        let Ok(mut request) = request_of(base, entry) else { continue };
        let Ok(target) = Target::of(&request) else { continue };
        if is_own(&target, request.method()) {
            let body = entry.remove("resource").map(|resource| resource.to_bytes()).unwrap_or_default();
            request.set_body(Body::from_bytes(body.into()));
            taken.push(OwnEntry { place, request, target });
        }
    }
    taken
}

fn is_own(target: &Target, method: &Method) -> bool {
    match target {
        Target::Operation(_) | Target::Search(_) | Target::SystemSearch => true,
        Target::Metadata
        | Target::System
        | Target::Compartment(..)
        | Target::History(_)
        | Target::TypeHistory(_)
        | Target::SystemHistory => *method == Method::GET,
        _ => false,
    }
}

/// The places of entries that ask for the head of an answer only.
pub(super) fn heads(bundle: &Json) -> HashSet<usize> {
    let entries = bundle.get("entry").map_or(&[][..], Json::items).iter().enumerate();
    let is_head = |entry: &Json| entry.get("request").and_then(|request| request.get_str("method")) == Some("HEAD");
    entries.filter(|(_, entry)| is_head(entry)).map(|(place, _)| place).collect()
}

/// Carries one out; the resource that it answers with.
pub(super) async fn carry_out(face: &FhirEndpoint, caller: CallerRef<'_>, one: OwnEntry) -> Result<Bytes, Failure> {
    let OwnEntry { mut request, target, .. } = one;
    let response: Response = match &target {
        Target::Operation(called) => {
            let name = called.operation.name;
            if called.operation.writes || matches!(name, "export" | "graphql") {
                return Err(Failure::BadRequest(format!("${name} is not offered within a batch: call it by itself")));
            }
            operations::run(face, caller, called, &mut request).await?
        }
        Target::Metadata => metadata::answer(&request, &face.metadata, face.service()).await?,
        other => match other.place(&Method::GET) {
            Some(place) => search::run(face, caller, place, &request, None).await?,
            None => history::run(face, caller, other, &request).await?,
        },
    };
    response.into_body().into_bytes().await.map_err(|error| Failure::Internal(error.to_string()))
}

/// The request of an entry, without its body.
fn request_of(base: &str, entry: &Json) -> Result<Request, Failure> {
    let asked = entry.get("request");
    let text = |name: &str| asked.and_then(|asked| asked.get_str(name)).unwrap_or_default();
    let url = text("url");
    let local = url.strip_prefix(base).unwrap_or(url).trim_start_matches('/');
    let uri = format!("/{local}").parse();
    let uri = uri.map_err(|_| Failure::BadRequest(format!("request.url: {url:?} is not a URL")))?;
    let method = match text("method") {
        "GET" | "HEAD" => Method::GET,
        "POST" => Method::POST,
        other => return Err(Failure::MethodNotAllowed { method: other.to_owned(), allow: "GET, POST" }),
    };
    Ok(Request::builder().method(method).uri(uri).content_type(FHIR_JSON).finish())
}
