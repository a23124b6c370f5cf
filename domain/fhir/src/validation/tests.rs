#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::*;
use crate::json::{Limits, parse};
use crate::outcome::Severity;

fn now() -> Instant {
    Instant::from_micros(1_784_000_000_000_000)
}

fn issues(text: &str) -> Vec<String> {
    let resource = parse(text.as_bytes(), &Limits::default()).unwrap();
    let found = check(&resource, now());
    found.iter().filter(|issue| issue.severity > Severity::Information).map(Issue::to_string).collect()
}

const NARRATIVE: &str = r#""text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"}"#;

#[test]
fn rules_of_types_elements_and_datatypes_are_kept_or_named() {
    let cases = [
        (r#""contact":[{"name":{"family":"Rao"}}]"#, None),
        (
            r#""contact":[{"gender":"female"}]"#,
            Some(
                "Patient.contact[0]: the rule pat-1 isn't kept: SHALL at least contain a contact's details or a reference to an organization",
            ),
        ),
        (
            r#""telecom":[{"value":"1"}]"#,
            Some("Patient.telecom[0]: the rule cpt-2 isn't kept: A system is required if a value is provided."),
        ),
        (
            r#""name":[{"period":{"start":"2020","end":"2019"}}]"#,
            Some(
                "Patient.name[0].period: the rule per-1 isn't kept: If present, start SHALL have a lower value than end",
            ),
        ),
        (
            r##""managingOrganization":{"reference":"#o"}"##,
            Some(
                "Patient.managingOrganization: the rule ref-1 isn't kept: SHALL have a contained resource if a local reference is provided",
            ),
        ),
    ];
    for (members, expected) in cases {
        let text = format!(r#"{{"resourceType":"Patient",{NARRATIVE},{members}}}"#);
        assert_eq!(issues(&text), expected.into_iter().collect::<Vec<_>>(), "{members}");
    }
}

#[test]
fn a_question_that_exists_is_answered_by_a_boolean() {
    let condition = r#""enableWhen":[{"question":"a","operator":"exists","answerBoolean":true}]"#;
    let items = format!(r#"{{"linkId":"a","type":"group"}},{{"linkId":"b","type":"string",{condition}}}"#);
    let text = format!(r#"{{"resourceType":"Questionnaire","status":"draft",{NARRATIVE},"item":[{items}]}}"#);
    let found = issues(&text);
    assert!(!found.iter().any(|issue| issue.contains("que-7")), "{found:?}");
}

#[test]
fn a_narrative_with_a_script_is_an_error_and_none_a_warning() {
    let script = r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div><script>a</script></div>"}}"#;
    assert!(issues(script).iter().any(|issue| issue.contains("txt-1")), "{:?}", issues(script));
    let resource = parse(br#"{"resourceType":"Patient","active":true}"#, &Limits::default()).unwrap();
    let found = check(&resource, now());
    assert_eq!(found.iter().map(|issue| issue.severity).collect::<Vec<_>>(), [Severity::Warning]);
}

#[test]
fn every_rule_is_fhirpath() {
    for invariant in seva_fhir_profiles::invariants() {
        let parsed = crate::path::CompiledPath::parse(invariant.expression);
        assert!(parsed.is_ok(), "{}: {:?}", invariant.key, parsed.err());
    }
}

/// The official examples: `SEVA_R4_EXAMPLES=<folder of npm hl7.fhir.r4.examples> cargo nextest run --run-ignored all`.
#[test]
#[ignore = "needs the official examples"]
fn the_official_examples_keep_the_rules_but_for_known_faults() {
    let Some(folder) = option_env!("SEVA_R4_EXAMPLES") else {
        return;
    };
    let (mut count, mut faulty, mut by_rule) = (0_usize, 0_usize, BTreeMap::<String, (usize, String)>::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap_or_default();
        if !name.ends_with(".json") || name == "package.json" || name.starts_with('.') || bytes.len() > 2_000_000 {
            continue;
        }
        let Ok(resource) = parse(&bytes, &Limits::default()) else { continue };
        count += 1;
        let found = check(&resource, now());
        faulty += usize::from(found.iter().any(Issue::is_error));
        for issue in found.iter().filter(|issue| issue.severity != Severity::Warning) {
            let key = issue.diagnostics.split(" couldn't").next().unwrap_or_default().to_owned();
            let known = by_rule.entry(key).or_insert_with(|| (0, format!("{name} {issue}")));
            known.0 += 1;
        }
    }
    eprintln!("{faulty} of {count} examples have errors");
    for (rule, (times, first)) in &by_rule {
        eprintln!("{times} {rule} ({first})");
    }
    assert!(faulty * 20 < count, "{faulty} of {count} examples have errors");
}
