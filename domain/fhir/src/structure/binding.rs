//! Codes of required bindings (R4 <https://hl7.org/fhir/R4/terminologies.html#required>).

use seva_fhir_profiles::CodeList;

use crate::json::Json;

/// Tells whether a code, Coding or CodeableConcept keeps to a list; a concept in words only has no code to judge.
pub(super) fn holds(value: &Json, list: &CodeList) -> bool {
    if let Some(code) = value.as_str() {
        return list.contains(code);
    }
    match value.get("coding") {
        Some(codings) => codings.items().iter().any(|coding| coding_holds(coding, list)),
        None => value.get("code").is_none() || coding_holds(value, list),
    }
}

fn coding_holds(coding: &Json, list: &CodeList) -> bool {
    match (coding.get_str("system"), coding.get_str("code")) {
        (Some(system), Some(code)) => list.contains_in(system, code),
        (None, Some(code)) => list.contains(code),
        (_, None) => false,
    }
}
