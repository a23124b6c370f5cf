//! A typed search as SQL: the one place where search becomes SQL. One file per parameter type, as in the domain
//! (R4 <https://hl7.org/fhir/R4/search.html>).

mod clauses;
mod composites;
mod contained;
mod cursor;
mod dated;
mod dates;
pub(crate) mod drive;
pub(crate) mod explain;
mod includes;
mod joins;
pub(crate) mod labels;
mod numbers;
mod order;
mod page;
mod references;
pub(crate) mod scan;
mod sql;
mod strings;
mod tokens;

use seva_fhir::json::{Json, Limits, parse};
use seva_fhir::ports::{SearchPage, StoreError, Stored};
use seva_fhir::search::{Cursor, CursorKey, InvalidCursor, Recheck, SearchQuery, SortValue, Total};
use seva_fhir::types::{ResourceKey, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::Database;
use crate::failure::unavailable;
use crate::resources::lookup::keyed;
use dated::Dated;
use drive::Driver;
use order::{Kind, Order};
use page::Asked;
use sql::{Planning, Sql};

const COLUMNS: &str = "r.rid, r.type, r.id, r.version, r.updated, r.body";

/// How many rows are read at once when each one has to be looked at.
const LOOKED_AT: u32 = 500;
/// A page ends after so many rows that did not fit; its link goes on from there.
const MOST_LOOKED_AT: usize = 50_000;

/// Codes that nobody has looked for are no codes: a search for them would find nothing, or everything.
pub(crate) fn known(query: &SearchQuery) -> Result<(), StoreError> {
    if query.has_unknown_codes() {
        return Err(StoreError::Unavailable(
            "the codes of a search were not looked for before the store was asked".into(),
        ));
    }
    Ok(())
}

/// Answers a search: one statement for the page, one more for each include, one for a total that was asked for.
pub(crate) async fn run(
    database: &Database,
    tenant: TenantId,
    query: &SearchQuery,
    connection: &mut PgConnection,
) -> Result<SearchPage, StoreError> {
    known(query)?;
    let total = match query.total {
        Total::None if query.count > 0 => None,
        Total::Estimate if query.count > 0 && !is_looked_at(query) => {
            Some(estimate(database, tenant, query, connection).await?)
        }
        Total::None | Total::Estimate | Total::Accurate => Some(count(database, tenant, query, connection).await?),
    };
    if query.count == 0 {
        return Ok(SearchPage { total, ..SearchPage::default() });
    }
    let dated = Dated::choose(database, tenant, query, connection).await?;
    let driver = match query.is_inside() || dated.is_some() {
        true => None,
        false => drive::choose(database, tenant, &drive::equalities(database, query), connection).await?,
    };
    let (order, after) = match dated {
        Some(dated) => dated,
        None => order_of(database, query, driver.as_ref(), connection).await?,
    };
    let is_first = after.is_none();
    let search =
        Search { database, tenant, query, order: &order, driver: driver.as_ref(), connection: &mut *connection };
    let found = search.page(after).await?;
    let next = found.next.map(|key| cursor::seal(database, query, &order, &key));
    // A first page that is the last one has counted them all.
    let all = (is_first && next.is_none()).then_some(found.matches.len() as u64);
    let rids: Vec<i64> = found.keys.iter().map(|key| key.rid).collect();
    let (included, cut) = includes::run(database, connection, (tenant, query), (&rids, &found.matches)).await?;
    let total = total.or(all);
    Ok(SearchPage { matches: found.matches, included, next, total, cut, ..SearchPage::default() })
}

/// The order of a page and where it begins. Few rows are sorted rather than walked to; a link keeps the way in which its
/// search began, whatever was written since.
async fn order_of(
    database: &Database,
    query: &SearchQuery,
    driver: Option<&Driver>,
    connection: &mut PgConnection,
) -> Result<(Order, Option<CursorKey>), StoreError> {
    let mut order = Order::of(database, query);
    if let Some(cursor) = &query.cursor {
        if let Some(key) = cursor::open(database, query, &order, cursor) {
            return Ok((order, Some(key)));
        }
        let order = Order::computed(database, query);
        let key = cursor::open(database, query, &order, cursor).ok_or(StoreError::Cursor(InvalidCursor))?;
        return Ok((order, Some(key)));
    }
    if let (Some(walked), Some(driver)) = (order.walked(query), driver)
        && drive::is_sorted(database, driver, walked, query.count + 1, connection).await?
    {
        order = Order::computed(database, query);
    }
    Ok((order, None))
}

/// Matches in their order after a key, each with its own key: for an answer that other rows are merged into.
pub(crate) async fn keyed_matches(
    database: &Database,
    tenant: TenantId,
    query: &SearchQuery,
    after: Option<CursorKey>,
    connection: &mut PgConnection,
) -> Result<Vec<(CursorKey, Stored)>, StoreError> {
    let order = Order::of(database, query);
    let found = Search { database, tenant, query, order: &order, driver: None, connection }.page(after).await?;
    Ok(found.keys.into_iter().zip(found.matches).collect())
}

/// Seals a key as a page link of a search.
pub(crate) fn seal_key(database: &Database, query: &SearchQuery, key: &CursorKey) -> Cursor {
    cursor::seal(database, query, &Order::of(database, query), key)
}

/// Opens the page link of a search.
pub(crate) fn open_key(database: &Database, query: &SearchQuery, cursor: &Cursor) -> Result<CursorKey, StoreError> {
    cursor::open(database, query, &Order::of(database, query), cursor).ok_or(StoreError::Cursor(InvalidCursor))
}

/// The keys that a condition finds, on the connection of a transaction; no more than its count.
pub(crate) async fn keys(
    database: &Database,
    tenant: TenantId,
    query: &SearchQuery,
    connection: &mut PgConnection,
) -> Result<Vec<ResourceKey>, StoreError> {
    known(query)?;
    let rechecks: Vec<&Recheck> = query.rechecks().collect();
    // Without a look at each row no more are read than are asked for.
    let limit = if rechecks.is_empty() { query.count } else { LOOKED_AT };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let asked = Asked { database, tenant, query, order: &Order::Row, driver: None, after: after.as_ref(), limit };
        let (statement, planning) = asked.statement();
        let rows = statement.fetch_on(&mut *connection, planning).await?;
        for row in &rows {
            let stored = keyed(row)?;
            after = Some(CursorKey { values: Vec::new(), rid: row.try_get("rid").map_err(unavailable)? });
            if holds(&rechecks, &stored)? {
                found.push(stored.key);
            }
            if found.len() >= query.count as usize {
                return Ok(found);
            }
        }
        if rows.len() < limit as usize {
            return Ok(found);
        }
    }
}

