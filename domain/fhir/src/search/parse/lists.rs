//! `_list` (R4 <https://hl7.org/fhir/R4/search.html#list>).

use super::{Parser, Problem};
use crate::search::query_string::split_escaped;
use crate::search::{Clause, FunctionalList, ListName};
use crate::types::ResourceType;

impl Parser<'_> {
    /// `_list=42`, `_list=$current-problems`; one of several with commas.
    pub(super) fn listed(&self, types: &[ResourceType], value: &str) -> Result<Clause, Problem> {
        let mut clauses = Vec::new();
        for name in split_escaped(value, ',') {
            clauses.push(match name.parse().map_err(|error| Problem::Unknown(format!("{error}")))? {
                ListName::Stored(id) => Clause::List(id),
                ListName::Functional(list) => self.current(types, list)?,
            });
        }
        Ok(if clauses.len() == 1 { clauses.remove(0) } else { Clause::Any(clauses) })
    }

    /// Those of the types that a functional list holds, where its conditions hold.
    fn current(&self, types: &[ResourceType], list: &FunctionalList) -> Result<Clause, Problem> {
        let mut alternatives = Vec::new();
        for own in types {
            let Some(conditions) = list.conditions(*own) else { continue };
            let mut all = vec![Clause::Types(vec![*own])];
            for (name, value) in conditions {
                all.push(self.parameter(&[*own], name, value)?);
            }
            alternatives.push(Clause::All(all));
        }
        // It holds nothing of other types, as a List without entries doesn't.
        Ok(if alternatives.is_empty() { Clause::Id(Vec::new()) } else { Clause::Any(alternatives) })
    }
}
