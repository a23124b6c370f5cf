//! XML: what is read can be written, and reads as the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seva_fhir::json::Limits;
use seva_fhir::structure;
use seva_fhir::xml::{Layout, parse, write};

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = parse(bytes, &Limits::default()) else { return };
    if structure::check(&json).iter().any(|issue| issue.is_error()) {
        return;
    }
    let written = write(&json, Layout::Compact).expect("what came as XML goes as XML");
    let again = parse(&written, &Limits::default()).expect("what was written is legible");
    assert_eq!(json.to_bytes(), again.to_bytes());
});
