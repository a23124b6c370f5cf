//! The parts of resources, and what they are parts of: one search for each level
//! (R4 <https://hl7.org/fhir/R4/search.html#recursive>).

use super::{FhirError, FhirService};
use crate::access::{Caller, Interaction, Permit};
use crate::outcome::{Issue, IssueCode};
use crate::search::{Clause, LARGEST_COUNT, Link, PartsOf, PartsTest, ReferenceTest, Test, empty_query, part_of};
use crate::types::ResourceKey;

impl FhirService {
    /// The named resources, and all below or above them.
    pub(super) async fn parts(&self, caller: &Caller, parts: &PartsTest) -> Result<Vec<ResourceKey>, FhirError> {
        let mut all = parts.keys.clone();
        all.sort();
        let mut level = all.clone();
        while !level.is_empty() {
            let mut next = Vec::new();
            for keys in level.chunk_by(|one, other| one.resource_type() == other.resource_type()) {
                next.extend(self.next_to(caller, keys, parts).await?);
            }
            // What is a part of itself, however far, is not followed twice.
            next.retain(|key| !all.contains(key));
            next.sort();
            next.dedup();
            all.extend(next.iter().cloned());
            if all.len() > LARGEST_COUNT as usize {
                return Err(too_many(parts));
            }
            level = next;
        }
        Ok(all)
    }

    /// The resources one level below or above resources of one type.
    async fn next_to(
        &self,
        caller: &Caller,
        keys: &[ResourceKey],
        parts: &PartsTest,
    ) -> Result<Vec<ResourceKey>, FhirError> {
        let kind = keys.first().map(ResourceKey::resource_type);
        let Some((kind, parameter)) = kind.and_then(|kind| Some((kind, part_of(kind)?))) else {
            return Ok(Vec::new());
        };
        let mut query = empty_query(vec![kind]);
        query.count = LARGEST_COUNT;
        if let Permit::Compartment(patient) = self.authorise(caller, Interaction::Search, kind).await? {
            query.compartment = Some(patient);
        }
        query.clauses.push(match parts.direction {
            PartsOf::Below => {
                let test = Test::Reference(vec![ReferenceTest::Local(keys.to_vec())]);
                Clause::Parameter { parameter, test }
            }
            PartsOf::Above => {
                let clause = Clause::Id(keys.iter().map(|key| key.id().clone()).collect());
                Clause::Has(Box::new(Link { reference: parameter, other: kind, clause }))
            }
        });
        let page = self.store.search(caller.tenant, &query).await?;
        if page.next.is_some() {
            return Err(too_many(parts));
        }
        Ok(page.matches.into_iter().map(|stored| stored.key).collect())
    }
}

/// A half of a hierarchy would be another answer.
fn too_many(parts: &PartsTest) -> FhirError {
    let text = format!("{} is followed to {LARGEST_COUNT} resources at most: name a smaller part", parts.name);
    FhirError::Invalid(vec![Issue::error(IssueCode::TooCostly, text).at(format!("http.{}", parts.name))])
}
