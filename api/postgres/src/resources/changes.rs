//! Versions in reverse order of their writing: of one resource, of types, of everything
//! (R4 <https://hl7.org/fhir/R4/http.html#history>).

use bytes::Bytes;
use seva_fhir::ports::{ChangeEntry, ChangesQuery, HistoryEntry, Method, StoreError, VersionsQuery};
use seva_fhir::types::{Instant, ResourceKey, TenantId, VersionId};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::lookup::{key, unexpected, updated, version};
use super::statements::{CHANGES, HISTORY};
use crate::Database;
use crate::failure::unavailable;

pub(super) async fn of_resource(
    database: &Database,
    tenant: TenantId,
    key: &ResourceKey,
    wanted: &VersionsQuery,
) -> Result<Vec<HistoryEntry>, StoreError> {
    let only = wanted.only.as_ref().map(|only| only.iter().map(|version| version.get()).collect::<Vec<i32>>());
    let rows = sqlx::query(HISTORY)
        .bind(tenant.get())
        .bind(key.resource_type().code())
        .bind(key.id().as_str())
        .bind(wanted.before.map_or(i32::MAX, VersionId::get))
        .bind(i64::from(wanted.count))
        .bind(wanted.since.map(Instant::micros))
        .bind(wanted.at.map(|(low, _)| low))
        .bind(wanted.at.map(|(_, high)| high))
        .bind(only)
        .fetch_all(&database.pool)
        .await
        .map_err(unavailable)?;
    rows.iter().map(entry).collect()
}

pub(super) async fn of_types(
    database: &Database,
    tenant: TenantId,
    wanted: &ChangesQuery,
) -> Result<Vec<ChangeEntry>, StoreError> {
    let types: Vec<i16> = wanted.resource_types.iter().map(|own| own.code()).collect();
    let only = wanted.only.as_deref();
    let rows = sqlx::query(CHANGES)
        .bind(tenant.get())
        .bind((!types.is_empty()).then_some(types))
        .bind(wanted.before.unwrap_or(i64::MAX))
        .bind(i64::from(wanted.count))
        .bind(wanted.since.map(Instant::micros))
        .bind(wanted.at.map(|(low, _)| low))
        .bind(wanted.at.map(|(_, high)| high))
        .bind(only.map(|only| only.iter().map(|one| one.key.resource_type().code()).collect::<Vec<i16>>()))
        .bind(only.map(|only| only.iter().map(|one| one.key.id().as_str()).collect::<Vec<&str>>()))
        .bind(only.map(|only| only.iter().map(|one| one.version.map(VersionId::get)).collect::<Vec<Option<i32>>>()))
        .fetch_all(&database.pool)
        .await
        .map_err(unavailable)?;
    let changed = |row: &PgRow| Ok(ChangeEntry { place: row.try_get("seq").map_err(unavailable)?, entry: entry(row)? });
    rows.iter().map(changed).collect()
}

fn entry(row: &PgRow) -> Result<HistoryEntry, StoreError> {
    let method: i16 = row.try_get("method").map_err(unavailable)?;
    let body: Option<Vec<u8>> = row.try_get("body").map_err(unavailable)?;
    Ok(HistoryEntry {
        key: key(row)?,
        version: version(row)?,
        updated: updated(row)?,
        method: Method::from_code(method).ok_or_else(|| unexpected("method"))?,
        body: body.map(Bytes::from),
    })
}
