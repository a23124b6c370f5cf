//! Numbers and quantities: what is asked for is a range by its digits, except where a prefix compares a value.

use seva_fhir::search::{NumberTest, Prefix, QuantityTest};

use super::clauses::{close, open};
use super::sql::{Bind, Sql};
use crate::Database;
use crate::hash::Tag;

/// Where a quantity is looked for.
pub(super) struct Place {
    pub(super) unit: i64,
    /// The unit's code or text where the unit is any.
    pub(super) detail: Option<i64>,
    pub(super) number: NumberTest,
}

pub(super) fn push_numbers(sql: &mut Sql, parameters: &[i32], tests: &[NumberTest]) {
    open(sql, "index_number", parameters);
    sql.push("x.unit = 0 AND ");
    sql.any(tests, compare);
    close(sql, "index_number");
}

pub(super) fn push_quantities(database: &Database, sql: &mut Sql, parameters: &[i32], tests: &[QuantityTest]) {
    open(sql, "index_number", parameters);
    sql.any(tests, |sql, test| {
        let place = place(database, test);
        sql.push("(x.unit = ").bind(Bind::Int8(place.unit)).push(" AND ");
        push_place(sql, &place);
        sql.push(")");
    });
    close(sql, "index_number");
}

/// Appends the conditions within a unit.
pub(super) fn push_place(sql: &mut Sql, place: &Place) {
    if let Some(detail) = place.detail {
        sql.push("x.detail = ").bind(Bind::Int8(detail)).push(" AND ");
    }
    compare(sql, &place.number);
}

/// Tells where a quantity is looked for.
pub(super) fn place(database: &Database, test: &QuantityTest) -> Place {
    let hash = database.hash;
    if let Some((unit, number)) = test.canonical() {
        return Place { unit: hash.of(Tag::BaseUnit, &[&unit.base]), detail: None, number };
    }
    let (unit, detail) = match (&test.system, &test.code) {
        (Some(system), Some(code)) => (hash.of(Tag::Unit, &[system, code]), None),
        (None, Some(code)) => (0, Some(hash.of(Tag::UnitCode, &[code]))),
        (_, None) => (0, None),
    };
    Place { unit, detail, number: test.number.clone() }
}

/// A stored value is the middle of its range. For `eq` it lies within what was asked for; the other prefixes compare with
/// the exact number (R4 search.html#number).
fn compare(sql: &mut Sql, test: &NumberTest) {
    let mut against = |operator: &str, value: f64| {
        sql.push("x.value").push(operator).bind(Bind::Float8(value));
    };
    match test.prefix {
        Prefix::Equal => between(sql, test.low, test.high),
        Prefix::NotEqual => {
            sql.push("NOT ");
            between(sql, test.low, test.high);
        }
        Prefix::Greater | Prefix::StartsAfter => against(" > ", test.value),
        Prefix::Less | Prefix::EndsBefore => against(" < ", test.value),
        Prefix::GreaterOrEqual => against(" >= ", test.value),
        Prefix::LessOrEqual => against(" <= ", test.value),
        Prefix::Approximately => {
            let tenth = test.value.abs() / 10.0;
            between(sql, test.value - tenth, test.value + tenth);
        }
    }
}

fn between(sql: &mut Sql, low: f64, high: f64) {
    sql.push("(x.value >= ").bind(Bind::Float8(low)).push(" AND x.value < ").bind(Bind::Float8(high)).push(")");
}
