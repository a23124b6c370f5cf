//! What is gone, for exports that tell it (`_since`).

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use seva_fhir::ports::{Deletion, Method, StoreError};
use seva_fhir::types::{Instant, ResourceKey, ResourceType, TenantId};

use super::lookup::unexpected;
use crate::Database;
use crate::entities::{history, resource};
use crate::failure::orm_unavailable;

/// So many are told at once.
const PAGE: u64 = 1000;

/// Reads, in the order of their ids, resources that were deleted since a moment and have not come back.
pub(super) async fn read(
    database: &Database,
    tenant: TenantId,
    (resource_type, since): (ResourceType, Instant),
    after: Option<&ResourceKey>,
) -> Result<Vec<Deletion>, StoreError> {
    let mut back = Query::select();
    back.expr(Expr::cust("1"))
        .from(resource::Entity)
        .and_where(resource::Column::Tenant.eq(tenant.get()))
        .and_where(resource::Column::ResourceType.eq(resource_type.code()))
        .and_where(resource::Column::Id.into_expr().eq(history::Column::Id.into_expr()));
    let rows: Vec<(String, i64)> = history::Entity::find()
        .select_only()
        .column(history::Column::Id)
        .column_as(history::Column::Updated.max(), "deleted")
        .filter(history::Column::Tenant.eq(tenant.get()))
        .filter(history::Column::ResourceType.eq(resource_type.code()))
        .filter(history::Column::Id.gt(after.map_or("", |key| key.id().as_str())))
        .filter(history::Column::Method.eq(Method::Delete.code()))
        .filter(history::Column::Updated.gte(since.micros()))
        .filter(Expr::not_exists(back))
        .group_by(history::Column::Id)
        .order_by_asc(history::Column::Id)
        .limit(PAGE)
        .into_tuple()
        .all(&database.background_orm)
        .await
        .map_err(orm_unavailable)?;
    let deletion = |(id, at): (String, i64)| {
        let id = id.parse().map_err(|_| unexpected("id"))?;
        Ok(Deletion { key: ResourceKey::new(resource_type, id), at: Instant::from_micros(at) })
    };
    rows.into_iter().map(deletion).collect()
}
