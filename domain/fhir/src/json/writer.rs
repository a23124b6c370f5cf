//! Writes JSON without white space (RFC 8259 <https://www.rfc-editor.org/rfc/rfc8259>).

use super::Json;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends the compact text of a value.
pub(super) fn write(value: &Json, output: &mut Vec<u8>) {
    match value {
        Json::Null => output.extend_from_slice(b"null"),
        Json::Bool(true) => output.extend_from_slice(b"true"),
        Json::Bool(false) => output.extend_from_slice(b"false"),
        Json::Number(literal) => output.extend_from_slice(literal.as_bytes()),
        Json::String(text) => write_string(text, output),
        Json::Array(items) => {
            output.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    output.push(b',');
                }
                write(item, output);
            }
            output.push(b']');
        }
        Json::Object(members) => {
            output.push(b'{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    output.push(b',');
                }
                write_string(name, output);
                output.push(b':');
                write(member, output);
            }
            output.push(b'}');
        }
    }
}

fn write_string(text: &str, output: &mut Vec<u8>) {
    output.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(position) = rest.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\') {
        let (plain, special) = rest.split_at(position);
        output.extend_from_slice(plain);
        if let Some((byte, after)) = special.split_first() {
            write_escape(*byte, output);
            rest = after;
        }
    }
    output.extend_from_slice(rest);
    output.push(b'"');
}

fn write_escape(byte: u8, output: &mut Vec<u8>) {
    match byte {
        b'"' => output.extend_from_slice(b"\\\""),
        b'\\' => output.extend_from_slice(b"\\\\"),
        b'\n' => output.extend_from_slice(b"\\n"),
        b'\r' => output.extend_from_slice(b"\\r"),
        b'\t' => output.extend_from_slice(b"\\t"),
        0x08 => output.extend_from_slice(b"\\b"),
        0x0c => output.extend_from_slice(b"\\f"),
        other => {
            output.extend_from_slice(b"\\u00");
            for nibble in [other >> 4, other & 0x0f] {
                output.push(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
            }
        }
    }
}
