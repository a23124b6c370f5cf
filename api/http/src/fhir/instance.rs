//! read, vread, create, update, delete.

use poem::http::{StatusCode, header};
use poem::{Request, Response};
use seva_fhir::ports::Stored;
use seva_fhir::search::Presentation;
use seva_fhir::service::{Change, Updated};
use seva_fhir::types::{ResourceKey, ResourceType, VersionId};

use super::answer::{etag, if_match, resource, written};
use super::search::{presentation, presented};
use super::{CallerRef, FhirEndpoint};
use crate::failure::Failure;

pub(super) async fn read(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    key: &ResourceKey,
    request: &Request,
) -> Result<Response, Failure> {
    let presentation = presentation(request)?;
    let stored = face.service().read(caller, key).await?;
    Ok(cut(stored, &presentation, request))
}

fn cut(stored: Stored, presentation: &Presentation, request: &Request) -> Response {
    if presentation.is_whole() {
        return resource(stored, request);
    }
    let body = presented(&stored, presentation).into_owned().into();
    resource(Stored { body, ..stored }, request)
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
    Ok(cut(stored, &presentation, request))
}

pub(super) async fn create(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    resource_type: ResourceType,
    request: &Request,
    body: &[u8],
) -> Result<Response, Failure> {
    if request.header("if-none-exist").is_some() {
        return Err(Failure::BadRequest("If-None-Exist is not offered yet: search first".to_owned()));
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
    let change = Change { key, if_match: if_match(request)?, body };
    match face.service().update(caller, change).await? {
        Updated::Created(stored) => Ok(written(stored, StatusCode::CREATED, face.base(), request)),
        Updated::Replaced(stored) => Ok(written(stored, StatusCode::OK, face.base(), request)),
    }
}

pub(super) async fn delete(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    key: &ResourceKey,
    request: &Request,
) -> Result<Response, Failure> {
    let version = face.service().delete(caller, key, if_match(request)?).await?;
    let response = Response::builder().status(StatusCode::NO_CONTENT);
    Ok(match version {
        Some(version) => response.header(header::ETAG, etag(version)).finish(),
        None => response.finish(),
    })
}
