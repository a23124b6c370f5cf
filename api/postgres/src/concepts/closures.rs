//! Closure tables (<https://hl7.org/fhir/R4/conceptmap-operation-closure.html>).

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, TransactionTrait};
use seva_fhir::ports::StoreError;
use seva_fhir::terminology::{ClosureAdded, ClosureCode, ClosureLine};
use seva_fhir::types::TenantId;

use crate::Database;
use crate::entities::{closure, closure_code, closure_line};
use crate::failure::orm_unavailable;

/// Rows of one statement: PostgreSQL takes 65,535 values.
const ROWS: usize = 5_000;

pub(super) async fn begin(database: &Database, tenant: TenantId, name: &str) -> Result<(), StoreError> {
    let transaction = database.orm.begin().await.map_err(orm_unavailable)?;
    closure::Entity::delete_by_id((tenant.get(), name.to_owned())).exec(&transaction).await.map_err(orm_unavailable)?;
    let row = closure::ActiveModel { tenant: Set(tenant.get()), name: Set(name.to_owned()), version: Set(0) };
    let replace = OnConflict::columns([closure::Column::Tenant, closure::Column::Name])
        .update_column(closure::Column::Version)
        .to_owned();
    closure::Entity::insert(row).on_conflict(replace).exec(&transaction).await.map_err(orm_unavailable)?;
    transaction.commit().await.map_err(orm_unavailable)
}

pub(super) async fn read(
    database: &Database,
    tenant: TenantId,
    name: &str,
) -> Result<Option<(i32, Vec<ClosureCode>)>, StoreError> {
    let key = (tenant.get(), name.to_owned());
    let table = closure::Entity::find_by_id(key).one(&database.orm).await.map_err(orm_unavailable)?;
    let Some(table) = table else { return Ok(None) };
    let codes = closure_code::Entity::find()
        .filter(closure_code::Column::Tenant.eq(tenant.get()))
        .filter(closure_code::Column::Name.eq(name))
        .filter(closure_code::Column::Version.lte(table.version))
        .all(&database.orm)
        .await
        .map_err(orm_unavailable)?;
    let codes = codes.into_iter().map(|row| ClosureCode { system: row.system, code: row.code }).collect();
    Ok(Some((table.version, codes)))
}

pub(super) async fn add(
    database: &Database,
    tenant: TenantId,
    (name, read): (&str, i32),
    (codes, lines): (&[ClosureCode], &[ClosureLine]),
) -> Result<ClosureAdded, StoreError> {
    let transaction = database.orm.begin().await.map_err(orm_unavailable)?;
    let version = read + 1;
    let taken = closure::Entity::update_many()
        .col_expr(closure::Column::Version, Expr::value(version))
        .filter(closure::Column::Tenant.eq(tenant.get()))
        .filter(closure::Column::Name.eq(name))
        .filter(Expr::col(closure::Column::Version).eq(read))
        .exec(&transaction)
        .await
        .map_err(orm_unavailable)?;
    if taken.rows_affected == 0 {
        return Ok(ClosureAdded::Changed);
    }
    for codes in codes.chunks(ROWS) {
        let rows = codes.iter().map(|one| closure_code::ActiveModel {
            tenant: Set(tenant.get()),
            name: Set(name.to_owned()),
            system: Set(one.system.clone()),
            code: Set(one.code.clone()),
            version: Set(version),
        });
        let rows = closure_code::Entity::insert_many(rows);
        rows.exec_without_returning(&transaction).await.map_err(orm_unavailable)?;
    }
    for lines in lines.chunks(ROWS) {
        let rows = lines.iter().map(|one| closure_line::ActiveModel {
            tenant: Set(tenant.get()),
            name: Set(name.to_owned()),
            system: Set(one.system.clone()),
            narrow: Set(one.narrow.clone()),
            broad: Set(one.broad.clone()),
            version: Set(version),
        });
        // A code that was added together with another one stands in both their lines.
        let once = OnConflict::new().do_nothing().to_owned();
        let rows = closure_line::Entity::insert_many(rows).on_conflict(once);
        rows.exec_without_returning(&transaction).await.map_err(orm_unavailable)?;
    }
    transaction.commit().await.map_err(orm_unavailable)?;
    Ok(ClosureAdded::As(version))
}

pub(super) async fn lines(
    database: &Database,
    tenant: TenantId,
    name: &str,
    after: i32,
) -> Result<Vec<ClosureLine>, StoreError> {
    let rows = closure_line::Entity::find()
        .filter(closure_line::Column::Tenant.eq(tenant.get()))
        .filter(closure_line::Column::Name.eq(name))
        .filter(closure_line::Column::Version.gt(after))
        .order_by_asc(closure_line::Column::Version)
        .order_by_asc(closure_line::Column::System)
        .order_by_asc(closure_line::Column::Narrow)
        .order_by_asc(closure_line::Column::Broad)
        .all(&database.orm)
        .await
        .map_err(orm_unavailable)?;
    let line = |row: closure_line::Model| {
        let closure_line::Model { version, system, narrow, broad, .. } = row;
        ClosureLine { version, system, narrow, broad }
    };
    Ok(rows.into_iter().map(line).collect())
}
