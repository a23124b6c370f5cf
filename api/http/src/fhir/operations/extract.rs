//! `$extract`, an operation of ours: a text in, its statements as a Bundle out; nothing is stored.

use poem::Response;
use seva_clinic::extracting::TextToExtract;
use seva_fhir::json::Json;
use seva_fhir::types::{ResourceKey, ResourceType};

use super::super::{CallerRef, FhirEndpoint};
use super::{Parameters, answer};
use crate::failure::Failure;

/// The language where none is given.
const LANGUAGE: &str = "en";

pub(super) async fn run(face: &FhirEndpoint, caller: CallerRef<'_>, given: &Parameters) -> Result<Response, Failure> {
    let text = given.text("text").ok_or_else(|| Failure::BadRequest("$extract needs text".to_owned()))?;
    let subject = reference(given, "subject", "Patient")?;
    let asked = TextToExtract {
        text: text.to_owned(),
        language: given.text("language").unwrap_or(LANGUAGE).to_owned(),
        subject: subject.ok_or_else(|| Failure::BadRequest("$extract needs subject, Patient/x".to_owned()))?,
        encounter: reference(given, "encounter", "Encounter")?,
    };
    Ok(answer(&face.extraction.extract(caller, &asked).await?))
}

/// A parameter that is a Reference, or its text.
fn reference(given: &Parameters, name: &str, kind: &str) -> Result<Option<ResourceKey>, Failure> {
    let value = given.value(name).and_then(|value| value.get("reference")).and_then(Json::as_str);
    let Some(text) = value.or_else(|| given.text(name)) else { return Ok(None) };
    let wrong = || Failure::BadRequest(format!("{name}: {text:?} is no {kind}/x"));
    let key: ResourceKey = text.parse().map_err(|_| wrong())?;
    let wanted: ResourceType = kind.parse().map_err(|_| wrong())?;
    if key.resource_type() == wanted { Ok(Some(key)) } else { Err(wrong()) }
}
