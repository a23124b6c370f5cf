//! A CodeSystem resource, laid out for lookups (R4 <https://hl7.org/fhir/R4/codesystem.html>).

use std::collections::{HashMap, HashSet};

use super::{Concept, Hierarchy, list, text};
use crate::json::Json;

/// How two codes relate (R4 codesystem-operation-subsumes.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subsumption {
    /// They are the same.
    Equivalent,
    /// The first is the broader one.
    Subsumes,
    /// The first is the narrower one.
    SubsumedBy,
    /// Neither.
    NotSubsumed,
}

impl Subsumption {
    /// The code of the answer.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Subsumes => "subsumes",
            Self::SubsumedBy => "subsumed-by",
            Self::NotSubsumed => "not-subsumed",
        }
    }
}

/// The concepts of a code system by code, with their parents.
pub struct CodeSystem<'j> {
    /// The canonical URL.
    pub url: &'j str,
    /// The business version.
    pub version: Option<&'j str>,
    /// The name.
    pub name: &'j str,
    /// Whether every code is here: a fragment can't say that a code is wrong.
    pub is_complete: bool,
    case_sensitive: bool,
    order: Vec<&'j Json>,
    by_code: HashMap<String, usize>,
    parents: HashMap<usize, Vec<usize>>,
}

impl<'j> CodeSystem<'j> {
    /// Lays out a resource.
    #[must_use]
    pub fn of(resource: &'j Json) -> Self {
        let case_sensitive = resource.get("caseSensitive").and_then(Json::as_bool).unwrap_or(true);
        let mut system = Self {
            url: text(resource, "url"),
            version: resource.get_str("version"),
            name: text(resource, "name"),
            is_complete: text(resource, "content") == "complete",
            case_sensitive,
            order: Vec::new(),
            by_code: HashMap::new(),
            parents: HashMap::new(),
        };
        system.add(list(resource, "concept"), None);
        system.link();
        system
    }

    fn add(&mut self, concepts: &'j [Json], parent: Option<usize>) {
        for concept in concepts {
            let place = self.order.len();
            self.order.push(concept);
            let code = self.folded(text(concept, "code"));
            self.by_code.insert(code, place);
            if let Some(parent) = parent {
                self.parents.entry(place).or_default().push(parent);
            }
            self.add(list(concept, "concept"), Some(place));
        }
    }

    /// A hierarchy may stand in properties too: `parent` and `child`.
    fn link(&mut self) {
        for place in 0..self.order.len() {
            let Some(concept) = self.order.get(place).copied() else { continue };
            for property in list(concept, "property") {
                let other = ["valueCode", "valueString"].iter().find_map(|name| property.get_str(name));
                let Some(other) = other.and_then(|code| self.by_code.get(&self.folded(code)).copied()) else {
                    continue;
                };
                match text(property, "code") {
                    "parent" => self.parents.entry(place).or_default().push(other),
                    "child" => self.parents.entry(other).or_default().push(place),
                    _ => {}
                }
            }
        }
    }

    fn folded(&self, code: &str) -> String {
        if self.case_sensitive { code.to_owned() } else { code.to_lowercase() }
    }

    /// Finds a concept.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<&'j Json> {
        self.order.get(self.place(code)?).copied()
    }

    /// All concepts in their order.
    pub fn concepts(&self) -> impl Iterator<Item = &'j Json> + '_ {
        self.order.iter().copied()
    }

    /// A concept as codes are given out.
    #[must_use]
    pub fn concept(&self, concept: &Json) -> Concept {
        let mut found = Concept::of(self.url, concept);
        let parents = self.place(&found.code).and_then(|place| self.parents.get(&place));
        found.parents = parents.into_iter().flatten().filter_map(|place| self.code_at(*place)).collect();
        found
    }

    /// The codes directly below a code, in their order.
    #[must_use]
    pub fn children(&self, code: &str) -> Vec<String> {
        let Some(above) = self.place(code) else { return Vec::new() };
        let mut below: Vec<usize> =
            self.parents.iter().filter(|(_, parents)| parents.contains(&above)).map(|(place, _)| *place).collect();
        below.sort_unstable();
        below.into_iter().filter_map(|place| self.code_at(place)).collect()
    }

    /// Whether any concept has another one above it.
    #[must_use]
    pub fn has_hierarchy(&self) -> bool {
        !self.parents.is_empty()
    }

    fn place(&self, code: &str) -> Option<usize> {
        self.by_code.get(&self.folded(code)).copied()
    }

    fn code_at(&self, place: usize) -> Option<String> {
        self.order.get(place).map(|concept| text(concept, "code").to_owned())
    }

    /// A code and all codes above it.
    #[must_use]
    pub fn above(&self, code: &str) -> Vec<String> {
        let mut places: Vec<usize> = self.places_above(code).into_iter().collect();
        places.sort_unstable();
        places.into_iter().filter_map(|place| self.code_at(place)).collect()
    }

    fn places_above(&self, code: &str) -> HashSet<usize> {
        let (mut seen, mut waiting) = (HashSet::new(), Vec::from_iter(self.place(code)));
        while let Some(place) = waiting.pop() {
            if seen.insert(place) {
                waiting.extend(self.parents.get(&place).into_iter().flatten().copied());
            }
        }
        seen
    }

    /// How two codes relate; none when one of them is unknown.
    #[must_use]
    pub fn subsumption(&self, one: &str, other: &str) -> Option<Subsumption> {
        self.find(one)?;
        self.find(other)?;
        Some(match (self.is_a(one, other), self.is_a(other, one)) {
            (true, true) => Subsumption::Equivalent,
            (true, false) => Subsumption::Subsumes,
            (false, true) => Subsumption::SubsumedBy,
            (false, false) => Subsumption::NotSubsumed,
        })
    }
}

impl Hierarchy for CodeSystem<'_> {
    fn is_a(&self, broad: &str, narrow: &str) -> bool {
        self.place(broad).is_some_and(|broad| self.places_above(narrow).contains(&broad))
    }
}
