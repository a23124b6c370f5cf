//! FHIRPath: any text is compiled or refused; what compiles is evaluated on a resource within its limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seva_fhir::json::{Limits, parse};
use seva_fhir::path::{CompiledPath, EvaluationContext};

const RESOURCE: &[u8] = br#"{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8310-5"}]},
"subject":{"reference":"Patient/p"},"effectiveDateTime":"2024-02-03T10:20:30+05:30","valueQuantity":{"value":38.50,"unit":"Cel","system":"http://unitsofmeasure.org","code":"Cel"},
"component":[{"code":{"text":"a"},"valueInteger":3},{"code":{"text":"b"},"valueString":"x"}]}"#;

fuzz_target!(|text: &str| {
    let Ok(path) = CompiledPath::parse(text) else { return };
    let resource = parse(RESOURCE, &Limits::default()).expect("the resource is legible");
    let _ = path.evaluate(&EvaluationContext::of_resource(&resource));
});
