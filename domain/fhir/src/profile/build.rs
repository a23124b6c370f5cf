//! From StructureDefinitions to elements (R4 <https://hl7.org/fhir/R4/structuredefinition.html>): a snapshot stands for
//! all that a profile says; a differential is laid over what its base says.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::Profile;
use super::codes::Strength;
use super::element::{Discriminator, Element, Kind, Openness, Rule, Slicing, TypeRule};
use crate::json::{Json, JsonObject};
use crate::outcome::Severity;
use crate::path::CompiledPath;

/// More elements than any published profile has.
const MOST_ELEMENTS: usize = 20_000;

/// Why a StructureDefinition can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// A member is missing.
    #[error("it has no {0}")]
    Incomplete(&'static str),
    /// It is too large.
    #[error("it has more than {MOST_ELEMENTS} elements")]
    TooLarge,
}

/// The URL of the definition that must be known too: the base of one without snapshot, unless it is a type of R4.
#[must_use]
pub fn base_of(definition: &Json) -> Option<&str> {
    let base = definition.get_str("baseDefinition")?;
    (definition.get("snapshot").is_none() && super::base_type(base).is_none()).then_some(base)
}

impl Profile {
    /// Builds a profile from its definition, preceded by its bases; the first has a snapshot or constrains a type itself.
    ///
    /// # Errors
    /// A definition lacks what it is made of, or is too large.
    pub fn build(definitions: &[Json]) -> Result<Self, ProfileError> {
        let own = definitions.last().ok_or(ProfileError::Incomplete("definition"))?;
        let kind = own.get_str("type").ok_or(ProfileError::Incomplete("type"))?;
        let mut merged: Vec<(String, JsonObject)> = Vec::new();
        for definition in definitions {
            overlay(&mut merged, definition)?;
        }
        let mut root = Element::named(kind);
        for (id, members) in merged {
            let mut place = &mut root;
            for segment in id.split('.').skip(1) {
                let (name, slice) =
                    segment.split_once(':').map_or((segment, None), |(name, slice)| (name, Some(slice)));
                place = place.child_mut(name);
                // A reslice `a/b` is a slice of the slice `a`.
                for (end, _) in slice.into_iter().flat_map(|slice| slice.match_indices('/').chain([(slice.len(), "")]))
                {
                    place = place.slice_mut(slice.and_then(|slice| slice.get(..end)).unwrap_or_default());
                }
            }
            fill(place, &Json::Object(members));
        }
        // How often the root may occur is for whoever uses the profile to say.
        (root.min, root.max) = (0, None);
        let url = own.get_str("url").ok_or(ProfileError::Incomplete("url"))?.to_owned();
        Ok(Self { url, kind: kind.to_owned(), contexts: contexts(own), root })
    }
}

/// Where an extension may stand, if that is said by elements alone.
fn contexts(definition: &Json) -> Vec<String> {
    let contexts = definition.get("context").map_or(&[][..], Json::items);
    let by_element = contexts.iter().all(|context| context.get_str("type") == Some("element"));
    let expressions = contexts.iter().filter_map(|context| context.get_str("expression"));
    if by_element { expressions.map(str::to_owned).collect() } else { Vec::new() }
}

/// Lays the elements of a definition over those of its bases; constraints add up, everything else is replaced.
fn overlay(merged: &mut Vec<(String, JsonObject)>, definition: &Json) -> Result<(), ProfileError> {
    let view = definition.get("snapshot").or_else(|| definition.get("differential"));
    let elements =
        view.and_then(|view| view.get("element")).ok_or(ProfileError::Incomplete("snapshot or differential"))?;
    for element in elements.items() {
        let id = element_id(element).ok_or(ProfileError::Incomplete("id and path of an element"))?;
        let Some(members) = element.as_object() else { continue };
        let Some((_, known)) = merged.iter_mut().find(|(own, _)| *own == id) else {
            merged.push((id, members.clone()));
            continue;
        };
        for (name, value) in members.iter() {
            match known.get_mut(name) {
                Some(Json::Array(present)) if name == "constraint" => present.extend(value.items().iter().cloned()),
                _ => {
                    known.insert(name, value.clone());
                }
            }
        }
        if merged.len() > MOST_ELEMENTS {
            return Err(ProfileError::TooLarge);
        }
    }
    Ok(())
}

