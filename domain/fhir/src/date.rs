//! FHIR's dates and numbers as ranges, as search compares them
//! (R4 <https://hl7.org/fhir/R4/search.html#date>, <https://hl7.org/fhir/R4/search.html#number>).

#[cfg(test)]
mod tests;

/// A second in microseconds.
pub const SECOND: i64 = 1_000_000;
/// A minute in microseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// A day in microseconds.
pub const DAY: i64 = 86_400 * SECOND;

/// The smallest part that a date text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// `2026`
    Year,
    /// `2026-07`
    Month,
    /// `2026-07-14`
    Day,
    /// `2026-07-14T09:30`, which only search parameters may say.
    Minute,
    /// `2026-07-14T09:30:00`
    Second,
    /// `2026-07-14T09:30:00.1` with up to six significant digits.
    Fraction,
}

/// A date, dateTime or instant split into its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateText {
    precision: Precision,
    low: i64,
    high: i64,
    zone: Option<i32>,
}

impl DateText {
    /// Reads a FHIR date, dateTime or instant; `None` if the text is none of them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let year = digits(bytes, 0, 4)?;
        if year == 0 {
            return None;
        }
        if bytes.len() == 4 {
            return Some(Self::days(Precision::Year, days(year, 1, 1), days(year + 1, 1, 1)));
        }
        let month = part(bytes, 4, b'-', 12).filter(|month| *month >= 1)?;
        if bytes.len() == 7 {
            let next = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
            return Some(Self::days(Precision::Month, days(year, month, 1), next));
        }
        let day = part(bytes, 7, b'-', 31).filter(|day| (1..=days_in(year, month)).contains(day))?;
        let date = days(year, month, day);
        if bytes.len() == 10 {
            return Some(Self::days(Precision::Day, date, date + 1));
        }
        Self::with_time(bytes, date)
    }

    fn days(precision: Precision, first: i64, next: i64) -> Self {
        Self { precision, low: first * DAY, high: next * DAY - 1, zone: None }
    }

    fn with_time(bytes: &[u8], date: i64) -> Option<Self> {
        let hour = part(bytes, 10, b'T', 23)?;
        let minute = part(bytes, 13, b':', 59)?;
        let mut low = date * DAY + (hour * 60 + minute) * MINUTE;
        let (mut precision, mut width, mut end) = (Precision::Minute, MINUTE, 16);
        if bytes.get(end) == Some(&b':') {
            // FHIR's pattern admits the leap second :60.
            low += part(bytes, end, b':', 60)? * SECOND;
            (precision, width, end) = (Precision::Second, SECOND, end + 3);
            if bytes.get(end) == Some(&b'.') {
                let fraction = bytes.get(end + 1..)?;
                let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if count == 0 {
                    return None;
                }
                for digit in fraction.iter().take(count.min(6)) {
                    width /= 10;
                    low += i64::from(digit - b'0') * width;
                }
                (precision, end) = (Precision::Fraction, end + 1 + count);
            }
        }
        let zone = zone(bytes.get(end..)?)?;
        low -= i64::from(zone.unwrap_or(0)) * MINUTE;
        Some(Self { precision, low, high: low + width - 1, zone })
    }

    /// Returns the smallest part named.
    #[must_use]
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Tells whether a time zone is named.
    #[must_use]
    pub fn has_zone(&self) -> bool {
        self.zone.is_some()
    }

    /// Returns the named time zone in minutes east of UTC.
    #[must_use]
    pub fn zone(&self) -> Option<i32> {
        self.zone
    }

    /// Returns the first microsecond of the range, in UTC.
    #[must_use]
    pub fn low(&self) -> i64 {
        self.low
    }

    /// Returns the last microsecond of the range, in UTC.
    #[must_use]
    pub fn high(&self) -> i64 {
        self.high
    }
}

/// Returns the first and the last UTC microsecond that a date, dateTime or instant covers; no zone means UTC.
#[must_use]
pub fn date_range(text: &str) -> Option<(i64, i64)> {
    DateText::parse(text).map(|date| (date.low, date.high))
}

/// Returns the range that a number stands for by its significant digits: `100` is 99.5 up to 100.5.
#[must_use]
pub fn number_range(text: &str) -> Option<(f64, f64)> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || first == b'-' || first == b'+') {
        return None;
    }
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.parse::<i32>().ok()?)),
        None => (text, None),
    };
    let decimals = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let mut last_digit = exponent.unwrap_or(0).checked_sub(i32::try_from(decimals).ok()?)?;
    // R4 search.html#number: 1e2 is [95, 105), so a lone digit before an exponent counts as two digits.
    if exponent.is_some() && mantissa.bytes().filter(u8::is_ascii_digit).count() == 1 {
        last_digit = last_digit.checked_sub(1)?;
    }
    let half: f64 = format!("5e{}", last_digit.checked_sub(1)?).parse().ok()?;
    Some((value - half, value + half))
}

/// Returns year, month and day of a number of days since 1970 (proleptic Gregorian, by eras of 400 years).
#[must_use]
pub fn civil(days_since_1970: i64) -> (i64, i64, i64) {
    let shifted = days_since_1970 + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Returns the number of days since 1970 of a date.
#[must_use]
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Returns the number of days in a month.
#[must_use]
pub fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn digits(bytes: &[u8], start: usize, count: usize) -> Option<i64> {
    let run = bytes.get(start..start + count)?;
    run.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// Reads a separator and two digits that don't pass a maximum.
fn part(bytes: &[u8], start: usize, separator: u8, maximum: i64) -> Option<i64> {
    if bytes.get(start) != Some(&separator) {
        return None;
    }
    digits(bytes, start + 1, 2).filter(|value| *value <= maximum)
}

/// Reads `Z`, an offset, or nothing; the inner `None` means that no zone is named.
fn zone(bytes: &[u8]) -> Option<Option<i32>> {
    match bytes {
        [] => Some(None),
        [b'Z'] => Some(Some(0)),
        [sign @ (b'+' | b'-'), ..] if bytes.len() == 6 => {
            let hours = digits(bytes, 1, 2).filter(|hours| *hours <= 14)?;
            let minutes = hours * 60 + part(bytes, 3, b':', 59)?;
            if minutes > 14 * 60 {
                return None;
            }
            let minutes = i32::try_from(minutes).ok()?;
            Some(Some(if *sign == b'-' { -minutes } else { minutes }))
        }
        _ => None,
    }
}
