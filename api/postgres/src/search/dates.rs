//! Times: every value is a range, and so is what is asked for (R4 search.html#prefix).

use seva_fhir::search::{DateTest, Prefix};

use super::sql::{Bind, Sql};

/// Appends one comparison of the columns `low` and `high`.
pub(super) fn push(sql: &mut Sql, test: &DateTest, low: &str, high: &str) {
    let (from, to) = (test.low, test.high);
    let mut compare = |column: &str, operator: &str, value: i64| {
        sql.push(column).push(operator).bind(Bind::Int8(value));
    };
    match test.prefix {
        Prefix::Equal => within(sql, (low, high), (from, to)),
        Prefix::NotEqual => {
            sql.push("NOT ");
            within(sql, (low, high), (from, to));
        }
        Prefix::Greater => compare(high, " > ", to),
        Prefix::Less => compare(low, " < ", from),
        Prefix::GreaterOrEqual => compare(high, " >= ", from),
        Prefix::LessOrEqual => compare(low, " <= ", to),
        Prefix::StartsAfter => compare(low, " > ", to),
        Prefix::EndsBefore => compare(high, " < ", from),
        Prefix::Approximately => {
            // Overlap suffices; R4 leaves the width of "approximately" to the server, and a day is what a person means.
            const DAY: i64 = 86_400_000_000;
            let (from, to) = (from.saturating_sub(DAY), to.saturating_add(DAY));
            sql.push("(").push(high).push(" >= ").bind(Bind::Int8(from));
            sql.push(" AND ").push(low).push(" <= ").bind(Bind::Int8(to)).push(")");
        }
    }
}

fn within(sql: &mut Sql, (low, high): (&str, &str), (from, to): (i64, i64)) {
    sql.push("(").push(low).push(" >= ").bind(Bind::Int8(from));
    sql.push(" AND ").push(high).push(" <= ").bind(Bind::Int8(to)).push(")");
}
