//! `Composition/$document` (R4 <https://hl7.org/fhir/R4/composition-operation-document.html>): the Composition first, then
//! what it refers to, once each.

use std::collections::HashSet;

use super::read::within;
use super::update::stored_json;
use super::{FhirError, FhirService};
use crate::access::{Caller, Interaction, Permit, decide};
use crate::json::Json;
use crate::ports::Stored;
use crate::types::ResourceKey;

/// How far references are followed: the Composition's own, and those of its entries.
const ROUNDS: usize = 2;

impl FhirService {
    /// Gathers the resources of a document, in the order of a document Bundle.
    pub async fn document(&self, caller: &Caller, key: &ResourceKey) -> Result<Vec<Stored>, FhirError> {
        let composition = self.read(caller, key).await?;
        let mut seen: HashSet<ResourceKey> = HashSet::from([key.clone()]);
        let mut wanted = references(&stored_json(&composition)?, &mut seen);
        let mut found = vec![composition];
        for _ in 0..ROUNDS {
            if wanted.is_empty() {
                break;
            }
            let read = self.readable(caller, &wanted).await?;
            wanted = Vec::new();
            for stored in &read {
                wanted.extend(references(&stored_json(stored)?, &mut seen));
            }
            found.extend(read);
        }
        Ok(found)
    }

    /// Those of the resources that are there and that the caller may read, in the order in which they are named.
    pub(super) async fn readable(&self, caller: &Caller, wanted: &[ResourceKey]) -> Result<Vec<Stored>, FhirError> {
        let mut read = self.store.read_many(caller.tenant, wanted).await?;
        read.retain(|stored| match decide(caller, Interaction::Read, stored.key.resource_type()) {
            Ok(Permit::Whole) => true,
            Ok(Permit::Compartment(patient)) => within(stored, &patient),
            Err(_) => false,
        });
        // The store answers in its own order; a document keeps that of the references.
        read.sort_by_key(|stored| wanted.iter().position(|key| *key == stored.key));
        Ok(read)
    }
}

/// The references of a resource that were not seen yet, in their order.
pub(super) fn references(value: &Json, seen: &mut HashSet<ResourceKey>) -> Vec<ResourceKey> {
    let mut found = Vec::new();
    gather(value, seen, &mut found);
    found
}

fn gather(value: &Json, seen: &mut HashSet<ResourceKey>, found: &mut Vec<ResourceKey>) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| gather(item, seen, found)),
        Json::Object(members) => {
            for (name, member) in members.iter() {
                match member.as_str().filter(|_| name == "reference").and_then(|text| text.parse::<ResourceKey>().ok())
                {
                    Some(key) => {
                        if seen.insert(key.clone()) {
                            found.push(key);
                        }
                    }
                    None => gather(member, seen, found),
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
