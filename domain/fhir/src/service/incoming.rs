//! A resource from outside: read by our own reader, checked against the pack, stamped with what the server decides.

use crate::access::{EntryId, Refusal};
use crate::index::{self, IndexEntry};
use crate::json::{Json, JsonObject, Limits, parse};
use crate::operations::is_own_definition;
use crate::outcome::{Issue, IssueCode};
use crate::parameters::Parameters;
use crate::ports::{Draft, Stored};
use crate::structure;
use crate::types::{Instant, ResourceKey, ResourceType, VersionId};

use super::{FhirError, FhirService};

impl FhirService {
    /// Reads bytes into a resource of a type.
    pub fn read_resource(&self, bytes: &[u8], expected: ResourceType) -> Result<Json, FhirError> {
        read_resource(bytes, expected, &self.limits)
    }

    /// Reads bytes into a resource whose structure is not checked yet: a validation tells what is wrong with it.
    pub fn read_loose_resource(&self, bytes: &[u8]) -> Result<Json, FhirError> {
        read_any(bytes, &self.limits)
    }

    /// Refuses what is no resource of R4, by its structure.
    pub fn check_resource(&self, resource: &Json) -> Result<(), FhirError> {
        check_structure(resource)
    }

    /// Reads XML into the tree that JSON gives; its structure is not checked yet.
    pub fn read_xml(&self, bytes: &[u8]) -> Result<Json, FhirError> {
        crate::xml::parse(bytes, &self.limits).map_err(|error| {
            let place = error.path.clone();
            FhirError::Invalid(vec![Issue::error(IssueCode::Structure, error.to_string()).at(place)])
        })
    }

    /// Reads bytes into a resource of any type, one that only travels too.
    pub fn read_any_resource(&self, bytes: &[u8]) -> Result<Json, FhirError> {
        let resource = read_any(bytes, &self.limits)?;
        check_structure(&resource)?;
        Ok(resource)
    }
}

/// Reads bytes into a resource of the expected type; every structural fault is named with its element.
pub fn read_resource(bytes: &[u8], expected: ResourceType, limits: &Limits) -> Result<Json, FhirError> {
    let resource = read_any(bytes, limits)?;
    check_type(&resource, expected)?;
    check_structure(&resource)?;
    Ok(resource)
}

pub(super) fn read_any(bytes: &[u8], limits: &Limits) -> Result<Json, FhirError> {
    parse(bytes, limits).map_err(|error| {
        let place = error.path.clone();
        FhirError::Invalid(vec![Issue::error(IssueCode::Structure, error.to_string()).at(place)])
    })
}

pub(super) fn check_type(resource: &Json, expected: ResourceType) -> Result<(), FhirError> {
    let found = resource.get("resourceType").and_then(Json::as_str);
    if found == Some(expected.as_str()) {
        return Ok(());
    }
    let text = match found {
        Some(found) => format!("the resource is a {found}, asked for is {expected}"),
        None => format!("the resource has no resourceType: it must be {expected}"),
    };
    Err(FhirError::Invalid(vec![Issue::error(IssueCode::Invalid, text).at("resourceType")]))
}

pub(super) fn check_structure(resource: &Json) -> Result<(), FhirError> {
    let issues = structure::check(resource);
    if issues.iter().any(Issue::is_error) { Err(FhirError::Invalid(issues)) } else { Ok(()) }
}

/// The identity that the server gives a version.
pub(super) struct Stamp {
    pub(super) key: ResourceKey,
    pub(super) version: VersionId,
    pub(super) updated: Instant,
}

/// Sets `id`, `meta.versionId` and `meta.lastUpdated`, puts them first, and derives bytes and search values.
pub(super) fn stamp(mut resource: Json, stamp: Stamp, parameters: &Parameters) -> Result<Draft, FhirError> {
    let Stamp { key, version, updated } = stamp;
    if EntryId::of(&key).is_some() {
        return Err(FhirError::Refused(Refusal::Logged { key }));
    }
    if is_own_definition(&key) {
        return Err(FhirError::Refused(Refusal::Defined { key }));
    }
    let Json::Object(members) = &mut resource else {
        let text = "a resource is a JSON object";
        return Err(FhirError::Invalid(vec![Issue::error(IssueCode::Structure, text)]));
    };
    let mut meta = match members.remove("meta") {
        Some(Json::Object(meta)) => meta,
        _ => JsonObject::new(),
    };
    meta.insert_first("lastUpdated", updated.to_string().as_str());
    meta.insert_first("versionId", version.to_string().as_str());
    members.insert_first("meta", Json::Object(meta));
    members.insert_first("id", key.id().as_str());
    members.insert_first("resourceType", key.resource_type().as_str());
    let entries: Vec<IndexEntry> = index::extract(&resource, key.resource_type(), parameters);
    let body = resource.to_bytes().into();
    Ok(Draft { stored: Stored { key, version, updated, body }, entries, parameter_set: parameters.set() })
}
