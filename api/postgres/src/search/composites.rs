//! Values that stand together: the first one's hash is part of what the second one is found under
//! (R4 <https://hl7.org/fhir/R4/search.html#composite>).

use seva_fhir::index::fold;
use seva_fhir::search::{CompositeKey, CompositeTest, CompositeValue, Prefix, TokenTest};

use super::clauses::open;
use super::sql::{Bind, Sql};
use super::{numbers, references, tokens};
use crate::Database;
use crate::rows::{as_number, cut, paired_string};

pub(super) fn push(database: &Database, sql: &mut Sql, parameter: i32, tests: &[CompositeTest]) {
    sql.any(tests, |sql, test| {
        let firsts = keys(database, &test.first);
        sql.any(&firsts, |sql, first| one(database, sql, (parameter, *first), &test.second));
    });
}

fn one(database: &Database, sql: &mut Sql, (parameter, first): (i32, i64), second: &CompositeValue) {
    let hash = database.hash;
    match second {
        CompositeValue::Token(test) => {
            open(sql, "index_token", parameter);
            let values = tokens::values(database, std::slice::from_ref(test));
            let pairs = values.into_iter().map(|value| hash.pair(first, value)).collect();
            sql.push("x.value = ANY(").bind(Bind::Int8s(pairs)).push("))");
        }
        CompositeValue::Quantity(test) => {
            open(sql, "index_number", parameter);
            let (unit, number) = numbers::in_unit(database, test);
            let unit = hash.pair(first, unit);
            sql.push("x.unit = ").bind(Bind::Int8(unit)).push(" AND ");
            numbers::compare(sql, &number);
            sql.push(")");
        }
        CompositeValue::Date(test) => {
            open(sql, "index_number", parameter);
            sql.push("x.unit = ").bind(Bind::Int8(hash.pair(first, 0))).push(" AND ");
            let (low, high) = (as_number(test.low), as_number(test.high));
            within(sql, test.prefix, (low, high));
            sql.push(")");
        }
        CompositeValue::String(text) => {
            open(sql, "index_string", parameter);
            let low = paired_string(hash.pair(first, 0), cut(&fold(text)));
            let high = format!("{low}{}", char::MAX);
            sql.push("x.value >= ").bind(Bind::Text(low)).push(" AND x.value < ").bind(Bind::Text(high)).push(")");
        }
    }
}

/// As in `dates`, on the columns of numbers.
fn within(sql: &mut Sql, prefix: Prefix, (from, to): (f64, f64)) {
    const DAY: f64 = 86_400_000_000.0;
    let mut compare = |text: &str, value: f64| {
        sql.push(text).bind(Bind::Float8(value));
    };
    match prefix {
        Prefix::Equal | Prefix::NotEqual => {
            compare(if prefix == Prefix::Equal { "(x.low >= " } else { "NOT (x.low >= " }, from);
            compare(" AND x.high <= ", to);
            sql.push(")");
        }
        Prefix::Greater => compare("x.high > ", to),
        Prefix::Less => compare("x.low < ", from),
        Prefix::GreaterOrEqual => compare("x.high >= ", from),
        Prefix::LessOrEqual => compare("x.low <= ", to),
        Prefix::StartsAfter => compare("x.low > ", to),
        Prefix::EndsBefore => compare("x.high < ", from),
        Prefix::Approximately => {
            compare("(x.high >= ", from - DAY);
            compare(" AND x.low <= ", to + DAY);
            sql.push(")");
        }
    }
}

/// The hashes of a first part; those of a token are one for each way of asking.
fn keys(database: &Database, key: &CompositeKey) -> Vec<i64> {
    match key {
        CompositeKey::Token(TokenTest::System(_)) => Vec::new(),
        CompositeKey::Token(test) => tokens::values(database, std::slice::from_ref(test)),
        CompositeKey::Reference(test) => {
            references::local_values(database, std::slice::from_ref(test)).unwrap_or_default()
        }
    }
}
