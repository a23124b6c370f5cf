//! Writes between their statements and their commit: the transaction reads its own.

use async_trait::async_trait;
use seva_fhir::ports::{Lookup, SearchPage, StoreError, Written};
use seva_fhir::search::SearchQuery;
use seva_fhir::types::{ResourceKey, TenantId, VersionId};
use sqlx::{Postgres, Transaction};

use super::lookup;
use crate::failure::unavailable;
use crate::{Database, search};

/// An open transaction whose writes are done; dropping it rolls back.
pub(super) struct Uncommitted {
    database: Database,
    tenant: TenantId,
    transaction: Transaction<'static, Postgres>,
}

impl Uncommitted {
    pub(super) fn new(database: &Database, tenant: TenantId, transaction: Transaction<'static, Postgres>) -> Self {
        Self { database: database.clone(), tenant, transaction }
    }
}

#[async_trait]
impl Written for Uncommitted {
    async fn read(&mut self, key: &ResourceKey) -> Result<Lookup, StoreError> {
        lookup::read(&mut self.transaction, self.tenant, key).await
    }

    async fn read_version(&mut self, key: &ResourceKey, version: VersionId) -> Result<Lookup, StoreError> {
        lookup::read_version(&mut self.transaction, self.tenant, key, version).await
    }

    async fn search(&mut self, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        search::run(&self.database, self.tenant, query, &mut self.transaction).await
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(unavailable)
    }
}
