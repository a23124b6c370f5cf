//! Dates (R4 <https://hl7.org/fhir/R4/search.html#date>).

use super::IndexValue;
use crate::date::date_range;
use crate::json::Json;

/// Appends the range of a date, a Period or a Timing.
pub(super) fn push(value: &Json, type_name: &str, values: &mut Vec<IndexValue>) {
    let range = match type_name {
        "Period" => period(value),
        "Timing" => timing(value),
        _ => value.as_str().and_then(date_range),
    };
    if let Some((low, high)) = range {
        values.push(IndexValue::Date { low, high });
    }
}

fn member(value: &Json, name: &str) -> Option<(i64, i64)> {
    value.get_str(name).and_then(date_range)
}

fn period(value: &Json) -> Option<(i64, i64)> {
    let (start, end) = (member(value, "start"), member(value, "end"));
    if start.is_none() && end.is_none() {
        return None;
    }
    Some((start.map_or(i64::MIN, |(low, _)| low), end.map_or(i64::MAX, |(_, high)| high)))
}

/// R4: only the outer bounds of a schedule count.
fn timing(value: &Json) -> Option<(i64, i64)> {
    let events = value.get("event").map_or(&[][..], Json::items);
    let events = events.iter().filter_map(|event| event.as_str().and_then(date_range));
    let bounds = value.get("repeat").and_then(|repeat| repeat.get("boundsPeriod")).and_then(period);
    events.chain(bounds).reduce(|(low, high), (other_low, other_high)| (low.min(other_low), high.max(other_high)))
}
