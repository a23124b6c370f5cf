//! Which resources belong to a patient and the like (R4 <https://hl7.org/fhir/R4/compartmentdefinition.html>).

use std::collections::BTreeMap;

/// A compartment: the search parameters by which each resource type belongs to it.
#[derive(Debug)]
pub struct Compartment {
    /// The type that it is about, such as `Patient`.
    pub name: &'static str,
    members: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Compartment {
    /// Returns the parameters that tie a resource type to the compartment; none means it is outside.
    #[must_use]
    pub fn parameters(&self, resource_type: &str) -> &[&'static str] {
        self.members.get(resource_type).map_or(&[], Vec::as_slice)
    }

    /// Visits the resource types that can belong to it.
    pub fn resource_types(&self) -> impl Iterator<Item = &'static str> {
        self.members.keys().copied()
    }

    pub(crate) fn parse_all(table: &'static str) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for line in crate::lines(table) {
            let mut fields = line.split('\t');
            let (Some(name), Some(member), Some(parameters)) = (fields.next(), fields.next(), fields.next()) else {
                continue;
            };
            if all.last().is_none_or(|last| last.name != name) {
                all.push(Self { name, members: BTreeMap::new() });
            }
            if let Some(last) = all.last_mut() {
                last.members.insert(member, parameters.split(',').collect());
            }
        }
        all
    }
}
