//! Numbers and quantities: what is asked for is a range by its digits, except where a prefix compares a value.

use seva_fhir::search::{NumberTest, Prefix, QuantityTest};

use super::clauses::open;
use super::sql::{Bind, Sql};
use crate::Database;
use crate::hash::Tag;

pub(super) fn push_numbers(sql: &mut Sql, parameter: i32, tests: &[NumberTest]) {
    open(sql, "index_number", parameter);
    sql.push("x.unit = 0 AND ");
    sql.any(tests, compare);
    sql.push(")");
}

pub(super) fn push_quantities(database: &Database, sql: &mut Sql, parameter: i32, tests: &[QuantityTest]) {
    open(sql, "index_number", parameter);
    sql.any(tests, |sql, test| {
        let (unit, number) = in_unit(database, test);
        sql.push("(x.unit = ").bind(Bind::Int8(unit)).push(" AND ");
        compare(sql, &number);
        sql.push(")");
    });
    sql.push(")");
}

/// The unit under which a quantity is asked for, and the comparison in it.
pub(super) fn in_unit(database: &Database, test: &QuantityTest) -> (i64, NumberTest) {
    if let Some((unit, number)) = test.canonical() {
        return (database.hash.of(Tag::BaseUnit, &[&unit.base]), number);
    }
    let unit = match (&test.system, &test.code) {
        (Some(system), Some(code)) => database.hash.of(Tag::Unit, &[system, code]),
        (None, Some(code)) => database.hash.of(Tag::UnitCode, &[code]),
        (_, None) => 0,
    };
    (unit, test.number.clone())
}

/// A stored value is a range too: its middle is the value. For `eq` the value lies within what was asked for; the other
/// prefixes compare with the exact number (R4 search.html#number).
pub(super) fn compare(sql: &mut Sql, test: &NumberTest) {
    const MIDDLE: &str = "(x.low + x.high) / 2";
    let mut against = |operator: &str, value: f64| {
        sql.push(MIDDLE).push(operator).bind(Bind::Float8(value));
    };
    match test.prefix {
        Prefix::Equal => between(sql, MIDDLE, test.low, test.high),
        Prefix::NotEqual => {
            sql.push("NOT ");
            between(sql, MIDDLE, test.low, test.high);
        }
        Prefix::Greater | Prefix::StartsAfter => against(" > ", test.value),
        Prefix::Less | Prefix::EndsBefore => against(" < ", test.value),
        Prefix::GreaterOrEqual => against(" >= ", test.value),
        Prefix::LessOrEqual => against(" <= ", test.value),
        Prefix::Approximately => {
            let tenth = test.value.abs() / 10.0;
            between(sql, MIDDLE, test.value - tenth, test.value + tenth);
        }
    }
}

fn between(sql: &mut Sql, value: &str, low: f64, high: f64) {
    sql.push("(").push(value).push(" >= ").bind(Bind::Float8(low));
    sql.push(" AND ").push(value).push(" < ").bind(Bind::Float8(high)).push(")");
}
