//! Operations within a batch (R4 <https://hl7.org/fhir/R4/bundle.html#batch>): those that answer with a resource and change
//! nothing; each entry is its own request.

use bytes::Bytes;
use poem::{Body, Request, Response};
use seva_fhir::json::Json;

use super::target::Target;
use super::{CallerRef, FhirEndpoint, operations};
use crate::failure::{FHIR_JSON, Failure};

/// An entry that calls an operation, and its place among the entries.
pub(super) struct OperationEntry {
    pub(super) place: usize,
    entry: Json,
}

/// Takes the operations out of a batch; their entries keep their places, and mean nothing to the kernel any more.
pub(super) fn take_operations(bundle: &mut Json) -> Vec<OperationEntry> {
    let entries = bundle.get_mut("entry").and_then(Json::as_array_mut);
    let mut taken = Vec::new();
    for (place, entry) in entries.into_iter().flatten().enumerate() {
        let url = entry.get("request").and_then(|request| request.get_str("url")).unwrap_or_default();
        let path = url.split('?').next().unwrap_or_default();
        if path.rsplit('/').next().is_some_and(|last| last.starts_with('$')) {
            taken.push(OperationEntry { place, entry: entry.clone() });
            entry.remove("resource");
        }
    }
    taken
}

/// Carries one out; the resource that it answers with.
pub(super) async fn carry_out(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    one: OperationEntry,
) -> Result<Bytes, Failure> {
    let mut request = request_of(face.base(), one.entry)?;
    let Target::Operation(called) = Target::of(&request)? else {
        return Err(Failure::BadRequest("the entry calls no operation".to_owned()));
    };
    let name = called.operation.name;
    if called.operation.writes || matches!(name, "export" | "graphql") {
        return Err(Failure::BadRequest(format!("${name} is not offered within a batch: call it by itself")));
    }
    let response: Response = operations::run(face, caller, &called, &mut request).await?;
    response.into_body().into_bytes().await.map_err(|error| Failure::Internal(error.to_string()))
}

fn request_of(base: &str, mut entry: Json) -> Result<Request, Failure> {
    let asked = entry.get("request");
    let text = |name: &str| asked.and_then(|asked| asked.get_str(name)).unwrap_or_default();
    let url = text("url");
    let local = url.strip_prefix(base).unwrap_or(url).trim_start_matches('/');
    let uri = format!("/{local}").parse();
    let uri = uri.map_err(|_| Failure::BadRequest(format!("request.url: {url:?} is not a URL")))?;
    let method = match text("method") {
        "GET" => poem::http::Method::GET,
        "POST" => poem::http::Method::POST,
        other => return Err(Failure::MethodNotAllowed { method: other.to_owned(), allow: "GET, POST" }),
    };
    let body = entry.remove("resource").map(|resource| resource.to_bytes()).unwrap_or_default();
    Ok(Request::builder().method(method).uri(uri).content_type(FHIR_JSON).body(Body::from_bytes(body.into())))
}
