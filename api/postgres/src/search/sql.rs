//! A statement under construction: text of ours, values always bound.

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
}

impl Sql {
    pub(super) fn new(tenant: TenantId) -> Self {
        Self {
            text: String::with_capacity(512),
            tenant: tenant.get(),
            binds: Vec::new(),
            row: "r".to_owned(),
            depth: 0,
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
        part(self, &inner);
        self.row = outer;
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
    pub(super) fn query(self, planning: Planning) -> Query<'static, Postgres, PgArguments> {
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
}
