//! The code systems and value sets of the specification that required bindings name
//! (R4 <https://hl7.org/fhir/R4/terminologies-systems.html>): here without being stored.

use std::collections::HashMap;
use std::sync::OnceLock;

use seva_fhir_profiles::{SpecifiedConcept, SpecifiedSystem, definitions};

use super::{CodeSystem, Concept};
use crate::json::{Json, JsonObject, array, object};

/// A code system, and its concepts by code with their places.
struct Specified {
    /// None when only some of its codes are known.
    resource: Option<Json>,
    concepts: HashMap<&'static str, (usize, Concept)>,
}

/// The CodeSystem resource of a system of the specification of which every code is known.
#[must_use]
pub fn specified(url: &str, version: Option<&str>) -> Option<&'static Json> {
    let resource = all().get(url)?.resource.as_ref()?;
    version.is_none_or(|wanted| resource.get_str("version") == Some(wanted)).then_some(resource)
}

/// The codes of a value set of the specification, when the pack lists it, each system's in its own order.
#[must_use]
pub fn listed(url: &str) -> Option<Vec<Concept>> {
    let list = definitions().code_list(url.split('|').next().unwrap_or(url))?;
    let mut found: Vec<((usize, usize), Concept)> = Vec::new();
    let mut systems: Vec<&str> = Vec::new();
    for (system, code) in list.codes() {
        let place = systems.iter().position(|own| *own == system).unwrap_or_else(|| {
            systems.push(system);
            systems.len() - 1
        });
        let (own, concept) = placed(system, code);
        found.push(((place, own), concept));
    }
    found.sort_by_key(|(place, _)| *place);
    Some(found.into_iter().map(|(_, concept)| concept).collect())
}

/// The value set of the specification that the pack lists, by its codes.
#[must_use]
pub fn specified_value_set(url: &str) -> Option<Json> {
    let concepts = listed(url)?;
    let include = |own: &[Concept]| {
        let system = own.first().map(|first| first.system.as_str()).unwrap_or_default();
        let codes = own.iter().map(|one| object([("code", one.code.as_str().into())]));
        object([("system", system.into()), ("concept", array(codes))])
    };
    let includes = concepts.chunk_by(|one, next| one.system == next.system).map(include);
    Some(object([
        ("resourceType", "ValueSet".into()),
        ("url", url.split('|').next().unwrap_or(url).into()),
        ("status", "active".into()),
        ("compose", object([("include", array(includes))])),
    ]))
}

/// A concept with what the specification says of it; bare when that is nothing.
pub(super) fn of_specification(system: &str, code: &str) -> Concept {
    placed(system, code).1
}

fn placed(system: &str, code: &str) -> (usize, Concept) {
    let known = all().get(system).and_then(|own| own.concepts.get(code));
    known.cloned().unwrap_or_else(|| (usize::MAX, Concept::bare(system, code)))
}

fn all() -> &'static HashMap<&'static str, Specified> {
    static ALL: OnceLock<HashMap<&'static str, Specified>> = OnceLock::new();
    ALL.get_or_init(|| definitions().code_systems().iter().map(|system| (system.url, of(system))).collect())
}

fn of(system: &'static SpecifiedSystem) -> Specified {
    let mut remaining = system.concepts.as_slice();
    let resource = object([
        ("resourceType", Json::from("CodeSystem")),
        ("url", system.url.into()),
        ("version", system.version.into()),
        ("name", system.name.into()),
        ("status", "active".into()),
        ("caseSensitive", system.is_case_sensitive.into()),
        ("content", if system.is_complete { "complete" } else { "fragment" }.into()),
        ("concept", concepts(&mut remaining, 0)),
    ]);
    let read = CodeSystem::of(&resource);
    let place = |(place, own): (usize, &'static SpecifiedConcept)| {
        let concept =
            read.find(own.code).map_or_else(|| Concept::bare(system.url, own.code), |json| read.concept(json));
        (own.code, (place, concept))
    };
    let concepts = system.concepts.iter().enumerate().map(place).collect();
    Specified { concepts, resource: system.is_complete.then_some(resource) }
}

/// The concepts of a level, each with those below it.
fn concepts(remaining: &mut &'static [SpecifiedConcept], level: usize) -> Json {
    let mut list = Vec::new();
    while let Some((first, rest)) = remaining.split_first().filter(|(first, _)| first.level >= level) {
        *remaining = rest;
        let mut members: JsonObject = [("code", Json::from(first.code))].into_iter().collect();
        for (name, text) in [("display", first.display), ("definition", first.definition)] {
            if !text.is_empty() {
                members.insert(name, text);
            }
        }
        let mut properties = Vec::new();
        if first.is_abstract {
            properties.push(object([("code", "notSelectable".into()), ("valueBoolean", true.into())]));
        }
        if first.is_retired {
            properties.push(object([("code", "status".into()), ("valueCode", "retired".into())]));
        }
        if !properties.is_empty() {
            members.insert("property", array(properties));
        }
        if remaining.first().is_some_and(|next| next.level > first.level) {
            members.insert("concept", concepts(remaining, first.level + 1));
        }
        list.push(members.into());
    }
    Json::Array(list)
}
