//! `$export` (<https://hl7.org/fhir/uv/bulkdata/STU2/export.html>): the kick-off; a worker does the rest.

use poem::{Request, Response};
use seva_fhir::bulk::{ExportLevel, ExportRequest, LINES};
use seva_fhir::jobs::JobKind;
use seva_fhir::search::Handling;
use seva_fhir::types::{Instant, ResourceKey};

use super::super::{CallerRef, FhirEndpoint, jobs, negotiation};
use super::{On, Parameters};
use crate::failure::Failure;

/// Every parameter that is understood.
const PARAMETERS: [&str; 7] = ["_outputFormat", "_since", "_until", "_type", "_typeFilter", "_elements", "patient"];
/// The names of the one format.
const FORMATS: [&str; 3] = [LINES, "application/ndjson", "ndjson"];

pub(super) async fn start(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    (on, given): (&On, &Parameters),
    request: &Request,
) -> Result<Response, Failure> {
    let unknown = given.names().find(|name| !PARAMETERS.contains(name) && !matches!(*name, "_format" | "_pretty"));
    if let (Some(name), Handling::Strict) = (unknown, negotiation::handling(request)) {
        let known = PARAMETERS.join(", ");
        return Err(Failure::BadRequest(format!("$export does not know {name:?}: it knows {known}")));
    }
    // A plus sign of the URL is meant as one.
    let format = given.text("_outputFormat").map(|format| format.replace(' ', "+"));
    if let Some(format) = format.filter(|format| !FORMATS.contains(&format.as_str())) {
        return Err(Failure::BadRequest(format!("_outputFormat {format:?} is not written: ask for {LINES}")));
    }
    let asked = ExportRequest {
        level: match on {
            On::System => ExportLevel::System,
            On::Type(_) => ExportLevel::Patients,
            On::Instance(key) | On::Version(key, _) => ExportLevel::Group(key.clone()),
        },
        types: given.types("_type")?,
        since: given.time("_since")?.map(|(low, _)| Instant::from_micros(low)),
        until: given.time("_until")?.map(|(low, _)| Instant::from_micros(low)),
        filters: filters(given),
        elements: given.list("_elements").map(str::to_owned).collect(),
        patients: patients(given)?,
        url: jobs::url_of(face, request),
    };
    let written = face.service().export_request(caller, &asked).await?;
    let id = face.jobs().start(caller, (JobKind::Export, written), Vec::new()).await?;
    Ok(jobs::accepted(face, id))
}

/// A comma parts two searches where what follows begins like one, else it belongs to the search.
fn filters(given: &Parameters) -> Vec<String> {
    let mut filters: Vec<String> = Vec::new();
    for text in given.all("_typeFilter") {
        for (place, part) in text.split(',').enumerate() {
            let begins = part.split_once('?').is_some_and(|(name, _)| name.chars().all(char::is_alphabetic));
            match filters.last_mut() {
                Some(last) if place > 0 && !begins => {
                    last.push(',');
                    last.push_str(part);
                }
                _ => filters.push(part.to_owned()),
            }
        }
    }
    filters
}

/// `patient` holds references; only a POST can give them.
fn patients(given: &Parameters) -> Result<Vec<ResourceKey>, Failure> {
    let references = given.values("patient").map(|value| value.get_str("reference").unwrap_or_default());
    let keys = references.chain(given.all("patient")).map(|reference| {
        let key = reference.parse::<ResourceKey>().ok().filter(|key| key.resource_type().as_str() == "Patient");
        key.ok_or_else(|| Failure::BadRequest(format!("patient: {reference:?} is not a reference such as Patient/1")))
    });
    keys.collect()
}
