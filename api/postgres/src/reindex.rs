//! Own search parameters come into force, and rows get the index rows that they lack, while everything goes on
//! (decision D3). What is not wholly indexed is not searched by; that nothing is left is looked at, not assumed.

use std::collections::HashMap;
use std::time::Duration;

use seva_fhir::index;
use seva_fhir::json::{Limits, parse};
use seva_fhir::parameters::{Definition, own_number, read_definitions};
use seva_fhir::types::{ResourceType, TenantId};
use sqlx::{Acquire, PgConnection, Row};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::Database;
use crate::resources::columns::IndexColumns;
use crate::resources::lookup::keyed;
use crate::rows::IndexRows;

/// How often definitions are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// After so long every node knows a new definition, and what was being written without it is written.
const KNOWN_EVERYWHERE: Duration = Duration::from_secs(3);
/// So many rows are indexed in one transaction.
const BATCH: i64 = 500;
/// The advisory lock of the one node that indexes.
const LOCK: i64 = 0x5345_5641_0002;

/// Keeps the parameters in force, and the index complete.
pub struct Reindexing {
    database: Database,
    /// How many definitions there were, and the newest one's time, when they were last read.
    seen: Option<(i64, i64)>,
}

/// What a tenant's rows lack.
struct Lack {
    tenant: TenantId,
    set: i32,
    /// Only rows of these types lack something; none means any.
    types: Option<Vec<i16>>,
    /// The registry's ids of the parameters that are new.
    numbers: Vec<i32>,
}

/// Whether rows of the new parameters may be there that are wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    First,
    Last,
}

impl Reindexing {
    /// Puts the stored definitions in force.
    pub async fn begin(database: &Database) -> Result<Self, sqlx::Error> {
        let mut own = Self { database: database.clone(), seen: None };
        own.refresh().await?;
        Ok(own)
    }

    /// Looks after the definitions until `closing` becomes true.
    pub async fn run(mut self, mut closing: watch::Receiver<bool>) {
        while !*closing.borrow() {
            tokio::select! {
                done = self.look() => {
                    if let Err(error) = done {
                        tracing::warn!(%error, "the search parameters were not looked at");
                    }
                    tokio::select! {
                        () = sleep(LOOK) => {}
                        _ = closing.changed() => {}
                    }
                }
                // A batch that is under way is rolled back, and done again by whoever comes next.
                _ = closing.changed() => {}
            }
        }
    }

