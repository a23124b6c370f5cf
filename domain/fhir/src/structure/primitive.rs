//! The formats of primitive values (R4 <https://hl7.org/fhir/R4/datatypes.html#primitive>).

use crate::date::{DateText, Precision};
use crate::json::Json;
use crate::types::ResourceId;

/// R4: strings have at most 1,048,576 characters.
const MAX_STRING: usize = 1024 * 1024;

/// Checks a value of a primitive type; the error is a sentence that says what to write.
pub(super) fn check(type_name: &str, value: &Json) -> Result<(), String> {
    match type_name {
        "boolean" => expect(value.as_bool().is_some(), "write true or false without quotes"),
        "integer" => whole(value, i32::MIN, "write a whole number between -2147483648 and 2147483647"),
        "unsignedInt" => whole(value, 0, "write a whole number between 0 and 2147483647"),
        "positiveInt" => whole(value, 1, "write a whole number between 1 and 2147483647"),
        "decimal" => expect(value.as_number().is_some(), "write a number without quotes"),
        other => match value.as_str() {
            Some("") => Err("a string must not be empty; leave the element out".into()),
            Some(text) => string(other, text),
            None => Err(format!("write a {other} as a string in quotes, not {}", super::with_article(value))),
        },
    }
}

fn expect(holds: bool, text: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text.into()) }
}

fn whole(value: &Json, minimum: i32, text: &str) -> Result<(), String> {
    let number = value.as_number().and_then(|digits| digits.parse::<i32>().ok());
    expect(number.is_some_and(|number| number >= minimum), text)
}

fn string(type_name: &str, text: &str) -> Result<(), String> {
    match type_name {
        "date" => expect(is_date(text), "write a date as YYYY, YYYY-MM or YYYY-MM-DD"),
        "dateTime" => {
            expect(is_date_time(text), "write YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an offset")
        }
        "instant" => expect(is_instant(text), "write an instant as YYYY-MM-DDThh:mm:ss with Z or an offset"),
        "time" => expect(is_time(text), "write a time as hh:mm:ss without a time zone"),
        "id" => expect(text.parse::<ResourceId>().is_ok(), "an id has 1 to 64 letters, digits, hyphens and full stops"),
        "code" => expect(is_code(text), "a code has no spaces at its ends and no double ones"),
        "uri" | "url" | "canonical" => expect(!text.contains(char::is_whitespace), "a URI has no white space"),
        "oid" => expect(is_oid(text), "write an OID as urn:oid: and numbers with full stops"),
        "uuid" => expect(is_uuid(text), "write a UUID as urn:uuid: and its 36 characters in lower case"),
        "base64Binary" => expect(is_base64(text), "write base64 with its padding"),
        "xhtml" => expect(is_div(text), "a narrative is XHTML in one <div> element"),
        _ => expect(
            text.len() <= MAX_STRING && text.chars().all(is_printable),
            "a string has at most 1048576 bytes and no control characters",
        ),
    }
}

fn is_printable(letter: char) -> bool {
    letter >= ' ' || matches!(letter, '\t' | '\n' | '\r')
}

fn is_date(text: &str) -> bool {
    DateText::parse(text).is_some_and(|date| date.precision() <= Precision::Day)
}

fn is_date_time(text: &str) -> bool {
    DateText::parse(text).is_some_and(|date| date.precision() <= Precision::Day || is_complete(date))
}

fn is_instant(text: &str) -> bool {
    DateText::parse(text).is_some_and(is_complete)
}

fn is_complete(date: DateText) -> bool {
    date.precision() >= Precision::Second && date.has_zone()
}

fn is_time(text: &str) -> bool {
    // A time is what follows the T of a dateTime without zone.
    DateText::parse(&format!("2000-01-01T{text}"))
        .is_some_and(|date| date.precision() >= Precision::Second && !date.has_zone())
}

fn is_code(text: &str) -> bool {
    text.split([' ', '\t', '\n', '\r']).all(|word| !word.is_empty())
}

fn is_oid(text: &str) -> bool {
    let Some(numbers) = text.strip_prefix("urn:oid:") else {
        return false;
    };
    let mut arcs = numbers.split('.');
    let is_number = |arc: &str| {
        !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'))
    };
    matches!(arcs.next(), Some("0" | "1" | "2")) && numbers.contains('.') && arcs.all(is_number)
}

fn is_uuid(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("urn:uuid:") else {
        return false;
    };
    let lengths = [8, 4, 4, 4, 12];
    let is_part = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    digits.split('-').map(str::len).eq(lengths) && digits.split('-').all(is_part)
}

fn is_base64(text: &str) -> bool {
    let mut count = 0_usize;
    let mut padding = 0_usize;
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        match byte {
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            _ => return false,
        }
        count += 1;
    }
    count > 0 && count.is_multiple_of(4) && padding <= 2
}

fn is_div(text: &str) -> bool {
    let text = text.trim();
    let Some(rest) = text.strip_prefix("<div") else {
        return false;
    };
    let opens = rest.starts_with(|next: char| next == '>' || next == '/' || next.is_whitespace());
    opens && (text.ends_with("</div>") || text.ends_with("/>"))
}
