#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::types::Instant;

fn span(low: &str, high: &str) -> Option<(i64, i64)> {
    Some((low.parse::<Instant>().unwrap().micros(), high.parse::<Instant>().unwrap().micros()))
}

#[test]
fn partial_dates_are_ranges() {
    assert_eq!(date_range("2024"), span("2024-01-01T00:00:00Z", "2024-12-31T23:59:59.999999Z"));
    assert_eq!(date_range("2024-02"), span("2024-02-01T00:00:00Z", "2024-02-29T23:59:59.999999Z"));
    assert_eq!(date_range("2024-02-29"), span("2024-02-29T00:00:00Z", "2024-02-29T23:59:59.999999Z"));
    assert_eq!(date_range("2024-02-29T10:00"), span("2024-02-29T10:00:00Z", "2024-02-29T10:00:59.999999Z"));
    assert_eq!(date_range("2024-02-29T10:00:01+05:30"), span("2024-02-29T04:30:01Z", "2024-02-29T04:30:01.999999Z"));
    assert_eq!(date_range("2024-02-29T10:00:01.25Z"), span("2024-02-29T10:00:01.25Z", "2024-02-29T10:00:01.259999Z"));
}

#[test]
fn what_is_not_a_date_is_refused() {
    for text in [
        "",
        "24",
        "2023-02-29",
        "2024-13",
        "2024-00-01",
        "2024-1-1",
        "2024-01-01T",
        "2024-01-01T24:00:00Z",
        "2024-01-01T10:00:00.Z",
        "2024-01-01T10:00:00+15:00",
        "0000",
        "2024-01-01 10:00:00Z",
        "२०२४",
    ] {
        assert_eq!(date_range(text), None, "{text}");
    }
}

#[test]
fn numbers_are_ranges_by_their_digits() {
    assert_eq!(number_range("100"), Some((99.5, 100.5)));
    assert_eq!(number_range("100.00"), Some((99.995, 100.005)));
    assert_eq!(number_range("1e2"), Some((95.0, 105.0)));
    assert_eq!(number_range("-5"), Some((-5.5, -4.5)));
    assert_eq!(number_range("abc"), None);
    assert_eq!(number_range("inf"), None);
}

proptest! {
    #[test]
    fn instants_read_back_what_they_write(micros in -62_135_596_800_000_000_i64..253_402_300_799_999_999) {
        let instant = Instant::from_micros(micros);
        prop_assert_eq!(instant.to_string().parse::<Instant>().unwrap(), instant);
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,30}") {
        let _ = (date_range(&text), number_range(&text));
    }
}
