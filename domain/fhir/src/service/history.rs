//! history of one resource (R4: <https://hl7.org/fhir/R4/http.html#history>), newest first.

use super::read::within;
use super::{FhirError, FhirService};
use crate::access::{AuditAction, AuditRecord, Caller, Interaction, Permit};
use crate::ports::{HistoryEntry, Stored};
use crate::types::{ResourceKey, VersionId};

/// One page of versions.
pub struct HistoryPage {
    /// The versions, newest first.
    pub entries: Vec<HistoryEntry>,
    /// The next page holds versions before this one.
    pub next_before: Option<VersionId>,
}

impl FhirService {
    /// Lists the versions of a resource before a version.
    pub async fn history(
        &self,
        caller: &Caller,
        key: &ResourceKey,
        before: Option<VersionId>,
        count: u32,
    ) -> Result<HistoryPage, FhirError> {
        let permit = self.authorise(caller, Interaction::History, key.resource_type()).await?;
        let mut entries = self.store.history(caller.tenant, key, before, count + 1).await?;
        if entries.is_empty() && before.is_none() {
            return Err(FhirError::NotFound(key.clone()));
        }
        if let Permit::Compartment(patient) = permit {
            entries.retain(|entry| as_stored(entry).is_some_and(|stored| within(&stored, &patient)));
        }
        let more = entries.len() > count as usize;
        entries.truncate(count as usize);
        let next_before = entries.last().filter(|_| more).map(|entry| entry.version);
        self.audit.record(AuditRecord::of(caller, AuditAction::History, key.to_string(), self.clock.now())).await;
        Ok(HistoryPage { entries, next_before })
    }
}

fn as_stored(entry: &HistoryEntry) -> Option<Stored> {
    let body = entry.body.clone()?;
    Some(Stored { key: entry.key.clone(), version: entry.version, updated: entry.updated, body })
}
