//! JSON: what is read is written and read again as the same; structure, rules and search values are taken from it without harm.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seva_fhir::json::{Limits, parse};
use seva_fhir::parameters::Parameters;
use seva_fhir::types::Instant;
use seva_fhir::{index, validation};

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = parse(bytes, &Limits::default()) else { return };
    let written = json.to_bytes();
    let again = parse(&written, &Limits::default()).expect("what was written is legible");
    assert_eq!(written, again.to_bytes());
    let issues = validation::check(&json, Instant::from_micros(1_700_000_000_000_000));
    let kind = json.get("resourceType").and_then(|name| name.as_str()).and_then(|name| name.parse().ok());
    if let (Some(kind), false) = (kind, issues.iter().any(|issue| issue.is_error())) {
        index::extract(&json, kind, &Parameters::of_pack(1));
    }
});