struct Search<'a> {
    database: &'a Database,
    tenant: TenantId,
    query: &'a SearchQuery,
    order: &'a Order,
    driver: Option<&'a Driver>,
    connection: &'a mut PgConnection,
}

/// The matches of a page, and the key after which the next page begins.
#[derive(Default)]
struct Found {
    keys: Vec<CursorKey>,
    matches: Vec<Stored>,
    next: Option<CursorKey>,
}

impl Search<'_> {
    async fn page(mut self, after: Option<CursorKey>) -> Result<Found, StoreError> {
        let rechecks: Vec<&Recheck> = self.query.rechecks().collect();
        let wanted = self.query.count as usize;
        // One more than wanted tells whether there is a next page.
        let limit = if is_looked_at(self.query) { LOOKED_AT } else { self.query.count + 1 };
        let (mut found, mut last, mut after) = (Found::default(), None, after);
        let mut seen = 0;
        loop {
            let rows = self.rows(after.as_ref(), limit).await?;
            let complete = rows.len() < limit as usize;
            for row in &rows {
                let (key, stored) = (self.key(row)?, keyed(row)?);
                after = Some(key.clone());
                if !fits(self.query, &rechecks, &stored)? {
                    continue;
                }
                if found.matches.len() == wanted {
                    found.next = last;
                    return Ok(found);
                }
                found.keys.push(key.clone());
                found.matches.push(stored);
                last = Some(key);
            }
            seen += rows.len();
            if complete {
                return Ok(found);
            }
            if seen >= MOST_LOOKED_AT {
                found.next = after;
                return Ok(found);
            }
        }
    }

    /// Rows after a key; behind the end of a walked index come those that it does not have.
    async fn rows(&mut self, after: Option<&CursorKey>, limit: u32) -> Result<Vec<PgRow>, StoreError> {
        let asked = |limit| Asked {
            database: self.database,
            tenant: self.tenant,
            query: self.query,
            order: self.order,
            driver: self.driver,
            after,
            limit,
        };
        let Order::Walk(walk) = self.order else {
            let (statement, planning) = asked(limit).statement();
            return statement.fetch(self.connection, planning).await;
        };
        let beyond = after.filter(|key| matches!(key.values.first(), Some(None))).map(|key| key.rid);
        let mut rows = Vec::new();
        if beyond.is_none() {
            let (statement, planning) = asked(limit).statement();
            rows = statement.fetch(self.connection, planning).await?;
        }
        let missing = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(limit));
        if missing > 0 {
            rows.extend(asked(missing).without(walk, beyond).fetch(self.connection, Planning::Custom).await?);
        }
        Ok(rows)
    }

    fn key(&self, row: &PgRow) -> Result<CursorKey, StoreError> {
        let mut values = Vec::new();
        for (place, kind) in (1..).zip(self.order.kinds()) {
            let name = format!("k{place}");
            let name = name.as_str();
            values.push(match kind {
                Kind::Integer => row.try_get::<Option<i64>, _>(name).map_err(unavailable)?.map(SortValue::Integer),
                Kind::Number => row.try_get::<Option<f64>, _>(name).map_err(unavailable)?.map(SortValue::Number),
                Kind::Text => row.try_get::<Option<String>, _>(name).map_err(unavailable)?.map(SortValue::Text),
            });
        }
        Ok(CursorKey { values, rid: row.try_get("rid").map_err(unavailable)? })
    }
}

