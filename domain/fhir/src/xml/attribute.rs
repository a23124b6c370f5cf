//! Attribute values: normalised on the way in, escaped on the way out so that no reader normalises them
//! (XML 1.0 <https://www.w3.org/TR/xml/#AVNormalize>).

use quick_xml::escape::{resolve_xml_entity, unescape_with};

use super::is_character;

/// The value that the raw text between the quotes stands for.
pub(super) fn read(raw: &str) -> Result<String, String> {
    if raw.contains('<') {
        return Err("write < as &lt; in an attribute".into());
    }
    let spaced = if raw.contains(['\t', '\n', '\r']) {
        raw.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ")
    } else {
        raw.to_owned()
    };
    let value = unescape_with(&spaced, resolve_xml_entity)
        .map_err(|_| "an & must begin &lt; &gt; &amp; &quot; &apos; or the number of a character")?;
    if value.chars().all(is_character) {
        Ok(value.into_owned())
    } else {
        Err("the value has a character that XML 1.0 does not allow".into())
    }
}

/// Appends a value; `None` means that it has a character that XML can't write.
pub(super) fn write(value: &str, output: &mut Vec<u8>) -> Option<()> {
    for letter in value.chars() {
        match letter {
            '&' => output.extend_from_slice(b"&amp;"),
            '<' => output.extend_from_slice(b"&lt;"),
            '>' => output.extend_from_slice(b"&gt;"),
            '"' => output.extend_from_slice(b"&quot;"),
            '\t' => output.extend_from_slice(b"&#9;"),
            '\n' => output.extend_from_slice(b"&#10;"),
            '\r' => output.extend_from_slice(b"&#13;"),
            letter if is_character(letter) => output.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => return None,
        }
    }
    Some(())
}
