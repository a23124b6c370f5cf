//! `$meta`, `$meta-add`, `$meta-delete` (R4 <https://hl7.org/fhir/R4/resource-operation-meta.html>).

use poem::Response;
use seva_fhir::json::{Json, JsonObject, array, object};
use seva_fhir::service::MetaChange;
use seva_fhir::types::{ResourceKey, ResourceType, VersionId};

use super::super::{CallerRef, FhirEndpoint};
use super::{Parameters, answer};
use crate::failure::Failure;

/// Why an element has no value (R4 <https://hl7.org/fhir/R4/extension-data-absent-reason.html>).
const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

pub(super) async fn read(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    (key, version): (&ResourceKey, Option<VersionId>),
) -> Result<Response, Failure> {
    Ok(returned(face.service().meta(caller, key, version).await?))
}

/// What is in use among all resources of these types.
pub(super) async fn in_use(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    types: Vec<ResourceType>,
) -> Result<Response, Failure> {
    Ok(returned(face.service().meta_in_use(caller, types).await?))
}

pub(super) async fn change(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    (key, name): (&ResourceKey, &str),
    given: &Parameters,
) -> Result<Response, Failure> {
    let meta = given
        .value("meta")
        .filter(|meta| meta.as_object().is_some())
        .ok_or_else(|| Failure::BadRequest(format!("${name} needs the parameter meta, a Meta")))?;
    let change = if name == "meta-add" { MetaChange::Add } else { MetaChange::Delete };
    Ok(returned(face.service().change_meta(caller, key, (change, meta)).await?))
}

/// An element without content is none in R4: where nothing is in use, the reason stands in its place.
fn returned(meta: Json) -> Response {
    let is_empty = meta.as_object().is_none_or(JsonObject::is_empty);
    let meta = if is_empty {
        object([("extension", array([object([("url", ABSENT.into()), ("valueCode", "not-applicable".into())])]))])
    } else {
        meta
    };
    let parameter = object([("name", "return".into()), ("valueMeta", meta)]);
    answer(&object([("resourceType", "Parameters".into()), ("parameter", array([parameter]))]))
}
