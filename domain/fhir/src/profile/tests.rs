#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::json::{Limits, parse};

fn json(text: &str) -> Json {
    parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// Errors and warnings of a resource against profiles; the first one is asked for.
fn issues(resource: &str, definitions: &[&str]) -> Vec<String> {
    let mut profiles = Profiles::default();
    let mut asked = Vec::new();
    for definition in definitions {
        let profile = Profile::build(&[json(definition)]).unwrap();
        asked.push(profile.url.clone());
        profiles.insert(&profile.url.clone(), Some(Arc::new(profile)));
    }
    asked.truncate(1);
    let report = check(&json(resource), &asked, &profiles, Instant::from_micros(1_784_000_000_000_000));
    report.issues.iter().map(|issue| format!("{} {issue}", issue.severity.as_str())).collect()
}

fn profile(kind: &str, elements: &str) -> String {
    format!(
        r#"{{"resourceType":"StructureDefinition","url":"urn:p","type":"{kind}","derivation":"constraint",
        "baseDefinition":"http://hl7.org/fhir/StructureDefinition/{kind}","differential":{{"element":[{elements}]}}}}"#
    )
}

#[track_caller]
fn patient(elements: &str, members: &str, expected: &[&str]) {
    let resource = format!(r#"{{"resourceType":"Patient"{members}}}"#);
    assert_eq!(issues(&resource, &[&profile("Patient", elements)]), expected, "{elements} {members}");
}

#[test]
fn cardinality_is_counted_within_what_is_there() {
    let name = r#"{"id":"Patient.name","path":"Patient.name","min":1,"max":"2"},
        {"id":"Patient.name.family","path":"Patient.name.family","min":1},{"id":"Patient.photo","path":"Patient.photo","max":"0"}"#;
    let missing = "error Patient.name: name must occur at least 1 times, it occurs 0 times; add what is missing";
    patient(name, "", &[missing]);
    patient(name, r#","name":[{"family":"Rao"}]"#, &[]);
    let family =
        "error Patient.name[1].family: family must occur at least 1 times, it occurs 0 times; add what is missing";
    patient(name, r#","name":[{"family":"Rao"},{"text":"R"}]"#, &[family]);
    let photo = "error Patient.photo: photo is not allowed by the profile; remove it";
    patient(name, r#","name":[{"family":"Rao"}],"photo":[{"title":"t"}]"#, &[photo]);
    let many = "error Patient.name: name may occur 2 times at most, it occurs 3 times; remove what is too many";
    patient(name, r#","name":[{"family":"a"},{"family":"b"},{"family":"c"}]"#, &[many]);
}

#[test]
fn values_keep_to_fixed_values_patterns_and_limits() {
    let elements = r#"{"id":"Patient.gender","path":"Patient.gender","fixedCode":"female"},
        {"id":"Patient.maritalStatus","path":"Patient.maritalStatus","patternCodeableConcept":{"coding":[{"code":"M"}]}},
        {"id":"Patient.birthDate","path":"Patient.birthDate","minValueDate":"1900-01-01","maxValueDate":"2020-12-31"},
        {"id":"Patient.language","path":"Patient.language","maxLength":2}"#;
    let good = r#","language":"hi","gender":"female","birthDate":"1980","maritalStatus":{"coding":[{"code":"x"},{"code":"M","system":"s"}]}"#;
    patient(elements, good, &[]);
    let bad = r#","language":"hin","gender":"male","birthDate":"2021-01-01","maritalStatus":{"coding":[{"code":"x"}]}"#;
    let expected = [
        r#"error Patient.gender: the value must be exactly "female""#,
        r#"error Patient.maritalStatus: the value must contain {"coding":[{"code":"M"}]}"#,
        r#"error Patient.birthDate: the value must not be more than "2020-12-31""#,
        "error Patient.language: the text has 3 characters, 2 are allowed; shorten it",
    ];
    patient(elements, bad, &expected);
}

#[test]
fn types_of_choices_and_targets_of_references_are_narrowed() {
    let elements = r#"{"id":"Patient.deceased[x]","path":"Patient.deceased[x]","type":[{"code":"dateTime"}]},
        {"id":"Patient.generalPractitioner","path":"Patient.generalPractitioner","type":[{"code":"Reference",
            "targetProfile":["http://hl7.org/fhir/StructureDefinition/Practitioner"]}]}"#;
    patient(elements, r#","deceasedDateTime":"2020","generalPractitioner":[{"reference":"Practitioner/a"}]"#, &[]);
    let contained = r##","deceasedBoolean":true,"contained":[{"resourceType":"Organization","id":"o"}],"generalPractitioner":[{"reference":"#o"}]"##;
    let expected = [
        "error Patient.deceasedBoolean: the type boolean is not allowed here; use dateTime",
        "error Patient.generalPractitioner[0]: the reference is to a Organization; it must be to Practitioner",
    ];
    patient(elements, contained, &expected);
}

fn sliced(slicing: &str) -> String {
    format!(
        r#"{{"id":"Patient.identifier","path":"Patient.identifier","slicing":{{"discriminator":[{{"type":"value","path":"system"}}],{slicing}}}}},
        {{"id":"Patient.identifier:abha","path":"Patient.identifier","sliceName":"abha","min":1,"max":"1"}},
        {{"id":"Patient.identifier:abha.system","path":"Patient.identifier.system","min":1,"fixedUri":"urn:abha"}},
        {{"id":"Patient.identifier:abha.value","path":"Patient.identifier.value","min":1}},
        {{"id":"Patient.identifier:pan","path":"Patient.identifier","sliceName":"pan"}},
        {{"id":"Patient.identifier:pan.system","path":"Patient.identifier.system","patternUri":"urn:pan"}}"#
    )
}

#[test]
fn slices_are_told_apart_counted_and_closed() {
    let open = sliced(r#""rules":"open""#);
    patient(&open, r#","identifier":[{"system":"urn:x"},{"system":"urn:abha","value":"1"}]"#, &[]);
    let missing =
        "error Patient.identifier:abha: abha must occur at least 1 times, it occurs 0 times; add what is missing";
    patient(&open, r#","identifier":[{"system":"urn:x"}]"#, &[missing]);
    let value =
        "error Patient.identifier[0].value: value must occur at least 1 times, it occurs 0 times; add what is missing";
    patient(&open, r#","identifier":[{"system":"urn:abha"}]"#, &[value]);
    let outside = r#","identifier":[{"system":"urn:x"},{"system":"urn:abha","value":"1"}]"#;
    let closed = "error Patient.identifier[0]: the value belongs to none of abha, pan; remove or change it";
    patient(&sliced(r#""rules":"closed""#), outside, &[closed]);
    let at_end = "error Patient.identifier[1]: abha must stand before values that belong to no slice; move it up";
    patient(&sliced(r#""rules":"openAtEnd""#), outside, &[at_end]);
    let disorder = r#","identifier":[{"system":"urn:pan"},{"system":"urn:abha","value":"1"}]"#;
    let order = "error Patient.identifier[1]: abha stands too late, the order of slices is fixed; move it up";
    patient(&sliced(r#""rules":"open","ordered":true"#), disorder, &[order]);
}

#[test]
fn rules_and_bindings_of_a_profile_are_its_own() {
    let elements = r#"{"id":"Patient","path":"Patient","constraint":[
            {"key":"in-1","severity":"error","human":"a name or a telecom is there","expression":"name.exists() or telecom.exists()"},
            {"key":"in-2","severity":"warning","human":"a birth date is there","expression":"birthDate.exists()"}]}"#;
    let expected = [
        "error Patient: the rule in-1 isn't kept: a name or a telecom is there",
        "warning Patient: the rule in-2 isn't kept: a birth date is there",
    ];
    patient(elements, "", &expected);
    patient(elements, r#","birthDate":"1980","name":[{"text":"R"}]"#, &[]);
}

const EXTENSION: &str = r#"{"resourceType":"StructureDefinition","url":"urn:ward","type":"Extension",
    "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Extension","context":[{"type":"element","expression":"Patient"}],
    "differential":{"element":[{"id":"Extension.url","path":"Extension.url","fixedUri":"urn:ward"},
        {"id":"Extension.value[x]","path":"Extension.value[x]","min":1,"type":[{"code":"code"}]}]}}"#;

#[test]
fn extensions_keep_to_their_definitions_and_places() {
    let elements = r#"{"id":"Patient.extension","path":"Patient.extension","slicing":{"discriminator":[{"type":"value","path":"url"}],"rules":"open"}},
        {"id":"Patient.extension:ward","path":"Patient.extension","sliceName":"ward","min":1,"type":[{"code":"Extension","profile":["urn:ward"]}]}"#;
    let own = profile("Patient", elements);
    let check = |members: &str| issues(&format!(r#"{{"resourceType":"Patient"{members}}}"#), &[&own, EXTENSION]);
    assert_eq!(check(r#","extension":[{"url":"urn:ward","valueCode":"icu"}]"#), Vec::<String>::new());
    let missing =
        "error Patient.extension:ward: ward must occur at least 1 times, it occurs 0 times; add what is missing";
    assert_eq!(check(""), [missing]);
    let kind = "error Patient.extension[0].valueString: the type string is not allowed here; use code";
    assert_eq!(check(r#","extension":[{"url":"urn:ward","valueString":"icu"}]"#), [kind]);
    let place = "error Patient.name[0].extension[0]: the extension urn:ward is for Patient; move or remove it";
    let misplaced = r#","extension":[{"url":"urn:ward","valueCode":"a"}],"name":[{"extension":[{"url":"urn:ward","valueCode":"b"}]}]"#;
    assert_eq!(check(misplaced), [place]);
}

#[test]
fn an_extension_for_elements_may_stand_anywhere() {
    let anywhere = EXTENSION.replace(r#""expression":"Patient""#, r#""expression":"Element""#);
    let check = |members: &str| {
        issues(&format!(r#"{{"resourceType":"Patient"{members}}}"#), &[&profile("Patient", ""), &anywhere])
    };
    let good = r#","extension":[{"url":"urn:ward","valueCode":"a"}],"contact":[{"extension":[{"url":"urn:ward","valueCode":"b"}]}]"#;
    assert_eq!(check(good), Vec::<String>::new());
    let companion = r#","birthDate":"1980","_birthDate":{"extension":[{"url":"urn:ward","valueString":"b"}]}"#;
    let kind = "error Patient.birthDate.extension[0].valueString: the type string is not allowed here; use code";
    assert_eq!(check(companion), [kind]);
}

#[test]
fn a_differential_is_laid_over_its_base() {
    let base = profile("Patient", r#"{"id":"Patient.name","path":"Patient.name","min":1}"#);
    let own = profile(
        "Patient",
        r#"{"id":"Patient.name","path":"Patient.name","max":"1"},{"id":"Patient.gender","path":"Patient.gender","min":1}"#,
    );
    let mut profiles = Profiles::default();
    profiles.insert("urn:p", Some(Arc::new(Profile::build(&[json(&base), json(&own)]).unwrap())));
    let report =
        check(&json(r#"{"resourceType":"Patient"}"#), &["urn:p".to_owned()], &profiles, Instant::from_micros(0));
    let places: Vec<_> = report.issues.iter().filter_map(|issue| issue.expression.as_deref()).collect();
    assert_eq!(places, ["Patient.name", "Patient.gender"]);
}

#[test]
fn an_unknown_profile_is_looked_for_then_named() {
    let resource = json(r#"{"resourceType":"Patient","meta":{"profile":["urn:none"]}}"#);
    let mut profiles = Profiles::default();
    let first = check(&resource, &[], &profiles, Instant::from_micros(0));
    assert_eq!(first.unknown.into_iter().collect::<Vec<_>>(), ["urn:none"]);
    profiles.insert("urn:none", None);
    let second = check(&resource, &[], &profiles, Instant::from_micros(0));
    assert!(second.unknown.is_empty() && second.issues.first().unwrap().diagnostics.contains("urn:none isn't known"));
}

/// HL7's examples with the profiles of R4 itself: `SEVA_R4_EXAMPLES=<folder of npm hl7.fhir.r4.examples> cargo nextest run
/// --run-ignored all`.
#[test]
#[ignore = "needs the official examples"]
fn the_official_examples_keep_the_profiles_that_they_claim() {
    let Some(folder) = option_env!("SEVA_R4_EXAMPLES") else {
        return;
    };
    let (mut profiles, mut resources, mut built) = (Profiles::default(), Vec::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let Ok(resource) = parse(&bytes, &Limits::default()) else { continue };
        if resource.get_str("derivation") == Some("constraint") && resource.get("snapshot").is_some() {
            let profile = Profile::build(&[resource]).unwrap();
            built += 1;
            profiles.insert(&profile.url.clone(), Some(Arc::new(profile)));
        } else {
            resources.push((path.file_name().unwrap().to_string_lossy().into_owned(), resource));
        }
    }
    let (mut claiming, mut faulty, mut checked) = (0, Vec::new(), std::time::Duration::ZERO);
    for (name, resource) in &resources {
        let begun = std::time::Instant::now();
        let report = check(resource, &[], &profiles, Instant::from_micros(0));
        checked += begun.elapsed();
        claiming += usize::from(resource.get("meta").is_some_and(|meta| meta.get("profile").is_some()));
        let errors = report.issues.iter().filter(|issue| issue.is_error());
        faulty.extend(errors.map(|issue| format!("{name} {issue}")));
    }
    faulty.sort();
    eprintln!("{built} profiles; {} examples, {claiming} claim one, in {checked:?}", resources.len());
    for fault in &faulty {
        eprintln!("{fault}");
    }
    assert!(built > 300 && claiming > 1_900 && faulty.is_empty(), "{} faults", faulty.len());
}
