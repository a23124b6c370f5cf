//! The OperationDefinitions of the operations that are this server's own, at its own address
//! (R4 <https://hl7.org/fhir/R4/operationdefinition.html>, decision 0025): scopes and types are those of the table, the
//! parameters stand in a file.

use std::sync::LazyLock;

use super::{OPERATIONS, OWN, Operation, Scope};
use crate::json::{Json, JsonObject, Limits, object, parse};
use crate::ports::Stored;
use crate::types::{Instant, ResourceKey, VersionId};

/// When the definitions were last changed.
const DATE: &str = "2026-11-27T00:00:00.000Z";

/// Title, description and parameters by the operation's name.
static TEXTS: LazyLock<Vec<Json>> = LazyLock::new(|| {
    let file = include_bytes!("../../data/operations.json");
    parse(file, &Limits::default()).map(|list| list.items().to_vec()).unwrap_or_default()
});

/// The definitions of this server's own operations, for a server at this base URL.
pub(crate) fn own_definitions(base_url: &str) -> impl Iterator<Item = Stored> {
    OPERATIONS.iter().filter_map(move |operation| stored(operation, base_url))
}

/// The definition under a key, when it is one of this server's own.
pub(crate) fn own_definition(key: &ResourceKey, base_url: &str) -> Option<Stored> {
    defined_under(key).and_then(|operation| stored(operation, base_url))
}

/// Whether a key is one of an own definition, which nobody writes.
pub(crate) fn is_own_definition(key: &ResourceKey) -> bool {
    defined_under(key).is_some()
}

/// Every read asks this: what is of another type is told from its type alone.
fn defined_under(key: &ResourceKey) -> Option<&'static Operation> {
    if key.resource_type().as_str() != "OperationDefinition" {
        return None;
    }
    let name = key.to_string();
    OPERATIONS.iter().find(|operation| operation.definition == name)
}

fn stored(operation: &Operation, base_url: &str) -> Option<Stored> {
    let key: ResourceKey = operation.definition.strip_prefix(OWN).and(operation.definition.parse().ok())?;
    let updated: Instant = DATE.parse().ok()?;
    let has = |scope| Json::from(operation.scopes.contains(&scope));
    let text = TEXTS.iter().find(|text| text.get_str("name") == Some(operation.name))?;
    let (version, types) = (VersionId::FIRST, if operation.types.is_empty() { &["Resource"] } else { operation.types });
    let meta = object([("versionId", version.to_string().into()), ("lastUpdated", updated.to_string().into())]);
    let mut members = JsonObject::new();
    members.insert("resourceType", key.resource_type().as_str());
    members.insert("id", key.id().as_str());
    members.insert("meta", meta);
    members.insert("url", operation.definition_at(base_url));
    members.insert("version", env!("CARGO_PKG_VERSION"));
    members.insert("name", capital(operation.name));
    members.insert("title", text.get("title")?.clone());
    for (name, value) in [("status", "active"), ("kind", "operation")] {
        members.insert(name, value);
    }
    members.insert("date", DATE);
    members.insert("publisher", "SEVA Arogya");
    members.insert("description", text.get("description")?.clone());
    // Those that change the record are defined by others.
    members.insert("affectsState", false);
    members.insert("code", operation.name);
    if operation.scopes != [Scope::System] {
        members.insert("resource", types.iter().map(|own| Json::from(*own)).collect::<Vec<Json>>());
    }
    members.insert("system", has(Scope::System));
    members.insert("type", has(Scope::Type));
    members.insert("instance", has(Scope::Instance));
    members.insert("parameter", text.get("parameter")?.clone());
    Some(Stored { key, version, updated, body: Json::Object(members).to_bytes().into() })
}

/// A name for programs begins with a capital letter (invariant `opd-0`).
fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validation;

    #[test]
    fn each_own_operation_has_a_definition_that_keeps_all_rules() {
        let own = OPERATIONS.iter().filter(|operation| operation.definition.starts_with(OWN)).count();
        let definitions: Vec<Stored> = own_definitions("http://localhost/fhir").collect();
        assert!(own > 0 && definitions.len() == own, "{} of {own}", definitions.len());
        for stored in definitions {
            let resource = parse(&stored.body, &Limits::default()).expect("JSON");
            let issues = validation::check(&resource, stored.updated);
            let faults: Vec<String> = issues.iter().filter(|one| one.is_error()).map(ToString::to_string).collect();
            assert_eq!(faults, Vec::<String>::new(), "{}", stored.key);
            assert!(is_own_definition(&stored.key));
        }
    }
}
