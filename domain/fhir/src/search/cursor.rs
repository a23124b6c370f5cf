//! Where a page begins: a stateless keyset, signed by the store, so that nobody edits it.

/// The last key of the page before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

/// The decoded key: what the order compares, then the row.
#[derive(Clone, Debug, PartialEq)]
pub struct CursorKey {
    /// The values of the sort keys; none for a resource without the element.
    pub values: Vec<Option<SortValue>>,
    /// The row id.
    pub rid: i64,
}

/// A value that matches are ordered by.
#[derive(Clone, Debug, PartialEq)]
pub enum SortValue {
    /// A time in microseconds.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

/// A cursor that this server did not make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the page link is not one of this server, or belongs to another search: start again without _cursor")]
pub struct InvalidCursor;

impl Cursor {
    /// Wraps the text of a link.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text for a link.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
