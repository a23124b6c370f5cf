//! The TerminologyCapabilities of `GET /metadata?mode=terminology`
//! (R4 <https://hl7.org/fhir/R4/terminologycapabilities.html>).

use seva_fhir_profiles::{SpecifiedSystem, definitions};

use super::{DATE, implementation, software};
use crate::json::{Json, JsonObject, array, object};
use crate::operations::OPERATIONS;

/// What `$expand` reads of a request, beside the value set itself.
pub const EXPANSION_PARAMETERS: &[&str] = &[
    "activeOnly",
    "check-system-version",
    "count",
    "designation",
    "displayLanguage",
    "exclude-system",
    "excludeNested",
    "excludeNotForUI",
    "filter",
    "force-system-version",
    "includeDefinition",
    "includeDesignations",
    "offset",
    "property",
    "system-version",
];

/// A code system that every hospital has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedSystem {
    /// The canonical URL.
    pub url: String,
    /// The version, if it has one.
    pub version: Option<String>,
    /// Whether some of its codes are known to lie below others.
    pub has_hierarchy: bool,
}

/// The code systems of the specification that are here completely.
pub fn listed_systems() -> impl Iterator<Item = OfferedSystem> {
    let own = |system: &SpecifiedSystem| OfferedSystem {
        url: system.url.to_owned(),
        version: Some(system.version.to_owned()).filter(|version| !version.is_empty()),
        has_hierarchy: system.has_hierarchy(),
    };
    definitions().code_systems().iter().filter(|system| system.is_complete).map(own)
}

/// Describes this server's terminology with the code systems that every hospital has, sorted by URL and version.
pub fn terminology_capabilities(base_url: &str, systems: &[OfferedSystem]) -> Json {
    let offered = |name: &str| OPERATIONS.iter().any(|operation| operation.name == name);
    let mut members: JsonObject = [
        ("resourceType", Json::from("TerminologyCapabilities")),
        ("name", "SevaTerminology".into()),
        ("status", "active".into()),
        ("date", DATE.into()),
        ("publisher", "SEVA Arogya".into()),
        (
            "description",
            "Code systems that every hospital has; a hospital's own CodeSystem and ValueSet resources come first."
                .into(),
        ),
        ("kind", "instance".into()),
        ("software", software()),
        ("implementation", implementation(base_url)),
        ("lockedDate", false.into()),
    ]
    .into_iter()
    .collect();
    let systems: Vec<Json> = systems.chunk_by(|one, next| one.url == next.url).filter_map(code_system).collect();
    if !systems.is_empty() {
        members.insert("codeSystem", systems);
    }
    if offered("expand") {
        members.insert("expansion", expansion());
        members.insert("codeSearch", "all");
    }
    if offered("validate-code") {
        members.insert("validateCode", object([("translations", false.into())]));
    }
    if offered("translate") {
        members.insert("translation", object([("needsMap", false.into())]));
    }
    if offered("closure") {
        members.insert("closure", object([("translation", false.into())]));
    }
    members.into()
}

fn code_system(versions: &[OfferedSystem]) -> Option<Json> {
    let first = versions.first()?;
    // Without a version named, the last one counts, as where codes are looked up.
    let default = versions.iter().filter_map(|one| one.version.as_deref()).next_back();
    let version = |one: &OfferedSystem| {
        let code = one.version.as_deref()?;
        Some(object([("code", code.into()), ("isDefault", (Some(code) == default).into())]))
    };
    let mut members = JsonObject::new();
    members.insert("uri", first.url.as_str());
    let listed: Vec<Json> = versions.iter().filter_map(version).collect();
    if !listed.is_empty() {
        members.insert("version", listed);
    }
    members.insert("subsumption", versions.iter().any(|one| one.has_hierarchy));
    Some(members.into())
}

fn expansion() -> Json {
    object([
        ("hierarchical", true.into()),
        ("paging", true.into()),
        ("incomplete", true.into()),
        ("parameter", array(EXPANSION_PARAMETERS.iter().map(|name| object([("name", (*name).into())])))),
        ("textFilter", "All words of the filter must occur in the code, the display or a designation.".into()),
    ])
}
