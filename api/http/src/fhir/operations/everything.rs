//! `$everything` (R4 <https://hl7.org/fhir/R4/patient-operation-everything.html>), in pages.

use poem::Response;
use seva_fhir::outcome::{Issue, IssueCode};
use seva_fhir::search::LARGEST_COUNT;
use seva_fhir::service::Everything;
use seva_fhir::types::{Instant, ResourceKey, ResourceType};

use super::super::search::searchset;
use super::super::{CallerRef, FhirEndpoint};
use super::{On, Parameters};
use crate::failure::{FHIR_JSON, Failure};

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let key = &match on {
        On::Instance(key) => key.clone(),
        On::Type(_) | On::System | On::Version(..) => own_record(caller)?,
    };
    let (start, end) = (given.time("start")?, given.time("end")?);
    let asked = Everything {
        types: given.types("_type")?,
        since: given.time("_since")?.map(|(low, _)| Instant::from_micros(low)),
        period: (start.is_some() || end.is_some())
            .then(|| (start.map_or(i64::MIN, |(low, _)| low), end.map_or(i64::MAX, |(_, high)| high))),
        count: given.number("_count")?.unwrap_or(LARGEST_COUNT).clamp(1, LARGEST_COUNT),
        cursor: given.text("_cursor").map(str::to_owned),
        used: given.texts().iter().filter(|(name, _)| name != "_cursor").cloned().collect(),
    };
    let (query, page) = face.service().everything(caller, key, asked).await?;
    let body = searchset(face.base(), &format!("{key}/$everything"), &query, &page);
    Ok(Response::builder().content_type(FHIR_JSON).body(body))
}

/// Without a patient in the URL it is the caller's own record; the records of all are what the bulk export is for.
fn own_record(caller: CallerRef<'_>) -> Result<ResourceKey, Failure> {
    let own = caller.patient.clone().map(|id| ResourceKey::new(ResourceType::patient(), id));
    own.ok_or_else(|| {
        let text = "everything about every patient is too much for one answer: ask for Patient/[id]/$everything, or for \
                    Patient/$export";
        Issue::error(IssueCode::TooCostly, text).into()
    })
}
