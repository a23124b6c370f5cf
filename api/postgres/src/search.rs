//! A typed search as SQL: the one place where search becomes SQL. One file per parameter type, as in the domain.
//!
//! The driving index is the first clause that one equality answers; then the unique B-tree `(tenant, parameter, value,
//! rid)` gives the page in row order and stops early. Everything else is a semi-join.

mod clauses;
mod cursor;
mod dates;
mod includes;
mod numbers;
mod references;
mod sql;
mod strings;
mod tokens;

use seva_fhir::ports::{SearchPage, StoreError, Stored};
use seva_fhir::search::{Clause, CursorKey, SearchQuery, Sort, Total};
use seva_fhir::types::TenantId;
use sqlx::Row;

use crate::Database;
use crate::failure::unavailable;
use crate::resources::lookup::keyed;
use cursor::Order;
use sql::{Bind, Sql};

const COLUMNS: &str = "r.rid, r.type, r.id, r.version, r.updated, r.body";

/// Answers a search: one statement for the page, one more for each include, one for a total that was asked for.
pub(crate) async fn run(database: &Database, tenant: TenantId, query: &SearchQuery) -> Result<SearchPage, StoreError> {
    let total = match query.total {
        Total::None if query.count > 0 => None,
        Total::None | Total::Accurate => Some(count(database, tenant, query).await?),
    };
    if query.count == 0 {
        return Ok(SearchPage { matches: Vec::new(), included: Vec::new(), next: None, total });
    }
    let order = Order::of(query);
    let after = match &query.cursor {
        Some(cursor) => Some(order.open(database, query, cursor).ok_or_else(cursor::invalid)?),
        None => None,
    };
    let statement = page(database, tenant, query, order, after);
    let mut rows = statement.fetch(database).await?;
    let wanted = query.count as usize;
    let more = rows.len() > wanted;
    rows.truncate(wanted);
    let mut rids = Vec::with_capacity(rows.len());
    let mut matches: Vec<Stored> = Vec::with_capacity(rows.len());
    for row in &rows {
        rids.push(row.try_get::<i64, _>("rid").map_err(unavailable)?);
        matches.push(keyed(row)?);
    }
    let next = match (more, matches.last(), rids.last()) {
        (true, Some(last), Some(rid)) => {
            Some(order.seal(database, query, CursorKey { value: last.updated.micros(), rid: *rid }))
        }
        _ => None,
    };
    let included = includes::run(database, tenant, query, &rids, &matches).await?;
    Ok(SearchPage { matches, included, next, total })
}

/// The page's statement.
fn page(database: &Database, tenant: TenantId, query: &SearchQuery, order: Order, after: Option<CursorKey>) -> Sql {
    let mut sql = Sql::new(tenant);
    sql.push("SELECT ").push(COLUMNS).push(" FROM ");
    let driver = matches!(order, Order::Row).then(|| driving(database, query)).flatten();
    let mut skip = None;
    match driver {
        Some((place, table, parameter, value)) => {
            sql.push(table).push(" d JOIN resource r ON r.rid = d.rid WHERE d.tenant = $1 AND d.parameter = ");
            sql.bind(Bind::Int4(parameter)).push(" AND d.value = ").bind(Bind::Int8(value));
            sql.push(" AND r.tenant = $1");
            skip = Some(place);
        }
        None => {
            sql.push("resource r WHERE r.tenant = $1");
        }
    }
    sql.push(" AND r.type = ").bind(Bind::Int2(query.resource_type.code()));
    clauses::push_all(database, &mut sql, query, skip);
    let row = if skip.is_some() { "d.rid" } else { "r.rid" };
    order.push(&mut sql, row, after);
    sql.push(" LIMIT ").bind(Bind::Int8(i64::from(query.count) + 1));
    sql
}

async fn count(database: &Database, tenant: TenantId, query: &SearchQuery) -> Result<u64, StoreError> {
    let mut sql = Sql::new(tenant);
    sql.push("SELECT count(*) AS total FROM resource r WHERE r.tenant = $1 AND r.type = ");
    sql.bind(Bind::Int2(query.resource_type.code()));
    clauses::push_all(database, &mut sql, query, None);
    let rows = sql.fetch(database).await?;
    let total: i64 = match rows.first() {
        Some(row) => row.try_get("total").map_err(unavailable)?,
        None => 0,
    };
    Ok(u64::try_from(total).unwrap_or_default())
}

/// The first clause that one equality on a hashed index answers: its place, table, parameter and value.
fn driving(database: &Database, query: &SearchQuery) -> Option<(usize, &'static str, i32, i64)> {
    query.clauses.iter().enumerate().find_map(|(place, clause)| match clause {
        Clause::Parameter { parameter, test } => {
            let (table, value) = clauses::single_equality(database, test)?;
            Some((place, table, database.registry.id_of(parameter), value))
        }
        Clause::Id(_) | Clause::LastUpdated(_) => None,
    })
}

impl Order {
    /// The order of a query: by time where it is asked for or where nothing narrows the type, else by row.
    fn of(query: &SearchQuery) -> Self {
        match query.sort {
            Sort::LastUpdated => Self::Updated,
            Sort::LastUpdatedDescending => Self::UpdatedDescending,
            Sort::Natural if query.clauses.is_empty() && query.compartment.is_none() => Self::Updated,
            Sort::Natural => Self::Row,
        }
    }
}
