//! Which index drives a search: PostgreSQL guesses how often a value occurs from samples over all parameters, and is off by
//! factors of ten, so that it is counted here, up to a bound, and remembered for a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use seva_fhir::ports::StoreError;
use seva_fhir::search::{Clause, SearchQuery};
use seva_fhir::types::TenantId;
use sqlx::{PgConnection, Row};

use super::clauses::{Equality, Skip, single_equality, tells_type};
use super::sql::{Bind, Planning, Sql};
use crate::Database;
use crate::failure::unavailable;
use crate::rows::compartment_hash;

/// A value is counted so far: more rows than these are many.
pub(super) const MANY: i64 = 10_000;
/// Counts are remembered so long; a wrong one costs time, never an answer.
const REMEMBERED: Duration = Duration::from_secs(60);
/// A sorted row needs a lookup of its key, a walked one is looked for in a hash table: measured, 1.8 and 0.2 µs.
const LOOKS: i64 = 8;
/// A table of unknown size may be large.
const UNKNOWN: i64 = 1_000_000;
/// So many counts are remembered at most.
const MOST: usize = 20_000;

/// The equality that a statement begins with, and how many rows it has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Driver {
    pub(super) skip: Skip,
    pub(super) equality: Equality,
    /// Whether the type of the resources follows from the parameter.
    pub(super) tells_type: bool,
    pub(super) rows: i64,
}

/// What is remembered: a count and when it was made.
type Remembered<K> = Mutex<HashMap<K, (Instant, i64)>>;

/// What is walked: a table, and the column whose value bounds the part of its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Walked {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) value: i32,
}

/// Counts that were made a moment ago.
#[derive(Default)]
pub(crate) struct Counts {
    values: Remembered<(i32, &'static str, i32, i64)>,
    walks: Remembered<Walked>,
}

/// The conditions of a query that are one equality each.
pub(super) fn equalities(database: &Database, query: &SearchQuery) -> Vec<Driver> {
    let of_clause = |(place, clause): (usize, &Clause)| match clause {
        Clause::Parameter { parameter, test } => Some(Driver {
            skip: Skip::Clause(place),
            equality: single_equality(database, parameter, test)?,
            tells_type: tells_type(query, parameter),
            rows: MANY,
        }),
        _ => None,
    };
    let compartment = query.compartment.as_ref().map(|patient| Driver {
        skip: Skip::Compartment,
        equality: Equality {
            table: "index_token",
            parameter: database.registry.compartment(),
            value: compartment_hash(database, patient),
        },
        tells_type: false,
        rows: MANY,
    });
    query.clauses.iter().enumerate().filter_map(of_clause).chain(compartment).collect()
}

/// Chooses the equality with the fewest rows.
pub(super) async fn choose(
    database: &Database,
    tenant: TenantId,
    equalities: &[Driver],
    connection: &mut PgConnection,
) -> Result<Option<Driver>, StoreError> {
    let mut best: Option<Driver> = None;
    for driver in equalities {
        let rows = rows_of(database, tenant, &driver.equality, connection).await?;
        if best.is_none_or(|best| rows < best.rows) {
            best = Some(Driver { rows, ..*driver });
        }
    }
    Ok(best)
}

/// Whether sorting the rows of a driver is less work than walking an index in order until a page of `limit` is full: the
/// walk looks at about `walked / rows` rows for each match, and a row is sorted in the time in which [`LOOKS`] are looked at.
pub(super) async fn is_sorted(
    database: &Database,
    driver: &Driver,
    walk: Walked,
    limit: u32,
    connection: &mut PgConnection,
) -> Result<bool, StoreError> {
    if driver.rows >= MANY {
        return Ok(false);
    }
    let walked = walked(database, walk, connection).await?;
    Ok(driver.rows.saturating_mul(driver.rows).saturating_mul(LOOKS) <= i64::from(limit).saturating_mul(walked))
}

async fn rows_of(
    database: &Database,
    tenant: TenantId,
    equality: &Equality,
    connection: &mut PgConnection,
) -> Result<i64, StoreError> {
    let key = (tenant.get(), equality.table, equality.parameter, equality.value);
    if let Some(rows) = remembered(&database.counts.values, &key) {
        return Ok(rows);
    }
    let mut sql = Sql::new(tenant);
    sql.push("SELECT count(*) AS rows FROM (SELECT FROM ").push(equality.table).push(" d");
    equality.push(&mut sql);
    sql.push(" LIMIT ").bind(Bind::Int8(MANY)).push(") c");
    let rows = number(sql, connection).await?;
    remember(&database.counts.values, key, rows);
    Ok(rows)
}

/// About how many rows are walked, of all tenants, by the statistics that PostgreSQL keeps.
async fn walked(database: &Database, walk: Walked, connection: &mut PgConnection) -> Result<i64, StoreError> {
    if let Some(rows) = remembered(&database.counts.walks, &walk) {
        return Ok(rows);
    }
    let mut sql = Sql::new(TenantId::SHARED);
    sql.push("SELECT (c.reltuples * COALESCE((SELECT s.most_common_freqs[array_position(");
    sql.push("s.most_common_vals::text::int4[], ").bind(Bind::Int4(walk.value));
    sql.push(")] FROM pg_stats s WHERE s.schemaname = current_schema() AND s.tablename = c.relname AND s.attname = ");
    sql.bind(Bind::Text(walk.column.to_owned()));
    sql.push("), 0.01))::int8 AS rows FROM pg_class c WHERE $1::int4 IS NOT NULL AND c.oid = ");
    sql.push(&format!("'{}'::regclass", walk.table));
    // A table that was never analysed says -1.
    let rows = Some(number(sql, connection).await?).filter(|rows| *rows >= 0).unwrap_or(UNKNOWN);
    remember(&database.counts.walks, walk, rows);
    Ok(rows)
}

async fn number(sql: Sql, connection: &mut PgConnection) -> Result<i64, StoreError> {
    let rows = sql.fetch(connection, Planning::Shared).await?;
    rows.first().map_or(Ok(0), |row| row.try_get("rows").map_err(unavailable))
}

fn remembered<K: std::hash::Hash + Eq>(counts: &Remembered<K>, key: &K) -> Option<i64> {
    let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    counts.get(key).filter(|(at, _)| at.elapsed() < REMEMBERED).map(|(_, rows)| *rows)
}

fn remember<K: std::hash::Hash + Eq>(counts: &Remembered<K>, key: K, rows: i64) {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    if counts.len() >= MOST {
        counts.clear();
    }
    counts.insert(key, (Instant::now(), rows));
}
