//! How a search is carried out: every statement that it runs, with its time and the plan that PostgreSQL chose.

use std::cell::RefCell;
use std::time::Instant;

use seva_fhir::ports::{Explained, StoreError};
use seva_fhir::search::SearchQuery;
use seva_fhir::types::TenantId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::sql::{Planning, Sql};
use crate::Database;
use crate::failure::unavailable;

tokio::task_local! {
    /// Where statements of the search at hand are noted; nowhere but within [`run`].
    static NOTED: RefCell<Vec<Explained>>;
}

/// Carries a search out and tells its statements in their order.
pub(crate) async fn run(
    database: &Database,
    tenant: TenantId,
    query: &SearchQuery,
) -> Result<Vec<Explained>, StoreError> {
    let mut connection = database.pool.acquire().await.map_err(unavailable)?;
    NOTED
        .scope(RefCell::default(), async {
            super::run(database, tenant, query, &mut connection).await?;
            Ok(NOTED.with(RefCell::take))
        })
        .await
}

/// Runs a statement; while a search is explained it is noted, and run again for its plan.
pub(super) async fn fetch(
    connection: &mut PgConnection,
    sql: Sql,
    planning: Planning,
) -> Result<Vec<PgRow>, StoreError> {
    if NOTED.try_with(|_| ()).is_err() {
        return sql.fetch_on(&mut *connection, planning).await;
    }
    let (text, explained) = (sql.text().to_owned(), sql.clone().prefixed("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "));
    let begun = Instant::now();
    let rows = sql.fetch_on(&mut *connection, planning).await?;
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    // The guess of a total is a plan already.
    let plans = match text.starts_with("EXPLAIN") {
        true => Vec::new(),
        false => explained.fetch_on(connection, planning).await?,
    };
    let plan: Option<serde_json::Value> = plans.first().map(|row| row.try_get(0)).transpose().map_err(unavailable)?;
    let plan = plan.map(|plan| plan.to_string());
    NOTED.with(|noted| noted.borrow_mut().push(Explained { statement: text, milliseconds, rows: rows.len(), plan }));
    Ok(rows)
}
