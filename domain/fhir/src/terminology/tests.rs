//! Small code systems, each rule once.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::json::{Limits, parse};

fn json(text: &str) -> Json {
    parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn wards() -> Json {
    json(
        r#"{"resourceType":"CodeSystem","url":"urn:wards","content":"complete","caseSensitive":false,"concept":[
        {"code":"in","display":"Inpatient","property":[{"code":"notSelectable","valueBoolean":true}],
         "concept":[{"code":"icu","display":"Intensive care"},{"code":"gen","display":"General ward","property":[{"code":"floor","valueInteger":2}]}]},
        {"code":"opd","display":"Outpatient"},{"code":"old","property":[{"code":"status","valueCode":"retired"},{"code":"parent","valueCode":"opd"}]}]}"#,
    )
}

fn codes(compose: &str) -> Result<Vec<String>, ExpansionError> {
    let set = json(&format!(r#"{{"resourceType":"ValueSet","compose":{compose}}}"#));
    let other = json(
        r#"{"resourceType":"ValueSet","url":"urn:set","compose":{"include":[{"system":"urn:wards","concept":[{"code":"icu"},{"code":"opd"}]}]}}"#,
    );
    let sources = Sources { code_systems: vec![wards()], value_sets: vec![other] };
    expand(&set, &sources).map(|expansion| expansion.concepts.into_iter().map(|one| one.code).collect())
}

#[test]
fn value_sets_include_filter_import_and_exclude() {
    assert_eq!(codes(r#"{"include":[{"system":"urn:wards"}]}"#).unwrap(), ["in", "icu", "gen", "opd", "old"]);
    let filtered = |property: &str, operator: &str, value: &str| {
        codes(&format!(
            r#"{{"include":[{{"system":"urn:wards","filter":[{{"property":"{property}","op":"{operator}","value":"{value}"}}]}}]}}"#
        ))
    };
    assert_eq!(filtered("concept", "is-a", "in").unwrap(), ["in", "icu", "gen"]);
    assert_eq!(filtered("concept", "descendent-of", "opd").unwrap(), ["old"]);
    assert_eq!(filtered("floor", "=", "2").unwrap(), ["gen"]);
    assert_eq!(filtered("floor", "exists", "false").unwrap(), ["in", "icu", "opd", "old"]);
    assert!(matches!(filtered("code", "regex", "x"), Err(ExpansionError::Filter(_))));
    assert_eq!(codes(r#"{"include":[{"system":"urn:wards","valueSet":["urn:set"]}],"exclude":[{"system":"urn:wards","concept":[{"code":"opd"}]}]}"#).unwrap(), ["icu"]);
    assert!(matches!(codes(r#"{"include":[{"system":"urn:none"}]}"#), Err(ExpansionError::UnknownSystem(_))));
    assert!(matches!(codes(r#"{"include":[{"valueSet":["urn:none"]}]}"#), Err(ExpansionError::UnknownValueSet(_))));
    assert_eq!(
        codes(r#"{"include":[{"valueSet":["http://hl7.org/fhir/ValueSet/administrative-gender"]}]}"#).unwrap().len(),
        4
    );
    assert_eq!(
        needs(&json(r#"{"compose":{"include":[{"system":"a","valueSet":["b"]}]}}"#)),
        (vec!["a".into()], vec!["b".into()])
    );
}

#[test]
fn codes_are_found_subsumed_and_translated() {
    let resource = wards();
    let system = CodeSystem::of(&resource);
    assert_eq!(system.find("ICU").map(|one| text(one, "display")), Some("Intensive care"));
    assert_eq!(system.subsumption("in", "icu"), Some(Subsumption::Subsumes));
    assert_eq!(system.subsumption("old", "opd"), Some(Subsumption::SubsumedBy));
    assert_eq!(
        (system.subsumption("opd", "icu"), system.subsumption("opd", "x")),
        (Some(Subsumption::NotSubsumed), None)
    );
    let old = system.concept(system.find("old").unwrap());
    assert!(old.inactive && system.concept(system.find("in").unwrap()).not_selectable);
    let map = json(
        r#"{"group":[{"source":"urn:wards","target":"urn:t","element":[{"code":"icu","target":[{"code":"1","equivalence":"equal"}]}]}]}"#,
    );
    let there = translate(&map, (Some("urn:wards"), "icu"), Direction::Forward);
    let back = translate(&map, (Some("urn:t"), "1"), Direction::Reverse);
    let codes = |found: &[Translation]| found.iter().map(|one| one.concept.code.clone()).collect::<Vec<_>>();
    assert_eq!((codes(&there), codes(&back)), (vec!["1".to_owned()], vec!["icu".to_owned()]));
    assert!(translate(&map, (Some("urn:x"), "icu"), Direction::Forward).is_empty());
}
