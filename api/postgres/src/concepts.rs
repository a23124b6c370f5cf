//! Code systems in tables, and closure tables (<https://hl7.org/fhir/R4/terminology-service.html>).

mod closures;
mod import;
mod select;

use async_trait::async_trait;
use sea_orm::sea_query::{Condition, Expr, Func};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use seva_fhir::ports::StoreError;
use seva_fhir::terminology::{
    ClosureAdded, ClosureCode, ClosureLine, ConceptImport, ConceptPage, ConceptQuery, ConceptStore, ImportError,
    ImportHeader, Relatives, StoredSystem,
};
use seva_fhir::types::TenantId;

use crate::Database;
use crate::entities::concept_system;
use crate::failure::orm_unavailable;

/// Concepts in PostgreSQL.
#[derive(Clone)]
pub struct PostgresConcepts {
    database: Database,
}

impl PostgresConcepts {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }
}

fn system(row: concept_system::Model) -> StoredSystem {
    StoredSystem {
        id: row.id,
        url: row.url,
        version: row.version,
        name: row.name,
        is_complete: row.complete,
        has_hierarchy: row.hierarchy,
    }
}

#[async_trait]
impl ConceptStore for PostgresConcepts {
    async fn find(
        &self,
        tenant: TenantId,
        url: &str,
        version: Option<&str>,
    ) -> Result<Option<StoredSystem>, StoreError> {
        let mut select = concept_system::Entity::find()
            .filter(concept_system::Column::Url.eq(url))
            .filter(concept_system::Column::Tenant.is_in([tenant.get(), TenantId::SHARED.get()]))
            .order_by_desc(concept_system::Column::Tenant)
            .order_by_desc(concept_system::Column::Version);
        if let Some(version) = version {
            // An edition of SNOMED CT stands for its latest release: the release's URI goes on behind it.
            let starts =
                Func::cust("starts_with").arg(Expr::col(concept_system::Column::Version)).arg(format!("{version}/"));
            let fits = Condition::any().add(concept_system::Column::Version.eq(version)).add(Expr::expr(starts));
            select = select.filter(fits);
        }
        let found = select.one(&self.database.orm).await.map_err(orm_unavailable)?;
        Ok(found.map(system))
    }

    async fn shared(&self) -> Result<Vec<StoredSystem>, StoreError> {
        let select = concept_system::Entity::find()
            .filter(concept_system::Column::Tenant.eq(TenantId::SHARED.get()))
            .order_by_asc(concept_system::Column::Url)
            .order_by_asc(concept_system::Column::Version);
        let found = select.all(&self.database.orm).await.map_err(orm_unavailable)?;
        Ok(found.into_iter().map(system).collect())
    }

    async fn select(&self, system: &StoredSystem, query: &ConceptQuery) -> Result<ConceptPage, StoreError> {
        select::page(&self.database, system, query).await
    }

    async fn relatives(
        &self,
        system: &StoredSystem,
        code: &str,
        relatives: Relatives,
        limit: u64,
    ) -> Result<Vec<String>, StoreError> {
        select::relatives(&self.database, (system.id, code), relatives, limit).await
    }

    async fn import(&self, tenant: TenantId, header: &ImportHeader) -> Result<Box<dyn ConceptImport>, ImportError> {
        Ok(Box::new(import::Import::begin(&self.database, tenant, header).await?))
    }

    async fn closure_begin(&self, tenant: TenantId, name: &str) -> Result<(), StoreError> {
        closures::begin(&self.database, tenant, name).await
    }

    async fn closure(&self, tenant: TenantId, name: &str) -> Result<Option<(i32, Vec<ClosureCode>)>, StoreError> {
        closures::read(&self.database, tenant, name).await
    }

    async fn closure_add(
        &self,
        tenant: TenantId,
        table: (&str, i32),
        codes: &[ClosureCode],
        lines: &[ClosureLine],
    ) -> Result<ClosureAdded, StoreError> {
        closures::add(&self.database, tenant, table, (codes, lines)).await
    }

    async fn closure_lines(&self, tenant: TenantId, name: &str, after: i32) -> Result<Vec<ClosureLine>, StoreError> {
        closures::lines(&self.database, tenant, name, after).await
    }
}
