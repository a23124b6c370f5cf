//! The names of lists: of a List, and of the current resources of a kind, which no List has to name
//! (R4 <https://hl7.org/fhir/R4/search.html#list>, <https://hl7.org/fhir/R4/lifecycle.html#current>).

use std::str::FromStr;

use crate::types::{ResourceId, ResourceType};

/// Parameters and values that all hold.
pub(super) type Conditions = &'static [(&'static str, &'static str)];

const PROBLEM: Conditions =
    &[("clinical-status", "active,recurrence,relapse"), ("verification-status:not", "refuted,entered-in-error")];
const ALLERGY: Conditions = &[("clinical-status", "active"), ("verification-status:not", "refuted,entered-in-error")];
const DRUG_ALLERGY: Conditions = &[
    ("clinical-status", "active"),
    ("verification-status:not", "refuted,entered-in-error"),
    ("category", "medication"),
];
const STATED: Conditions = &[("status", "active")];
/// What is proposed or planned only is not taken.
const ORDERED: Conditions = &[("status", "active"), ("intent:not", "proposal,plan,option")];

static FUNCTIONAL: [FunctionalList; 4] = [
    FunctionalList { name: "$current-problems", kinds: &[("Condition", PROBLEM)] },
    FunctionalList {
        name: "$current-medications",
        kinds: &[("MedicationRequest", ORDERED), ("MedicationStatement", STATED)],
    },
    FunctionalList { name: "$current-allergies", kinds: &[("AllergyIntolerance", ALLERGY)] },
    FunctionalList { name: "$current-drug-allergies", kinds: &[("AllergyIntolerance", DRUG_ALLERGY)] },
];

/// A list that is a search.
#[derive(Debug, PartialEq, Eq)]
pub struct FunctionalList {
    name: &'static str,
    /// The types that it holds, and what holds of those resources that are current.
    kinds: &'static [(&'static str, Conditions)],
}

impl FunctionalList {
    /// Its name, with the dollar sign.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The types that it holds.
    pub fn resource_types(&self) -> impl Iterator<Item = ResourceType> {
        self.kinds.iter().filter_map(|(name, _)| name.parse().ok())
    }

    /// What holds of its resources of a type; none where it holds no such.
    pub(super) fn conditions(&self, resource_type: ResourceType) -> Option<Conditions> {
        self.kinds.iter().find(|(name, _)| *name == resource_type.as_str()).map(|(_, conditions)| *conditions)
    }
}

/// What `_list` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListName {
    /// The List of this id.
    Stored(ResourceId),
    /// A functional list.
    Functional(&'static FunctionalList),
}

/// A text that names no list.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is neither the id of a List nor one of $current-problems, $current-medications, $current-allergies, $current-drug-allergies"
)]
pub struct UnknownList(String);

impl FromStr for ListName {
    type Err = UnknownList;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(own) = FUNCTIONAL.iter().find(|own| own.name == text) {
            return Ok(Self::Functional(own));
        }
        let id = text.strip_prefix("List/").unwrap_or(text);
        id.parse().map(Self::Stored).map_err(|_| UnknownList(text.to_owned()))
    }
}
