//! What a URL below the base means. Parsed once; inside there are only valid keys.

use percent_encoding::percent_decode_str;
use poem::Request;
use poem::http::Method;
use seva_fhir::interactions::is_served;
use seva_fhir::operations::operation;
use seva_fhir::search::compartment_types;
use seva_fhir::types::{ResourceId, ResourceKey, ResourceType, VersionId};
use uuid::Uuid;

use super::operations::{Called, On};
use super::search::Place;
use crate::failure::Failure;

/// The addressed thing.
#[derive(Debug)]
pub(super) enum Target {
    Metadata,
    System,
    Type(ResourceType),
    Search(ResourceType),
    SystemSearch,
    /// The types of a compartment that are searched, and whether `_search` stood behind them.
    Compartment(ResourceKey, Vec<ResourceType>),
    Instance(ResourceKey),
    History(ResourceKey),
    TypeHistory(ResourceType),
    SystemHistory,
    /// A job, and one of its files.
    Job(Uuid, Option<u32>),
    Operation(Called),
    Version(ResourceKey, VersionId),
}

impl Target {
    /// Reads the path below the base; one slash at its end means nothing.
    pub(super) fn of(request: &Request) -> Result<Self, Failure> {
        let path = percent_decode_str(request.uri().path())
            .decode_utf8()
            .map_err(|_| Failure::BadRequest("the path is not valid UTF-8".to_owned()))?;
        let path = path.trim_matches('/');
        let segments: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
        match segments.as_slice() {
            [] => Ok(Self::System),
            ["metadata"] => Ok(Self::Metadata),
            ["_search"] => Ok(Self::SystemSearch),
            ["_history"] => Ok(Self::SystemHistory),
            ["$job", id] => Ok(Self::Job(job(id, path)?, None)),
            ["$job", id, file] => Ok(Self::Job(job(id, path)?, Some(file.parse().map_err(|_| unknown(path))?))),
            [name] if name.starts_with('$') => called(name, On::System, path),
            [kind, name] if name.starts_with('$') => called(name, On::Type(served(kind)?), path),
            [kind, id, name] if name.starts_with('$') => called(name, On::Instance(key(kind, id)?), path),
            [name, ..] if name.starts_with('$') || name.starts_with('_') => Err(unknown(path)),
            [name] => Ok(Self::Type(served(name)?)),
            [name, "_search"] => Ok(Self::Search(served(name)?)),
            [name, "_history"] => Ok(Self::TypeHistory(served(name)?)),
            [name, id] if !id.starts_with(['$', '_']) => Ok(Self::Instance(key(name, id)?)),
            [name, id, "_history"] => Ok(Self::History(key(name, id)?)),
            [name, id, kind] | [name, id, kind, "_search"] if !kind.starts_with(['$', '_']) => {
                compartment(name, id, kind)
            }
            [name, id, "_history", number] => Ok(Self::Version(key(name, id)?, version((name, id), number)?)),
            // R4 resource-operation-meta.html: of the operations only this one is offered on a version.
            [name, id, "_history", number, "$meta"] => {
                let version = version((name, id), number)?;
                called("$meta", On::Version(key(name, id)?, version), path)
            }
            _ => Err(unknown(path)),
        }
    }