    async fn look(&mut self) -> Result<(), sqlx::Error> {
        self.refresh().await?;
        let lacking = self.lacking().await?;
        if lacking.is_empty() {
            return Ok(());
        }
        let mut connection = self.database.background.acquire().await?;
        let alone: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut *connection).await?;
        if !alone {
            return Ok(());
        }
        let done = self.complete(&mut connection, &lacking).await;
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut *connection).await?;
        drop(connection);
        done?;
        self.seen = None;
        self.refresh().await
    }

    /// Reads the definitions again if one was written, and puts them in force.
    async fn refresh(&mut self) -> Result<(), sqlx::Error> {
        let kind = definition_type().code();
        let now: (i64, i64) = sqlx::query_as(
            "SELECT COALESCE(sum(n), 0)::int8, COALESCE(max(newest), 0) FROM tenant t, LATERAL (SELECT count(*) AS n, \
             max(updated) AS newest FROM resource r WHERE r.tenant = t.id AND r.type = $1) d",
        )
        .bind(kind)
        .fetch_one(&self.database.background)
        .await?;
        if self.seen == Some(now) {
            return Ok(());
        }
        let indexed: Vec<(i32, i32)> =
            sqlx::query_as("SELECT tenant, set FROM indexed_set").fetch_all(&self.database.background).await?;
        let indexed: HashMap<TenantId, i32> =
            indexed.into_iter().filter_map(|(tenant, set)| Some((TenantId::try_from(tenant).ok()?, set))).collect();
        let own = self.definitions().await?;
        self.database.registry.put_in_force(&self.database.background, &own, &indexed).await?;
        self.seen = Some(now);
        Ok(())
    }

    /// The definitions of each tenant; those of the shared one are everybody's.
    async fn definitions(&self) -> Result<Vec<(TenantId, Definition)>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT r.tenant, r.body FROM tenant t JOIN resource r ON r.tenant = t.id AND r.type = $1 ORDER BY r.tenant, r.id",
        )
        .bind(definition_type().code())
        .fetch_all(&self.database.background)
        .await?;
        let mut stored: Vec<(TenantId, Definition)> = Vec::new();
        for row in &rows {
            let (tenant, body): (i32, Vec<u8>) = (row.try_get("tenant")?, row.try_get("body")?);
            let (Ok(tenant), Ok(resource)) = (TenantId::try_from(tenant), parse(&body, &Limits::default())) else {
                continue;
            };
            stored.extend(read_definitions(&resource).into_iter().map(|definition| (tenant, definition)));
        }
        let shared: Vec<Definition> =
            stored.iter().filter(|(tenant, _)| *tenant == TenantId::SHARED).map(|(_, own)| own.clone()).collect();
        for tenant in self.tenants().await?.into_iter().filter(|tenant| *tenant != TenantId::SHARED) {
            stored.extend(shared.iter().map(|definition| (tenant, definition.clone())));
        }
        // Of two with one name the first is meant, a tenant's own before a shared one.
        let mut seen = std::collections::HashSet::new();
        stored.retain(|(tenant, own)| seen.insert((*tenant, own.base, own.code.clone())));
        Ok(stored)
    }

    async fn tenants(&self) -> Result<Vec<TenantId>, sqlx::Error> {
        let numbers: Vec<i32> =
            sqlx::query_scalar("SELECT id FROM tenant ORDER BY id").fetch_all(&self.database.background).await?;
        Ok(numbers.into_iter().filter_map(|number| TenantId::try_from(number).ok()).collect())
    }

    async fn lacking(&self) -> Result<Vec<Lack>, sqlx::Error> {
        let indexed: Vec<(i32, i32)> =
            sqlx::query_as("SELECT tenant, set FROM indexed_set").fetch_all(&self.database.background).await?;
        let indexed: HashMap<i32, i32> = indexed.into_iter().collect();
        let registry = &self.database.registry;
        let mut lacking = Vec::new();
        for tenant in self.tenants().await? {
            let parameters = registry.parameters(tenant);
            let known = indexed.get(&tenant.get()).copied().unwrap_or_default();
            if known >= parameters.set() {
                continue;
            }
            let new: Vec<_> = parameters
                .own()
                .filter_map(|(kind, parameter)| Some((kind, own_number(parameter.id)?)))
                .filter(|(_, number)| *number > known)
                .collect();
            let types = (known >= registry.set()).then(|| new.iter().map(|(kind, _)| kind.code()).collect());
            let numbers = new.iter().map(|(_, number)| *number).collect();
            lacking.push(Lack { tenant, set: parameters.set(), types, numbers });
        }
        Ok(lacking)
    }

    async fn complete(&self, connection: &mut PgConnection, lacking: &[Lack]) -> Result<(), sqlx::Error> {
        for lack in lacking {
            self.pass(connection, lack, Pass::First).await?;
        }
        sleep(KNOWN_EVERYWHERE).await;
        for lack in lacking {
            // Rows that somebody had locked are left for another look.
            while self.pass(connection, lack, Pass::Last).await? > 0 {}
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
    async fn pass(&self, connection: &mut PgConnection, lack: &Lack, pass: Pass) -> Result<usize, sqlx::Error> {
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
            let mut columns = IndexColumns::default();
            for row in &rows {
                let rid: i64 = row.try_get("rid")?;
                rids.push(rid);
                columns.extend(rid, self.rows_of(lack.tenant, row)?);
            }
            let Some(last) = rids.last() else { return Ok(done) };
            (after, done) = (*last, done + rids.len());
            if pass == Pass::Last && !lack.numbers.is_empty() {
                for table in TABLES {
                    let statement =
                        format!("DELETE FROM {table} WHERE tenant = $1 AND parameter = ANY($2) AND rid = ANY($3)");
                    let query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(lack.tenant.get());
                    query.bind(&lack.numbers).bind(&rids).execute(&mut *transaction).await?;
                }
            }
            let query = sqlx::query_scalar(INDEX).bind(lack.tenant.get()).bind(lack.set).bind(rids);
            columns.bind(query).fetch_one(&mut *transaction).await?;
            transaction.commit().await?;
        }
    }

    fn rows_of(&self, tenant: TenantId, row: &sqlx::postgres::PgRow) -> Result<IndexRows, sqlx::Error> {
        let unreadable = |error: String| sqlx::Error::Protocol(error);
        let stored = keyed(row).map_err(|error| unreadable(error.to_string()))?;
        let resource = parse(&stored.body, &Limits::default()).map_err(|error| unreadable(error.to_string()))?;
        let kind = stored.key.resource_type();
        let entries = index::extract(&resource, kind, &self.database.registry.parameters(tenant));
        Ok(IndexRows::of(&self.database, &entries, &index::compartments(&entries, kind)))
    }
}

