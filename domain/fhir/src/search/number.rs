//! Numbers and quantities: the precision of the given text is a range (R4 search.html#number, #quantity).

use super::date::Prefix;
use super::query_string::{split_escaped, unescape};
use crate::date::number_range;

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
        let value = rest.parse().map_err(|_| wrong())?;
        Ok(Self { prefix, low, high, value })
    }
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
