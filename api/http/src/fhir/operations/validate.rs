//! `$validate` (R4 <https://hl7.org/fhir/R4/resource-operation-validate.html>): what is wrong with a resource, without
//! storing it.

use poem::Response;
use seva_fhir::json::{Json, Limits, parse};
use seva_fhir::outcome::{Issue, IssueCode, OperationOutcome};
use seva_fhir::service::FhirError;

use super::super::{CallerRef, FhirEndpoint};
use super::{On, Parameters, answer};
use crate::failure::Failure;

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let stored;
    let resource = match (given.resource("resource"), on) {
        (Some(resource), _) => resource,
        (None, On::Instance(key)) => {
            let found = face.service().read(caller, key).await?;
            stored = parse(&found.body, &Limits::default()).map_err(|error| Failure::Internal(error.to_string()))?;
            &stored
        }
        (None, _) => return Err(Failure::BadRequest("$validate needs a resource".to_owned())),
    };
    let asked: Vec<String> = given.text("profile").map(str::to_owned).into_iter().collect();
    let mut issues = face.service().validate(caller, resource, &asked).await?;
    let kind = resource.get("resourceType").and_then(Json::as_str).unwrap_or_default();
    if let On::Type(wanted) = on
        && wanted.as_str() != kind
    {
        let text = format!("the resource is {kind:?}, the URL asks for {wanted}");
        issues.push(Issue::error(IssueCode::Invalid, text).at("resourceType"));
    }
    issues.extend(mode_issues(given.text("mode"), on, resource)?);
    if !issues.iter().any(Issue::is_error) {
        issues.insert(0, Issue::information("the resource is valid"));
    }
    Ok(answer(&OperationOutcome::new(issues).to_json()))
}

/// A body of XML that is not FHIR's, at a place within a resource, was validated: its fault is the answer (R4
/// resource-operation-validate.html: 200 whether or not the resource is valid).
pub(in super::super) fn not_valid(failure: Failure) -> Result<Response, Failure> {
    match failure {
        Failure::Fhir(FhirError::Invalid(issues)) if issues.iter().all(is_within) => {
            Ok(answer(&OperationOutcome::new(issues).to_json()))
        }
        other => Err(other),
    }
}

fn is_within(issue: &Issue) -> bool {
    issue.expression.iter().any(|place| place != "$")
}

/// What the mode of a later interaction asks for.
fn mode_issues(mode: Option<&str>, on: &On, resource: &Json) -> Result<Option<Issue>, Failure> {
    let id = resource.get_str("id");
    match (mode, on) {
        (None | Some("create" | "delete" | "profile"), _) => Ok(None),
        (Some("update"), On::Instance(key)) if id != Some(key.id().as_str()) => {
            let text = format!("an update needs the id of the URL; give the resource the id {:?}", key.id().as_str());
            Ok(Some(Issue::error(IssueCode::Value, text).at("id")))
        }
        (Some("update"), _) if id.is_none() => {
            Ok(Some(Issue::error(IssueCode::Required, "an update needs an id; give the resource one").at("id")))
        }
        (Some("update"), _) => Ok(None),
        (Some(other), _) => {
            Err(Failure::BadRequest(format!("the mode {other:?} isn't one of create, update, delete and profile")))
        }
    }
}
