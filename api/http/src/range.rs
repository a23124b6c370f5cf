//! Byte ranges (RFC 9110 §14): one range only, as browsers' players ask.

use std::ops::Range;

use crate::failure::Failure;

/// Reads a `Range` header over `size` bytes; nothing when the whole is wanted, or the header means nothing that is served:
/// such a header is ignored (RFC 9110 §14.2), as are several ranges.
pub(crate) fn wanted(range: Option<&str>, size: u64) -> Result<Option<Range<u64>>, Failure> {
    let asked = range.and_then(|range| range.strip_prefix("bytes=")?.trim().split_once('-'));
    let Some((start, end)) = asked else { return Ok(None) };
    let (start, end) = match (start.parse::<u64>(), end.parse::<u64>()) {
        (Ok(start), Ok(last)) if last < start => return Ok(None),
        (Ok(start), Ok(last)) => (start, last.saturating_add(1).min(size)),
        (Ok(start), Err(_)) if end.is_empty() => (start, size),
        (Err(_), Ok(length)) if start.is_empty() => (size.saturating_sub(length), size),
        _ => return Ok(None),
    };
    if start >= end { Err(Failure::OutOfRange { size }) } else { Ok(Some(start..end)) }
}

/// The bytes of a range that was asked for.
pub(crate) fn cut<'a>(bytes: &'a [u8], part: &Range<u64>) -> &'a [u8] {
    let place = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX);
    bytes.get(place(part.start)..place(part.end)).unwrap_or_default()
}

/// The value of `Content-Range`.
pub(crate) fn content_range(part: &Range<u64>, size: u64) -> String {
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
        for outside in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert!(matches!(wanted(Some(outside), 10), Err(Failure::OutOfRange { size: 10 })), "{outside}");
        }
        for ignored in ["bytes=5-2", "bytes=0-1,4-5", "lines=0-1", "bytes=a-b"] {
            assert_eq!(of(ignored), None, "{ignored}");
        }
        assert!(matches!(wanted(None, 10), Ok(None)));
    }
}
