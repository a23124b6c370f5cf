//! URIs are compared whole and case-sensitively (R4 search.html#uri).

use super::query_string::unescape;

/// Reads one URI.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let uri = unescape(text);
    if uri.is_empty() { Err("the value is empty".to_owned()) } else { Ok(uri) }
}
