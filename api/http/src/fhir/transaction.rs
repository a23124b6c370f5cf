//! transaction (R4 <https://hl7.org/fhir/R4/http.html#transaction>): answers in request order.

use poem::{Request, Response};
use seva_fhir::ports::Stored;
use seva_fhir::service::TransactionOutcome;

use super::answer::etag;
use super::bundle::BundleWriter;
use super::negotiation::{Return, preferred_return};
use super::{CallerRef, FhirEndpoint};
use crate::failure::{FHIR_JSON, Failure};

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    request: &Request,
    body: &[u8],
) -> Result<Response, Failure> {
    let outcomes = face.service().transaction_bytes(caller, body).await?;
    let whole = preferred_return(request) == Return::Representation && request.header("prefer").is_some();
    let mut bundle = BundleWriter::new("transaction-response", None, &[], outcomes.len() * 256);
    for outcome in &outcomes {
        match outcome {
            TransactionOutcome::Created(stored) => push(&mut bundle, face.base(), stored, "201 Created", whole),
            TransactionOutcome::Updated(stored) => push(&mut bundle, face.base(), stored, "200 OK", whole),
            TransactionOutcome::Deleted => bundle.entry(None, None, b"\"response\":{\"status\":\"204 No Content\"}"),
        }
    }
    Ok(Response::builder().content_type(FHIR_JSON).body(bundle.finish()))
}

fn push(bundle: &mut BundleWriter, base: &str, stored: &Stored, status: &str, whole: bool) {
    let response = format!(
        "\"response\":{{\"status\":\"{status}\",\"location\":\"{base}/{}/_history/{}\",\"etag\":\"{}\",\"lastModified\":\"{}\"}}",
        stored.key,
        stored.version,
        etag(stored.version).replace('"', "\\\""),
        stored.updated,
    );
    let resource = whole.then_some(stored.body.as_ref());
    bundle.entry(Some(&format!("{base}/{}", stored.key)), resource, response.as_bytes());
}
