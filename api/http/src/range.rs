//! Byte ranges (RFC 9110 §14): one range only, as browsers' players ask.

use std::ops::Range;

use crate::failure::Failure;

/// Reads a `Range` header over `size` bytes; nothing when the whole is wanted.
pub(crate) fn wanted(range: Option<&str>, size: usize) -> Result<Option<Range<usize>>, Failure> {
    let Some(text) = range.and_then(|range| range.strip_prefix("bytes=")) else { return Ok(None) };
    let outside = || Failure::BadRequest(format!("the range lies outside the {size} bytes of the whole"));
    let (start, end) = text.split_once('-').ok_or_else(outside)?;
    let (start, end) = match (start.parse::<usize>(), end.parse::<usize>()) {
        (Ok(start), Ok(last)) => (start, last.saturating_add(1).min(size)),
        (Ok(start), Err(_)) if end.is_empty() => (start, size),
        (Err(_), Ok(length)) if start.is_empty() => (size.saturating_sub(length), size),
        _ => return Err(outside()),
    };
    if start >= end { Err(outside()) } else { Ok(Some(start..end)) }
}

/// The value of `Content-Range`.
pub(crate) fn content_range(part: &Range<usize>, size: usize) -> String {
    format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_whole_and_refused_outside() {
        let of = |text: &str| wanted(Some(text), 10).ok().flatten();
        assert_eq!((of("bytes=0-3"), of("bytes=4-"), of("bytes=-2")), (Some(0..4), Some(4..10), Some(8..10)));
        assert_eq!((of("bytes=8-99"), content_range(&(8..10), 10)), (Some(8..10), "bytes 8-9/10".to_owned()));
        assert!(wanted(Some("bytes=10-"), 10).is_err() && wanted(Some("bytes=5-2"), 10).is_err());
        assert!(matches!(wanted(None, 10), Ok(None)));
    }
}
