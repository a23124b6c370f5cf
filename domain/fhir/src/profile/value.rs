//! Values against fixed values, patterns and limits
//! (R4 <https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.pattern_x_>).

use std::cmp::Ordering;

use crate::json::Json;

/// Whether two values are the same, whatever the order of their members.
pub(super) fn is_equal(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|also| is_equal(value, also)))
        }
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_equal(one, other))
        }
        _ => one == other,
    }
}

/// Whether a value has everything that a pattern has.
pub(super) fn has_pattern(value: &Json, pattern: &Json) -> bool {
    match (value, pattern) {
        (Json::Object(value), Json::Object(pattern)) => {
            pattern.iter().all(|(name, part)| value.get(name).is_some_and(|own| has_pattern(own, part)))
        }
        (Json::Array(values), Json::Array(parts)) => {
            parts.iter().all(|part| values.iter().any(|value| has_pattern(value, part)))
        }
        _ => value == pattern,
    }
}

/// Compares a value with a limit; nothing comes back where they can't be compared, such as grams with metres.
pub(super) fn compare(value: &Json, limit: &Json) -> Option<Ordering> {
    match (value, limit) {
        (Json::Number(_), Json::Number(_)) => value.as_f64()?.partial_cmp(&limit.as_f64()?),
        (Json::String(value), Json::String(limit)) => {
            // Dates are compared as far as both are known.
            let length = value.len().min(limit.len());
            Some(value.get(..length)?.cmp(limit.get(..length)?))
        }
        (Json::Object(_), Json::Object(_)) => {
            let unit = |quantity: &Json| (quantity.get("system").cloned(), quantity.get("code").cloned());
            if unit(value) != unit(limit) {
                return None;
            }
            compare(value.get("value")?, limit.get("value")?)
        }
        _ => None,
    }
}
