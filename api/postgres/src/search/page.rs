//! The statement of a page (decision D3): an index that the first clause or the order drives, everything else semi-joins.

use seva_fhir::search::{Clause, CursorKey, SearchQuery, SortValue, StringMatch, Test};
use seva_fhir::types::TenantId;

use super::COLUMNS;
use super::clauses;
use super::dated::Dated;
use super::drive::{Driver, MANY, equalities};
use super::order::{self, Order, Walk};
use super::sql::{Bind, Planning, Sql};
use super::strings;
use crate::Database;

/// What a page is asked for with.
pub(super) struct Asked<'a> {
    pub(super) database: &'a Database,
    pub(super) tenant: TenantId,
    pub(super) query: &'a SearchQuery,
    pub(super) order: &'a Order,
    /// The equality with the fewest rows, where they were counted.
    pub(super) driver: Option<&'a Driver>,
    pub(super) after: Option<&'a CursorKey>,
    pub(super) limit: u32,
}

impl Asked<'_> {
    /// The page's statement, and how it is planned.
    pub(super) fn statement(&self) -> (Sql, Planning) {
        if self.query.is_inside() {
            return (self.by_containers(), Planning::Custom);
        }
        match (self.order, self.driver) {
            (Order::Row, _) => self.by_row(),
            (Order::Dated(dated), _) => (self.by_dates(dated), Planning::Shared),
            (Order::Updated(direction), Some(_)) => (self.by_time(*direction), Planning::Shared),
            (Order::Updated(direction), None) => (self.by_time(*direction), planning(self.query)),
            (Order::Walk(walk), Some(_)) => (self.by_walk(walk), Planning::Shared),
            (Order::Walk(walk), None) => (self.by_walk(walk), Planning::Custom),
            (Order::Keys(keys), Some(driver)) => (self.by_driven_keys(driver, keys), Planning::Shared),
            (Order::Keys(keys), None) => (self.by_keys(keys), Planning::Custom),
        }
    }

    /// The rows that the walked index does not have, in row order.
    pub(super) fn without(&self, walk: &Walk, after: Option<i64>) -> Sql {
        let mut sql = self.begin(&format!("{COLUMNS}, NULL::{} AS k1", sql_type(walk)));
        self.conditions(&mut sql);
        sql.push(" AND NOT EXISTS (SELECT FROM ").push(walk.table).push(" b WHERE b.rid = r.rid AND b.parameter = ");
        sql.bind(Bind::Int4(walk.parameter)).push(")");
        if let Some(rid) = after {
            sql.push(" AND r.rid > ").bind(Bind::Int8(rid));
        }
        sql.push(" ORDER BY r.rid");
        self.limited(sql)
    }

    fn begin(&self, columns: &str) -> Sql {
        let mut sql = Sql::new(self.tenant);
        sql.push("SELECT ").push(columns).push(" FROM resource r WHERE r.tenant = $1");
        sql
    }

    fn conditions(&self, sql: &mut Sql) {
        push_types(sql, self.query);
        clauses::push_all(self.database, sql, self.query, &[]);
    }

    fn limited(&self, mut sql: Sql) -> Sql {
        sql.push(" LIMIT ").bind(Bind::Int8(i64::from(self.limit)));
        sql
    }

    fn needs_row(&self) -> bool {
        self.query.clauses.iter().any(clauses::needs_row)
    }

    /// The unique B-tree `(tenant, parameter, value, rid)` of an equality gives the page in order and stops early; whatever
    /// else must fit is looked up for each of its rows.
    fn by_row(&self) -> (Sql, Planning) {
        let first = || equalities(self.database, self.query).into_iter().next();
        let Some(Driver { skip, equality, .. }) = self.driver.copied().or_else(first) else {
            if let Some(sql) = self.by_text() {
                return (sql, Planning::Shared);
            }
            let mut sql = self.begin(COLUMNS);
            self.conditions(&mut sql);
            return (self.in_row_order(sql, "r.rid"), planning(self.query));
        };
        let mut sql = Sql::new(self.tenant);
        sql.push("SELECT ")
            .push(COLUMNS)
            .push(" FROM ")
            .push(equality.table)
            .push(" d JOIN resource r ON r.rid = d.rid");
        equality.push(&mut sql);
        sql.push(" AND r.tenant = $1");
        push_types(&mut sql, self.query);
        sql.probe(if self.needs_row() { "r" } else { "d" });
        clauses::push_all(self.database, &mut sql, self.query, &[skip]);
        (self.in_row_order(sql, "d.rid"), Planning::Shared)
    }

    /// A text alone may fit thousands: their numbers are put in order, and only the page's resources are fetched.
    fn by_text(&self) -> Option<Sql> {
        let [Clause::Parameter { parameter, test: Test::String(how, words) }] = self.query.clauses.as_slice() else {
            return None;
        };
        if self.query.compartment.is_some() || !clauses::tells_type(self.query, parameter) {
            return None;
        }
        let mut sql = Sql::new(self.tenant);
        sql.push("SELECT ")
            .push(COLUMNS)
            .push(" FROM (SELECT DISTINCT x.rid FROM index_string x WHERE x.tenant = $1 AND ");
        clauses::in_parameters(&mut sql, &self.database.registry.found_under(parameter));
        sql.push(" AND ");
        strings::push_match(&mut sql, *how, words);
        let mut sql = self.in_row_order(sql, "x.rid");
        sql.push(") p JOIN resource r ON r.rid = p.rid ORDER BY p.rid");
        Some(sql)
    }

    pub(super) fn in_row_order(&self, mut sql: Sql, row: &str) -> Sql {
        if let Some(after) = self.after {
            sql.push(" AND ").push(row).push(" > ").bind(Bind::Int8(after.rid));
        }
        sql.push(" ORDER BY ").push(row);
        self.limited(sql)
    }

    fn by_time(&self, direction: order::Direction) -> Sql {
        let (operator, word) = direction.words();
        let mut sql = self.begin(&format!("{COLUMNS}, r.updated AS k1"));
        if self.driver.is_some() {
            sql.probe("r");
        }
        self.conditions(&mut sql);
        if let Some(CursorKey { values, rid }) = self.after
            && let Some(Some(SortValue::Integer(updated))) = values.first()
        {
            sql.push(" AND (r.updated, r.rid)").push(operator).push("(").bind(Bind::Int8(*updated));
            sql.push(", ").bind(Bind::Int8(*rid)).push(")");
        }
        sql.push(" ORDER BY r.updated").push(word).push(", r.rid").push(word);
        self.limited(sql)
    }

    /// A resource with several values stands at its first one in the order. The resources are fetched when the page is
    /// full, where nothing but their numbers is needed before.
    fn by_walk(&self, walk: &Walk) -> Sql {
        let (operator, word) = walk.direction.words();
        let (before, _) = walk.direction.opposite().words();
        let (own, other) = match walk.column {
            "low" => ("(s.low, s.high)", "(b.low, b.high)"),
            _ => ("s.value", "b.value"),
        };
        let is_driven = self.driver.is_some();
        let is_late = is_driven && walk.tells_type && !self.needs_row();
        let mut sql = Sql::new(self.tenant);
        if is_late {
            sql.push("SELECT ").push(COLUMNS).push(", p.k1 FROM (SELECT s.rid, s.").push(walk.column);
            sql.push(" AS k1 FROM ").push(walk.table).push(" s WHERE s.tenant = $1 AND s.parameter = ");
            sql.bind(Bind::Int4(walk.parameter)).probe("s");
        } else {
            sql.push("SELECT ").push(COLUMNS).push(", s.").push(walk.column).push(" AS k1 FROM ").push(walk.table);
            sql.push(" s JOIN resource r ON r.rid = s.rid WHERE s.tenant = $1 AND s.parameter = ");
            sql.bind(Bind::Int4(walk.parameter)).push(" AND r.tenant = $1");
            push_types(&mut sql, self.query);
            if is_driven {
                sql.probe("r");
            }
        }
        let few = self.driver.filter(|driver| driver.rows < MANY);
        let skip = few.map(|driver| driver.skip);
        clauses::push_all(self.database, &mut sql, self.query, skip.as_slice());
        if let Some(Driver { equality, .. }) = few {
            // The rows of the driver are gathered once, in a hash table: a bare IN would be a join, in an order of its own.
            sql.push(" AND (s.rid IN (SELECT d.rid FROM ").push(equality.table).push(" d");
            equality.push(&mut sql);
            sql.push(")) IS TRUE");
        }
        sql.push(" AND NOT EXISTS (SELECT FROM ").push(walk.table).push(" b WHERE b.rid = s.rid AND b.parameter = ");
        sql.bind(Bind::Int4(walk.parameter)).push(" AND ").push(other).push(before).push(own);
        sql.push(if is_driven { " OFFSET 0)" } else { ")" });
        let column = format!("s.{}", walk.column);
        if let Some(CursorKey { values, rid }) = self.after
            && let Some(Some(value)) = values.first()
        {
            sql.push(" AND (").push(&column).push(", s.rid)").push(operator).push("(").bind(order::bind(value));
            sql.push(", ").bind(Bind::Int8(*rid)).push(")");
        }
        sql.push(" ORDER BY ").push(&column).push(word).push(", s.rid").push(word);
        let mut sql = self.limited(sql);
        if is_late {
            sql.push(") p JOIN resource r ON r.rid = p.rid ORDER BY p.k1").push(word).push(", p.rid").push(word);
        }
        sql
    }

    /// The rows of a code stand in the order of their dates; resources are fetched when the page is full.
    fn by_dates(&self, dated: &Dated) -> Sql {
        let mut sql = Sql::new(self.tenant);
        sql.push("SELECT ").push(COLUMNS).push(", p.k1, p.k2 FROM (SELECT s.rid, s.value AS k1, s.detail AS k2");
        sql.push(" FROM index_number s WHERE s.tenant = $1 AND s.parameter = ");
        sql.bind(Bind::Int4(self.database.registry.dated())).push(" AND s.unit = ").bind(Bind::Int8(dated.unit));
        sql.probe("s");
        clauses::push_all(self.database, &mut sql, self.query, &dated.skip);
        if let Some(CursorKey { values, rid }) = self.after
            && let [Some(date), Some(end)] = values.as_slice()
        {
            sql.push(" AND (s.value, s.detail, s.rid) < (").bind(order::bind(date)).push(", ");
            sql.bind(order::bind(end)).push(", ").bind(Bind::Int8(*rid)).push(")");
        }
        sql.push(" ORDER BY s.value DESC, s.detail DESC, s.rid DESC");
        let mut sql = self.limited(sql);
        sql.push(") p JOIN resource r ON r.rid = p.rid ORDER BY p.k1 DESC, p.k2 DESC, p.rid DESC");
        sql
    }

    fn by_keys(&self, keys: &[order::Key]) -> Sql {
        let mut sql = Sql::new(self.tenant);
        sql.push("SELECT ").push(COLUMNS);
        order::push_columns(&mut sql, keys);
        sql.push(" FROM resource r");
        order::push_joins(&mut sql, "r", keys);
        sql.push(" WHERE r.tenant = $1");
        self.conditions(&mut sql);
        order::push_keys(&mut sql, "r", keys, self.after);
        self.limited(sql)
    }

    /// The rows of an equality, sorted; the resources are fetched when the page is known, where nothing but their numbers
    /// is needed before.
    fn by_driven_keys(&self, driver: &Driver, keys: &[order::Key]) -> Sql {
        let is_late = driver.tells_type && !self.needs_row() && !order::needs_row(keys);
        let row = if is_late { "d" } else { "r" };
        let mut sql = Sql::new(self.tenant);
        sql.push("SELECT ").push(COLUMNS);
        order::push_page_columns(&mut sql, keys);
        sql.push(" FROM (SELECT ").push(row).push(".rid");
        order::push_columns(&mut sql, keys);
        sql.push(" FROM ").push(driver.equality.table).push(" d");
        if !is_late {
            sql.push(" JOIN resource r ON r.rid = d.rid");
        }
        order::push_joins(&mut sql, row, keys);
        driver.equality.push(&mut sql);
        if !is_late {
            sql.push(" AND r.tenant = $1");
            push_types(&mut sql, self.query);
        }
        sql.probe(row);
        clauses::push_all(self.database, &mut sql, self.query, &[driver.skip]);
        order::push_keys(&mut sql, row, keys, self.after);
        let mut sql = self.limited(sql);
        sql.push(") p JOIN resource r ON r.rid = p.rid");
        order::push_chosen(&mut sql, keys);
        sql
    }
}

/// How a statement without a driver is planned: text and equalities are found by their index, a range may hold anything from
/// nothing to everything.
pub(super) fn planning(query: &SearchQuery) -> Planning {
    let is_even = |clause: &Clause| match clause {
        Clause::Types(_) | Clause::Id(_) | Clause::Recheck(_) => true,
        Clause::Parameter { test, .. } => matches!(
            test,
            Test::Token(_)
                | Test::Reference(_)
                | Test::Uri(_)
                | Test::String(StringMatch::Prefix | StringMatch::Exact, _)
        ),
        _ => false,
    };
    if query.clauses.iter().all(is_even) { Planning::Shared } else { Planning::Custom }
}

fn sql_type(walk: &Walk) -> &'static str {
    if walk.column == "low" { "int8" } else { "text" }
}

/// Appends that the row is of a type that is searched.
pub(super) fn push_types(sql: &mut Sql, query: &SearchQuery) {
    match query.resource_types.as_slice() {
        [one] => sql.push(" AND r.type = ").bind(Bind::Int2(one.code())),
        types => {
            let codes = types.iter().map(|kind| kind.code()).collect();
            sql.push(" AND r.type = ANY(").bind(Bind::Int2s(codes)).push(")")
        }
    };
}
