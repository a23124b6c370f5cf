//! Going through the rows that lack something. These statements stay SQL: they are set-based, moving the index rows of
//! many resources at once, and run on the one connection that holds the lock.

use seva_fhir::index;
use seva_fhir::json::{Limits, parse};
use seva_fhir::types::TenantId;
use sqlx::{Acquire, PgConnection, Row};
use tokio::time::sleep;

use super::{KNOWN_EVERYWHERE, Lack};
use crate::Database;
use crate::resources::columns::{IndexColumns, TABLES};
use crate::resources::lookup::keyed;
use crate::resources::writes;
use crate::rows::IndexRows;

/// So many rows are indexed in one transaction.
const BATCH: i64 = 500;
/// The advisory lock of the one node that indexes.
const LOCK: i64 = 0x5345_5641_0002;

/// Whether rows of the new parameters may be there that are wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    First,
    Last,
}

/// Indexes what lacks something, unless another node is at it; tells whether it was this one.
pub(super) async fn complete_alone(database: &Database, lacking: &[Lack]) -> Result<bool, sqlx::Error> {
    let mut connection = database.background.acquire().await?;
    let alone: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut *connection).await?;
    if !alone {
        return Ok(false);
    }
    let done = complete(database, &mut connection, lacking).await;
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut *connection).await?;
    done.map(|()| true)
}

async fn complete(database: &Database, connection: &mut PgConnection, lacking: &[Lack]) -> Result<(), sqlx::Error> {
    for lack in lacking {
        pass(database, connection, lack, Pass::First).await?;
    }
    sleep(KNOWN_EVERYWHERE).await;
    for lack in lacking {
        // Rows that somebody had locked are left for another look.
        while pass(database, connection, lack, Pass::Last).await? > 0 {}
        if left(connection, lack).await? {
            continue;
        }
        sqlx::query(
            "INSERT INTO indexed_set (tenant, set) VALUES ($1, $2) \
             ON CONFLICT (tenant) DO UPDATE SET set = GREATEST(indexed_set.set, EXCLUDED.set)",
        )
        .bind(lack.tenant.get())
        .bind(lack.set)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Goes through the rows in their order; tells how many it indexed.
async fn pass(
    database: &Database,
    connection: &mut PgConnection,
    lack: &Lack,
    which: Pass,
) -> Result<usize, sqlx::Error> {
    let (mut after, mut done) = (i64::MIN, 0);
    loop {
        let mut transaction = connection.begin().await?;
        let rows = sqlx::query(STALE)
            .bind(lack.tenant.get())
            .bind(lack.set)
            .bind(&lack.types)
            .bind(after)
            .bind(BATCH)
            .fetch_all(&mut *transaction)
            .await?;
        let mut rids = Vec::with_capacity(rows.len());
        let mut index = Vec::with_capacity(rows.len());
        for row in &rows {
            rids.push(row.try_get("rid")?);
            index.push(rows_of(database, lack.tenant, row)?);
        }
        let mut columns = IndexColumns::default();
        for (rid, rows) in rids.iter().zip(&index) {
            columns.extend(*rid, rows);
        }
        let Some(last) = rids.last() else { return Ok(done) };
        (after, done) = (*last, done + rids.len());
        if which == Pass::Last && !lack.numbers.is_empty() {
            for table in TABLES {
                let table = table.name;
                let statement =
                    format!("DELETE FROM {table} WHERE tenant = $1 AND parameter = ANY($2) AND rid = ANY($3)");
                let query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(lack.tenant.get());
                query.bind(&lack.numbers).bind(&rids).execute(&mut *transaction).await?;
            }
        }
        let tables = columns.tables();
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(writes::index(tables)));
        let query = query.bind(lack.tenant.get()).bind(lack.set).bind(rids);
        columns.bind(tables, query).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
    }
}

fn rows_of(database: &Database, tenant: TenantId, row: &sqlx::postgres::PgRow) -> Result<IndexRows, sqlx::Error> {
    let unreadable = |error: String| sqlx::Error::Protocol(error);
    let stored = keyed(row).map_err(|error| unreadable(error.to_string()))?;
    let resource = parse(&stored.body, &Limits::default()).map_err(|error| unreadable(error.to_string()))?;
    let kind = stored.key.resource_type();
    let entries = index::extract(&resource, kind, &database.registry.parameters(tenant));
    Ok(IndexRows::of(database, &entries, &index::compartments(&entries, kind)))
}

/// Whether rows of a tenant are left that no set since this one has indexed.
pub(super) async fn are_left(database: &Database, tenant: TenantId, set: i32) -> Result<bool, sqlx::Error> {
    let lack = Lack { tenant, set, types: None, numbers: Vec::new() };
    left(&mut *database.background.acquire().await?, &lack).await
}

async fn left(connection: &mut PgConnection, lack: &Lack) -> Result<bool, sqlx::Error> {
    const LEFT: &str = "SELECT EXISTS (SELECT FROM resource WHERE tenant = $1 AND parameter_set < $2 \
        AND ($3::int2[] IS NULL OR type = ANY($3)))";
    sqlx::query_scalar(LEFT).bind(lack.tenant.get()).bind(lack.set).bind(&lack.types).fetch_one(connection).await
}

/// Rows that lack something, `$4` after this row; those that somebody writes to now come later.
const STALE: &str = "SELECT rid, type, id, version, updated, body FROM resource \
    WHERE tenant = $1 AND parameter_set < $2 AND ($3::int2[] IS NULL OR type = ANY($3)) AND rid > $4 \
    ORDER BY rid LIMIT $5 FOR UPDATE SKIP LOCKED";
