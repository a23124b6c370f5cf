#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::*;
use crate::json::{Limits, parse};

/// Faults of the package itself: elements with min 1 are missing (ImplementationGuide.name and status, Questionnaire
/// linkId, SearchParameter.base), and one id has more than 64 characters.
const FAULTY_EXAMPLES: [&str; 14] = [
    "ImplementationGuide-fhir.json",
    "Questionnaire-qs1.json",
    "SearchParameter-codesystem-extensions-CodeSystem-author.json",
    "SearchParameter-codesystem-extensions-CodeSystem-effective.json",
    "SearchParameter-codesystem-extensions-CodeSystem-end.json",
    "SearchParameter-codesystem-extensions-CodeSystem-keyword.json",
    "SearchParameter-codesystem-extensions-CodeSystem-workflow.json",
    "SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject.json",
    "SearchParameter-valueset-extensions-ValueSet-author.json",
    "SearchParameter-valueset-extensions-ValueSet-effective.json",
    "SearchParameter-valueset-extensions-ValueSet-end.json",
    "SearchParameter-valueset-extensions-ValueSet-keyword.json",
    "SearchParameter-valueset-extensions-ValueSet-workflow.json",
    "ig-r4.json",
];

fn issues(text: &str) -> Vec<String> {
    let resource = parse(text.as_bytes(), &Limits::default()).unwrap();
    check(&resource).iter().map(Issue::to_string).collect()
}

fn patient(members: &str) -> Vec<String> {
    issues(&format!(r#"{{"resourceType":"Patient",{members}}}"#))
}

#[test]
fn a_sound_resource_has_no_issues() {
    let members = r#""id":"a","birthDate":"1970-03","_birthDate":{"extension":[{"url":"http://x.example/t","valueString":"noon"}]},
        "name":[{"given":["Asha",null],"_given":[null,{"id":"g"}]}],"gender":"female","multipleBirthInteger":2,
        "contained":[{"resourceType":"Organization","name":"O"}]"#;
    assert_eq!(patient(members), Vec::<String>::new());
}

/// Members of a Patient, each with the issue that it must give.
const FAULTS: &[(&str, &str)] = &[
    (r#""birthDay":"1970""#, "Patient.birthDay: Patient has no such element; did you mean birthDate?"),
    (r#""birthDate":"1970-13""#, "Patient.birthDate: write a date as YYYY, YYYY-MM or YYYY-MM-DD"),
    (r#""name":{}"#, "Patient.name: the element repeats; write an array, not an object"),
    (r#""name":[{}]"#, "Patient.name[0]: an object must not be empty; leave it out or give it a member"),
    (r#""name":[]"#, "Patient.name: an array must not be empty; leave it out or give it an item"),
    (r#""active":"true""#, "Patient.active: write true or false without quotes"),
    (r#""gender":["male"]"#, "Patient.gender: the element has at most one value; don't write an array"),
    (
        r#""gender":"Female""#,
        "Patient.gender: the code isn't in the required value set http://hl7.org/fhir/ValueSet/administrative-gender",
    ),
    (r#""link":[{"type":"refer"}]"#, "Patient.link[0].other: the required element other is missing"),
    (
        r#""deceasedBoolean":true,"deceasedDateTime":"2020""#,
        "Patient.deceasedDateTime: deceasedBoolean and deceasedDateTime exclude each other; keep one deceased[x]",
    ),
    (
        r#""deceased":true"#,
        "Patient.deceased: Patient has no such element; its name ends with its type, such as deceasedBoolean, deceasedDateTime",
    ),
    (
        r#""multipleBirthInteger":99999999999"#,
        "Patient.multipleBirthInteger: write a whole number between -2147483648 and 2147483647",
    ),
    (r#""_name":[{"id":"a"}]"#, "Patient.name: only primitive elements have a member whose name begins with _"),
    (
        r#""name":[{"given":["a"],"_given":[null,{"id":"g"}]}]"#,
        "Patient.name[0].given: the array and its sibling with _ must be equally long; pad with null",
    ),
    (r#""active":null"#, "Patient.active: null is no value; leave the element out"),
    (
        r#""contained":[{"resourceType":"Patien"}]"#,
        "Patient.contained[0].resourceType: the resourceType isn't a resource type of FHIR R4; did you mean Patient?",
    ),
    (r#""text":{"status":"generated","div":"hello"}"#, "Patient.text.div: a narrative is XHTML in one <div> element"),
];

#[test]
fn each_fault_is_named_where_it_is() {
    for (members, expected) in FAULTS {
        assert_eq!(patient(members), [*expected], "{members}");
    }
}

#[test]
fn what_is_no_resource_is_refused() {
    for text in ["[]", "1", "{}", r#"{"resourceType":"Resource"}"#, r#"{"resourceType":1}"#] {
        assert_eq!(issues(text).len(), 1, "{text}");
    }
}

#[test]
fn resources_in_a_bundle_are_checked_too() {
    let text =
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","sex":"f"}}]}"#;
    assert_eq!(issues(text), ["Bundle.entry[0].resource.sex: Patient has no such element"]);
}

/// The official examples: `SEVA_R4_EXAMPLES=<folder of npm hl7.fhir.r4.examples> cargo nextest run --run-ignored all`.
#[test]
#[ignore = "needs the official examples"]
fn the_official_examples_have_no_errors() {
    let Some(folder) = option_env!("SEVA_R4_EXAMPLES") else {
        return;
    };
    let mut faulty = BTreeMap::new();
    let (mut count, mut values) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".json") || name == "package.json" || name.starts_with('.') {
            continue;
        }
        count += 1;
        let bytes = std::fs::read(&path).unwrap();
        let found: Vec<String> = match parse(&bytes, &Limits { max_bytes: 1 << 30, ..Limits::default() }) {
            Ok(resource) => {
                if let Some(Ok(kind)) = resource.get_str("resourceType").map(str::parse) {
                    values += crate::index::extract(&resource, kind, &crate::parameters::Parameters::default()).len();
                }
                check(&resource).iter().map(Issue::to_string).collect()
            }
            Err(error) => vec![error.to_string()],
        };
        if !found.is_empty() {
            faulty.insert(name, found);
        }
    }
    eprintln!("{count} examples have {values} search values");
    faulty.retain(|name, _| !FAULTY_EXAMPLES.contains(&name.as_str()));
    for (name, found) in &faulty {
        eprintln!("{name}: {} {:?}", found.len(), found.iter().take(3).collect::<Vec<_>>());
    }
    assert!(faulty.is_empty(), "{} of {count} examples have issues", faulty.len());
}
