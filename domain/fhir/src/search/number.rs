//! Numbers and quantities: the precision of the given text is a range (R4 search.html#number, #quantity).

use rust_decimal::prelude::ToPrimitive;

use super::date::Prefix;
use super::query_string::{split_escaped, unescape};
use crate::date::number_range;
use crate::path::ucum;

/// The code system of units (<https://ucum.org/ucum>).
const UCUM: &str = "http://unitsofmeasure.org";

/// A comparison with a number.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberTest {
    /// How.
    pub prefix: Prefix,
    /// The lower end of what the text stands for.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The number itself.
    pub value: f64,
}

impl NumberTest {
    /// Reads `gt5.40`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (prefix, rest) = Prefix::take(text);
        let wrong = || format!("{rest:?} is not a number");
        let (low, high) = number_range(rest).ok_or_else(wrong)?;
        let value: f64 = rest.parse().map_err(|_| wrong())?;
        let (lowest, highest) = (decimal(low), decimal(high));
        // Of more digits than a number holds the ends would fall together.
        let (low, high) = if lowest < value && value < highest { (lowest, highest) } else { (low, high) };
        Ok(Self { prefix, low, high, value })
    }
}

/// The number that was meant by a sum of two: `0.8 + 0.05` is a little more than the `0.85` that a resource has, and what
/// ends before 0.85 would reach it.
fn decimal(sum: f64) -> f64 {
    format!("{sum:.14e}").parse().unwrap_or(sum)
}

/// A comparison with a number in a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantityTest {
    /// The number.
    pub number: NumberTest,
    /// The system of the unit's code, when given.
    pub system: Option<String>,
    /// The unit's code, or its text when no system is given.
    pub code: Option<String>,
}

impl QuantityTest {
    /// Reads `gt5.4|http://unitsofmeasure.org|mg`, `5.4||mg`, `5.4`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = split_escaped(text, '|').into_iter().map(|part| unescape(&part));
        let number = NumberTest::parse(&parts.next().unwrap_or_default())?;
        let filled = |part: Option<String>| part.filter(|text| !text.is_empty());
        let (system, code) = (filled(parts.next()), filled(parts.next()));
        if parts.next().is_some() {
            return Err("a quantity has at most three parts: number|system|code".to_owned());
        }
        Ok(Self { number, system, code })
    }
}

impl QuantityTest {
    /// Whether a system of units is asked for, and no unit of it: no index has these.
    pub(super) fn is_of_system(&self) -> bool {
        self.system.is_some() && self.code.is_none()
    }
}

/// A unit in terms of its base units, in which quantities of one kind compare
/// (R4 <https://hl7.org/fhir/R4/search.html#quantity>).
#[derive(Clone, Debug, PartialEq)]
pub struct CanonicalUnit {
    /// The base units.
    pub base: String,
    factor: f64,
    offset: f64,
}

impl CanonicalUnit {
    /// Reads a unit; none where the system isn't UCUM or the code isn't one that is known.
    #[must_use]
    pub fn of(system: &str, code: &str) -> Option<Self> {
        if system != UCUM {
            return None;
        }
        // Temperatures alone have another zero (UCUM, table "special units").
        match code {
            "Cel" => return Some(Self { base: "K".to_owned(), factor: 1.0, offset: 273.15 }),
            "[degF]" => return Some(Self { base: "K".to_owned(), factor: 5.0 / 9.0, offset: 459.67 * 5.0 / 9.0 }),
            _ => {}
        }
        let unit = ucum::parse(code)?;
        Some(Self { base: unit.base_code(), factor: unit.factor.to_f64()?, offset: 0.0 })
    }

    /// Converts a value; rounded, so that one quantity comes to one number from whichever unit.
    #[must_use]
    pub fn value(&self, value: f64) -> f64 {
        let converted = value.mul_add(self.factor, self.offset);
        if converted == 0.0 || !converted.is_finite() {
            return converted;
        }
        format!("{converted:.11e}").parse().unwrap_or(converted)
    }
}

impl QuantityTest {
    /// The comparison in base units, where the unit has some.
    #[must_use]
    pub fn canonical(&self) -> Option<(CanonicalUnit, NumberTest)> {
        let unit = CanonicalUnit::of(self.system.as_deref()?, self.code.as_deref()?)?;
        let number = &self.number;
        let (mut prefix, mut low, mut high) = (number.prefix, number.low, number.high);
        if prefix == Prefix::Approximately {
            // A tenth of what was written, whatever the zero of its unit.
            let tenth = number.value.abs() / 10.0;
            (prefix, low, high) = (Prefix::Equal, number.value - tenth, number.value + tenth);
        }
        let (low, high, value) = (unit.value(low), unit.value(high), unit.value(number.value));
        Some((unit, NumberTest { prefix, low, high, value }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_number_stands_for_ends_at_decimals() {
        let ends = |text: &str| NumberTest::parse(text).map(|test| (test.low, test.high));
        assert_eq!(ends("0.8"), Ok((0.75, 0.85)));
        assert_eq!(ends("5.4"), Ok((5.35, 5.45)));
        assert_eq!(ends("ne100"), Ok((99.5, 100.5)));
        assert!(ends("0.12345678901234567").is_ok_and(|(low, high)| low <= high));
    }

    #[test]
    fn one_quantity_is_one_number_in_any_unit() {
        let value = |number: f64, code: &str| {
            let unit = CanonicalUnit::of(UCUM, code).expect("a unit");
            (unit.base.clone(), unit.value(number))
        };
        assert_eq!(value(5.4, "mg"), value(0.0054, "g"));
        assert_eq!(value(120.0, "mm[Hg]"), value(12.0, "cm[Hg]"));
        assert_eq!(value(37.0, "Cel"), value(98.6, "[degF]"));
        assert_eq!(value(1.0, "mmol/L"), value(1000.0, "umol/L"));
        assert_eq!(CanonicalUnit::of("http://x.example", "mg"), None);
        assert_eq!(CanonicalUnit::of(UCUM, "pints"), None);
    }
}
