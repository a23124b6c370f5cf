//! The raw query string: order kept, repeats kept, percent-decoding checked.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::outcome::{Issue, IssueCode};

/// Names and values in the order of the request.
pub type QueryPairs = Vec<(String, String)>;

/// Splits `a=b&c=d`; `+` means a space, as in a form.
pub fn parse_query_string(raw: &str) -> Result<QueryPairs, Issue> {
    raw.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

/// What stays readable in a query string.
const READABLE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/').remove(b',');

/// Writes `a=b&c=d`.
pub fn write_query_string<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(utf8_percent_encode(name, READABLE));
        text.push('=');
        text.extend(utf8_percent_encode(value, READABLE));
    }
    text
}

fn decode(text: &str) -> Result<String, Issue> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Issue::error(IssueCode::Invalid, "the query string is not valid UTF-8 after percent-decoding"))
}

/// Splits at a separator that isn't escaped by `\` (R4 search.html#escaping).
pub(super) fn split_escaped(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for character in text.chars() {
        if !escaped && character == separator {
            parts.push(String::new());
            continue;
        }
        if let Some(last) = parts.last_mut() {
            last.push(character);
        }
        escaped = !escaped && character == '\\';
    }
    parts
}

/// Takes the escapes away: `\,` is a comma.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_and_order_survive() {
        let pairs = parse_query_string("name=a+b&date=ge2020&date=lt2021&x").expect("a legal query");
        let expected = [("name", "a b"), ("date", "ge2020"), ("date", "lt2021"), ("x", "")];
        assert!(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected));
    }

    #[test]
    fn escaped_separators_stay() {
        let parts = split_escaped(r"a\,b,c\\,d", ',');
        assert_eq!(parts, [r"a\,b", r"c\\", "d"]);
        assert_eq!(unescape(r"a\,b"), "a,b");
    }
}