async fn left(connection: &mut PgConnection, lack: &Lack) -> Result<bool, sqlx::Error> {
    const LEFT: &str = "SELECT EXISTS (SELECT FROM resource WHERE tenant = $1 AND parameter_set < $2 \
        AND ($3::int2[] IS NULL OR type = ANY($3)))";
    sqlx::query_scalar(LEFT).bind(lack.tenant.get()).bind(lack.set).bind(&lack.types).fetch_one(connection).await
}

fn definition_type() -> ResourceType {
    "SearchParameter".parse().expect("R4 has this type")
}

const TABLES: [&str; 6] = ["index_token", "index_reference", "index_uri", "index_string", "index_date", "index_number"];

/// Rows that lack something, `$4` after this row; those that somebody writes to now come later.
const STALE: &str = "SELECT rid, type, id, version, updated, body FROM resource \
    WHERE tenant = $1 AND parameter_set < $2 AND ($3::int2[] IS NULL OR type = ANY($3)) AND rid > $4 \
    ORDER BY rid LIMIT $5 FOR UPDATE SKIP LOCKED";

/// What is there already stays.
const INDEX: &str = "WITH r AS (UPDATE resource SET parameter_set = $2 WHERE rid = ANY($3) RETURNING rid), \
  t AS (INSERT INTO index_token (tenant, parameter, value, rid) SELECT $1, parameter, value, rid \
    FROM UNNEST($4::int8[], $5::int4[], $6::int8[]) x(rid, parameter, value) ON CONFLICT DO NOTHING), \
  f AS (INSERT INTO index_reference (tenant, parameter, value, rid) SELECT $1, parameter, value, rid \
    FROM UNNEST($7::int8[], $8::int4[], $9::int8[]) x(rid, parameter, value) ON CONFLICT DO NOTHING), \
  u AS (INSERT INTO index_uri (tenant, parameter, value, rid) SELECT $1, parameter, value, rid \
    FROM UNNEST($10::int8[], $11::int4[], $12::int8[]) x(rid, parameter, value) ON CONFLICT DO NOTHING), \
  s AS (INSERT INTO index_string (tenant, parameter, value, rid) SELECT $1, parameter, value, rid \
    FROM UNNEST($13::int8[], $14::int4[], $15::text[]) x(rid, parameter, value) ON CONFLICT DO NOTHING), \
  d AS (INSERT INTO index_date (tenant, parameter, low, high, rid) SELECT $1, parameter, low, high, rid \
    FROM UNNEST($16::int8[], $17::int4[], $18::int8[], $19::int8[]) x(rid, parameter, low, high) ON CONFLICT DO NOTHING), \
  n AS (INSERT INTO index_number (tenant, parameter, unit, low, high, rid) SELECT $1, parameter, unit, low, high, rid \
    FROM UNNEST($20::int8[], $21::int4[], $22::int8[], $23::float8[], $24::float8[]) x(rid, parameter, unit, low, high) \
    ON CONFLICT DO NOTHING) \
  SELECT count(*) FROM r";
