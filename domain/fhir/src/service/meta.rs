//! `$meta`, `$meta-add`, `$meta-delete` (R4 <https://hl7.org/fhir/R4/resource-operation-meta.html>): profiles, tags and
//! labels. A change is a new version, so that nobody loses sight of who labelled what.

use super::incoming::check_structure;
use super::update::stored_json;
use super::{Change, Existing, FhirError, FhirService, Updated};
use crate::access::Caller;
use crate::json::{Json, JsonObject};
use crate::ports::Stored;
use crate::preconditions::IfMatch;
use crate::types::{ResourceKey, VersionId};

/// The lists of `meta` that these operations change.
const LISTS: [&str; 3] = ["profile", "security", "tag"];

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
                list.retain(|known| !is_same(known, one));
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
fn is_same(one: &Json, other: &Json) -> bool {
    match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) => one == other,
        _ => one.get_str("system") == other.get_str("system") && one.get_str("code") == other.get_str("code"),
    }
}
