//! Reading in bulk: every query in one snapshot, rows as they come (journey 5). Settings of the transaction and the moment of
//! its snapshot are SQL because no builder has them.

use futures_util::TryStreamExt;
use seva_fhir::ports::{Scan, ScanOf, ScanSink, StoreError};
use seva_fhir::search::{Recheck, SearchQuery};
use seva_fhir::types::{Instant, TenantId};

use super::page::push_types;
use super::sql::{Bind, Planning, Sql};
use super::{COLUMNS, clauses, holds, known};
use crate::Database;
use crate::failure::unavailable;
use crate::resources::lookup::keyed;
use crate::rows::compartment_hash;

/// So many rows are handed over at once.
const BATCH: usize = 500;

/// What runs now may have been stamped before this snapshot and is not in it: the moment lies before all of that. A second
/// more covers the way from the stamp to the transaction's start.
const MOMENT: &str = "SELECT (extract(epoch FROM LEAST(now(), (SELECT min(xact_start) FROM pg_stat_activity \
    WHERE backend_xid IS NOT NULL))) * 1000000)::int8 - 1000000";

/// Reads everything that fits, query after query.
pub(crate) async fn run(
    database: &Database,
    tenant: TenantId,
    scan: &Scan,
    sink: &mut dyn ScanSink,
) -> Result<(), StoreError> {
    let mut transaction = database.background.begin().await.map_err(unavailable)?;
    for setting in ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", "SET LOCAL statement_timeout = 0"] {
        sqlx::query(setting).execute(&mut *transaction).await.map_err(unavailable)?;
    }
    let moment: i64 = sqlx::query_scalar(MOMENT).fetch_one(&mut *transaction).await.map_err(unavailable)?;
    sink.begin(Instant::from_micros(moment).to_milliseconds()).await?;
    for (place, query) in scan.queries.iter().enumerate() {
        known(query)?;
        let rechecks: Vec<&Recheck> = query.rechecks().collect();
        let statement = statement(database, tenant, scan, query);
        let mut rows = statement.query(Planning::Custom).fetch(&mut *transaction);
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(row) = rows.try_next().await.map_err(unavailable)? {
            let stored = keyed(&row)?;
            if holds(&rechecks, &stored)? {
                batch.push(stored);
            }
            if batch.len() == BATCH {
                sink.take(place, std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).await?;
            }
        }
        if !batch.is_empty() {
            sink.take(place, batch).await?;
        }
    }
    Ok(())
}

fn statement(database: &Database, tenant: TenantId, scan: &Scan, query: &SearchQuery) -> Sql {
    let mut sql = Sql::new(tenant);
    sql.push("SELECT ").push(COLUMNS).push(" FROM resource r WHERE r.tenant = $1");
    push_types(&mut sql, query);
    clauses::push_all(database, &mut sql, query, &[]);
    for (operator, time) in [(" >= ", scan.since), (" < ", scan.until)] {
        if let Some(time) = time {
            sql.push(" AND r.updated").push(operator).bind(Bind::Int8(time.micros()));
        }
    }
    if scan.of != ScanOf::Everything {
        sql.push(" AND r.rid IN (SELECT m.rid FROM index_token m WHERE m.tenant = $1 AND m.parameter = ");
        sql.bind(Bind::Int4(database.registry.compartment()));
        if let ScanOf::Patients(patients) = &scan.of {
            let hashes = patients.iter().map(|patient| compartment_hash(database, patient)).collect();
            sql.push(" AND m.value = ANY(").bind(Bind::Int8s(hashes)).push(")");
        }
        sql.push(")");
    }
    sql
}
