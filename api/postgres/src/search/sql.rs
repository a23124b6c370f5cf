//! A statement under construction: text of ours, values always bound.

use seva_fhir::ports::StoreError;
use seva_fhir::types::TenantId;
use sqlx::postgres::PgRow;

use crate::Database;
use crate::failure::unavailable;

/// A bound value.
pub(super) enum Bind {
    Int2(i16),
    Int4(i32),
    Int8(i64),
    Float8(f64),
    Text(String),
    Texts(Vec<String>),
    Int8s(Vec<i64>),
    Int2s(Vec<i16>),
}

/// `$1` is always the tenant.
pub(super) struct Sql {
    text: String,
    tenant: i32,
    binds: Vec<Bind>,
}

impl Sql {
    pub(super) fn new(tenant: TenantId) -> Self {
        Self { text: String::with_capacity(512), tenant: tenant.get(), binds: Vec::new() }
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
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

    pub(super) async fn fetch(self, database: &Database) -> Result<Vec<PgRow>, StoreError> {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(self.text)).bind(self.tenant);
        for bind in self.binds {
            query = match bind {
                Bind::Int2(value) => query.bind(value),
                Bind::Int4(value) => query.bind(value),
                Bind::Int8(value) => query.bind(value),
                Bind::Float8(value) => query.bind(value),
                Bind::Text(value) => query.bind(value),
                Bind::Texts(values) => query.bind(values),
                Bind::Int8s(values) => query.bind(values),
                Bind::Int2s(values) => query.bind(values),
            };
        }
        query.fetch_all(&database.pool).await.map_err(unavailable)
    }
}
