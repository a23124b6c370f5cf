//! The codes of a value set (R4 <https://hl7.org/fhir/R4/valueset.html#expansion>).

use std::collections::HashSet;

use super::{CodeSystem, Concept, list, listed, text};
use crate::json::Json;

/// Larger expansions are refused: whoever wants them filters, or asks whether a code is in.
pub const LARGEST: usize = 50_000;
/// Value sets that import each other end somewhere.
const DEEPEST: usize = 10;

/// What an expansion is made of: the resources that were found by their URLs.
#[derive(Default)]
pub struct Sources {
    /// CodeSystem resources.
    pub code_systems: Vec<Json>,
    /// ValueSet resources.
    pub value_sets: Vec<Json>,
}

/// The codes of a value set.
#[derive(Debug)]
pub struct Expansion {
    /// In the order of the definition, once each.
    pub concepts: Vec<Concept>,
    /// Code systems of which not every code is known here.
    pub incomplete: Vec<String>,
}

/// Why a value set is not expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpansionError {
    /// A code system that is named is not on this server.
    #[error("the code system {0} is not on this server")]
    UnknownSystem(String),
    /// A value set that is named is not on this server.
    #[error("the value set {0} is not on this server")]
    UnknownValueSet(String),
    /// A filter can't be evaluated.
    #[error("the filter {0} is not offered")]
    Filter(String),
    /// Too many codes.
    #[error("the value set has more than {LARGEST} codes")]
    TooLarge,
    /// Value sets import each other without end.
    #[error("value sets import each other more than {DEEPEST} times")]
    TooDeep,
}

impl Sources {
    fn code_system(&self, url: &str) -> Option<CodeSystem<'_>> {
        let (url, version) = url.split_once('|').map_or((url, None), |(url, version)| (url, Some(version)));
        let fits = |one: &&Json| text(one, "url") == url && version.is_none_or(|wanted| text(one, "version") == wanted);
        self.code_systems.iter().find(fits).map(CodeSystem::of)
    }

    fn value_set(&self, url: &str) -> Option<&Json> {
        let (url, version) = url.split_once('|').map_or((url, None), |(url, version)| (url, Some(version)));
        self.value_sets
            .iter()
            .find(|one| text(one, "url") == url && version.is_none_or(|wanted| text(one, "version") == wanted))
    }
}

/// The URLs of code systems and value sets that a value set is built from.
#[must_use]
pub fn needs(value_set: &Json) -> (Vec<String>, Vec<String>) {
    let (mut systems, mut sets) = (Vec::new(), Vec::new());
    let compose = value_set.get("compose");
    for part in ["include", "exclude"].iter().flat_map(|name| compose.map_or(&[][..], |compose| list(compose, name))) {
        systems.extend(part.get_str("system").map(str::to_owned));
        sets.extend(list(part, "valueSet").iter().filter_map(Json::as_str).map(str::to_owned));
    }
    (systems, sets)
}

/// Expands a value set.
pub fn expand(value_set: &Json, sources: &Sources) -> Result<Expansion, ExpansionError> {
    let mut expansion = Expansion { concepts: Vec::new(), incomplete: Vec::new() };
    collect(value_set, sources, &mut expansion, 0)?;
    Ok(expansion)
}

fn collect(value_set: &Json, sources: &Sources, expansion: &mut Expansion, depth: usize) -> Result<(), ExpansionError> {
    if depth > DEEPEST {
        return Err(ExpansionError::TooDeep);
    }
    let Some(compose) = value_set.get("compose") else {
        // An expansion that came with the resource is all that is known of it.
        contained(value_set.get("expansion").map_or(&[][..], |given| list(given, "contains")), &mut expansion.concepts);
        return Ok(());
    };
    let mut excluded = HashSet::new();
    for part in list(compose, "exclude") {
        excluded.extend(part_of(part, sources, expansion, depth)?.into_iter().map(|one| (one.system, one.code)));
    }
    let mut seen: HashSet<(String, String)> =
        expansion.concepts.iter().map(|one| (one.system.clone(), one.code.clone())).collect();
    for part in list(compose, "include") {
        for concept in part_of(part, sources, expansion, depth)? {
            let key = (concept.system.clone(), concept.code.clone());
            if !excluded.contains(&key) && seen.insert(key) {
                expansion.concepts.push(concept);
            }
            if expansion.concepts.len() > LARGEST {
                return Err(ExpansionError::TooLarge);
            }
        }
    }
    Ok(())
}

/// One include or exclude: its system narrowed by its value sets, which must all hold.
fn part_of(
    part: &Json,
    sources: &Sources,
    expansion: &mut Expansion,
    depth: usize,
) -> Result<Vec<Concept>, ExpansionError> {
    let mut concepts = match part.get_str("system") {
        Some(system) => Some(of_system(part, system, sources, expansion)?),
        None => None,
    };
    for url in list(part, "valueSet").iter().filter_map(Json::as_str) {
        let mut imported = Expansion { concepts: Vec::new(), incomplete: Vec::new() };
        match (sources.value_set(url), listed(url)) {
            (Some(value_set), _) => collect(value_set, sources, &mut imported, depth + 1)?,
            (None, Some(known)) => imported.concepts = known,
            (None, None) => return Err(ExpansionError::UnknownValueSet(url.to_owned())),
        }
        expansion.incomplete.extend(imported.incomplete);
        concepts = Some(match concepts {
            Some(mut own) => {
                let also: HashSet<(String, String)> =
                    imported.concepts.into_iter().map(|one| (one.system, one.code)).collect();
                own.retain(|one| also.contains(&(one.system.clone(), one.code.clone())));
                own
            }
            None => imported.concepts,
        });
    }
    Ok(concepts.unwrap_or_default())
}

