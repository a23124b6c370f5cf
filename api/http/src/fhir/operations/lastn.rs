//! `Observation/$lastn` (R4 <https://hl7.org/fhir/R4/observation-operation-lastn.html>).

use poem::Response;
use seva_fhir::types::ResourceType;

use super::super::search::searchset;
use super::super::{CallerRef, FhirEndpoint};
use super::Parameters;
use crate::failure::{FHIR_JSON, Failure};

/// As many of each kind as come back at most.
const MOST: u32 = 100;

pub(super) async fn run(face: &FhirEndpoint, caller: CallerRef<'_>, given: &Parameters) -> Result<Response, Failure> {
    let mut pairs: Vec<(String, String)> = given.texts().iter().filter(|(name, _)| name != "max").cloned().collect();
    if !pairs.iter().any(|(name, _)| matches!(name.split([':', '.']).next(), Some("patient" | "subject"))) {
        return Err(Failure::BadRequest("$lastn needs patient or subject".to_owned()));
    }
    pairs.push(("_sort".to_owned(), "-date".to_owned()));
    let kind: ResourceType = "Observation".parse().map_err(|_| Failure::NotFound("Observation".to_owned()))?;
    let query = face.service().strict_search(caller, kind, &pairs)?;
    let most = match given.number("max")? {
        Some(0) => return Err(Failure::BadRequest("max: at least 1 of each kind is asked for".to_owned())),
        most => most.unwrap_or(1).min(MOST) as usize,
    };
    let page = face.service().last_n(caller, query.clone(), most).await?;
    let body = searchset(face.base(), "Observation/$lastn", &query, &page);
    Ok(Response::builder().content_type(FHIR_JSON).body(body))
}
