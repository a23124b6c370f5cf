//! Searches in contained resources (R4 <https://hl7.org/fhir/R4/search.html#contained>): an index tells which resources
//! contain one of the type, each contained one decides for itself.

use super::{Clause, SearchQuery, fits};
use crate::json::Json;
use crate::types::ResourceType;

/// Which resources are searched (`_contained`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Searched {
    /// Those that stand by themselves.
    #[default]
    Outside,
    /// Those that others contain.
    Contained,
    /// All.
    Both,
}

/// What is answered for a contained resource (`_containedType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Returned {
    /// The resource that contains it.
    #[default]
    Container,
    /// The contained resource alone.
    Contained,
}

/// The search in contained resources.
#[derive(Clone, Debug, Default)]
pub struct ContainedSearch {
    /// Which resources are searched.
    pub searched: Searched,
    /// What is answered.
    pub returned: Returned,
    /// The types whose resources are looked into: set by the access rules, never by the caller.
    pub containers: Vec<ResourceType>,
}

impl SearchQuery {
    /// Whether contained resources are searched, and no others.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.contained.searched == Searched::Contained
    }

    /// Whether a resource that no index knows fits all conditions; one that leads elsewhere it does not fit.
    pub(crate) fn is_fit(&self, resource: &Json) -> bool {
        self.clauses.iter().all(|clause| !leads_elsewhere(clause) && fits::clause(clause, resource))
    }

    /// The contained resources of a container that fit.
    pub fn fitting<'r>(&'r self, container: &'r Json) -> impl Iterator<Item = &'r Json> {
        let contained = container.get("contained").map_or(&[][..], Json::items).iter();
        contained.filter(|one| {
            let name = one.get_str("resourceType").unwrap_or_default();
            self.resource_types.iter().any(|own| own.as_str() == name)
                && self.clauses.iter().all(|clause| fits::clause(clause, one))
        })
    }
}

/// Whether a condition is about other resources, which a contained one can't be asked.
pub(super) fn leads_elsewhere(clause: &Clause) -> bool {
    match clause {
        Clause::Chain(_) | Clause::Has(_) | Clause::List(_) => true,
        Clause::Any(clauses) | Clause::All(clauses) => clauses.iter().any(leads_elsewhere),
        Clause::Not(clause) => leads_elsewhere(clause),
        Clause::Types(_) | Clause::Id(_) | Clause::LastUpdated(_) | Clause::Parameter { .. } | Clause::Recheck(_) => {
            false
        }
    }
}
