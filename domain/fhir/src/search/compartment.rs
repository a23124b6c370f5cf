//! Searches in a compartment (R4 <https://hl7.org/fhir/R4/compartmentdefinition.html>): the parameters that its definition
//! names for each type, one of which must refer to the compartment's own resource.

use seva_fhir_profiles::definitions;

use super::{Clause, ReferenceTest, SearchQuery, Test};
use crate::types::{ResourceKey, ResourceType};

/// The types that can lie in a compartment of this kind.
#[must_use]
pub fn compartment_types(kind: ResourceType) -> Vec<ResourceType> {
    let Some(compartment) = definitions().compartment(kind.as_str()) else { return Vec::new() };
    let member = |name: &str| !compartment.parameters(name).is_empty();
    compartment.resource_types().filter(|name| member(name)).filter_map(|name| name.parse().ok()).collect()
}

impl SearchQuery {
    /// Narrows a search to one compartment.
    pub fn within(&mut self, compartment: &ResourceKey) {
        let kind = compartment.resource_type();
        let mut alternatives = Vec::new();
        for own in &self.resource_types {
            let codes = definitions().compartment(kind.as_str()).map_or(&[][..], |each| each.parameters(own.as_str()));
            for parameter in codes.iter().filter_map(|code| definitions().search_parameter(own.as_str(), code)) {
                let test = Test::Reference(vec![ReferenceTest::Local(vec![compartment.clone()])]);
                alternatives.push(Clause::Parameter { parameter, test });
            }
            if *own == kind {
                alternatives.push(Clause::Id(vec![compartment.id().clone()]));
            }
        }
        let clause = match alternatives.len() {
            1 => alternatives.remove(0),
            _ => Clause::Any(alternatives),
        };
        self.clauses.push(clause);
    }
}
