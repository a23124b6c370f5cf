//! Quantities with units of UCUM or the calendar (N1 <http://hl7.org/fhirpath/N1/#quantity>).

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::parser::calendar_unit;
use super::ucum::{self, Unit};
use crate::json::Json;

/// A value with its unit: a UCUM code, a calendar word or the text that FHIR shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    pub(super) value: Decimal,
    pub(super) unit: Box<str>,
}

/// Calendar words that last as long as a UCUM unit; years and months don't.
const DEFINITE: [(&str, &str); 6] =
    [("week", "wk"), ("day", "d"), ("hour", "h"), ("minute", "min"), ("second", "s"), ("millisecond", "ms")];

impl Quantity {
    /// Makes a quantity without unit.
    pub(super) fn plain(value: Decimal) -> Self {
        Self { value, unit: "1".into() }
    }

    /// Reads FHIR's Quantity.
    pub(super) fn of_fhir(json: &Json) -> Option<Self> {
        let value = decimal(json.get("value")?.as_number()?)?;
        let unit = json.get_str("code").or_else(|| json.get_str("unit")).unwrap_or("1");
        Some(Self { value, unit: unit.into() })
    }

    /// Reads `4 days` or `4 'd'`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text
            .char_indices()
            .find(|(index, letter)| {
                !(letter.is_ascii_digit() || *letter == '.' || (*index == 0 && matches!(letter, '+' | '-')))
            })
            .map_or(text.len(), |(index, _)| index);
        let (number, unit) = text.split_at(end);
        let value = decimal(number)?;
        let unit = unit.trim();
        if unit.is_empty() {
            return Some(Self::plain(value));
        }
        let quoted = unit.strip_prefix('\'').and_then(|unit| unit.strip_suffix('\''));
        let unit = quoted.filter(|unit| !unit.is_empty()).or_else(|| calendar_unit(unit).map(|_| unit))?;
        Some(Self { value, unit: unit.into() })
    }

    /// Returns the calendar word in the singular that a date can be moved by.
    pub(super) fn calendar_unit(&self) -> Option<&'static str> {
        let definite = DEFINITE.iter().find(|(_, code)| *code == self.unit.as_ref()).map(|(word, _)| *word);
        calendar_unit(&self.unit).or(definite)
    }

    fn unit_name(&self) -> &str {
        calendar_unit(&self.unit).unwrap_or(&self.unit)
    }

    fn ucum(&self) -> Option<Unit> {
        let code = match calendar_unit(&self.unit) {
            Some(word) => DEFINITE.iter().find(|(own, _)| *own == word)?.1,
            None => &self.unit,
        };
        ucum::parse(code)
    }

    /// Returns both values in one unit.
    fn aligned(&self, other: &Self) -> Option<(Decimal, Decimal)> {
        if self.unit_name() == other.unit_name() {
            return Some((self.value, other.value));
        }
        let (own, others) = (self.ucum()?, other.ucum()?);
        if own.dimensions != others.dimensions {
            return None;
        }
        // In the larger unit, so that the digits written keep their weight.
        if own.factor >= others.factor {
            let other = other.value.checked_mul(others.factor)?.checked_div(own.factor)?;
            Some((self.value, other))
        } else {
            let value = self.value.checked_mul(own.factor)?.checked_div(others.factor)?;
            Some((value, other.value))
        }
    }

    /// Compares; `None` where the units don't convert into each other.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        self.aligned(other).map(|(own, other)| own.cmp(&other))
    }

    /// Compares to the precision of the coarser.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        self.aligned(other).is_some_and(|(own, other)| equivalent(own, other))
    }

    /// Adds in this unit.
    pub(super) fn add(&self, other: &Self) -> Option<Self> {
        let converted = if self.unit_name() == other.unit_name() {
            other.value
        } else {
            let (own, others) = (self.ucum()?, other.ucum()?);
            if own.dimensions != others.dimensions {
                return None;
            }
            other.value.checked_mul(others.factor)?.checked_div(own.factor)?
        };
        Some(Self { value: self.value.checked_add(converted)?, unit: self.unit.clone() })
    }

    /// Multiplies by the first or the minus first power of another.
    pub(super) fn times(&self, other: &Self, exponent: i8) -> Option<Self> {
        let value =
            if exponent < 0 { divide(self.value, other.value)? } else { self.value.checked_mul(other.value)? };
        if other.unit.as_ref() == "1" {
            return Some(Self { value, unit: self.unit.clone() });
        }
        let unit = self.ucum()?.times(other.ucum()?, exponent)?;
        Some(Self { value: value.checked_mul(unit.factor)?, unit: unit.base_code().into() })
    }

    /// Writes it as an expression does.
    pub(super) fn to_text(&self) -> String {
        if calendar_unit(&self.unit).is_some() {
            format!("{} {}", self.value, self.unit)
        } else {
            format!("{} '{}'", self.value, self.unit)
        }
    }
}

/// Reads a number, with an exponent or without.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    if !text.trim_start_matches(['+', '-']).starts_with(|first: char| first.is_ascii_digit()) || text.ends_with('.') {
        return None;
    }
    if text.contains(['e', 'E']) { Decimal::from_scientific(text).ok() } else { text.parse().ok() }
}

/// Divides to eight decimals, the precision that the specification asks for.
pub(super) fn divide(own: Decimal, other: Decimal) -> Option<Decimal> {
    let strategy = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    own.checked_div(other).map(|value| value.round_dp_with_strategy(8, strategy).normalize())
}

/// Compares numbers to the precision of the coarser; zeros at the end don't count.
pub(super) fn equivalent(own: Decimal, other: Decimal) -> bool {
    let scale = own.normalize().scale().min(other.normalize().scale());
    let strategy = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    own.round_dp_with_strategy(scale, strategy) == other.round_dp_with_strategy(scale, strategy)
}
