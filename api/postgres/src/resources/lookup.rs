//! Reading: one prepared statement, bytes copied, nothing parsed.

use bytes::Bytes;
use seva_fhir::ports::{Lookup, StoreError, Stored};
use seva_fhir::types::{Instant, ResourceKey, ResourceType, TenantId, VersionId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::statements::{LAST_VERSION, READ, READ_MANY, READ_VERSION};
use crate::Database;
use crate::failure::unavailable;

pub(super) async fn read(
    connection: &mut PgConnection,
    tenant: TenantId,
    key: &ResourceKey,
) -> Result<Lookup, StoreError> {
    let row = sqlx::query(READ)
        .bind(tenant.get())
        .bind(key.resource_type().code())
        .bind(key.id().as_str())
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
    if let Some(row) = row {
        return stored(key.clone(), &row).map(Lookup::Found);
    }
    absent(connection, tenant, key).await
}

/// What is known of a resource that has no current version.
pub(super) async fn absent(
    connection: &mut PgConnection,
    tenant: TenantId,
    key: &ResourceKey,
) -> Result<Lookup, StoreError> {
    let row = sqlx::query(LAST_VERSION)
        .bind(tenant.get())
        .bind(key.resource_type().code())
        .bind(key.id().as_str())
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
    match row {
        Some(row) => Ok(Lookup::Gone { version: version(&row)?, at: updated(&row)? }),
        None => Ok(Lookup::Absent),
    }
}

pub(super) async fn read_version(
    connection: &mut PgConnection,
    tenant: TenantId,
    key: &ResourceKey,
    wanted: VersionId,
) -> Result<Lookup, StoreError> {
    let row = sqlx::query(READ_VERSION)
        .bind(tenant.get())
        .bind(key.resource_type().code())
        .bind(key.id().as_str())
        .bind(wanted.get())
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
    let Some(row) = row else { return Ok(Lookup::Absent) };
    let body: Option<Vec<u8>> = row.try_get("body").map_err(unavailable)?;
    match body {
        Some(_) => stored(key.clone(), &row).map(Lookup::Found),
        None => Ok(Lookup::Gone { version: version(&row)?, at: updated(&row)? }),
    }
}

pub(crate) async fn read_many(
    database: &Database,
    tenant: TenantId,
    keys: &[ResourceKey],
) -> Result<Vec<Stored>, StoreError> {
    let types: Vec<i16> = keys.iter().map(|key| key.resource_type().code()).collect();
    let ids: Vec<&str> = keys.iter().map(|key| key.id().as_str()).collect();
    let rows = sqlx::query(READ_MANY)
        .bind(tenant.get())
        .bind(types)
        .bind(ids)
        .fetch_all(&database.pool)
        .await
        .map_err(unavailable)?;
    rows.iter().map(keyed).collect()
}

/// Reads a row with `type` and `id`.
pub(crate) fn keyed(row: &PgRow) -> Result<Stored, StoreError> {
    stored(key(row)?, row)
}

/// Reads the columns `type` and `id`.
pub(crate) fn key(row: &PgRow) -> Result<ResourceKey, StoreError> {
    let code: i16 = row.try_get("type").map_err(unavailable)?;
    let id: &str = row.try_get("id").map_err(unavailable)?;
    let resource_type = ResourceType::from_code(code).ok_or_else(|| unexpected("type"))?;
    let id = id.parse().map_err(|_| unexpected("id"))?;
    Ok(ResourceKey::new(resource_type, id))
}

fn stored(key: ResourceKey, row: &PgRow) -> Result<Stored, StoreError> {
    let body: Vec<u8> = row.try_get("body").map_err(unavailable)?;
    Ok(Stored { key, version: version(row)?, updated: updated(row)?, body: Bytes::from(body) })
}

pub(super) fn version(row: &PgRow) -> Result<VersionId, StoreError> {
    let version: i32 = row.try_get("version").map_err(unavailable)?;
    VersionId::try_from(version).map_err(|_| unexpected("version"))
}

pub(super) fn updated(row: &PgRow) -> Result<Instant, StoreError> {
    row.try_get("updated").map(Instant::from_micros).map_err(unavailable)
}

pub(super) fn unexpected(column: &str) -> StoreError {
    StoreError::Unavailable(format!("a stored row has an impossible {column}"))
}
