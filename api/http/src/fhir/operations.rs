//! Operations (R4 <https://hl7.org/fhir/R4/operations.html>): parameters from the URL or from a Parameters resource, one
//! function each, answers as resources.

mod docref;
mod document;
mod everything;
mod expand;
mod explain;
mod export;
mod extract;
mod graphql;
mod import;
mod lastn;
mod lookup;
mod matching;
mod merge;
mod meta;
mod parameters;
mod summary;
mod terminology;
mod translate;
mod validate;

use poem::http::Method;
use poem::{Request, Response};
use seva_fhir::interactions::served_types;
use seva_fhir::json::Json;
use seva_fhir::operations::{Operation, Scope};
use seva_fhir::types::{ResourceKey, ResourceType, VersionId};

use super::{CallerRef, FhirEndpoint, body_of};
use crate::failure::{FHIR_JSON, Failure};
pub(super) use parameters::Parameters;
pub(super) use validate::not_valid;

/// The operations that have a resource as parameter, which may be the body itself.
const TAKE_RESOURCES: [&str; 6] = ["validate", "expand", "validate-code", "translate", "match", "convert"];

/// An operation, and on what it is called.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) operation: &'static Operation,
    pub(super) on: On,
}

/// On what an operation is called.
#[derive(Debug)]
pub(super) enum On {
    /// The whole system.
    System,
    /// A type.
    Type(ResourceType),
    /// A resource.
    Instance(ResourceKey),
    /// A version of a resource.
    Version(ResourceKey, VersionId),
}

impl On {
    /// The scope in the table of operations.
    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::System => Scope::System,
            Self::Type(_) => Scope::Type,
            Self::Instance(_) | Self::Version(..) => Scope::Instance,
        }
    }
}

/// Reads the parameters and carries the operation out.
pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    called: &Called,
    request: &mut Request,
) -> Result<Response, Failure> {
    if called.operation.name == "import" {
        return import::start(face, caller, request).await;
    }
    if called.operation.name == "graphql" && matches!(*request.method(), Method::GET | Method::HEAD | Method::POST) {
        return graphql::run(face, caller, &called.on, request).await;
    }
    let given = match *request.method() {
        Method::GET | Method::HEAD if !called.operation.writes => Parameters::from_query(request)?,
        Method::POST => {
            let body = body_of(request).await?;
            Parameters::from_body(request, face.service(), &body)?
        }
        ref method => {
            let allow = if called.operation.writes { "POST" } else { "GET, HEAD, POST" };
            return Err(Failure::MethodNotAllowed { method: method.to_string(), allow });
        }
    };
    let name = called.operation.name;
    if let Some(kind) = given.bare().filter(|_| !TAKE_RESOURCES.contains(&name)) {
        return Err(Failure::BadRequest(format!("${name} takes its parameters as Parameters, not as {kind}")));
    }
    match (name, &called.on) {
        ("everything", on) => everything::run(face, caller, on, &given).await,
        ("export", on) => export::start(face, caller, (on, &given), request).await,
        ("meta", On::Instance(key)) => meta::read(face, caller, (key, None)).await,
        ("meta", On::Version(key, version)) => meta::read(face, caller, (key, Some(*version))).await,
        ("meta", On::Type(kind)) => meta::in_use(face, caller, vec![*kind]).await,
        ("meta", On::System) => meta::in_use(face, caller, served_types().collect()).await,
        ("meta-add" | "meta-delete", On::Instance(key)) => {
            meta::change(face, caller, (key, called.operation.name), &given).await
        }
        ("evidence", On::Instance(key)) => {
            Ok(answer(&seva_clinic::evidence::resolve(face.service(), caller, key).await?))
        }
        ("extract", On::System) => extract::run(face, caller, &given).await,
        ("explain", on) => explain::run(face, caller, on, &given).await,
        ("validate", on) => validate::run(face, caller, on, &given).await,
        ("lastn", On::Type(_)) => lastn::run(face, caller, &given).await,
        ("document", on) => document::run(face, caller, on, &given).await,
        ("expand", on) => expand::run(face, caller, on, &given).await,
        ("validate-code", on) => terminology::validate_code(face, caller, on, &given).await,
        ("lookup", on) => lookup::run(face, caller, on, &given).await,
        ("subsumes", on) => terminology::subsumes(face, caller, on, &given).await,
        ("translate", on) => translate::run(face, caller, on, &given).await,
        ("closure", On::System) => translate::closure(face, caller, &given).await,
        ("match", On::Type(_)) => matching::patient(face, caller, &given).await,
        ("member-match", On::Type(_)) => matching::member(face, caller, &given).await,
        ("merge", On::Type(_)) => merge::run(face, caller, &given).await,
        ("docref", On::Type(_)) => docref::run(face, caller, &given).await,
        ("summary", on) => summary::run(face, caller, on, &given).await,
        ("convert", On::System) => convert(face, &given),
        (name, _) => Err(Failure::NotFound(format!("${name} is not offered here"))),
    }
}

/// `$convert` (R4 <https://hl7.org/fhir/R4/resource-operation-convert.html>): the resource as it was read; the format of
/// the answer is negotiated as for every other one.
fn convert(face: &FhirEndpoint, given: &Parameters) -> Result<Response, Failure> {
    let missing = || Failure::BadRequest("$convert needs a resource as its body, or as the parameter input".to_owned());
    let resource = given.resource("input").ok_or_else(missing)?;
    face.service().check_resource(resource)?;
    Ok(answer(resource))
}

/// A resource as an answer.
fn answer(resource: &Json) -> Response {
    Response::builder().content_type(FHIR_JSON).body(resource.to_bytes())
}
