#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Instant as Stopwatch;

use super::*;
use crate::json::{Limits, parse};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"a","meta":{"lastUpdated":"2026-07-14T09:30:00Z","profile":["http://x.example/p|1"]},
 "identifier":[{"system":"http://x.example/id","value":"12"}],"active":true,
 "name":[{"family":"Müller","given":["Asha"]}],"telecom":[{"system":"phone","value":"555"},{"system":"email","value":"a@x.example"}],
 "gender":"female","birthDate":"1970-03","deceasedBoolean":false,"address":[{"line":["1 Road"],"city":"Pune"}],
 "managingOrganization":{"reference":"Organization/o"},"generalPractitioner":[{"identifier":{"value":"p"}}]}"#;
const PRESSURE: &str = r#"{"resourceType":"Observation","id":"b","status":"final",
 "code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"subject":{"reference":"Patient/a"},
 "effectiveDateTime":"2026-07-14T09:30:00Z","component":[
 {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":107,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
 {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":60,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}"#;

fn read(text: &str) -> (Json, ResourceType) {
    let resource = parse(text.as_bytes(), &Limits::default()).unwrap();
    let resource_type = resource.get_str("resourceType").unwrap().parse().unwrap();
    (resource, resource_type)
}

fn values(text: &str, code: &str) -> Vec<IndexValue> {
    let (resource, resource_type) = read(text);
    let parameter = definitions().search_parameter(resource_type.as_str(), code).unwrap().id;
    let entries = extract(&resource, resource_type, &Parameters::default()).into_iter();
    entries.filter(|entry| entry.parameter == parameter).map(|entry| entry.value).collect()
}

fn token(system: Option<&str>, code: &str) -> IndexValue {
    IndexValue::Token { system: system.map(Into::into), code: Some(code.into()), text: None }
}

#[test]
fn a_patient_is_found_by_its_values() {
    assert_eq!(values(PATIENT, "_id"), [token(None, "a")]);
    assert_eq!(values(PATIENT, "identifier"), [token(Some("http://x.example/id"), "12")]);
    assert_eq!(values(PATIENT, "gender"), [token(None, "female")]);
    assert_eq!(values(PATIENT, "phone"), [token(None, "555")]);
    assert_eq!(values(PATIENT, "family"), [IndexValue::String("Müller".into())]);
    assert_eq!(values(PATIENT, "name").len(), 2);
    assert_eq!(values(PATIENT, "deceased"), [token(None, "false")]);
    assert_eq!(values(PATIENT, "_profile").len(), 2);
    assert_eq!(values(PATIENT, "_lastUpdated").len(), 1);
    assert_eq!(values(PATIENT, "general-practitioner").len(), 1);
    let (low, high) = crate::date::date_range("1970-03").unwrap();
    assert_eq!(values(PATIENT, "birthdate"), [IndexValue::Date { low, high }]);
}

#[test]
fn a_blood_pressure_is_found_by_its_parts() {
    assert_eq!(values(PRESSURE, "combo-code").len(), 3);
    assert_eq!(values(PRESSURE, "combo-code-value-quantity").len(), 2);
    assert_eq!(values(PRESSURE, "component-value-quantity").len(), 2);
    assert_eq!(values(PRESSURE, "patient").len(), 1);
}

#[test]
fn the_compartment_is_the_patient_of_the_resource() {
    for text in [PATIENT, PRESSURE] {
        let (resource, resource_type) = read(text);
        let patients = compartments_of(&resource, resource_type);
        assert_eq!(patients, ["Patient/a".parse().unwrap()]);
    }
}

#[test]
fn folding_drops_accents_and_keeps_indian_vowels() {
    assert_eq!(fold("  MÜLLER  Éva "), "muller eva");
    assert_eq!(fold("आशा"), "आशा");
}

/// Prints the time that a value costs; run with `--nocapture`.
#[test]
fn extraction_is_measured() {
    for text in [PATIENT, PRESSURE] {
        let (resource, resource_type) = read(text);
        let count = extract(&resource, resource_type, &Parameters::default()).len();
        let start = Stopwatch::now();
        for _ in 0..1_000 {
            assert_eq!(extract(&resource, resource_type, &Parameters::default()).len(), count);
        }
        eprintln!("{resource_type}: {count} values, {} ns each time", start.elapsed().as_nanos() / 1_000);
    }
}
