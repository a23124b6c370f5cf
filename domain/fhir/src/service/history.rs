//! history of one resource, of a type, of everything (R4: <https://hl7.org/fhir/R4/http.html#history>), newest first.

mod listed;

use super::read::within;
use super::{FhirError, FhirService};
use crate::access::{AuditAction, AuditRecord, Caller, EntryId, Interaction, Permit, decide, patients_in};
use crate::interactions::served_types;
use crate::operations::own_definition;
use crate::ports::{ChangeEntry, ChangesQuery, HistoryEntry, Lookup, Method, Stored, VersionsQuery};
use crate::search::ListName;
use crate::types::{Instant, ResourceKey, ResourceType};

/// One page of versions.
#[derive(Default)]
pub struct HistoryPage {
    /// The versions, newest first.
    pub entries: Vec<HistoryEntry>,
    /// The next page holds versions before this place.
    pub next_before: Option<i64>,
}

/// Which versions a caller asks for.
#[derive(Clone, Debug, Default)]
pub struct HistoryRange {
    /// `_since`.
    pub since: Option<Instant>,
    /// `_at`, as a range of microseconds.
    pub at: Option<(i64, i64)>,
    /// `_list`: only what it names.
    pub list: Option<ListName>,
    /// Where the page begins: before a version of one resource, or before a place of the feed.
    pub before: Option<i64>,
    /// `_count`.
    pub count: u32,
}

impl FhirService {
    /// Lists the versions of a resource.
    pub async fn history(
        &self,
        caller: &Caller,
        key: &ResourceKey,
        range: &HistoryRange,
    ) -> Result<HistoryPage, FhirError> {
        let permit = self.authorise(caller, Interaction::History, key.resource_type()).await?;
        let only = match &range.list {
            Some(list) => self.listed_versions(caller, list, key).await?,
            None => None,
        };
        if only.as_ref().is_some_and(Vec::is_empty) {
            return Ok(HistoryPage::default());
        }
        if let Some(id) = EntryId::of(key) {
            return self.history_of_record(caller, key, (id, permit)).await;
        }
        if let Some(own) = own_definition(key, self.base_url()) {
            return Ok(self.one_version(caller, own).await);
        }
        let before = range.before.and_then(|place| i32::try_from(place).ok()).and_then(|place| place.try_into().ok());
        let wanted = VersionsQuery { since: range.since, at: range.at, only, before, count: range.count + 1 };
        let mut entries = self.store.history(caller.tenant, key, &wanted).await?;
        let is_narrowed = range.since.is_some() || range.at.is_some() || range.list.is_some();
        if entries.is_empty() && before.is_none() && !is_narrowed {
            return Err(FhirError::NotFound(key.clone()));
        }
        if let Permit::Compartment(patient) = permit {
            entries.retain(|entry| as_stored(entry).is_some_and(|stored| within(&stored, &patient)));
        }
        let more = entries.len() > range.count as usize;
        entries.truncate(range.count as usize);
        let next_before = entries.last().filter(|_| more).map(|entry| i64::from(entry.version.get()));
        let record = AuditRecord::of(caller, AuditAction::History, key.to_string(), self.clock.now());
        self.audit.record(record.naming(named(&entries))).await;
        Ok(HistoryPage { entries, next_before })
    }

    /// A record of the audit log has the one version that it was written as.
    async fn history_of_record(
        &self,
        caller: &Caller,
        key: &ResourceKey,
        (id, permit): (EntryId, Permit),
    ) -> Result<HistoryPage, FhirError> {
        let Lookup::Found(stored) = self.logged(caller, id, &permit).await? else {
            return Err(FhirError::NotFound(key.clone()));
        };
        if let Permit::Compartment(patient) = permit
            && !within(&stored, &patient)
        {
            return Err(FhirError::NotFound(key.clone()));
        }
        Ok(self.one_version(caller, stored).await)
    }

    /// The history of what has one version for ever.
    async fn one_version(&self, caller: &Caller, stored: Stored) -> HistoryPage {
        let record = AuditRecord::of(caller, AuditAction::History, stored.key.to_string(), self.clock.now());
        self.audit.record(record.naming(patients_in(&stored))).await;
        let Stored { key, version, updated, body } = stored;
        let entry = HistoryEntry { key, version, updated, method: Method::Create, body: Some(body) };
        HistoryPage { entries: vec![entry], next_before: None }
    }

    /// Lists the versions of a type, or of everything that the caller may see.
    pub async fn history_of(
        &self,
        caller: &Caller,
        resource_type: Option<ResourceType>,
        range: &HistoryRange,
    ) -> Result<HistoryPage, FhirError> {
        let (types, permit) = match resource_type {
            Some(own) => (vec![own], self.authorise(caller, Interaction::TypeHistory, own).await?),
            None => self.visible(caller).await?,
        };
        let only = match &range.list {
            Some(list) => Some(self.listed(caller, list, resource_type).await?),
            None => None,
        };
        let wanted = ChangesQuery {
            resource_types: types,
            only,
            since: range.since,
            at: range.at,
            before: range.before,
            count: range.count + 1,
        };
        let mut changes = self.store.changes(caller.tenant, &wanted).await?;
        let more = changes.len() > range.count as usize;
        changes.truncate(range.count as usize);
        let next_before = changes.last().filter(|_| more).map(|change| change.place);
        if let Permit::Compartment(patient) = permit {
            changes.retain(|change| as_stored(&change.entry).is_some_and(|stored| within(&stored, &patient)));
        }
        let (action, target) = match resource_type {
            Some(own) => (AuditAction::TypeHistory, own.as_str()),
            None => (AuditAction::SystemHistory, "system"),
        };
        let patients = named(changes.iter().map(|change| &change.entry));
        self.audit.record(AuditRecord::of(caller, action, target, self.clock.now()).naming(patients)).await;
        Ok(HistoryPage { entries: changes.into_iter().map(|ChangeEntry { entry, .. }| entry).collect(), next_before })
    }

    /// The types whose history the caller may see, and how much of them; all of them are the empty list.
    async fn visible(&self, caller: &Caller) -> Result<(Vec<ResourceType>, Permit), FhirError> {
        let (mut types, mut permit, mut all) = (Vec::new(), Permit::Whole, true);
        for own in served_types() {
            match decide(caller, Interaction::TypeHistory, own) {
                Ok(Permit::Whole) => types.push(own),
                Ok(compartment) => {
                    types.push(own);
                    permit = compartment;
                }
                Err(_) => all = false,
            }
        }
        if types.is_empty() {
            self.authorise(caller, Interaction::TypeHistory, ResourceType::patient()).await?;
        }
        Ok((if all { Vec::new() } else { types }, permit))
    }
}

/// The patients whom the versions disclose.
fn named<'e>(entries: impl IntoIterator<Item = &'e HistoryEntry>) -> Vec<Box<str>> {
    let mut patients: Vec<Box<str>> =
        entries.into_iter().filter_map(as_stored).flat_map(|stored| patients_in(&stored)).collect();
    patients.sort_unstable();
    patients.dedup();
    patients
}

fn as_stored(entry: &HistoryEntry) -> Option<Stored> {
    let body = entry.body.clone()?;
    Some(Stored { key: entry.key.clone(), version: entry.version, updated: entry.updated, body })
}
