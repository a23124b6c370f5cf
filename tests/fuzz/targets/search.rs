//! Search queries: of a type and of the system, strict and lenient. A lenient search never refuses a name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seva_fhir::parameters::Parameters;
use seva_fhir::search::{Handling, SearchOptions, parse_query_string, parse_search, parse_system_search};

fuzz_target!(|text: &str| {
    let Ok(pairs) = parse_query_string(text) else { return };
    let parameters = &Parameters::of_pack(1);
    for handling in [Handling::Strict, Handling::Lenient] {
        let options = || SearchOptions { handling, base_url: "http://localhost/fhir", parameters };
        for kind in ["Patient", "Observation", "ValueSet"] {
            let _ = parse_search(kind.parse().expect("a type of R4"), &pairs, options());
        }
        let _ = parse_system_search(&pairs, options());
    }
});
