//! The index tables, and index rows of several resources laid out as columns, in the order in which the statements bind
//! them.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;

use crate::rows::IndexRows;

/// An index table, and the names and types of its columns beside tenant, parameter and row.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, &'static str)],
}

/// In the order in which they are bound.
pub(crate) const TABLES: [Table; 6] = [
    Table { name: "index_token", columns: &[("value", "int8")] },
    Table { name: "index_reference", columns: &[("value", "int8")] },
    Table { name: "index_uri", columns: &[("value", "int8")] },
    Table { name: "index_string", columns: &[("value", "text")] },
    Table { name: "index_date", columns: &[("low", "int8"), ("high", "int8")] },
    Table { name: "index_number", columns: &[("unit", "int8"), ("value", "float8"), ("detail", "int8")] },
];

impl Table {
    /// The columns behind a prefix each, `x.low, x.high`.
    pub(crate) fn names(&self, prefix: &str) -> String {
        let names: Vec<String> = self.columns.iter().map(|(name, _)| format!("{prefix}{name}")).collect();
        names.join(", ")
    }
}

/// Some of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tables([bool; TABLES.len()]);

impl Tables {
    /// These and those.
    pub(crate) fn with(self, other: Self) -> Self {
        let mut all = self.0;
        for (own, more) in all.iter_mut().zip(other.0) {
            *own |= more;
        }
        Self(all)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = &'static Table> {
        TABLES.iter().zip(self.0).filter(|(_, is_one)| *is_one).map(|(table, _)| table)
    }
}

type Scalar<'q> = QueryScalar<'q, Postgres, i64, PgArguments>;

/// `owner` is a row id or a place in the arrays, as the statement wants it.
#[derive(Default)]
pub(crate) struct IndexColumns<'a> {
    token: Hashed,
    reference: Hashed,
    uri: Hashed,
    string: (Vec<i64>, Vec<i32>, Vec<&'a str>),
    date: (Vec<i64>, Vec<i32>, Vec<i64>, Vec<i64>),
    number: Numbers,
}

#[derive(Default)]
struct Hashed {
    owner: Vec<i64>,
    parameter: Vec<i32>,
    value: Vec<i64>,
}

#[derive(Default)]
struct Numbers {
    owner: Vec<i64>,
    parameter: Vec<i32>,
    unit: Vec<i64>,
    value: Vec<f64>,
    detail: Vec<i64>,
}

impl Hashed {
    fn extend<'a>(&mut self, owner: i64, rows: impl IntoIterator<Item = &'a (i32, i64)>) {
        for (parameter, value) in rows {
            self.owner.push(owner);
            self.parameter.push(*parameter);
            self.value.push(*value);
        }
    }
}

impl<'a> IndexColumns<'a> {
    pub(crate) fn extend(&mut self, owner: i64, rows: &'a IndexRows) {
        self.token.extend(owner, &rows.token);
        self.reference.extend(owner, &rows.reference);
        self.uri.extend(owner, &rows.uri);
        for (parameter, value) in &rows.string {
            self.string.0.push(owner);
            self.string.1.push(*parameter);
            self.string.2.push(value);
        }
        for (parameter, low, high) in &rows.date {
            self.date.0.push(owner);
            self.date.1.push(*parameter);
            self.date.2.push(*low);
            self.date.3.push(*high);
        }
        for (parameter, unit, value, detail) in &rows.number {
            self.number.owner.push(owner);
            self.number.parameter.push(*parameter);
            self.number.unit.push(*unit);
            self.number.value.push(f64::from_bits(*value));
            self.number.detail.push(*detail);
        }
    }

    /// The tables that have rows.
    pub(crate) fn tables(&self) -> Tables {
        Tables([
            !self.token.owner.is_empty(),
            !self.reference.owner.is_empty(),
            !self.uri.owner.is_empty(),
            !self.string.0.is_empty(),
            !self.date.0.is_empty(),
            !self.number.owner.is_empty(),
        ])
    }

    /// Binds the columns of some tables, in their order.
    pub(crate) fn bind<'q>(self, tables: Tables, mut query: Scalar<'q>) -> Scalar<'q>
    where
        'a: 'q,
    {
        let Tables([token, reference, uri, string, date, number]) = tables;
        for (is_bound, hashed) in [(token, self.token), (reference, self.reference), (uri, self.uri)] {
            if is_bound {
                query = query.bind(hashed.owner).bind(hashed.parameter).bind(hashed.value);
            }
        }
        if string {
            let (owner, parameter, value) = self.string;
            query = query.bind(owner).bind(parameter).bind(value);
        }
        if date {
            let (owner, parameter, low, high) = self.date;
            query = query.bind(owner).bind(parameter).bind(low).bind(high);
        }
        if number {
            let Numbers { owner, parameter, unit, value, detail } = self.number;
            query = query.bind(owner).bind(parameter).bind(unit).bind(value).bind(detail);
        }
        query
    }
}
