//! Whose data an answer discloses, found in the bytes that are served: no parse on the read path.

use memchr::memmem;

use crate::ports::Stored;

/// How a reference to a patient stands in stored JSON, which our own writer makes without spaces.
const REFERENCE: &[u8] = b"\"reference\":\"Patient/";

/// The ids of the patients whom a stored resource names.
pub fn patients_in(stored: &Stored) -> Vec<Box<str>> {
    if stored.key.resource_type().as_str() == "Patient" {
        return vec![stored.key.id().as_str().into()];
    }
    let mut found: Vec<Box<str>> = Vec::new();
    for start in memmem::find_iter(&stored.body, REFERENCE) {
        let rest = stored.body.get(start + REFERENCE.len()..).unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'/')).unwrap_or(rest.len());
        let id = rest.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        if !id.is_empty() && !found.iter().any(|known| known.as_ref() == id) {
            found.push(id.into());
        }
    }
    found
}
