//! Times: every value is a range, and so is what is asked for (R4 search.html#prefix).

use seva_fhir::search::{DateTest, Prefix};

use super::sql::{Bind, Sql};

/// The columns of a range, and how a moment is bound beside the lower one.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) low: &'a str,
    pub(super) high: &'a str,
    pub(super) bind_low: fn(i64) -> Bind,
}

impl<'a> Columns<'a> {
    /// Columns of microseconds.
    pub(super) fn of_moments(low: &'a str, high: &'a str) -> Self {
        Self { low, high, bind_low: Bind::Int8 }
    }

    fn low(self, sql: &mut Sql, operator: &str, moment: i64) {
        sql.push(self.low).push(operator).bind((self.bind_low)(moment));
    }

    fn high(self, sql: &mut Sql, operator: &str, moment: i64) {
        sql.push(self.high).push(operator).bind(Bind::Int8(moment));
    }

    fn within(self, sql: &mut Sql, (from, to): (i64, i64)) {
        sql.push("(");
        self.low(sql, " >= ", from);
        sql.push(" AND ");
        self.high(sql, " <= ", to);
        sql.push(")");
    }
}

/// Appends one comparison of a range.
pub(super) fn push(sql: &mut Sql, test: &DateTest, columns: Columns<'_>) {
    let (from, to) = (test.low, test.high);
    match test.prefix {
        Prefix::Equal => columns.within(sql, (from, to)),
        Prefix::NotEqual => {
            sql.push("NOT ");
            columns.within(sql, (from, to));
        }
        Prefix::Greater => columns.high(sql, " > ", to),
        Prefix::Less => columns.low(sql, " < ", from),
        Prefix::GreaterOrEqual => columns.high(sql, " >= ", from),
        Prefix::LessOrEqual => columns.low(sql, " <= ", to),
        Prefix::StartsAfter => columns.low(sql, " > ", to),
        Prefix::EndsBefore => columns.high(sql, " < ", from),
        Prefix::Approximately => {
            // Overlap suffices; R4 leaves the width of "approximately" to the server, and a day is what a person means.
            const DAY: i64 = 86_400_000_000;
            sql.push("(");
            columns.high(sql, " >= ", from.saturating_sub(DAY));
            sql.push(" AND ");
            columns.low(sql, " <= ", to.saturating_add(DAY));
            sql.push(")");
        }
    }
}
