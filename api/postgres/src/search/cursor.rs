//! Page links: the key of the last row, and a seal over it, the order and the search, so that a link fits one search only
//! (decision D6).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seva_fhir::search::{Cursor, CursorKey, SearchQuery, SortValue};

use super::order::Order;
use crate::Database;
use crate::hash::Tag;

/// The seal and the row id.
const HEAD: usize = 16;

/// Writes a link: seal, row id, then each value behind a letter for its kind and its length.
pub(super) fn seal(database: &Database, query: &SearchQuery, order: &Order, key: &CursorKey) -> Cursor {
    let payload = payload(key);
    let mut bytes = seal_of(database, query, order, &payload).to_be_bytes().to_vec();
    bytes.extend_from_slice(&payload);
    Cursor::from_text(URL_SAFE_NO_PAD.encode(bytes))
}

/// Reads a link of ours; none when it was changed or belongs to another search.
pub(super) fn open(database: &Database, query: &SearchQuery, order: &Order, cursor: &Cursor) -> Option<CursorKey> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.as_str()).ok()?;
    let (seal, payload) = bytes.split_at_checked(8)?;
    let seal = i64::from_be_bytes(seal.try_into().ok()?);
    if seal != seal_of(database, query, order, payload) {
        return None;
    }
    let (rid, mut rest) = payload.split_at_checked(HEAD - 8)?;
    let rid = i64::from_be_bytes(rid.try_into().ok()?);
    let mut values = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        let (length, after) = after.split_at_checked(4)?;
        let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
        let (value, after) = after.split_at_checked(length)?;
        rest = after;
        values.push(match kind {
            b'i' => Some(SortValue::Integer(i64::from_be_bytes(value.try_into().ok()?))),
            b'n' => Some(SortValue::Number(f64::from_be_bytes(value.try_into().ok()?))),
            b't' => Some(SortValue::Text(String::from_utf8(value.to_vec()).ok()?)),
            _ => None,
        });
    }
    Some(CursorKey { values, rid })
}

fn payload(key: &CursorKey) -> Vec<u8> {
    let mut bytes = key.rid.to_be_bytes().to_vec();
    for value in &key.values {
        let (kind, value) = match value {
            Some(SortValue::Integer(value)) => (b'i', value.to_be_bytes().to_vec()),
            Some(SortValue::Number(value)) => (b'n', value.to_be_bytes().to_vec()),
            Some(SortValue::Text(value)) => (b't', value.clone().into_bytes()),
            None => (b'-', Vec::new()),
        };
        bytes.push(kind);
        bytes.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(&value);
    }
    bytes
}

fn seal_of(database: &Database, query: &SearchQuery, order: &Order, payload: &[u8]) -> i64 {
    let (order, payload) = (order.name(), hex::encode(payload));
    let mut parts = vec!["cursor", order.as_str(), payload.as_str()];
    parts.extend(query.resource_types.iter().map(|kind| kind.as_str()));
    for (name, value) in &query.used {
        parts.push(name);
        parts.push(value);
    }
    database.hash.of(Tag::Cursor, &parts)
}
