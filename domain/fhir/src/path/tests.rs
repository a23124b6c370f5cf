#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::json::{Limits, parse};

const PATIENT: &str = r#"{"resourceType":"Patient","active":true,"deceasedBoolean":false,
 "name":[{"use":"official","family":"Rao","given":["Asha","K"]},{"use":"usual","given":["Ash"]}],
 "generalPractitioner":[{"reference":"Practitioner/a"},{"reference":"Organization/b"}],
 "_birthDate":{"extension":[{"url":"http://x.example/t","valueString":"noon"}]}}"#;

fn evaluated(text: &str) -> String {
    let patient = parse(PATIENT.as_bytes(), &Limits::default()).unwrap();
    let path = CompiledPath::parse(text).unwrap();
    let nodes = path.evaluate(&EvaluationContext::of_resource(&patient)).unwrap();
    let texts: Vec<String> = nodes.iter().map(|node| node.json().to_string()).collect();
    texts.join(" ")
}

#[test]
fn paths_functions_and_operators_follow_the_specification() {
    let cases = [
        ("Patient.name.given", r#""Asha" "K" "Ash""#),
        ("name.where(use = 'official').given.first()", r#""Asha""#),
        ("Patient.name[1].given", r#""Ash""#),
        ("Patient.deceased.exists() and Patient.deceased != false", "false"),
        ("deceased.ofType(boolean)", "false"),
        ("generalPractitioner.where(resolve() is Practitioner).reference", r#""Practitioner/a""#),
        ("birthDate.extension('http://x.example/t').value", r#""noon""#),
        ("birthDate.hasValue()", "false"),
        ("name.count() > 1 or {}", "true"),
        ("'a' in name.use", "false"),
        ("Observation.value", ""),
        ("name.given.all($this.length() > 0) implies true", "true"),
        ("(active | active).count() = 1", "true"),
        ("@2015-02 > @2014", "true"),
    ];
    for (text, expected) in cases {
        assert_eq!(evaluated(text), expected, "{text}");
    }
}

#[test]
fn a_unit_may_end_in_any_letter() {
    for unit in ["\u{3a9}", "C\u{494}", "\u{b5}", "\u{b0}-1", "-1", "2"] {
        assert_eq!(evaluated(&format!("1 '{unit}' = 1 '{unit}'")), "true", "{unit}");
    }
}

#[test]
fn a_long_or_deep_expression_is_refused() {
    assert_eq!(CompiledPath::parse(&"(".repeat(5_000)).unwrap_err(), PathError::TooComplex);
    assert_eq!(CompiledPath::parse(&"a.".repeat(5_000)).unwrap_err(), PathError::TooComplex);
    assert!(CompiledPath::parse("a +").is_err());
}

#[test]
fn every_search_expression_parses_and_leads_somewhere() {
    for parameter in definitions().all_search_parameters() {
        let Some(definition) = definitions().type_named(parameter.base) else {
            continue;
        };
        if parameter.expression.is_empty() {
            continue;
        }
        let path = CompiledPath::for_type(parameter.expression, definition).unwrap();
        let is_general = ["where(", "[", "exists("].iter().any(|general| parameter.expression.contains(general));
        assert!(is_general || !path.types().is_empty(), "{}: {}", parameter.code, parameter.expression);
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_without_panic(text in "[a-z0-9 .()\\[\\]'@%$|=<>+*/`{},\\\\-]{0,60}") {
        let _ = CompiledPath::parse(&text);
    }
}