    /// Where is searched, when the method asks for a search.
    pub(super) fn place(&self, method: &Method) -> Option<Place<'_>> {
        match (self, method) {
            (Self::Type(kind), &Method::GET) => Some(Place::Type(*kind)),
            (Self::Search(kind), &(Method::GET | Method::POST)) => Some(Place::Type(*kind)),
            (Self::System, &Method::GET) | (Self::SystemSearch, &(Method::GET | Method::POST)) => Some(Place::System),
            (Self::Compartment(key, types), &(Method::GET | Method::POST)) => Some(Place::Compartment(key, types)),
            _ => None,
        }
    }

    /// Whether it is a Binary, which has a format of its own.
    pub(super) fn is_binary(&self) -> bool {
        match self {
            Self::Type(resource_type) => resource_type.as_str() == "Binary",
            Self::Instance(key) | Self::Version(key, _) => key.resource_type().as_str() == "Binary",
            Self::Metadata | Self::System | Self::SystemSearch | Self::Search(_) => false,
            Self::Compartment(..) | Self::History(_) | Self::TypeHistory(_) | Self::SystemHistory => false,
            Self::Operation(_) | Self::Job(..) => false,
        }
    }

    /// Whether it asks what is wrong with a resource.
    pub(super) fn is_validation(&self) -> bool {
        matches!(self, Self::Operation(called) if called.operation.name == "validate")
    }

    /// Whether it is answered later in any case.
    pub(super) fn is_bulk(&self) -> bool {
        matches!(self, Self::Operation(called) if matches!(called.operation.name, "export" | "import"))
    }

    /// The addressed resource.
    pub(super) fn instance(&self) -> Option<&ResourceKey> {
        match self {
            Self::Instance(key) | Self::Version(key, _) | Self::History(key) => Some(key),
            Self::Metadata | Self::System | Self::SystemSearch | Self::Type(_) | Self::Search(_) => None,
            Self::Compartment(..) | Self::TypeHistory(_) | Self::SystemHistory | Self::Operation(_) => None,
            Self::Job(..) => None,
        }
    }

    /// The methods that are offered here.
    pub(super) fn allow(&self) -> &'static str {
        match self {
            Self::Metadata | Self::History(_) | Self::TypeHistory(_) | Self::SystemHistory | Self::Version(..) => {
                "GET, HEAD"
            }
            Self::Type(_) => "GET, HEAD, POST, PUT, PATCH, DELETE",
            Self::System | Self::Search(_) | Self::SystemSearch => "GET, HEAD, POST",
            Self::Compartment(..) | Self::Operation(_) => "GET, HEAD, POST",
            Self::Instance(_) => "GET, HEAD, PUT, PATCH, DELETE",
            Self::Job(_, None) => "GET, HEAD, DELETE",
            Self::Job(_, Some(_)) => "GET, HEAD",
        }
    }
}

/// `$name`, on what the path before it names.
fn called(name: &str, on: On, path: &str) -> Result<Target, Failure> {
    let kind = match &on {
        On::System => None,
        On::Type(kind) => Some(*kind),
        On::Instance(key) | On::Version(key, _) => Some(key.resource_type()),
    };
    let found = operation(name.trim_start_matches('$'), on.scope(), kind);
    found.map(|operation| Target::Operation(Called { operation, on })).ok_or_else(|| unknown(path))
}

/// `Patient/x/Observation`, `Patient/x/*` (R4 http.html#vsearch).
fn compartment(name: &str, id: &str, kind: &str) -> Result<Target, Failure> {
    let key = key(name, id)?;
    let members = compartment_types(key.resource_type());
    if members.is_empty() {
        return Err(Failure::NotFound(format!("{name} is no compartment: see CompartmentDefinition")));
    }
    if kind == "*" {
        return Ok(Target::Compartment(key, members));
    }
    let kind = served(kind)?;
    if members.contains(&kind) {
        Ok(Target::Compartment(key, vec![kind]))
    } else {
        Err(Failure::NotFound(format!("{kind} does not belong to the {name} compartment")))
    }
}

fn job(id: &str, path: &str) -> Result<Uuid, Failure> {
    id.parse().map_err(|_| unknown(path))
}

fn unknown(path: &str) -> Failure {
    Failure::NotFound(format!("there is nothing at /{path}: see /fhir/metadata for what is offered"))
}

fn served(name: &str) -> Result<ResourceType, Failure> {
    let found = name.parse::<ResourceType>().map_err(|error| Failure::NotFound(error.to_string()))?;
    if is_served(found) {
        Ok(found)
    } else {
        Err(Failure::NotFound(format!("{found} has no endpoint: it only travels")))
    }
}

fn version((name, id): (&str, &str), number: &str) -> Result<VersionId, Failure> {
    number.parse().map_err(|_| Failure::NotFound(format!("{name}/{id} has no version {number:?}")))
}

fn key(name: &str, id: &str) -> Result<ResourceKey, Failure> {
    let id = id.parse::<ResourceId>().map_err(|error| Failure::BadRequest(format!("{id:?}: {error}")))?;
    Ok(ResourceKey::new(served(name)?, id))
}
