//! read, vread, create, update, delete.

use poem::http::{StatusCode, header};
use poem::{Request, Response};
use seva_fhir::outcome::{Issue, OperationOutcome};
use seva_fhir::service::{Change, Created, Existing, Patch, Target, Updated};
use seva_fhir::types::{ResourceKey, ResourceType, VersionId};

use super::answer::{etag, if_match, resource, written};
use super::negotiation::{self, Return, preferred_return};
use super::search::presentation;
use super::{CallerRef, FhirEndpoint};
use crate::failure::{FHIR_JSON, Failure};

/// RFC 6902.
pub(super) const JSON_PATCH: &str = "application/json-patch+json";

pub(super) async fn read(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    key: &ResourceKey,
    request: &Request,
) -> Result<Response, Failure> {
    let presentation = presentation(request)?;
    let stored = face.service().read(caller, key).await?;
    Ok(resource(presentation.shown(stored), request))
}

pub(super) async fn vread(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    key: &ResourceKey,
    version: VersionId,
    request: &Request,
) -> Result<Response, Failure> {
    let presentation = presentation(request)?;
    let stored = face.service().vread(caller, key, version).await?;
    Ok(resource(presentation.shown(stored), request))
}

pub(super) async fn create(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    resource_type: ResourceType,
    request: &Request,
    body: &[u8],
) -> Result<Response, Failure> {
    if let Some(raw) = request.header("if-none-exist") {
        let service = face.service();
        let criteria = service.criteria(caller, resource_type, raw)?;
        let resource = service.read_resource(body, resource_type)?;
        return Ok(match service.create_unless(caller, criteria, resource).await? {
            Created::New(stored) => written(stored, StatusCode::CREATED, face.base(), request),
            Created::Existing(stored) => written(stored, StatusCode::OK, face.base(), request),
        });
    }
    let stored = face.service().create(caller, resource_type, body).await?;
    Ok(written(stored, StatusCode::CREATED, face.base(), request))
}

pub(super) async fn update(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    key: &ResourceKey,
    request: &Request,
    body: &[u8],
) -> Result<Response, Failure> {
    let existing = match request.header(header::IF_NONE_MATCH) {
        Some("*") => Existing::Kept,
        _ => Existing::Replaced,
    };
    let change = Change { key, if_match: if_match(request)?, existing, body };
    Ok(updated(face, face.service().update(caller, change).await?, request))
}

fn updated(face: &FhirEndpoint, updated: Updated, request: &Request) -> Response {
    match updated {
        Updated::Created(stored) => written(stored, StatusCode::CREATED, face.base(), request),
        Updated::Replaced(stored) => written(stored, StatusCode::OK, face.base(), request),
    }
}

/// Conditional update.
pub(super) async fn update_where(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    resource_type: ResourceType,
    request: &Request,
    body: &[u8],
) -> Result<Response, Failure> {
    let service = face.service();
    let criteria = service.criteria(caller, resource_type, request.uri().query().unwrap_or_default())?;
    let resource = service.read_resource(body, resource_type)?;
    let done = service.update_where(caller, criteria, if_match(request)?, resource).await?;
    Ok(updated(face, done, request))
}

/// JSON Patch or FHIRPath Patch, by the media type of the body.
pub(super) async fn patch(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    target: Target,
    request: &Request,
    body: &[u8],
) -> Result<Response, Failure> {
    let kind = request.header(header::CONTENT_TYPE).unwrap_or_default();
    let patch = if kind.starts_with(JSON_PATCH) {
        Patch::from_json(body)
    } else {
        negotiation::check_content_type(kind).map_err(|_| {
            let text = "send a JSON Patch as application/json-patch+json, or Parameters as application/fhir+json";
            Failure::UnsupportedMediaType(format!("{kind:?} is no patch that is read here: {text}"))
        })?;
        Patch::from_resource(&face.service().read_any_resource(body)?)
    };
    let patch = patch?;
    let done = face.service().patch(caller, target, if_match(request)?, patch).await?;
    Ok(updated(face, done, request))
}

/// Conditional delete.
pub(super) async fn delete_where(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    resource_type: ResourceType,
    request: &Request,
) -> Result<Response, Failure> {
    let criteria = face.service().criteria(caller, resource_type, request.uri().query().unwrap_or_default())?;
    let done = face.service().delete_where(caller, criteria, if_match(request)?).await?;
    let issue = Issue::information(format!("deleted {} resources", done.deleted));
    match preferred_return(request) {
        Return::Outcome => Ok(Response::builder()
            .content_type(FHIR_JSON)
            .body(OperationOutcome::new(vec![issue]).to_json().to_bytes())),
        Return::Minimal | Return::Representation => Ok(Response::builder().status(StatusCode::NO_CONTENT).finish()),
    }
}

pub(super) async fn delete(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    key: &ResourceKey,
    request: &Request,
) -> Result<Response, Failure> {
    let version = face.service().delete(caller, key, if_match(request)?.as_ref()).await?;
    let response = Response::builder().status(StatusCode::NO_CONTENT);
    Ok(match version {
        Some(version) => response.header(header::ETAG, etag(version)).finish(),
        None => response.finish(),
    })
}
