//! A statement under construction: text of ours, values bound; numbers may stand in the text of a statement that is planned for
//! them.

use seva_fhir::ports::StoreError;
use seva_fhir::types::TenantId;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};

use super::explain;
use crate::failure::unavailable;

/// A bound value.
#[derive(Clone)]
pub(super) enum Bind {
    Int2(i16),
    Int4(i32),
    Int8(i64),
    Float8(f64),
    Text(String),
    Texts(Vec<String>),
    Int8s(Vec<i64>),
    Int4s(Vec<i32>),
    Int2s(Vec<i16>),
}

/// Whether a plan is made for the values or for any values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planning {
    /// One plan for all: the shape decides.
    Shared,
    /// A plan for these values: how many rows a filter leaves decides which index to walk (decision D18).
    Custom,
}

/// `$1` is always the tenant.
#[derive(Clone)]
pub(super) struct Sql {
    text: String,
    tenant: i32,
    binds: Vec<Bind>,
    /// What the resource row in scope is called: joins look at other rows than the statement's own.
    row: String,
    depth: usize,
    /// Whether conditions are probes of the row in scope.
    is_probing: bool,
}

impl Sql {
    pub(super) fn new(tenant: TenantId) -> Self {
        Self {
            text: String::with_capacity(512),
            tenant: tenant.get(),
            binds: Vec::new(),
            row: "r".to_owned(),
            depth: 0,
            is_probing: false,
        }
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a column of the resource row in scope.
    pub(super) fn column(&mut self, name: &str) -> &mut Self {
        let row = self.row.clone();
        self.push(&row).push(".").push(name)
    }

    /// The name of a column of the resource row in scope.
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}.{name}", self.row)
    }

    /// Builds a part in which another resource row is in scope; the part is told its name.
    pub(super) fn within(&mut self, part: impl FnOnce(&mut Self, &str)) {
        self.depth += 1;
        let inner = format!("t{}", self.depth);
        let outer = std::mem::replace(&mut self.row, inner.clone());
        let was_probing = std::mem::replace(&mut self.is_probing, false);
        part(self, &inner);
        self.row = outer;
        self.is_probing = was_probing;
    }

    /// Names the row in scope; its conditions are probes, each an index lookup for the row, whatever the planner believes.
    pub(super) fn probe(&mut self, row: &str) -> &mut Self {
        row.clone_into(&mut self.row);
        self.is_probing = true;
        self
    }

    pub(super) fn is_probing(&self) -> bool {
        self.is_probing
    }

    /// Appends `$n` and keeps its value.
    pub(super) fn bind(&mut self, value: Bind) -> &mut Self {
        self.binds.push(value);
        let place = self.binds.len() + 1;
        self.text.push('$');
        self.text.push_str(&place.to_string());
        self
    }

    /// Appends alternatives joined by OR, in brackets; none at all is false.
    pub(super) fn any<T>(&mut self, alternatives: &[T], mut each: impl FnMut(&mut Self, &T)) -> &mut Self {
        if alternatives.is_empty() {
            return self.push("false");
        }
        self.push("(");
        for (place, alternative) in alternatives.iter().enumerate() {
            if place > 0 {
                self.push(" OR ");
            }
            each(self, alternative);
        }
        self.push(")")
    }

    pub(super) async fn fetch(
        self,
        connection: &mut PgConnection,
        planning: Planning,
    ) -> Result<Vec<PgRow>, StoreError> {
        explain::fetch(connection, self, planning).await
    }

    /// Runs without being noted.
    pub(super) async fn fetch_on(
        self,
        connection: &mut PgConnection,
        planning: Planning,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.query(planning).fetch_all(connection).await.map_err(unavailable)
    }

    /// The text, with places for values.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Puts words before the statement.
    pub(super) fn prefixed(mut self, words: &str) -> Self {
        self.text.insert_str(0, words);
        self
    }

    /// The statement with its values.
    pub(super) fn query(mut self, planning: Planning) -> Query<'static, Postgres, PgArguments> {
        if planning == Planning::Custom {
            self = self.with_literals();
        }
        let persistent = planning == Planning::Shared;
        let mut query = sqlx::query(sqlx::AssertSqlSafe(self.text)).persistent(persistent).bind(self.tenant);
        for bind in self.binds {
            query = match bind {
                Bind::Int2(value) => query.bind(value),
                Bind::Int4(value) => query.bind(value),
                Bind::Int8(value) => query.bind(value),
                Bind::Float8(value) => query.bind(value),
                Bind::Text(value) => query.bind(value),
                Bind::Texts(values) => query.bind(values),
                Bind::Int8s(values) => query.bind(values),
                Bind::Int4s(values) => query.bind(values),
                Bind::Int2s(values) => query.bind(values),
            };
        }
        query
    }

    /// Connections make one plan for all values of a statement: what is to be planned for its values has them in its text.
    /// Texts stay bound.
    fn with_literals(self) -> Self {
        let mut text = String::with_capacity(self.text.len() + 128);
        let mut binds = Vec::new();
        let mut rest = self.text.as_str();
        while let Some(start) = rest.find('$') {
            text.push_str(rest.get(..start).unwrap_or_default());
            let after = rest.get(start + 1..).unwrap_or_default();
            let digits = after.find(|own: char| !own.is_ascii_digit()).unwrap_or(after.len());
            let (number, tail) = after.split_at(digits);
            rest = tail;
            let bind = number.parse::<usize>().ok().and_then(|place| self.binds.get(place.checked_sub(2)?));
            match bind.and_then(Bind::literal) {
                Some(literal) => text.push_str(&literal),
                None => {
                    text.push('$');
                    match bind {
                        Some(bind) => {
                            binds.push(bind.clone());
                            text.push_str(&(binds.len() + 1).to_string());
                        }
                        None => text.push_str(number),
                    }
                }
            }
        }
        text.push_str(rest);
        Self { text, binds, ..self }
    }
}

impl Bind {
    /// A number as PostgreSQL writes it.
    fn literal(&self) -> Option<String> {
        fn list<T: ToString>(values: &[T], kind: &str) -> String {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("'{{{}}}'::{kind}[]", values.join(","))
        }
        match self {
            Self::Int2(value) => Some(format!("'{value}'::int2")),
            Self::Int4(value) => Some(format!("'{value}'::int4")),
            Self::Int8(value) => Some(format!("'{value}'::int8")),
            Self::Float8(value) => Some(format!("'{value:?}'::float8")),
            Self::Int8s(values) => Some(list(values, "int8")),
            Self::Int4s(values) => Some(list(values, "int4")),
            Self::Int2s(values) => Some(list(values, "int2")),
            Self::Text(_) | Self::Texts(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_for_its_values_has_the_numbers_in_its_text() {
        let mut sql = Sql::new(TenantId::SHARED);
        sql.push("a = $1 AND b = ").bind(Bind::Int8(-7)).push(" AND c = ").bind(Bind::Text("$2".to_owned()));
        sql.push(" AND d = ANY(").bind(Bind::Int4s(vec![1, 2])).push(") AND e > ").bind(Bind::Float8(f64::INFINITY));
        let sql = sql.with_literals();
        assert_eq!(sql.text, "a = $1 AND b = '-7'::int8 AND c = $2 AND d = ANY('{1,2}'::int4[]) AND e > 'inf'::float8");
        assert_eq!(sql.binds.len(), 1);
    }
}
