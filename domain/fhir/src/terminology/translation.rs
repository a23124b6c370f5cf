//! From one code to others by a ConceptMap (R4 <https://hl7.org/fhir/R4/conceptmap-operation-translate.html>).

use super::{Concept, list, text};
use crate::json::Json;

/// A code that a map leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// How close it is (R4 concept-map-equivalence).
    pub equivalence: String,
    /// The code.
    pub concept: Concept,
}

/// Translates a code; `reverse` goes from targets to sources.
#[must_use]
pub fn translate(map: &Json, (system, code): (Option<&str>, &str), reverse: Direction) -> Vec<Translation> {
    let mut found = Vec::new();
    for group in list(map, "group") {
        let (from, to) = match reverse {
            Direction::Forward => (text(group, "source"), text(group, "target")),
            Direction::Reverse => (text(group, "target"), text(group, "source")),
        };
        if system.is_some_and(|wanted| wanted != from) {
            continue;
        }
        for element in list(group, "element") {
            for target in list(element, "target") {
                let (own, other) = match reverse {
                    Direction::Forward => (element, target),
                    Direction::Reverse => (target, element),
                };
                if text(own, "code") == code && !text(other, "code").is_empty() {
                    found.push(Translation {
                        equivalence: target.get_str("equivalence").unwrap_or("relatedto").to_owned(),
                        concept: Concept {
                            system: to.to_owned(),
                            code: text(other, "code").to_owned(),
                            display: other.get_str("display").map(str::to_owned),
                            not_selectable: false,
                            inactive: false,
                        },
                    });
                }
            }
        }
    }
    found
}

/// Which way a map is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From source to target.
    Forward,
    /// From target to source.
    Reverse,
}