/// Whether each row has to be looked at.
fn is_looked_at(query: &SearchQuery) -> bool {
    query.is_inside() || query.rechecks().next().is_some()
}

/// Whether the resource, or where contained ones are searched any of those, fits.
fn fits(query: &SearchQuery, rechecks: &[&Recheck], stored: &Stored) -> Result<bool, StoreError> {
    if query.is_inside() {
        return Ok(query.fitting(&parsed(stored)?).next().is_some());
    }
    holds(rechecks, stored)
}

fn holds(rechecks: &[&Recheck], stored: &Stored) -> Result<bool, StoreError> {
    if rechecks.is_empty() {
        return Ok(true);
    }
    let resource = parsed(stored)?;
    Ok(rechecks.iter().all(|recheck| recheck.holds(&resource)))
}

fn parsed(stored: &Stored) -> Result<Json, StoreError> {
    parse(&stored.body, &Limits::default())
        .map_err(|error| StoreError::Unavailable(format!("{} does not parse: {error}", stored.key)))
}

fn counting(database: &Database, tenant: TenantId, query: &SearchQuery, what: &str) -> Sql {
    let mut sql = Sql::new(tenant);
    sql.push(what).push(" FROM resource r WHERE r.tenant = $1");
    page::push_types(&mut sql, query);
    clauses::push_all(database, &mut sql, query, &[]);
    sql
}

/// Counts the matches.
pub(crate) async fn count(
    database: &Database,
    tenant: TenantId,
    query: &SearchQuery,
    connection: &mut PgConnection,
) -> Result<u64, StoreError> {
    if is_looked_at(query) {
        let all = SearchQuery { count: LOOKED_AT, sort: Vec::new(), cursor: None, ..query.clone() };
        let (mut total, mut after) = (0, None);
        loop {
            let order = &Order::Row;
            let search = Search { database, tenant, query: &all, order, driver: None, connection: &mut *connection };
            let found = search.page(after).await?;
            total += found.matches.len() as u64;
            match found.next {
                Some(key) => after = Some(key),
                None => return Ok(total),
            }
        }
    }
    let counting = counting(database, tenant, query, "SELECT count(*) AS total");
    let rows = counting.fetch(connection, page::planning(query)).await?;
    let total: i64 = match rows.first() {
        Some(row) => row.try_get("total").map_err(unavailable)?,
        None => 0,
    };
    Ok(u64::try_from(total).unwrap_or_default())
}

/// The planner's guess of the number of matches.
async fn estimate(
    database: &Database,
    tenant: TenantId,
    query: &SearchQuery,
    connection: &mut PgConnection,
) -> Result<u64, StoreError> {
    let sql = counting(database, tenant, query, "EXPLAIN (FORMAT JSON) SELECT r.rid");
    let rows = sql.fetch(connection, Planning::Custom).await?;
    let plan: serde_json::Value = match rows.first() {
        Some(row) => row.try_get(0).map_err(unavailable)?,
        None => serde_json::Value::Null,
    };
    let rows = plan.pointer("/0/Plan/Plan Rows").map(ToString::to_string).and_then(|text| text.parse::<f64>().ok());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a guess of rows is a small positive number"
    )]
    Ok(rows.unwrap_or_default().max(0.0) as u64)
}
