//! The statement of a page (decision D3): an index that the first clause or the order drives, everything else semi-joins.

use seva_fhir::search::{Clause, CursorKey, SearchQuery, SortValue};
use seva_fhir::types::TenantId;

use super::clauses::{Equality, Skip};
use super::order::{self, Order, Walk};
use super::sql::{Bind, Planning, Sql};
use super::{COLUMNS, clauses};
use crate::Database;
use crate::rows::compartment_hash;

/// What a page is asked for with.
pub(super) struct Asked<'a> {
    pub(super) database: &'a Database,
    pub(super) tenant: TenantId,
    pub(super) query: &'a SearchQuery,
    pub(super) order: &'a Order,
    pub(super) after: Option<&'a CursorKey>,
    pub(super) limit: u32,
}

impl Asked<'_> {
    /// The page's statement, and how it is planned.
    pub(super) fn statement(&self) -> (Sql, Planning) {
        match self.order {
            Order::Row => (self.by_row(), Planning::Shared),
            Order::Updated(direction) => (self.by_time(*direction), Planning::Shared),
            Order::Walk(walk) => (self.by_walk(walk), Planning::Custom),
            Order::Keys(keys) => (self.by_keys(keys), Planning::Custom),
        }
    }

    /// The rows that the walked index does not have, in row order.
    pub(super) fn without(&self, walk: &Walk, after: Option<i64>) -> Sql {
        let mut sql = self.begin(&format!("{COLUMNS}, NULL::{} AS k1", sql_type(walk)));
        self.conditions(&mut sql, None);
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

    fn conditions(&self, sql: &mut Sql, skip: Option<Skip>) {
        push_types(sql, self.query);
        clauses::push_all(self.database, sql, self.query, skip);
    }

    fn limited(&self, mut sql: Sql) -> Sql {
        sql.push(" LIMIT ").bind(Bind::Int8(i64::from(self.limit)));
        sql
    }

    /// The unique B-tree `(tenant, parameter, value, rid)` of the first equality gives the page in order and stops early.
    fn by_row(&self) -> Sql {
        let mut sql;
        let mut row = "r.rid";
        match driving(self.database, self.query) {
            Some((skip, Equality { table, parameter, value })) => {
                sql = Sql::new(self.tenant);
                sql.push("SELECT ").push(COLUMNS).push(" FROM ").push(table);
                sql.push(" d JOIN resource r ON r.rid = d.rid WHERE d.tenant = $1 AND d.parameter = ");
                sql.bind(Bind::Int4(parameter)).push(" AND d.value = ").bind(Bind::Int8(value));
                sql.push(" AND r.tenant = $1");
                self.conditions(&mut sql, Some(skip));
                row = "d.rid";
            }
            None => {
                sql = self.begin(COLUMNS);
                self.conditions(&mut sql, None);
            }
        }
        if let Some(after) = self.after {
            sql.push(" AND ").push(row).push(" > ").bind(Bind::Int8(after.rid));
        }
        sql.push(" ORDER BY ").push(row);
        self.limited(sql)
    }

    fn by_time(&self, direction: order::Direction) -> Sql {
        let (operator, word) = direction.words();
        let mut sql = self.begin(&format!("{COLUMNS}, r.updated AS k1"));
        self.conditions(&mut sql, None);
        if let Some(CursorKey { values, rid }) = self.after
            && let Some(Some(SortValue::Integer(updated))) = values.first()
        {
            sql.push(" AND (r.updated, r.rid)").push(operator).push("(").bind(Bind::Int8(*updated));
            sql.push(", ").bind(Bind::Int8(*rid)).push(")");
        }
        sql.push(" ORDER BY r.updated").push(word).push(", r.rid").push(word);
        self.limited(sql)
    }

    /// A resource with several values stands at its first one in the order.
    fn by_walk(&self, walk: &Walk) -> Sql {
        let (operator, word) = walk.direction.words();
        let (before, _) = match walk.direction {
            order::Direction::Ascending => order::Direction::Descending.words(),
            order::Direction::Descending => order::Direction::Ascending.words(),
        };
        let (own, other) = match walk.column {
            "low" => ("(s.low, s.high)", "(b.low, b.high)"),
            _ => ("s.value", "b.value"),
        };
        let mut sql = Sql::new(self.tenant);
        sql.push("SELECT ").push(COLUMNS).push(", s.").push(walk.column).push(" AS k1 FROM ").push(walk.table);
        sql.push(" s JOIN resource r ON r.rid = s.rid WHERE s.tenant = $1 AND s.parameter = ");
        sql.bind(Bind::Int4(walk.parameter)).push(" AND r.tenant = $1");
        self.conditions(&mut sql, None);
        sql.push(" AND NOT EXISTS (SELECT FROM ").push(walk.table).push(" b WHERE b.rid = s.rid AND b.parameter = ");
        sql.bind(Bind::Int4(walk.parameter)).push(" AND ").push(other).push(before).push(own).push(")");
        let column = format!("s.{}", walk.column);
        if let Some(CursorKey { values, rid }) = self.after
            && let Some(Some(value)) = values.first()
        {
            sql.push(" AND (").push(&column).push(", s.rid)").push(operator).push("(").bind(order::bind(value));
            sql.push(", ").bind(Bind::Int8(*rid)).push(")");
        }
        sql.push(" ORDER BY ").push(&column).push(word).push(", s.rid").push(word);
        self.limited(sql)
    }

    fn by_keys(&self, keys: &[order::Key]) -> Sql {
        let mut sql = Sql::new(self.tenant);
        sql.push("SELECT ").push(COLUMNS);
        order::push_columns(&mut sql, keys);
        sql.push(" FROM resource r");
        order::push_joins(&mut sql, keys);
        sql.push(" WHERE r.tenant = $1");
        self.conditions(&mut sql, None);
        order::push_keys(&mut sql, keys, self.after);
        self.limited(sql)
    }
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

/// The first condition that one equality on a hashed index answers, a compartment if there is no other.
fn driving(database: &Database, query: &SearchQuery) -> Option<(Skip, Equality)> {
    let clause = query.clauses.iter().enumerate().find_map(|(place, clause)| match clause {
        Clause::Parameter { parameter, test } => {
            Some((Skip::Clause(place), clauses::single_equality(database, parameter, test)?))
        }
        _ => None,
    });
    clause.or_else(|| {
        let value = compartment_hash(database, query.compartment.as_ref()?);
        let parameter = database.registry.compartment();
        Some((Skip::Compartment, Equality { table: "index_token", parameter, value }))
    })
}
