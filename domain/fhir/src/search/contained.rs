//! Searches in contained resources (R4 <https://hl7.org/fhir/R4/search.html#contained>): an index tells which resources
//! contain one of the type, each contained one decides for itself.

use super::{Clause, Link, SearchQuery, fits};
use crate::index;
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
    /// What must hold of a container itself; an index answers it.
    pub beside: Vec<Clause>,
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

impl Link {
    /// Writes its type into every reference to a contained resource: what a parameter asks of a reference's type is answered
    /// by the reference alone.
    pub(crate) fn name_contained(container: &mut Json) {
        let contained = container.get("contained").map_or(&[][..], Json::items).iter();
        let named = |one: &Json| Some((one.get_str("id")?.to_owned(), one.get_str("resourceType")?.to_owned()));
        let types: Vec<(String, String)> = contained.filter_map(named).collect();
        name_types(container, &types);
    }

    /// Whether a container's reference leads to a resource within it that fits; its contained resources are
    /// [named](Self::name_contained).
    pub(crate) fn leads_inside(&self, container: &Json) -> bool {
        let contained = container.get("contained").map_or(&[][..], Json::items).iter();
        let fitting = contained
            .filter(|one| one.get_str("resourceType") == Some(self.other.as_str()) && fits::clause(&self.clause, one));
        let ids: Vec<&str> = fitting.filter_map(|one| one.get_str("id")).collect();
        let mut found = false;
        index::visit(self.reference, container, &mut |value| {
            let text = value.get_str("reference").or_else(|| value.as_str());
            found |= text.and_then(|text| text.strip_prefix('#')).is_some_and(|id| ids.contains(&id));
        });
        found
    }
}

fn name_types(value: &mut Json, types: &[(String, String)]) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| name_types(item, types)),
        Json::Object(members) => {
            let id = members.get("reference").and_then(Json::as_str).and_then(|text| text.strip_prefix('#'));
            let named = types.iter().find(|(own, _)| Some(own.as_str()) == id);
            if let Some((_, name)) = named {
                members.insert("type", name.as_str());
            }
            members.iter_mut().for_each(|(_, member)| name_types(member, types));
        }
        _ => {}
    }
}

/// Whether a condition is about other resources, which a contained one can't be asked.
pub(crate) fn leads_elsewhere(clause: &Clause) -> bool {
    match clause {
        Clause::Chain(_) | Clause::Has(_) | Clause::List(_) => true,
        Clause::Any(clauses) | Clause::All(clauses) => clauses.iter().any(leads_elsewhere),
        Clause::Not(clause) => leads_elsewhere(clause),
        Clause::Types(_) | Clause::Id(_) | Clause::LastUpdated(_) | Clause::Parameter { .. } | Clause::Recheck(_) => {
            false
        }
    }
}
