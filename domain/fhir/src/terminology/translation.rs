//! From one code to others by a ConceptMap (R4 <https://hl7.org/fhir/R4/conceptmap-operation-translate.html>).

use super::{Concept, list, text};
use crate::json::{Json, JsonObject};

/// A code that a map leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Translation {
    /// How close it is (R4 concept-map-equivalence).
    pub equivalence: String,
    /// The code; none when the map says that there is no such code.
    pub concept: Option<Concept>,
    /// The version of its system, when the map names one.
    pub version: Option<String>,
    /// What goes along with it: an element and a Coding.
    pub products: Vec<(String, Json)>,
    /// The map that says so.
    pub map: Option<String>,
}

/// Which way a map is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From source to target.
    #[default]
    Forward,
    /// From target to source.
    Reverse,
}

/// What is to be translated, and under which conditions.
#[derive(Clone, Debug, Default)]
pub struct ToTranslate {
    /// The code's system; any when none is given.
    pub system: Option<String>,
    /// The code.
    pub code: String,
    /// Which way.
    pub direction: Direction,
    /// Only codes of this system.
    pub target_system: Option<String>,
    /// Values of other elements that a mapping may depend on: the element and a code or text.
    pub dependencies: Vec<(String, Option<String>, String)>,
}

/// What a map says of a code.
#[derive(Debug, Default)]
pub struct Translated {
    /// The codes that it leads to.
    pub translations: Vec<Translation>,
    /// Maps to ask for codes that this one doesn't have.
    pub other_maps: Vec<String>,
}

/// Translates a code.
#[must_use]
pub fn translate(map: &Json, asked: &ToTranslate) -> Translated {
    let mut found = Translated::default();
    for group in list(map, "group") {
        let (from, to) = match asked.direction {
            Direction::Forward => (text(group, "source"), text(group, "target")),
            Direction::Reverse => (text(group, "target"), text(group, "source")),
        };
        let other = |wanted: &Option<String>, own: &str| wanted.as_deref().is_some_and(|wanted| wanted != own);
        if other(&asked.system, from) || other(&asked.target_system, to) {
            continue;
        }
        let reader = Reader { map, group, asked, to };
        let before = found.translations.len();
        let is_known = reader.elements(&mut found.translations);
        let nothing = found.translations.len() == before && !is_known;
        if let Some(unmapped) = group.get("unmapped").filter(|_| nothing && asked.direction == Direction::Forward) {
            reader.unmapped(unmapped, &mut found);
        }
    }
    found
}

struct Reader<'r> {
    map: &'r Json,
    group: &'r Json,
    asked: &'r ToTranslate,
    to: &'r str,
}

impl Reader<'_> {
    /// Adds what the group's elements say; whether they have the code at all.
    fn elements(&self, found: &mut Vec<Translation>) -> bool {
        let (code, mut is_known) = (self.asked.code.as_str(), false);
        for element in list(self.group, "element") {
            is_known |= self.asked.direction == Direction::Forward && text(element, "code") == code;
            for target in list(element, "target") {
                let (own, other) = match self.asked.direction {
                    Direction::Forward => (element, target),
                    Direction::Reverse => (target, element),
                };
                if text(own, "code") != code {
                    continue;
                }
                is_known = true;
                let depends = list(target, "dependsOn").iter().all(|one| self.is_given(one));
                if depends {
                    found.push(self.translation(target, other));
                }
            }
        }
        is_known
    }

    /// A mapping holds only where what it depends on is said.
    fn is_given(&self, dependency: &Json) -> bool {
        let (element, value) = (text(dependency, "property"), text(dependency, "value"));
        let fits = |(own, system, code): &(String, Option<String>, String)| {
            let same_system = match (system.as_deref(), dependency.get_str("system")) {
                (Some(own), Some(wanted)) => own == wanted,
                _ => true,
            };
            own == element && code == value && same_system
        };
        self.asked.dependencies.iter().any(fits)
    }

    fn translation(&self, target: &Json, other: &Json) -> Translation {
        let equivalence = target.get_str("equivalence").unwrap_or("relatedto");
        let equivalence = match self.asked.direction {
            Direction::Forward => equivalence,
            Direction::Reverse => reversed(equivalence),
        };
        let concept = other.get_str("code").map(|code| Concept {
            display: other.get_str("display").map(str::to_owned),
            ..Concept::bare(self.to, code)
        });
        let products = list(target, "product").iter().map(product).collect();
        Translation { products, ..self.of(equivalence, concept) }
    }

    fn of(&self, equivalence: &str, concept: Option<Concept>) -> Translation {
        let version = match self.asked.direction {
            Direction::Forward => "targetVersion",
            Direction::Reverse => "sourceVersion",
        };
        Translation {
            equivalence: equivalence.to_owned(),
            concept,
            version: self.group.get_str(version).map(str::to_owned),
            products: Vec::new(),
            map: self.map.get_str("url").map(str::to_owned),
        }
    }

    /// What the group does with codes that it doesn't have.
    fn unmapped(&self, unmapped: &Json, found: &mut Translated) {
        match text(unmapped, "mode") {
            "provided" => {
                let concept = Concept::bare(self.to, &self.asked.code);
                found.translations.push(self.of("equal", Some(concept)));
            }
            "fixed" => {
                let display = unmapped.get_str("display").map(str::to_owned);
                let concept = Concept { display, ..Concept::bare(self.to, text(unmapped, "code")) };
                found.translations.push(self.of("inexact", Some(concept)));
            }
            _ => found.other_maps.extend(unmapped.get_str("url").map(str::to_owned)),
        }
    }
}

fn product(json: &Json) -> (String, Json) {
    let mut coding = JsonObject::new();
    if let Some(system) = json.get_str("system") {
        coding.insert("system", system);
    }
    coding.insert("code", text(json, "value"));
    if let Some(display) = json.get_str("display") {
        coding.insert("display", display);
    }
    (text(json, "property").to_owned(), coding.into())
}

/// Read from the target, what was wider is narrower.
fn reversed(equivalence: &str) -> &str {
    match equivalence {
        "wider" => "narrower",
        "narrower" => "wider",
        "subsumes" => "specializes",
        "specializes" => "subsumes",
        same => same,
    }
}
