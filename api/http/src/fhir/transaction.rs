//! transaction and batch (R4 <https://hl7.org/fhir/R4/http.html#transaction>), and histories, which are carried out as
//! batches: answers in request order.

use poem::{Request, Response};
use seva_fhir::ports::Stored;
use seva_fhir::service::TransactionOutcome;

use super::answer::{etag, said};
use super::bundle::BundleWriter;
use super::negotiation::{Return, named_return};
use super::search::page_bundle;
use super::{CallerRef, FhirEndpoint, batch};
use crate::failure::{FHIR_JSON, Failure};

/// The response of an entry that has nothing more to say.
const OK: &[u8] = b"\"response\":{\"status\":\"200 OK\"}";

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    request: &Request,
    body: &[u8],
) -> Result<Response, Failure> {
    let service = face.service();
    let mut bundle = service.read_bundle(body)?;
    // Without a wish the entries go without their resources: R4 leaves it open, and a large Bundle is large.
    let wish = named_return(request).unwrap_or(Return::Minimal);
    let heads = batch::heads(&bundle);
    if bundle.get_str("type") == Some("transaction") {
        let outcomes = service.transaction(caller, bundle).await?;
        let mut answer = BundleWriter::new("transaction-response", None, &[], outcomes.len() * 256);
        for (place, outcome) in outcomes.into_iter().enumerate() {
            match heads.contains(&place) {
                true => push_head(&mut answer, face.base(), outcome),
                false => push(&mut answer, face.base(), outcome, wish),
            }
        }
        return Ok(Response::builder().content_type(FHIR_JSON).body(answer.finish()));
    }
    let is_history = bundle.get_str("type") == Some("history");
    let called = if is_history { Vec::new() } else { batch::take_own(face.base(), &mut bundle) };
    let outcomes =
        if is_history { service.replay(caller, bundle).await? } else { service.batch(caller, bundle).await? };
    let mut answer = BundleWriter::new("batch-response", None, &[], outcomes.len() * 256);
    let mut called = called.into_iter().peekable();
    for (place, outcome) in outcomes.into_iter().enumerate() {
        if let Some(one) = called.next_if(|one| one.place == place) {
            match batch::carry_out(face, caller, one).await {
                Ok(resource) => answer.entry(None, (!heads.contains(&place)).then_some(&resource), OK),
                Err(failure) => refuse(&mut answer, &failure),
            }
            continue;
        }
        match outcome {
            Ok(outcome) if heads.contains(&place) => push_head(&mut answer, face.base(), outcome),
            Ok(outcome) => push(&mut answer, face.base(), outcome, wish),
            Err(error) => refuse(&mut answer, &Failure::from(error)),
        }
    }
    Ok(Response::builder().content_type(FHIR_JSON).body(answer.finish()))
}

fn push(bundle: &mut BundleWriter, base: &str, outcome: TransactionOutcome, wish: Return) {
    match outcome {
        TransactionOutcome::Created(stored) => written(bundle, base, (&stored, "201 Created"), wish),
        TransactionOutcome::Updated(stored) => written(bundle, base, (&stored, "200 OK"), wish),
        TransactionOutcome::Existing(stored) => written(bundle, base, (&stored, "200 OK"), wish),
        TransactionOutcome::Found(stored) => written(bundle, base, (&stored, "200 OK"), Return::Representation),
        TransactionOutcome::Known(stored) => written(bundle, base, (&stored, "304 Not Modified"), Return::Minimal),
        TransactionOutcome::Deleted(_) => bundle.entry(None, None, b"\"response\":{\"status\":\"204 No Content\"}"),
        TransactionOutcome::Page(found) => {
            let page = page_bundle(base, &found.0, &found.1);
            bundle.entry(None, Some(&page), OK);
        }
    }
}

/// What a GET would be answered with, but for the resource.
fn push_head(bundle: &mut BundleWriter, base: &str, outcome: TransactionOutcome) {
    match outcome {
        TransactionOutcome::Found(stored) => written(bundle, base, (&stored, "200 OK"), Return::Minimal),
        TransactionOutcome::Page(_) => bundle.entry(None, None, OK),
        other => push(bundle, base, other, Return::Minimal),
    }
}

fn written(bundle: &mut BundleWriter, base: &str, (stored, status): (&Stored, &str), wish: Return) {
    let mut response = format!(
        "\"response\":{{\"status\":\"{status}\",\"location\":\"{base}/{}/_history/{}\",\"etag\":\"{}\",\"lastModified\":\"{}\"",
        stored.key,
        stored.version,
        etag(stored.version).replace('"', "\\\""),
        stored.updated,
    )
    .into_bytes();
    if wish == Return::Outcome {
        response.extend_from_slice(b",\"outcome\":");
        said(stored).write(&mut response);
    }
    response.push(b'}');
    let resource = (wish == Return::Representation).then_some(stored.body.as_ref());
    bundle.entry(Some(&format!("{base}/{}", stored.key)), resource, &response);
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
