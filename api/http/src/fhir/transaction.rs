//! transaction and batch (R4 <https://hl7.org/fhir/R4/http.html#transaction>): answers in request order.

use poem::{Request, Response};
use seva_fhir::ports::Stored;
use seva_fhir::service::TransactionOutcome;

use super::answer::etag;
use super::bundle::BundleWriter;
use super::negotiation::{Return, preferred_return};
use super::search::page_bundle;
use super::{CallerRef, FhirEndpoint, batch};
use crate::failure::{FHIR_JSON, Failure};

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    request: &Request,
    body: &[u8],
) -> Result<Response, Failure> {
    let service = face.service();
    let mut bundle = service.read_bundle(body)?;
    let whole = preferred_return(request) == Return::Representation && request.header("prefer").is_some();
    if bundle.get_str("type") == Some("transaction") {
        let outcomes = service.transaction(caller, bundle).await?;
        let mut answer = BundleWriter::new("transaction-response", None, &[], outcomes.len() * 256);
        for outcome in outcomes {
            push(&mut answer, face.base(), outcome, whole);
        }
        return Ok(Response::builder().content_type(FHIR_JSON).body(answer.finish()));
    }
    let called = batch::take_own(face.base(), &mut bundle);
    let outcomes = service.batch(caller, bundle).await?;
    let mut answer = BundleWriter::new("batch-response", None, &[], outcomes.len() * 256);
    let mut called = called.into_iter().peekable();
    for (place, outcome) in outcomes.into_iter().enumerate() {
        if let Some(one) = called.next_if(|one| one.place == place) {
            match batch::carry_out(face, caller, one).await {
                Ok(resource) => answer.entry(None, Some(&resource), b"\"response\":{\"status\":\"200 OK\"}"),
                Err(failure) => refuse(&mut answer, &failure),
            }
            continue;
        }
        match outcome {
            Ok(outcome) => push(&mut answer, face.base(), outcome, whole),
            Err(error) => refuse(&mut answer, &Failure::from(error)),
        }
    }
    Ok(Response::builder().content_type(FHIR_JSON).body(answer.finish()))
}

fn push(bundle: &mut BundleWriter, base: &str, outcome: TransactionOutcome, whole: bool) {
    match outcome {
        TransactionOutcome::Created(stored) => written(bundle, base, (&stored, "201 Created"), whole),
        TransactionOutcome::Updated(stored) => written(bundle, base, (&stored, "200 OK"), whole),
        TransactionOutcome::Existing(stored) => written(bundle, base, (&stored, "200 OK"), whole),
        TransactionOutcome::Found(stored) => written(bundle, base, (&stored, "200 OK"), true),
        TransactionOutcome::Deleted(_) => bundle.entry(None, None, b"\"response\":{\"status\":\"204 No Content\"}"),
        TransactionOutcome::Page(found) => {
            let page = page_bundle(base, &found.0, &found.1);
            bundle.entry(None, Some(&page), b"\"response\":{\"status\":\"200 OK\"}");
        }
    }
}

fn written(bundle: &mut BundleWriter, base: &str, (stored, status): (&Stored, &str), whole: bool) {
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

/// An entry of a batch that failed says why, in the words that it would have had alone.
fn refuse(bundle: &mut BundleWriter, failure: &Failure) {
    let (status, outcome) = failure.status_and_outcome();
    let status = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let mut response = format!("\"response\":{{\"status\":\"{}\",\"outcome\":", status.trim_end()).into_bytes();
    outcome.write(&mut response);
    response.push(b'}');
    bundle.entry(None, None, &response);
}
