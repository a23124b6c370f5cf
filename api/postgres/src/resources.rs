//! The resource store: a read is one statement and a copy of bytes, a create is one autocommit statement.

mod apply;
mod changes;
pub(crate) mod columns;
mod commit;
mod creates;
mod deletions;
mod guards;
mod lanes;
pub(crate) mod lookup;
mod prepared;
mod reads;
mod replacements;
mod row_ids;
mod statements;
mod uncommitted;
pub(crate) mod writes;

use std::sync::Arc;

use async_trait::async_trait;
use seva_fhir::json::Json;
use seva_fhir::parameters::Parameters;
use seva_fhir::ports::{
    ChangeEntry, ChangesQuery, Deletion, Explained, Guard, HistoryEntry, Lookup, Method, ResourceStore, Scan, ScanSink,
    SearchPage, StoreError, Stored, VersionsQuery, Write, WriteContext, Written,
};
use seva_fhir::search::SearchQuery;
use seva_fhir::types::{Instant, ResourceKey, ResourceType, TenantId, VersionId};

use crate::connections::Lent;
use crate::failure::unavailable;
use crate::{Database, search};
use creates::Creates;
use lanes::Lanes;
use prepared::Prepared;
use reads::Reads;
use replacements::Replacements;
use row_ids::RowIds;
use uncommitted::Uncommitted;

/// Resources in PostgreSQL.
#[derive(Clone)]
pub struct PostgresResources {
    database: Database,
    row_ids: Arc<RowIds>,
    reads: Arc<Lanes<Reads>>,
    creates: Arc<Lanes<Creates>>,
    replacements: Arc<Lanes<Replacements>>,
}

impl PostgresResources {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        let row_ids = Arc::new(RowIds::new(database.pool.clone()));
        let reads = Lanes::new(Reads { connections: database.connections.clone() }, reads::MOST);
        let creates = Creates { database: database.clone(), row_ids: Arc::clone(&row_ids) };
        let replacements = Replacements::lanes(database);
        Self { database: database.clone(), row_ids, reads, creates: Lanes::new(creates, creates::MOST), replacements }
    }

    async fn connection(&self) -> Result<Lent, StoreError> {
        self.database.connections.take().await.map_err(unavailable)
    }
}

#[async_trait]
impl ResourceStore for PostgresResources {
    fn parameters(&self, tenant: TenantId) -> Parameters {
        self.database.registry.parameters(tenant)
    }

    async fn read(&self, tenant: TenantId, key: &ResourceKey) -> Result<Lookup, StoreError> {
        match self.reads.ask((tenant, key.clone())).await? {
            Some(stored) => Ok(Lookup::Found(stored)),
            None => {
                let mut connection = self.connection().await?;
                let absent = lookup::absent(&mut connection, tenant, key).await?;
                connection.give_back();
                Ok(absent)
            }
        }
    }

    async fn read_version(
        &self,
        tenant: TenantId,
        key: &ResourceKey,
        version: VersionId,
    ) -> Result<Lookup, StoreError> {
        let mut connection = self.connection().await?;
        let found = lookup::read_version(&mut connection, tenant, key, version).await?;
        connection.give_back();
        Ok(found)
    }

    async fn read_many(&self, tenant: TenantId, keys: &[ResourceKey]) -> Result<Vec<Stored>, StoreError> {
        lookup::read_many(&self.database, tenant, keys).await
    }

    async fn history(
        &self,
        tenant: TenantId,
        key: &ResourceKey,
        wanted: &VersionsQuery,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        changes::of_resource(&self.database, tenant, key, wanted).await
    }

    async fn changes(&self, tenant: TenantId, wanted: &ChangesQuery) -> Result<Vec<ChangeEntry>, StoreError> {
        changes::of_types(&self.database, tenant, wanted).await
    }

    async fn search(&self, tenant: TenantId, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        let mut connection = self.connection().await?;
        let page = search::run(&self.database, tenant, query, &mut connection).await?;
        connection.give_back();
        Ok(page)
    }

    async fn explain(&self, tenant: TenantId, query: &SearchQuery) -> Result<Vec<Explained>, StoreError> {
        search::explain::run(&self.database, tenant, query).await
    }

    async fn labels(&self, tenant: TenantId, query: &SearchQuery, most: u32) -> Result<Option<Vec<Json>>, StoreError> {
        let mut connection = self.connection().await?;
        let labels = search::labels::run(&self.database, tenant, (query, most), &mut connection).await?;
        connection.give_back();
        Ok(labels)
    }

    async fn scan(&self, tenant: TenantId, scan: &Scan, sink: &mut dyn ScanSink) -> Result<(), StoreError> {
        search::scan::run(&self.database, tenant, scan, sink).await
    }

    async fn deletions(
        &self,
        tenant: TenantId,
        deleted: (ResourceType, Instant),
        after: Option<&ResourceKey>,
    ) -> Result<Vec<Deletion>, StoreError> {
        deletions::read(&self.database, tenant, deleted, after).await
    }

    async fn write(
        &self,
        context: &WriteContext,
        writes: Vec<Write>,
        guards: Vec<Guard>,
    ) -> Result<Box<dyn Written>, StoreError> {
        let transaction = commit::write(&self.database, &self.row_ids, context, (writes, guards)).await?;
        Ok(Box::new(Uncommitted::new(&self.database, context.tenant, transaction)))
    }

    async fn commit(
        &self,
        context: &WriteContext,
        mut writes: Vec<Write>,
        guards: Vec<Guard>,
    ) -> Result<(), StoreError> {
        let is_one = guards.is_empty() && writes.len() == 1;
        // A resource that may be there already is inserted by itself.
        let goes_along =
            |write: &mut Write| is_one && !matches!(write, Write::Insert { method, .. } if *method != Method::Create);
        if let Some(write) = writes.pop_if(goes_along) {
            return match Prepared::of(&self.database, context.tenant, write)? {
                Prepared::Insertion(insertion) => self.creates.ask((context.clone(), *insertion)).await,
                Prepared::Replacement(replacement) => self.replacements.write(context.clone(), *replacement).await,
            };
        }
        commit::commit(&self.database, &self.row_ids, context, (writes, guards)).await
    }
}
