//! Writes JSON, compact or indented (RFC 8259 <https://www.rfc-editor.org/rfc/rfc8259>).

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

/// Appends the text of a value with a line for each value in it.
pub(super) fn write_pretty(value: &Json, level: usize, output: &mut Vec<u8>) {
    match value {
        Json::Array(items) if !items.is_empty() => {
            output.push(b'[');
            for (index, item) in items.iter().enumerate() {
                new_line(index, level + 1, output);
                write_pretty(item, level + 1, output);
            }
            new_line(0, level, output);
            output.push(b']');
        }
        Json::Object(members) if !members.is_empty() => {
            output.push(b'{');
            for (index, (name, member)) in members.iter().enumerate() {
                new_line(index, level + 1, output);
                write_string(name, output);
                output.extend_from_slice(b": ");
                write_pretty(member, level + 1, output);
            }
            new_line(0, level, output);
            output.push(b'}');
        }
        plain => write(plain, output),
    }
}

/// Begins a line; a comma ends the one before unless this is the first.
fn new_line(index: usize, level: usize, output: &mut Vec<u8>) {
    output.extend_from_slice(if index > 0 { b",\n" } else { b"\n" });
    output.extend(std::iter::repeat_n(b' ', level * 2));
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
