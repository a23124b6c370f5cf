//! Code systems, value sets and concept maps (R4 <https://hl7.org/fhir/R4/terminology-service.html>), over the resources
//! that are stored and the code lists of the specification.

mod code_system;
mod expansion;
mod translation;

#[cfg(test)]
mod tests;

use seva_fhir_profiles::definitions;

use crate::json::Json;

pub use code_system::{CodeSystem, Subsumption};
pub use expansion::{Expansion, ExpansionError, Sources, expand, needs};
pub use translation::{Direction, Translation, translate};

/// A code in its system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concept {
    /// The code system.
    pub system: String,
    /// The code.
    pub code: String,
    /// What people read.
    pub display: Option<String>,
    /// Whether it only groups others, and is not to be chosen.
    pub not_selectable: bool,
    /// Whether it is no longer in use.
    pub inactive: bool,
}

impl Concept {
    /// Whether a filter text stands in code or display, ignoring case.
    fn matches(&self, folded: &str) -> bool {
        let holds = |text: &str| crate::index::fold(text).contains(folded);
        folded.is_empty() || holds(&self.code) || self.display.as_deref().is_some_and(holds)
    }
}

/// The codes of a value set of the specification, when the pack lists it.
#[must_use]
pub fn listed(url: &str) -> Option<Vec<Concept>> {
    let list = definitions().code_list(url.split('|').next().unwrap_or(url))?;
    let concept = |(system, code): (&str, &str)| Concept {
        system: system.to_owned(),
        code: code.to_owned(),
        display: None,
        not_selectable: false,
        inactive: false,
    };
    Some(list.codes().map(concept).collect())
}

/// The text of a member.
fn text<'j>(value: &'j Json, name: &str) -> &'j str {
    value.get_str(name).unwrap_or_default()
}

/// The items of a member.
fn list<'j>(value: &'j Json, name: &str) -> &'j [Json] {
    value.get(name).map_or(&[], Json::items)
}
