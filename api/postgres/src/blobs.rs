//! Which blobs belong to Binaries: a row from before each is stored, so that a crash leaves nothing unknown.

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use seva_clinic::blobs::{BlobLink, BlobRegister};
use seva_fhir::ports::StoreError;
use seva_fhir::types::{ResourceKey, ResourceType, TenantId};
use uuid::Uuid;

use crate::Database;
use crate::entities::{blob, history, resource};
use crate::failure::orm_unavailable;
use crate::moments::{before, now};

/// So many blobs are looked at in one sweep.
const SWEPT: u64 = 100;
/// So long nobody else looks at a blob.
const LEASE: Duration = Duration::from_secs(600);

/// The register of blobs in PostgreSQL.
#[derive(Clone)]
pub struct PostgresBlobs {
    database: Database,
}

impl PostgresBlobs {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }

    /// Whether a version of its Binary names the blob.
    async fn is_named(&self, row: &blob::Model) -> Result<bool, StoreError> {
        let orm = &self.database.orm;
        let binary = ResourceType::binary().code();
        let names = || Expr::cust_with_values("position($1::bytea in body) > 0", [row.id.to_string().into_bytes()]);
        let current = resource::Entity::find()
            .filter(resource::Column::Tenant.eq(row.tenant))
            .filter(resource::Column::ResourceType.eq(binary))
            .filter(resource::Column::Id.eq(row.binary_id.as_str()))
            .filter(names());
        if current.count(orm).await.map_err(orm_unavailable)? > 0 {
            return Ok(true);
        }
        let superseded = history::Entity::find()
            .filter(history::Column::Tenant.eq(row.tenant))
            .filter(history::Column::ResourceType.eq(binary))
            .filter(history::Column::Id.eq(row.binary_id.as_str()))
            .filter(names());
        Ok(superseded.count(orm).await.map_err(orm_unavailable)? > 0)
    }

    async fn settle(&self, row: &blob::Model) -> Result<(), StoreError> {
        let settled = blob::Entity::update_many()
            .col_expr(blob::Column::Settled, true.into())
            .filter(blob::Column::Tenant.eq(row.tenant))
            .filter(blob::Column::Id.eq(row.id));
        settled.exec(&self.database.orm).await.map(drop).map_err(orm_unavailable)
    }
}

#[async_trait]
impl BlobRegister for PostgresBlobs {
    async fn add(&self, tenant: TenantId, link: &BlobLink, binary: &ResourceKey) -> Result<(), StoreError> {
        let row = blob::ActiveModel {
            tenant: Set(tenant.get()),
            id: Set(link.id),
            content_type: Set(link.content_type.clone()),
            size: Set(i64::try_from(link.size).unwrap_or(i64::MAX)),
            sha256: Set(hex::decode(&link.sha256).unwrap_or_default()),
            binary_id: Set(binary.id().as_str().to_owned()),
            ..Default::default()
        };
        blob::Entity::insert(row).exec_without_returning(&self.database.orm).await.map(drop).map_err(orm_unavailable)
    }

    async fn remove(&self, tenant: TenantId, blob: Uuid) -> Result<(), StoreError> {
        let gone = blob::Entity::delete_by_id((tenant.get(), blob)).exec(&self.database.orm).await;
        gone.map(drop).map_err(orm_unavailable)
    }

    async fn orphans(&self, age: Duration) -> Result<Vec<(TenantId, Uuid)>, StoreError> {
        // Ids of blobs are random: one stands for its row whatever the tenant.
        let waits = Condition::all()
            .add(blob::Column::Settled.eq(false))
            .add(Expr::col(blob::Column::Created).lt(before(age)))
            .add(Expr::col(blob::Column::Looked).lt(before(LEASE.min(age))));
        let some = blob::Entity::find()
            .select_only()
            .column(blob::Column::Id)
            .filter(waits.clone())
            .order_by_asc(blob::Column::Created)
            .limit(SWEPT)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_query();
        let taken = blob::Entity::update_many()
            .col_expr(blob::Column::Looked, now())
            .filter(blob::Column::Id.in_subquery(some))
            .filter(waits)
            .exec_with_returning(&self.database.orm)
            .await
            .map_err(orm_unavailable)?;
        let mut orphans = Vec::new();
        for row in taken {
            if self.is_named(&row).await? {
                self.settle(&row).await?;
            } else if let Ok(tenant) = TenantId::try_from(row.tenant) {
                orphans.push((tenant, row.id));
            }
        }
        Ok(orphans)
    }
}