/// The id, which names slices on the way; without one the path and the slice's own name.
fn element_id(element: &Json) -> Option<String> {
    let path = element.get_str("path");
    match (element.get_str("id"), path, element.get_str("sliceName")) {
        (Some(id), _, _) => Some(id.to_owned()),
        (None, Some(path), Some(slice)) => Some(format!("{path}:{slice}")),
        (None, path, None) => path.map(str::to_owned),
        (None, None, _) => None,
    }
}

fn fill(element: &mut Element, json: &Json) {
    let number = |name: &str| json.get(name).and_then(Json::as_i64).and_then(|number| u64::try_from(number).ok());
    element.min = number("min").unwrap_or_default();
    element.max = json.get_str("max").and_then(|max| max.parse().ok());
    element.max_length = number("maxLength").and_then(|length| usize::try_from(length).ok());
    let starting = |stem: &str| {
        let typed = |name: &str| {
            name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
        };
        json.as_object()?.iter().find(|(name, _)| typed(name)).map(|(_, value)| value.clone())
    };
    element.fixed = starting("fixed");
    element.pattern = starting("pattern");
    element.lowest = starting("minValue");
    element.highest = starting("maxValue");
    element.types = json.get("type").map_or(&[][..], Json::items).iter().map(type_rule).collect();
    element.binding = json.get("binding").and_then(|binding| {
        Some((Strength::of(binding.get_str("strength")?)?, binding.get_str("valueSet")?.to_owned()))
    });
    let own = |rule: &&Json| rule.get_str("key").is_none_or(|key| !is_of_type(key));
    element.rules = json.get("constraint").map_or(&[][..], Json::items).iter().filter(own).filter_map(rule).collect();
    element.slicing = json.get("slicing").map(slicing);
}

/// The constraints of R4's own types are checked for every resource already.
fn is_of_type(key: &str) -> bool {
    static KEYS: OnceLock<HashSet<&'static str>> = OnceLock::new();
    KEYS.get_or_init(|| seva_fhir_profiles::invariants().iter().map(|one| one.key).collect()).contains(key)
}

fn type_rule(json: &Json) -> TypeRule {
    let texts = |name: &str| {
        json.get(name).map_or(&[][..], Json::items).iter().filter_map(Json::as_str).map(str::to_owned).collect()
    };
    // Ids are of a type of FHIRPath, not of FHIR.
    let code = json.get_str("code").unwrap_or_default();
    let code = if code.starts_with("http://hl7.org/fhirpath/") { "" } else { code };
    TypeRule { code: code.to_owned(), profiles: texts("profile"), targets: texts("targetProfile") }
}

fn rule(json: &Json) -> Option<Rule> {
    let expression = json.get_str("expression")?;
    let severity = if json.get_str("severity") == Some("warning") { Severity::Warning } else { Severity::Error };
    Some(Rule {
        key: json.get_str("key")?.to_owned(),
        human: json.get_str("human").unwrap_or_default().to_owned(),
        severity,
        compiled: CompiledPath::parse(expression).map_err(|error| error.to_string()),
    })
}

fn slicing(json: &Json) -> Slicing {
    let discriminator = |one: &Json| {
        let kind = match one.get_str("type")? {
            "exists" => Kind::Exists,
            "type" => Kind::Type,
            "profile" => Kind::Profile,
            _ => Kind::Value,
        };
        let path = one.get_str("path")?.to_owned();
        let compiled = CompiledPath::parse(&path).map_err(|error| error.to_string());
        Some(Discriminator { kind, path, compiled })
    };
    let openness = match json.get_str("rules") {
        Some("closed") => Openness::Closed,
        Some("openAtEnd") => Openness::OpenAtEnd,
        _ => Openness::Open,
    };
    let discriminators = json.get("discriminator").map_or(&[][..], Json::items).iter().filter_map(discriminator);
    let is_ordered = json.get("ordered").and_then(Json::as_bool).unwrap_or_default();
    Slicing { discriminators: discriminators.collect(), is_ordered, openness }
}
