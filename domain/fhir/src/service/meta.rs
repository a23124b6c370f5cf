//! `$meta`, `$meta-add`, `$meta-delete` (R4 <https://hl7.org/fhir/R4/resource-operation-meta.html>): profiles, tags and
//! labels. A change is a new version, so that nobody loses sight of who labelled what.

use std::collections::BTreeMap;

use super::incoming::check_structure;
use super::update::stored_json;
use super::{Change, Existing, FhirError, FhirService, Updated};
use crate::access::{AuditAction, AuditRecord, Caller};
use crate::json::{Json, JsonObject};
use crate::outcome::{Issue, IssueCode};
use crate::ports::Stored;
use crate::preconditions::IfMatch;
use crate::search::empty_query;
use crate::types::{ResourceKey, ResourceType, VersionId};

/// The lists of `meta` that these operations change.
const LISTS: [&str; 3] = ["profile", "security", "tag"];
/// So many values of the index are followed for each list; a tag has two, with its system and without.
const MOST: u32 = 10_000;

/// What happens to the given profiles, tags and labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaChange {
    /// They are added.
    Add,
    /// They are removed.
    Delete,
}

impl FhirService {
    /// Returns the `meta` of a resource, or of one of its versions.
    pub async fn meta(
        &self,
        caller: &Caller,
        key: &ResourceKey,
        version: Option<VersionId>,
    ) -> Result<Json, FhirError> {
        let stored = match version {
            Some(version) => self.vread(caller, key, version).await?,
            None => self.read(caller, key).await?,
        };
        Ok(stored_json(&stored)?.remove("meta").unwrap_or_default())
    }

    /// Returns every profile, tag and label in use among the resources of these types that the caller may search.
    pub async fn meta_in_use(&self, caller: &Caller, types: Vec<ResourceType>) -> Result<Json, FhirError> {
        let target = match types.as_slice() {
            [one] => one.as_str(),
            _ => "system",
        };
        let mut query = empty_query(types);
        self.restrict(caller, &mut query).await?;
        let Some(bearing) = self.store.labels(caller.tenant, &query, MOST).await? else {
            let text = format!("more than {MOST} profiles, tags or labels are in use: they are not listed");
            return Err(FhirError::Invalid(vec![Issue::error(IssueCode::TooCostly, text)]));
        };
        let mut lists: [BTreeMap<(String, String), Json>; LISTS.len()] = Default::default();
        for (name, list) in LISTS.iter().zip(&mut lists) {
            for one in bearing.iter().filter_map(|meta| meta.get(name)).flat_map(Json::items) {
                list.entry(identity(one)).or_insert_with(|| one.clone());
            }
        }
        let action = if target == "system" { AuditAction::SystemSearch } else { AuditAction::Search };
        let record = AuditRecord::of(caller, action, target, self.clock.now());
        self.audit.record(record.asking(format!("{target}/$meta"))).await;
        let lists = LISTS.iter().zip(lists).filter(|(_, list)| !list.is_empty());
        Ok(Json::Object(lists.map(|(name, list)| (*name, Json::Array(list.into_values().collect()))).collect()))
    }

    /// Adds or removes profiles, tags and labels, and returns the new `meta`.
    pub async fn change_meta(
        &self,
        caller: &Caller,
        key: &ResourceKey,
        (change, given): (MetaChange, &Json),
    ) -> Result<Json, FhirError> {
        let stored = self.read(caller, key).await?;
        let mut resource = stored_json(&stored)?;
        let mut meta = match resource.remove("meta") {
            Some(Json::Object(meta)) => meta,
            _ => JsonObject::new(),
        };
        for name in LISTS {
            let mut list = meta.remove(name).map(|list| list.items().to_vec()).unwrap_or_default();
            for one in given.get(name).map_or(&[][..], Json::items) {
                list.retain(|known| identity(known) != identity(one));
                if change == MetaChange::Add {
                    list.push(one.clone());
                }
            }
            if !list.is_empty() {
                meta.insert(name, list);
            }
        }
        if let Some(members) = resource.as_object_mut() {
            members.insert("meta", meta);
        }
        check_structure(&resource)?;
        let body = resource.to_bytes();
        let if_match = Some(IfMatch::Among(vec![stored.version]));
        let change = Change { key, if_match, existing: Existing::Replaced, body: &body };
        let written: Stored = match self.update(caller, change).await? {
            Updated::Created(stored) | Updated::Replaced(stored) => stored,
        };
        Ok(stored_json(&written)?.remove("meta").unwrap_or_default())
    }
}

/// A profile is its URL, a tag its system and code.
fn identity(one: &Json) -> (String, String) {
    let text = |name| one.get_str(name).unwrap_or_default().to_owned();
    one.as_str().map_or_else(|| (text("system"), text("code")), |url| (url.to_owned(), String::new()))
}
