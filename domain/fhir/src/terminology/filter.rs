//! Filters of a value set (R4 <https://hl7.org/fhir/R4/valueset-filter-operator.html>).

use regex::{Regex, RegexBuilder};

use super::{Concept, ExpansionError, text};
use crate::json::Json;

/// Longer patterns are refused, and so are those that need more memory once they are read.
const LONGEST_PATTERN: usize = 1_000;
const LARGEST_PATTERN: usize = 1 << 20;

/// What a concept must be, or have, to be in a value set.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The property that is looked at.
    pub property: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub value: String,
}

/// How a filter compares.
#[derive(Clone, Debug)]
pub enum Operator {
    /// The property has the value.
    Equals,
    /// The code is the value, or below it.
    IsA,
    /// The code is below the value.
    DescendentOf,
    /// The code is neither the value nor below it.
    IsNotA,
    /// The whole property fits a pattern, in time that grows with its length only.
    Regex(Regex),
    /// The property is one of the values.
    In,
    /// The property is none of the values.
    NotIn,
    /// The code is the value, or above it.
    Generalizes,
    /// The property is there, or isn't.
    Exists,
}

/// What is above what.
pub trait Hierarchy {
    /// Whether the second code lies below the first one, or is it.
    fn is_a(&self, broad: &str, narrow: &str) -> bool;
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// An operator that R4 doesn't have, and a pattern that isn't one.
    pub fn of(json: &Json) -> Result<Self, ExpansionError> {
        let (property, value) = (text(json, "property"), text(json, "value"));
        let name = text(json, "op");
        let unknown = |reason: &str| ExpansionError::Filter(format!("{property} {name} {value}{reason}"));
        let operator = match name {
            "=" => Operator::Equals,
            "is-a" => Operator::IsA,
            "descendent-of" => Operator::DescendentOf,
            "is-not-a" => Operator::IsNotA,
            "regex" => Operator::Regex(pattern(value).map_err(|reason| unknown(&format!(" ({reason})")))?),
            "in" => Operator::In,
            "not-in" => Operator::NotIn,
            "generalizes" => Operator::Generalizes,
            "exists" if matches!(value, "true" | "false") => Operator::Exists,
            "exists" => return Err(unknown(" (write true or false)")),
            _ => return Err(unknown("")),
        };
        Ok(Self { property: property.to_owned(), operator, value: value.to_owned() })
    }

    /// The filters of an include or exclude.
    ///
    /// # Errors
    /// The first one that can't be read.
    pub fn all(part: &Json) -> Result<Vec<Self>, ExpansionError> {
        super::list(part, "filter").iter().map(Self::of).collect()
    }

    /// The values of `in` and `not-in`.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.value.split(',').map(str::trim)
    }

    /// Decides.
    #[must_use]
    pub fn holds(&self, concept: &Concept, hierarchy: &dyn Hierarchy) -> bool {
        let (code, value) = (concept.code.as_str(), self.value.as_str());
        let own = || concept.values(&self.property);
        match &self.operator {
            Operator::Equals => own().iter().any(|own| own == value),
            Operator::IsA => hierarchy.is_a(value, code),
            Operator::DescendentOf => code != value && hierarchy.is_a(value, code),
            Operator::IsNotA => !hierarchy.is_a(value, code),
            Operator::Regex(pattern) => own().iter().any(|own| pattern.is_match(own)),
            Operator::In => self.values().any(|one| own().iter().any(|own| own == one)),
            Operator::NotIn => !self.values().any(|one| own().iter().any(|own| own == one)),
            Operator::Generalizes => hierarchy.is_a(code, value),
            Operator::Exists => own().is_empty() == (value == "false"),
        }
    }
}

/// The whole value must fit, as everywhere in FHIR; this engine has no backtracking that a pattern could lead astray.
fn pattern(text: &str) -> Result<Regex, String> {
    if text.len() > LONGEST_PATTERN {
        return Err(format!("a pattern has at most {LONGEST_PATTERN} bytes"));
    }
    let whole = format!("^(?:{text})$");
    RegexBuilder::new(&whole).size_limit(LARGEST_PATTERN).build().map_err(|_| "the pattern can't be read".to_owned())
}
