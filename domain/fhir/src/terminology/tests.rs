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
    let sources = Sources { code_systems: vec![wards()], value_sets: vec![other], stored: Vec::new() };
    expand(&set, &sources, &Wanted::default())
        .map(|expansion| expansion.concepts.into_iter().map(|one| one.code).collect())
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
    assert_eq!(filtered("code", "regex", "i.*").unwrap(), ["in", "icu"]);
    assert_eq!(filtered("display", "regex", "Out").unwrap(), [""; 0], "the whole value must fit");
    assert!(matches!(filtered("code", "regex", "("), Err(ExpansionError::Filter(_))));
    assert!(matches!(filtered("code", "regex", &"x".repeat(2_000)), Err(ExpansionError::Filter(_))));
    assert_eq!(filtered("concept", "is-not-a", "in").unwrap(), ["opd", "old"]);
    assert_eq!(filtered("concept", "generalizes", "icu").unwrap(), ["in", "icu"]);
    assert_eq!(filtered("code", "in", "icu, opd").unwrap(), ["icu", "opd"]);
    assert_eq!(filtered("code", "not-in", "icu,opd").unwrap(), ["in", "gen", "old"]);
    assert!(matches!(filtered("code", "near", "x"), Err(ExpansionError::Filter(_))));
    assert_eq!(codes(r#"{"include":[{"system":"urn:wards","valueSet":["urn:set"]}],"exclude":[{"system":"urn:wards","concept":[{"code":"opd"}]}]}"#).unwrap(), ["icu"]);
    assert!(matches!(codes(r#"{"include":[{"system":"urn:none"}]}"#), Err(ExpansionError::UnknownSystem(_))));
    assert!(matches!(codes(r#"{"include":[{"valueSet":["urn:none"]}]}"#), Err(ExpansionError::UnknownValueSet(_))));
    assert_eq!(
        codes(r#"{"include":[{"valueSet":["http://hl7.org/fhir/ValueSet/administrative-gender"]}]}"#).unwrap().len(),
        4
    );
    assert_eq!(imports(&json(r#"{"compose":{"include":[{"system":"a","valueSet":["b"]}]}}"#)), ["b"]);
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
    let codes = |system: &str, code: &str, direction| -> Vec<String> {
        let asked = ToTranslate { system: Some(system.into()), code: code.into(), direction, ..ToTranslate::default() };
        translate(&map, &asked).translations.into_iter().filter_map(|one| Some(one.concept?.code)).collect()
    };
    assert_eq!(codes("urn:wards", "icu", Direction::Forward), ["1"]);
    assert_eq!(codes("urn:t", "1", Direction::Reverse), ["icu"]);
    assert!(codes("urn:x", "icu", Direction::Forward).is_empty());
}
