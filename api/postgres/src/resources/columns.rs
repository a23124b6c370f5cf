//! Index rows of several resources laid out as columns, in the order in which the statements bind them.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;

use crate::rows::IndexRows;

type Scalar<'q> = QueryScalar<'q, Postgres, i64, PgArguments>;

/// `owner` is a row id or a place in the arrays, as the statement wants it.
#[derive(Default)]
pub(crate) struct IndexColumns {
    token: Hashed,
    reference: Hashed,
    uri: Hashed,
    string: (Vec<i64>, Vec<i32>, Vec<String>),
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
    fn extend(&mut self, owner: i64, rows: impl IntoIterator<Item = (i32, i64)>) {
        for (parameter, value) in rows {
            self.owner.push(owner);
            self.parameter.push(parameter);
            self.value.push(value);
        }
    }

    fn bind(self, query: Scalar<'_>) -> Scalar<'_> {
        query.bind(self.owner).bind(self.parameter).bind(self.value)
    }
}

impl IndexColumns {
    pub(crate) fn extend(&mut self, owner: i64, rows: IndexRows) {
        self.token.extend(owner, rows.token);
        self.reference.extend(owner, rows.reference);
        self.uri.extend(owner, rows.uri);
        for (parameter, value) in rows.string {
            self.string.0.push(owner);
            self.string.1.push(parameter);
            self.string.2.push(value);
        }
        for (parameter, low, high) in rows.date {
            self.date.0.push(owner);
            self.date.1.push(parameter);
            self.date.2.push(low);
            self.date.3.push(high);
        }
        for (parameter, unit, value, detail) in rows.number {
            self.number.owner.push(owner);
            self.number.parameter.push(parameter);
            self.number.unit.push(unit);
            self.number.value.push(f64::from_bits(value));
            self.number.detail.push(detail);
        }
    }

    /// Binds the columns in the order token, reference, uri, string, date, number.
    pub(crate) fn bind(self, query: Scalar<'_>) -> Scalar<'_> {
        let query = self.uri.bind(self.reference.bind(self.token.bind(query)));
        let (owner, parameter, value) = self.string;
        let query = query.bind(owner).bind(parameter).bind(value);
        let (owner, parameter, low, high) = self.date;
        let query = query.bind(owner).bind(parameter).bind(low).bind(high);
        let Numbers { owner, parameter, unit, value, detail } = self.number;
        query.bind(owner).bind(parameter).bind(unit).bind(value).bind(detail)
    }
}
