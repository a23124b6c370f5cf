//! Exact decimals of doses and measurements: millionths in an integer, so that comparing and multiplying never rounds.
//!
//! FHIR R4 asks that decimals are not kept as floating point: <https://hl7.org/fhir/R4/datatypes.html#decimal>.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

const SCALE: i64 = 1_000_000;

/// Is a decimal with at most six digits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal(i64);

/// Says that a text is no decimal that this type can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal with at most six digits after the point")]
pub struct DecimalError;

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(SCALE);
    /// One half.
    pub const HALF: Self = Self(SCALE / 2);

    /// Makes the decimal of a whole number.
    #[must_use]
    pub fn whole(value: u32) -> Self {
        Self(i64::from(value) * SCALE)
    }

    /// Returns the whole number, when nothing stands after the point and it fits.
    #[must_use]
    pub fn as_whole(self) -> Option<u32> {
        (self.0 % SCALE == 0).then_some(self.0 / SCALE).and_then(|value| u32::try_from(value).ok())
    }

    /// Adds, when the sum fits.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Multiplies, when the product is exact and fits.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        let product = i128::from(self.0) * i128::from(other.0);
        Self::exact(product, i128::from(SCALE))
    }

    /// Divides, when the quotient is exact and fits.
    #[must_use]
    pub fn divided_by(self, other: Self) -> Option<Self> {
        Self::exact(i128::from(self.0) * i128::from(SCALE), i128::from(other.0))
    }

    fn exact(dividend: i128, divisor: i128) -> Option<Self> {
        if divisor == 0 || dividend % divisor != 0 {
            return None;
        }
        i64::try_from(dividend / divisor).ok().map(Self)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let whole = magnitude / SCALE.unsigned_abs();
        let rest = magnitude % SCALE.unsigned_abs();
        if rest == 0 {
            return write!(formatter, "{sign}{whole}");
        }
        let digits = format!("{rest:06}");
        write!(formatter, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let clean = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || !clean(whole) || !clean(rest) || digits.ends_with('.') {
            return Err(DecimalError);
        }
        let rest = rest.trim_end_matches('0');
        if rest.len() > 6 {
            return Err(DecimalError);
        }
        let whole: i64 = whole.parse().map_err(|_| DecimalError)?;
        let rest: i64 = format!("{rest:0<6}").parse().map_err(|_| DecimalError)?;
        let value = whole * SCALE + rest;
        Ok(Self(if negative { -value } else { value }))
    }
}

impl TryFrom<String> for Decimal {
    type Error = DecimalError;

    fn try_from(text: String) -> Result<Self, DecimalError> {
        text.parse()
    }
}

impl From<Decimal> for String {
    fn from(value: Decimal) -> Self {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_print_without_trailing_zeros() {
        for (text, printed) in [("650", "650"), ("0.50", "0.5"), ("38.5", "38.5"), ("-1.25", "-1.25")] {
            assert_eq!(text.parse::<Decimal>().map(|value| value.to_string()), Ok(printed.to_owned()));
        }
        for text in ["", ".", "1.", "1e3", "1,5", "0.1234567", "99999999999999"] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError), "{text}");
        }
    }

    #[test]
    fn products_and_quotients_are_exact_or_absent() {
        assert_eq!(Decimal::HALF.times(Decimal::whole(650)), Some(Decimal::whole(325)));
        assert_eq!(Decimal::whole(325).divided_by(Decimal::HALF), Some(Decimal::whole(650)));
        assert_eq!(Decimal::ONE.divided_by(Decimal::whole(3)), None);
        assert_eq!(Decimal::ONE.divided_by(Decimal::ZERO), None);
    }
}
