//! `$validate` (R4 <https://hl7.org/fhir/R4/resource-operation-validate.html>): what is wrong with a resource, without
//! storing it.

use poem::Response;
use seva_fhir::json::{Json, Limits, parse};
use seva_fhir::outcome::{Issue, IssueCode, OperationOutcome};
use seva_fhir::structure;

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
    let mut issues = structure::check(resource);
    let kind = resource.get("resourceType").and_then(Json::as_str).unwrap_or_default();
    if let On::Type(wanted) = on
        && wanted.as_str() != kind
    {
        let text = format!("the resource is {kind:?}, the URL asks for {wanted}");
        issues.push(Issue::error(IssueCode::Invalid, text).at("resourceType"));
    }
    if issues.is_empty() {
        issues.push(Issue::information("nothing is wrong with the resource's structure"));
    }
    Ok(answer(&OperationOutcome::new(issues).to_json()))
}
