//! Strings (R4 <https://hl7.org/fhir/R4/search.html#string>).

use unicode_normalization::UnicodeNormalization;

use super::IndexValue;
use crate::json::Json;

/// The parts of a name that searches find.
const NAME_PARTS: [&str; 5] = ["text", "family", "given", "prefix", "suffix"];
/// The parts of an address that searches find.
const ADDRESS_PARTS: [&str; 7] = ["text", "line", "city", "district", "state", "postalCode", "country"];

/// Appends the texts of a value.
pub(super) fn push(value: &Json, type_name: &str, values: &mut Vec<IndexValue>) {
    match type_name {
        "HumanName" => push_parts(value, &NAME_PARTS, values),
        "Address" => push_parts(value, &ADDRESS_PARTS, values),
        "CodeableConcept" => {
            push_parts(value, &["text"], values);
            for coding in value.get("coding").map_or(&[][..], Json::items) {
                push_parts(coding, &["display"], values);
            }
        }
        "Coding" => push_parts(value, &["display"], values),
        _ => push_text(value, values),
    }
}

fn push_parts(value: &Json, names: &[&str], values: &mut Vec<IndexValue>) {
    for name in names {
        for part in value.get(name).map_or(&[][..], Json::items) {
            push_text(part, values);
        }
    }
}

fn push_text(value: &Json, values: &mut Vec<IndexValue>) {
    if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
        values.push(IndexValue::String(text.into()));
    }
}

/// Makes texts comparable: lower case, without the accents of Latin, Greek and Cyrillic letters, single spaces.
///
/// The vowel signs of Indian scripts are letters of their own and stay.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut pending_space = false;
    let mut push = |letter: char| {
        if letter.is_whitespace() {
            pending_space = !folded.is_empty();
            return;
        }
        if std::mem::take(&mut pending_space) {
            folded.push(' ');
        }
        // Letters that differ only in case from two others, or from another one (Unicode CaseFolding.txt, C and F).
        match letter {
            'ß' | 'ẞ' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            _ => folded.extend(letter.to_lowercase()),
        }
    };
    if text.is_ascii() {
        text.chars().for_each(&mut push);
    } else {
        text.nfd().filter(|letter| !('\u{300}'..='\u{36f}').contains(letter)).for_each(&mut push);
    }
    folded
}
