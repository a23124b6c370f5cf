//! The CapabilityStatement, made from the tables that routes and search are made from
//! (R4 <https://hl7.org/fhir/R4/capabilitystatement.html>).

mod normative;
mod terminology;
#[cfg(test)]
mod tests;

use seva_fhir_profiles::{SearchParameter, SearchParameterType, definitions};

use crate::access::{Interaction, is_audit_parameter};
use crate::interactions::{OFFERS, served_types};
use crate::json::{Json, JsonObject, array, object};
use crate::operations::{self, Operation};
use crate::types::ResourceType;

pub use normative::normative_statement;
pub use terminology::{EXPANSION_PARAMETERS, OfferedSystem, listed_systems, terminology_capabilities};

/// When what the statement says last changed; a statement's date is not the time of its reading.
const DATE: &str = "2026-11-27";
/// What a server of bulk data declares (<https://hl7.org/fhir/uv/bulkdata/STU2/operations.html>).
const BULK_DATA: &str = "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data";

/// Describes this server at its base URL.
pub fn capability_statement(base_url: &str) -> Json {
    object([
        ("resourceType", Json::from("CapabilityStatement")),
        ("status", "active".into()),
        ("date", DATE.into()),
        ("publisher", "SEVA Arogya".into()),
        ("kind", "instance".into()),
        ("instantiates", array([BULK_DATA])),
        ("software", software()),
        ("implementation", implementation(base_url)),
        ("fhirVersion", "4.0.1".into()),
        ("format", array(["application/fhir+json", "application/fhir+xml", "json", "xml"])),
        ("patchFormat", array(["application/json-patch+json", "application/fhir+json", "application/fhir+xml"])),
        ("rest", Json::Array(vec![rest(base_url)])),
    ])
}

fn software() -> Json {
    object([("name", Json::from("seva")), ("version", env!("CARGO_PKG_VERSION").into())])
}

fn implementation(base_url: &str) -> Json {
    object([("description", Json::from("SEVA Arogya FHIR server")), ("url", base_url.into())])
}

fn rest(base_url: &str) -> Json {
    let resources = served_types().map(|own| resource(own, base_url)).collect();
    object([
        ("mode", Json::from("server")),
        ("security", security()),
        ("resource", Json::Array(resources)),
        (
            "interaction",
            array(
                ["transaction", "batch", "search-system", "history-system"].map(|code| object([("code", code.into())])),
            ),
        ),
        ("operation", operations::of_system().map(|own| operation(own, base_url)).collect::<Vec<Json>>().into()),
        ("compartment", array(definitions().compartments().iter().map(|each| compartment(each.name)))),
    ])
}

fn compartment(name: &str) -> Json {
    format!("http://hl7.org/fhir/CompartmentDefinition/{}", name.to_lowercase()).as_str().into()
}

fn security() -> Json {
    let coding = object([
        ("system", Json::from("http://terminology.hl7.org/CodeSystem/restful-security-service")),
        ("code", "OAuth".into()),
    ]);
    object([
        ("cors", Json::Bool(true)),
        ("service", Json::Array(vec![object([("coding", Json::Array(vec![coding]))])])),
        (
            "description",
            "Bearer tokens: of this server (POST /v1/sessions) or of the configured external issuer.".into(),
        ),
    ])
}

fn resource(resource_type: ResourceType, base_url: &str) -> Json {
    let name = resource_type.as_str();
    let mut codes: Vec<Interaction> = Vec::new();
    for offer in OFFERS {
        if !codes.contains(&offer.interaction) {
            codes.push(offer.interaction);
        }
    }
    let interactions = codes.iter().map(|interaction| object([("code", Json::from(interaction.code()))])).collect();
    let parameters: Vec<&SearchParameter> = offered_parameters(name).collect();
    let includes = parameters
        .iter()
        .filter(|parameter| parameter.kind == SearchParameterType::Reference && !is_logged(name))
        .map(|parameter| Json::from(format!("{name}:{}", parameter.code).as_str()))
        .collect::<Vec<Json>>();
    let mut members = vec![
        ("type", Json::from(name)),
        ("interaction", Json::Array(interactions)),
        // Not versioned-update: that demands If-Match of every update.
        ("versioning", "versioned".into()),
        ("readHistory", Json::Bool(true)),
        ("updateCreate", Json::Bool(true)),
        ("conditionalCreate", Json::Bool(true)),
        ("conditionalRead", "full-support".into()),
        ("conditionalUpdate", Json::Bool(true)),
        ("conditionalDelete", "multiple".into()),
    ];
    let operations: Vec<Json> = operations::of_type(resource_type).map(|own| operation(own, base_url)).collect();
    if !operations.is_empty() {
        members.push(("operation", operations.into()));
    }
    if !includes.is_empty() {
        members.push(("searchInclude", Json::Array(includes)));
    }
    let reverse: Vec<Json> = definitions()
        .all_search_parameters()
        .iter()
        .filter(|parameter| parameter.kind == SearchParameterType::Reference && parameter.targets.contains(&name))
        .filter(|parameter| !is_logged(parameter.base))
        .map(|parameter| Json::from(format!("{}:{}", parameter.base, parameter.code).as_str()))
        .collect();
    if !reverse.is_empty() {
        members.push(("searchRevInclude", reverse.into()));
    }
    members.push(("searchParam", Json::Array(parameters.into_iter().map(search_parameter).collect())));
    Json::Object(members.into_iter().collect::<JsonObject>())
}

/// The parameters of a type that searches accept.
pub fn offered_parameters(resource_type: &str) -> impl Iterator<Item = &'static SearchParameter> {
    let audit = is_logged(resource_type);
    let offered = move |parameter: &&SearchParameter| {
        parameter.code != "_query" && (!audit || is_audit_parameter(parameter.code))
    };
    definitions().search_parameters(resource_type).iter().filter(offered)
}

/// AuditEvents come from the log: they join with nothing.
fn is_logged(resource_type: &str) -> bool {
    resource_type == ResourceType::audit_event().as_str()
}

fn operation(operation: &Operation, base_url: &str) -> Json {
    object([("name", operation.name.into()), ("definition", operation.definition_at(base_url).into())])
}

fn search_parameter(parameter: &SearchParameter) -> Json {
    let mut members = vec![("name", Json::from(parameter.code))];
    if !parameter.url.is_empty() {
        members.push(("definition", parameter.url.into()));
    }
    members.push(("type", parameter.kind.as_str().into()));
    Json::Object(members.into_iter().collect::<JsonObject>())
}
