//! Tokens (R4 <https://hl7.org/fhir/R4/search.html#token>).

use super::{IndexValue, LetterCase, boxed};
use crate::json::Json;

/// Appends the tokens of a value.
pub(super) fn push(value: &Json, type_name: &str, letter_case: LetterCase, values: &mut Vec<IndexValue>) {
    let code = |of: &Json, name: &str| of.get_str(name).map(|code| Box::from(letter_case.comparable(code)));
    let push_coding = |coding: &Json, text: Option<&str>, values: &mut Vec<IndexValue>| {
        let text = both(coding.get_str("display"), text);
        push_token(boxed(coding, "system"), code(coding, "code"), text, values);
    };
    match type_name {
        "CodeableConcept" => {
            let text = boxed(value, "text");
            let codings = value.get("coding").map_or(&[][..], Json::items);
            for coding in codings {
                push_coding(coding, text.as_deref(), values);
            }
            if codings.is_empty() && text.is_some() {
                values.push(IndexValue::Token { system: None, code: None, text });
            }
        }
        "Coding" => push_coding(value, None, values),
        "Identifier" => {
            let text = value.get("type").and_then(|kind| boxed(kind, "text"));
            push_token(boxed(value, "system"), code(value, "value"), text, values);
        }
        // The system of a contact point is its kind, not a namespace.
        "ContactPoint" => push_token(None, code(value, "value"), None, values),
        "Money" => push_token(None, code(value, "currency"), None, values),
        "Reference" => {
            if let Some(identifier) = value.get("identifier") {
                push_token(boxed(identifier, "system"), code(identifier, "value"), None, values);
            }
        }
        _ => push_primitive(value, letter_case, values),
    }
}

/// `:text` looks at the text of a concept and at the display of its codes (R4 search.html#token).
fn both(display: Option<&str>, text: Option<&str>) -> Option<Box<str>> {
    match (display, text) {
        (Some(display), Some(text)) if display != text => Some(format!("{display}; {text}").into()),
        (one, other) => one.or(other).map(Into::into),
    }
}

fn push_primitive(value: &Json, letter_case: LetterCase, values: &mut Vec<IndexValue>) {
    let code: Option<Box<str>> = match value {
        Json::String(text) => Some(letter_case.comparable(text).into()),
        Json::Bool(flag) => Some(flag.to_string().into()),
        Json::Number(digits) => Some(digits.clone()),
        _ => None,
    };
    push_token(None, code, None, values);
}

fn push_token(system: Option<Box<str>>, code: Option<Box<str>>, text: Option<Box<str>>, values: &mut Vec<IndexValue>) {
    if system.is_some() || code.is_some() || text.is_some() {
        values.push(IndexValue::Token { system, code, text });
    }
}
