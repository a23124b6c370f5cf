//! Where an interaction reads: what is committed, or what its transaction is about to commit.

use async_trait::async_trait;

use super::FhirError;
use crate::access::Caller;
use crate::outcome::{Issue, IssueCode};
use crate::ports::{Finder, Lookup, ResourceStore, SearchPage, StoreError, Written};
use crate::search::SearchQuery;
use crate::types::{ResourceKey, VersionId};

/// What is read.
pub(super) enum Source<'a> {
    /// What everybody sees.
    Committed(&'a dyn ResourceStore),
    /// What only the transaction sees.
    Written(&'a mut dyn Written),
}

impl Source<'_> {
    /// The audit log is read on a connection of its own, and a transaction takes no second one (decision D5).
    pub(super) fn has_log(&self) -> Result<(), FhirError> {
        match self {
            Self::Committed(_) => Ok(()),
            Self::Written(_) => {
                let text = "the audit log is not read within a transaction that writes: use a batch";
                Err(FhirError::Invalid(vec![Issue::error(IssueCode::NotSupported, text)]))
            }
        }
    }

    pub(super) async fn read(&mut self, caller: &Caller, key: &ResourceKey) -> Result<Lookup, StoreError> {
        match self {
            Self::Committed(store) => store.read(caller.tenant, key).await,
            Self::Written(written) => written.read(key).await,
        }
    }

    pub(super) async fn read_version(
        &mut self,
        caller: &Caller,
        key: &ResourceKey,
        version: VersionId,
    ) -> Result<Lookup, StoreError> {
        match self {
            Self::Committed(store) => store.read_version(caller.tenant, key, version).await,
            Self::Written(written) => written.read_version(key, version).await,
        }
    }

    pub(super) async fn search(&mut self, caller: &Caller, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        match self {
            Self::Committed(store) => store.search(caller.tenant, query).await,
            Self::Written(written) => written.search(query).await,
        }
    }
}

/// A source in the name of a caller.
pub(super) struct Asked<'a, 's> {
    pub(super) source: &'a mut Source<'s>,
    pub(super) caller: &'a Caller,
}

#[async_trait]
impl Finder for Asked<'_, '_> {
    async fn search(&mut self, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        self.source.search(self.caller, query).await
    }
}
