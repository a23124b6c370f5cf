//! Page links: order, key and a seal over both and over the search, so that a link fits one search only (decision D6).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seva_fhir::ports::StoreError;
use seva_fhir::search::{Cursor, CursorKey, InvalidCursor, SearchQuery};

use super::sql::{Bind, Sql};
use crate::Database;
use crate::hash::Tag;

/// In which order the rows of a page come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Row,
    Updated,
    UpdatedDescending,
}

/// Two keys of eight bytes and a seal of eight.
const LENGTH: usize = 24;

impl Order {
    pub(super) fn seal(self, database: &Database, query: &SearchQuery, key: CursorKey) -> Cursor {
        let seal = self.seal_of(database, query, key);
        let mut bytes = Vec::with_capacity(LENGTH);
        for part in [key.value, key.rid, seal] {
            bytes.extend_from_slice(&part.to_be_bytes());
        }
        Cursor::from_text(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a link of ours; none when it was changed or belongs to another search.
    pub(super) fn open(self, database: &Database, query: &SearchQuery, cursor: &Cursor) -> Option<CursorKey> {
        let bytes: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(cursor.as_str()).ok()?.try_into().ok()?;
        let mut parts = bytes.chunks_exact(8).filter_map(|part| part.try_into().ok().map(i64::from_be_bytes));
        let key = CursorKey { value: parts.next()?, rid: parts.next()? };
        (parts.next()? == self.seal_of(database, query, key)).then_some(key)
    }

    fn seal_of(self, database: &Database, query: &SearchQuery, key: CursorKey) -> i64 {
        let order = match self {
            Self::Row => "row",
            Self::Updated => "updated",
            Self::UpdatedDescending => "updated-descending",
        };
        let (value, rid) = (key.value.to_string(), key.rid.to_string());
        let mut parts = vec!["cursor", order, query.resource_type.as_str(), &value, &rid];
        for (name, value) in &query.used {
            parts.push(name);
            parts.push(value);
        }
        database.hash.of(Tag::Cursor, &parts)
    }

    /// Appends the keyset condition and the order.
    pub(super) fn push(self, sql: &mut Sql, row: &str, after: Option<CursorKey>) {
        let (operator, direction) = match self {
            Self::Row | Self::Updated => (">", "ASC"),
            Self::UpdatedDescending => ("<", "DESC"),
        };
        if let Some(after) = after {
            sql.push(" AND ");
            match self {
                Self::Row => sql.push(row).push(" > ").bind(Bind::Int8(after.rid)),
                Self::Updated | Self::UpdatedDescending => {
                    sql.push("(r.updated, r.rid) ").push(operator).push(" (").bind(Bind::Int8(after.value));
                    sql.push(", ").bind(Bind::Int8(after.rid)).push(")")
                }
            };
        }
        match self {
            Self::Row => sql.push(" ORDER BY ").push(row),
            Self::Updated | Self::UpdatedDescending => {
                sql.push(" ORDER BY r.updated ").push(direction).push(", r.rid ").push(direction)
            }
        };
    }
}

pub(super) fn invalid() -> StoreError {
    StoreError::Cursor(InvalidCursor)
}
