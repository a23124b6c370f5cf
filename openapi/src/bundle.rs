//! The parts of the contract, put together: what all FHIR types share is written once and filled in for each
//! (OpenAPI 3.0.3, <https://spec.openapis.org/oas/v3.0.3>).

use serde_json::{Map, Value, json};

/// Title, security, tags.
const HEAD: &str = include_str!("../openapi.yaml");
/// The paths, part by part.
pub(crate) const PATHS: &[&str] = &[
    include_str!("../paths/sessions.yaml"),
    include_str!("../paths/dictations.yaml"),
    include_str!("../paths/prescriptions.yaml"),
    include_str!("../paths/review.yaml"),
    include_str!("../paths/translations.yaml"),
    include_str!("../paths/health.yaml"),
    include_str!("../paths/fhir-system.yaml"),
    include_str!("../paths/fhir-compartment.yaml"),
    include_str!("../paths/fhir-bulk.yaml"),
    include_str!("../paths/fhir-operations.yaml"),
];
/// The interactions on a type.
const TYPE: &str = include_str!("../paths/fhir-type.yaml");
/// What Binary has more than other types.
const BINARY: &str = include_str!("../paths/fhir-binary.yaml");
/// Every type, and the types with a schema of their own.
const TYPES: &[[&str; 2]] = &[
    ["{type}", "Resource"],
    ["Patient", "Patient"],
    ["Encounter", "Encounter"],
    ["MedicationRequest", "MedicationRequest"],
    ["DocumentReference", "DocumentReference"],
    ["Observation", "Observation"],
    ["Binary", "Binary"],
];
/// Security schemes, parameters, responses.
const COMPONENTS: &str = include_str!("../schemas/components.yaml");
/// The schemas, part by part.
pub(crate) const SCHEMAS: &[&str] = &[
    include_str!("../schemas/api.yaml"),
    include_str!("../schemas/prescription.yaml"),
    include_str!("../schemas/review.yaml"),
    include_str!("../schemas/socket.yaml"),
    include_str!("../schemas/fhir.yaml"),
];
/// The parameters in the paths below `/fhir`, which are declared here and not beside each path.
const PLACES: &[[&str; 2]] = &[
    ["{type}", "ResourceType"],
    ["{compartment}", "Compartment"],
    ["{id}", "ResourceId"],
    ["{version}", "Version"],
    ["{member}", "Member"],
];

/// The whole document.
pub(crate) fn document() -> Value {
    let mut document = read(HEAD);
    let mut components = read(COMPONENTS);
    components.insert("schemas".to_owned(), Value::Object(merged(SCHEMAS)));
    document.insert("paths".to_owned(), Value::Object(paths()));
    document.insert("components".to_owned(), Value::Object(components));
    Value::Object(document)
}

fn paths() -> Map<String, Value> {
    let mut paths = merged(PATHS);
    for [place, schema] in TYPES {
        paths.extend(read(&TYPE.replace("<type>", place).replace("<Schema>", schema)));
    }
    let mut all = Value::Object(paths);
    add(&mut all, Value::Object(read(BINARY)));
    let Value::Object(mut paths) = all else { return Map::new() };
    for (path, item) in &mut paths {
        declare(path, item);
        allow_later(path, item);
    }
    paths
}

fn declare(path: &str, item: &mut Value) {
    let names = PLACES.iter().filter(|[place, _]| path.starts_with("/fhir/") && path.contains(place));
    let declared: Vec<Value> =
        names.map(|[_, name]| json!({ "$ref": format!("#/components/parameters/{name}") })).collect();
    if let (Some(item), false) = (item.as_object_mut(), declared.is_empty()) {
        item.entry("parameters").or_insert(Value::Array(declared));
    }
}

/// What `Prefer: respond-async` adds to every request below `/fhir` but those about the server and its jobs.
fn allow_later(path: &str, item: &mut Value) {
    if !path.starts_with("/fhir") || path == "/fhir/metadata" || path.starts_with("/fhir/$job") {
        return;
    }
    for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { continue };
        for (status, name) in [("202", "Accepted"), ("429", "Outcome")] {
            let response = json!({ "$ref": format!("#/components/responses/{name}") });
            responses.entry(status).or_insert(response);
        }
    }
}

/// Adds what a part has more, deep inside; lists are joined.
fn add(to: &mut Value, more: Value) {
    match (to, more) {
        (Value::Object(own), Value::Object(more)) => {
            for (name, value) in more {
                add(own.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(own), Value::Array(more)) => own.extend(more),
        (to, more) => *to = more,
    }
}

fn merged(parts: &[&str]) -> Map<String, Value> {
    parts.iter().flat_map(|part| read(part)).collect()
}

/// Reads a part.
pub(crate) fn read(part: &str) -> Map<String, Value> {
    serde_norway::from_str(part).expect("a part of the contract is YAML; a test reads them all")
}