fn of_system(
    part: &Json,
    url: &str,
    sources: &Sources,
    expansion: &mut Expansion,
) -> Result<Vec<Concept>, ExpansionError> {
    let versioned = part.get_str("version").map(|version| format!("{url}|{version}"));
    let system = sources.code_system(versioned.as_deref().unwrap_or(url)).or_else(|| sources.code_system(url));
    let named = list(part, "concept");
    if !named.is_empty() {
        let given = named.iter().map(|one| {
            let known = system.as_ref().and_then(|system| Some(system.concept(system.find(text(one, "code"))?)));
            let display = one.get_str("display").map(str::to_owned);
            Concept {
                system: url.to_owned(),
                code: text(one, "code").to_owned(),
                display: display.or_else(|| known.as_ref().and_then(|known| known.display.clone())),
                not_selectable: known.as_ref().is_some_and(|known| known.not_selectable),
                inactive: known.is_some_and(|known| known.inactive),
            }
        });
        return Ok(given.collect());
    }
    let Some(system) = system else {
        let of_pack = list(part, "filter").is_empty().then(|| of_pack(url)).flatten();
        // A required binding may name a part of its system only.
        expansion.incomplete.extend(of_pack.is_some().then(|| url.to_owned()));
        return of_pack.ok_or_else(|| ExpansionError::UnknownSystem(url.to_owned()));
    };
    if !system.is_complete {
        expansion.incomplete.push(url.to_owned());
    }
    let mut kept = Vec::new();
    for concept in system.concepts() {
        let mut fits = true;
        for filter in list(part, "filter") {
            fits = fits && passes(&system, concept, filter)?;
        }
        if fits {
            kept.push(system.concept(concept));
        }
        if kept.len() > LARGEST {
            return Err(ExpansionError::TooLarge);
        }
    }
    Ok(kept)
}

/// The codes of a system that the code lists of the specification name.
fn of_pack(system: &str) -> Option<Vec<Concept>> {
    let found = seva_fhir_profiles::definitions().codes_of(system)?;
    let concept = |code: &str| Concept {
        system: system.to_owned(),
        code: code.to_owned(),
        display: None,
        not_selectable: false,
        inactive: false,
    };
    Some(found.iter().map(|code| concept(code)).collect())
}

/// R4 valueset-filter-operator.
fn passes(system: &CodeSystem<'_>, concept: &Json, filter: &Json) -> Result<bool, ExpansionError> {
    let (property, operator, value) = (text(filter, "property"), text(filter, "op"), text(filter, "value"));
    let code = text(concept, "code");
    let values = || -> Vec<String> {
        match property {
            "code" | "concept" => vec![code.to_owned()],
            "display" => concept.get_str("display").map(str::to_owned).into_iter().collect(),
            _ => list(concept, "property")
                .iter()
                .filter(|one| text(one, "code") == property)
                .filter_map(of_any)
                .collect(),
        }
    };
    Ok(match operator {
        "=" => values().iter().any(|own| own == value),
        "is-a" => system.is_a(value, code),
        "descendent-of" => code != value && system.is_a(value, code),
        "is-not-a" => !system.is_a(value, code),
        "generalizes" => system.is_a(code, value),
        "in" => value.split(',').any(|one| values().iter().any(|own| own == one.trim())),
        "not-in" => !value.split(',').any(|one| values().iter().any(|own| own == one.trim())),
        "exists" => values().is_empty() == (value == "false"),
        other => return Err(ExpansionError::Filter(format!("{property} {other} {value}"))),
    })
}

fn of_any(property: &Json) -> Option<String> {
    let members = property.as_object()?;
    let (_, value) = members.iter().find(|(name, _)| name.starts_with("value"))?;
    match value {
        Json::String(text) => Some(text.to_string()),
        Json::Number(digits) => Some(digits.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        coding => coding.get_str("code").map(str::to_owned),
    }
}

fn contained(contains: &[Json], concepts: &mut Vec<Concept>) {
    for one in contains {
        if let Some(code) = one.get_str("code") {
            concepts.push(Concept {
                system: text(one, "system").to_owned(),
                code: code.to_owned(),
                display: one.get_str("display").map(str::to_owned),
                not_selectable: one.get("abstract").and_then(Json::as_bool).unwrap_or_default(),
                inactive: one.get("inactive").and_then(Json::as_bool).unwrap_or_default(),
            });
        }
        contained(list(one, "contains"), concepts);
    }
}

impl Expansion {
    /// Finds a code, in any system when none is given.
    #[must_use]
    pub fn find(&self, system: Option<&str>, code: &str) -> Option<&Concept> {
        self.concepts.iter().find(|one| one.code == code && system.is_none_or(|wanted| one.system == wanted))
    }

    /// Keeps what a text filter finds.
    pub fn filter(&mut self, filter: &str) {
        let folded = crate::index::fold(filter);
        self.concepts.retain(|one| one.matches(&folded));
    }
}
