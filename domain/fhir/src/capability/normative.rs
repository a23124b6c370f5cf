//! The CapabilityStatement of `GET /metadata?mode=normative`: what of it is normative in R4
//! (<https://hl7.org/fhir/R4/http.html#capabilities>, <https://hl7.org/fhir/R4/versions.html#std-process>).

use crate::json::{Json, JsonObject};

/// The resource types that R4 declares normative.
const TYPES: &[&str] = &[
    "Binary",
    "Bundle",
    "CapabilityStatement",
    "CodeSystem",
    "Observation",
    "OperationDefinition",
    "OperationOutcome",
    "Parameters",
    "Patient",
    "StructureDefinition",
    "ValueSet",
];
/// The elements of `rest.resource` that are for trial use.
const TRIAL_USE: &[&str] = &[
    "supportedProfile",
    "versioning",
    "readHistory",
    "updateCreate",
    "conditionalCreate",
    "conditionalRead",
    "conditionalUpdate",
    "conditionalDelete",
    "referencePolicy",
    "searchInclude",
    "searchRevInclude",
];

/// Leaves out of a CapabilityStatement what is for trial use.
#[must_use]
pub fn normative_statement(mut statement: Json) -> Json {
    let rest = statement.get_mut("rest").and_then(Json::as_array_mut);
    for one in rest.into_iter().flatten().filter_map(Json::as_object_mut) {
        one.retain(|name, _| name != "security");
        if let Some(resources) = one.get_mut("resource").and_then(Json::as_array_mut) {
            resources.retain(|resource| resource.get_str("type").is_some_and(|name| TYPES.contains(&name)));
            resources.iter_mut().filter_map(Json::as_object_mut).for_each(keep_normative);
        }
    }
    statement
}

fn keep_normative(resource: &mut JsonObject) {
    resource.retain(|name, _| !TRIAL_USE.contains(&name));
}
