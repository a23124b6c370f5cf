//! Where an interaction reads: what is committed, or what its transaction is about to commit.

use crate::access::Caller;
use crate::ports::{Lookup, ResourceStore, SearchPage, StoreError, Written};
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
