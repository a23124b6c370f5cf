//! The contract, written by hand in parts (OpenAPI 3.0.3, <https://spec.openapis.org/oas/v3.0.3>) and bundled here, once.

use std::sync::OnceLock;

use serde_json::{Map, Value};

/// Title, security, tags.
const HEAD: &str = include_str!("../openapi.yaml");
/// The paths, part by part.
const PATHS: &[&str] = &[
    include_str!("../paths/sessions.yaml"),
    include_str!("../paths/dictations.yaml"),
    include_str!("../paths/prescriptions.yaml"),
    include_str!("../paths/health.yaml"),
    include_str!("../paths/fhir-generic.yaml"),
    include_str!("../paths/fhir-bulk.yaml"),
    include_str!("../paths/fhir-operations.yaml"),
    include_str!("../paths/fhir-patient.yaml"),
    include_str!("../paths/fhir-encounter.yaml"),
    include_str!("../paths/fhir-medication-request.yaml"),
    include_str!("../paths/fhir-document-reference.yaml"),
    include_str!("../paths/fhir-observation.yaml"),
];
/// Security schemes, parameters, responses.
const COMPONENTS: &str = include_str!("../schemas/components.yaml");
/// The schemas, part by part.
const SCHEMAS: &[&str] = &[
    include_str!("../schemas/api.yaml"),
    include_str!("../schemas/prescription.yaml"),
    include_str!("../schemas/socket.yaml"),
    include_str!("../schemas/fhir.yaml"),
];

struct Contract {
    value: Value,
    json: String,
    yaml: String,
}

/// The contract as a value.
pub fn contract() -> &'static Value {
    &bundled().value
}

/// The contract as JSON.
pub fn json() -> &'static str {
    &bundled().json
}

/// The contract as YAML.
pub fn yaml() -> &'static str {
    &bundled().yaml
}

fn bundled() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(|| {
        let value = bundle();
        let json = value.to_string();
        // By way of the text: serde_json's numbers, kept exact in this workspace, would be written as objects.
        let plain: serde_norway::Value = serde_norway::from_str(&json).expect("JSON is YAML");
        let yaml = serde_norway::to_string(&plain).expect("the contract is plain data");
        Contract { value, json, yaml }
    })
}

fn bundle() -> Value {
    let mut document = read(HEAD);
    let mut components = read(COMPONENTS);
    components.insert("schemas".to_owned(), Value::Object(merged(SCHEMAS)));
    document.insert("paths".to_owned(), Value::Object(merged(PATHS)));
    document.insert("components".to_owned(), Value::Object(components));
    Value::Object(document)
}

fn merged(parts: &[&str]) -> Map<String, Value> {
    parts.iter().flat_map(|part| read(part)).collect()
}

fn read(part: &str) -> Map<String, Value> {
    serde_norway::from_str(part).expect("a part of the contract is YAML; a test reads them all")
}

#[cfg(test)]
mod tests;
