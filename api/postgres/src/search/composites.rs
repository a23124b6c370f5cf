//! Values that stand together: the first one's hash is part of what the second one is found under
//! (R4 <https://hl7.org/fhir/R4/search.html#composite>).

use seva_fhir::index::fold;
use seva_fhir::search::{CompositeKey, CompositeTest, CompositeValue, TokenTest};

use super::clauses::{close, open};
use super::sql::{Bind, Sql};
use super::{dates, numbers, references, tokens};
use crate::Database;
use crate::hash::{QUALIFIERS, Qualifier};
use crate::rows::{as_number, code_hash, cut, paired_string, paired_unit, qualifier};

/// A time among numbers: the value is its first moment, the detail its last one.
const TIMES: dates::Columns<'static> =
    dates::Columns { low: "x.value", high: "x.detail", bind_low: |moment| Bind::Float8(as_number(moment)) };

/// The parameters whose rows are looked at, and the test.
struct Pair<'a> {
    database: &'a Database,
    parameters: &'a [i32],
    test: &'a CompositeTest,
}

pub(super) fn push(database: &Database, sql: &mut Sql, parameters: &[i32], tests: &[CompositeTest]) {
    sql.any(tests, |sql, test| Pair { database, parameters, test }.push(sql));
}

impl Pair<'_> {
    fn push(&self, sql: &mut Sql) {
        match &self.test.second {
            CompositeValue::Token(test) => {
                let values = tokens::values(self.database, true, std::slice::from_ref(test));
                let pairs = |first: i64| values.iter().map(move |value| self.database.hash.pair(first, *value));
                let pairs = self.firsts().into_iter().flat_map(pairs).collect();
                open(sql, "index_token", self.parameters);
                sql.push("x.value = ANY(").bind(Bind::Int8s(pairs)).push(")");
                close(sql, "index_token");
            }
            CompositeValue::Quantity(test) => {
                let place = numbers::place(self.database, test);
                self.push_unit(sql, place.unit, |sql| numbers::push_place(sql, &place));
            }
            CompositeValue::Date(test) => self.push_unit(sql, 0, |sql| dates::push(sql, test, TIMES)),
            CompositeValue::String(text) => {
                let text = fold(text);
                open(sql, "index_string", self.parameters);
                sql.any(&self.firsts(), |sql, first| {
                    let low = paired_string(self.database, *first, cut(&text));
                    let high = format!("{low}{}", char::MAX);
                    sql.push("(x.value >= ")
                        .bind(Bind::Text(low))
                        .push(" AND x.value < ")
                        .bind(Bind::Text(high))
                        .push(")");
                });
                close(sql, "index_string");
            }
        }
    }

    /// Appends that a number stands beside the first part, in a unit, and what else must fit. Rows of one code and unit
    /// differ in the code's system alone, which is in the low bits.
    fn push_unit(&self, sql: &mut Sql, unit: i64, rest: impl FnOnce(&mut Sql)) {
        let unit_of =
            |code: &str, own: Qualifier| paired_unit(self.database, (code_hash(self.database, code), own), unit);
        let exact = |system: Option<&str>, code: &str| unit_of(code, qualifier(self.database, system));
        let units: Vec<(i64, i64)> = match &self.test.first {
            CompositeKey::Token(TokenTest::Code(code)) => {
                let any = unit_of(code, Qualifier::ANY);
                vec![(any, any | QUALIFIERS)]
            }
            CompositeKey::Token(TokenTest::Exact { system, code }) => same(&[exact(Some(system), code)]),
            CompositeKey::Token(TokenTest::Implied { system, code }) => {
                same(&[exact(Some(system), code), exact(None, code)])
            }
            CompositeKey::Token(TokenTest::NoSystem(code)) => same(&[exact(None, code)]),
            // A system alone, and what no composite of R4 has: a number beside a reference.
            CompositeKey::Token(TokenTest::System(_)) | CompositeKey::Reference(_) => Vec::new(),
        };
        open(sql, "index_number", self.parameters);
        sql.any(&units, |sql, (low, high)| {
            if low == high {
                sql.push("x.unit = ").bind(Bind::Int8(*low));
            } else {
                sql.push("x.unit BETWEEN ").bind(Bind::Int8(*low)).push(" AND ").bind(Bind::Int8(*high));
            }
        });
        sql.push(" AND ");
        rest(sql);
        close(sql, "index_number");
    }

    /// The hashes of a first part; those of a token are one for each way of asking.
    fn firsts(&self) -> Vec<i64> {
        match &self.test.first {
            CompositeKey::Token(test) => tokens::values(self.database, true, std::slice::from_ref(test)),
            CompositeKey::Reference(test) => {
                references::local_values(self.database, std::slice::from_ref(test)).unwrap_or_default()
            }
        }
    }
}

fn same(units: &[i64]) -> Vec<(i64, i64)> {
    units.iter().map(|unit| (*unit, *unit)).collect()
}
