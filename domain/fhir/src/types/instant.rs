//! A moment in UTC (R4 <https://hl7.org/fhir/R4/datatypes.html#instant>).

use std::fmt;
use std::str::FromStr;

use crate::date::{self, Precision};

/// Microseconds since 1970 in UTC, written as FHIR's `instant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// Says that a text isn't an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an instant has a date, a time to the second and a time zone, such as 2026-07-14T09:30:00.123Z")]
pub struct InvalidInstant;

/// 0001-01-01T00:00:00Z, because FHIR writes years with four digits.
const FIRST: i64 = -62_135_596_800_000_000;
/// 9999-12-31T23:59:59.999999Z.
const LAST: i64 = 253_402_300_799_999_999;

impl Instant {
    /// Makes an instant from microseconds; those outside the years 1 to 9999 become the nearest that FHIR can write.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(FIRST, LAST))
    }

    /// Returns the microseconds since 1970 in UTC.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since 1970 in UTC.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(date::SECOND)
    }

    /// Returns the instant to the millisecond, as HTTP clients and browsers keep it.
    #[must_use]
    pub fn to_milliseconds(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000))
    }
}

impl FromStr for Instant {
    type Err = InvalidInstant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = date::DateText::parse(text).ok_or(InvalidInstant)?;
        if parts.precision() < Precision::Second || !parts.has_zone() {
            return Err(InvalidInstant);
        }
        Ok(Self::from_micros(parts.low()))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date::civil(self.0.div_euclid(date::DAY));
        let time = self.0.rem_euclid(date::DAY);
        let (seconds, micros) = (time / date::SECOND, time % date::SECOND);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if micros % 1_000 == 0 {
            write!(formatter, ".{:03}Z", micros / 1_000)
        } else {
            write!(formatter, ".{micros:06}Z")
        }
    }
}

impl From<chrono::DateTime<chrono::Utc>> for Instant {
    fn from(time: chrono::DateTime<chrono::Utc>) -> Self {
        Self::from_micros(time.timestamp_micros())
    }
}
