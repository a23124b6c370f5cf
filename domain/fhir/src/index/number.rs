//! Numbers, quantities and places (R4 <https://hl7.org/fhir/R4/search.html#number>,
//! <https://hl7.org/fhir/R4/search.html#quantity>).

use super::{IndexValue, boxed};
use crate::date::number_range;
use crate::json::Json;

/// The code system of currencies (R4 datatypes.html#Money).
const CURRENCIES: &str = "urn:iso:std:iso:4217";

/// Appends the range of a number or of a Range.
pub(super) fn push_number(value: &Json, type_name: &str, values: &mut Vec<IndexValue>) {
    let range = match type_name {
        "Range" => ends(value),
        "decimal" => value.as_number().and_then(number_range),
        // A whole number is exact.
        _ => value.as_f64().map(|number| (number, number)),
    };
    if let Some((low, high)) = range {
        values.push(IndexValue::Number { low, high });
    }
}

/// Appends the range of a Quantity, Money or Range with its unit.
pub(super) fn push_quantity(value: &Json, type_name: &str, values: &mut Vec<IndexValue>) {
    let entry = match type_name {
        "Money" => amount(value).map(|(low, high)| IndexValue::Quantity {
            low,
            high,
            system: Some(CURRENCIES.into()),
            code: boxed(value, "currency"),
            unit: None,
        }),
        "Range" => ends(value).map(|(low, high)| {
            let side = value.get("low").or_else(|| value.get("high")).unwrap_or(value);
            with_unit(side, low, high)
        }),
        // R4 names SampledData without saying which number is meant; its origin is a Quantity.
        "SampledData" => None,
        _ => quantity(value).map(|(low, high)| with_unit(value, low, high)),
    };
    values.extend(entry);
}

/// Appends the place of Location.position.
pub(super) fn push_position(value: &Json, values: &mut Vec<IndexValue>) {
    let degrees = |name: &str| value.get(name).and_then(Json::as_f64);
    if let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) {
        values.push(IndexValue::Position { latitude, longitude });
    }
}

fn with_unit(side: &Json, low: f64, high: f64) -> IndexValue {
    let (system, code, unit) = (boxed(side, "system"), boxed(side, "code"), boxed(side, "unit"));
    IndexValue::Quantity { low, high, system, code, unit }
}

fn amount(value: &Json) -> Option<(f64, f64)> {
    value.get("value")?.as_number().and_then(number_range)
}

/// A comparator opens one side.
fn quantity(value: &Json) -> Option<(f64, f64)> {
    let (low, high) = amount(value)?;
    Some(match value.get_str("comparator") {
        Some("<" | "<=") => (f64::NEG_INFINITY, high),
        Some(">" | ">=") => (low, f64::INFINITY),
        _ => (low, high),
    })
}

fn ends(value: &Json) -> Option<(f64, f64)> {
    let (low, high) = (value.get("low").and_then(amount), value.get("high").and_then(amount));
    if low.is_none() && high.is_none() {
        return None;
    }
    Some((low.map_or(f64::NEG_INFINITY, |(low, _)| low), high.map_or(f64::INFINITY, |(_, high)| high)))
}
