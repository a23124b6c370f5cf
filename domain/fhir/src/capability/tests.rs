//! The statements are sound by our own checks, and say what the tables say.

use super::*;
use crate::clock::{Clock, SystemClock};
use crate::validation;

fn faults(statement: &Json) -> Vec<String> {
    let now = SystemClock.now().to_milliseconds();
    validation::check(statement, now).iter().filter(|issue| issue.is_error()).map(ToString::to_string).collect()
}

fn system(url: &str, version: Option<&str>) -> OfferedSystem {
    OfferedSystem { url: url.to_owned(), version: version.map(str::to_owned), has_hierarchy: version == Some("2") }
}

#[test]
fn every_statement_keeps_the_rules_of_its_type() {
    let full = capability_statement("http://localhost/fhir");
    let systems: Vec<OfferedSystem> = listed_systems().collect();
    let terminology = terminology_capabilities("http://localhost/fhir", &systems);
    for statement in [&full, &normative_statement(full.clone()), &terminology] {
        assert_eq!(faults(statement), Vec::<String>::new());
    }
}

#[test]
fn the_normative_statement_has_normative_types_and_elements_only() {
    let full = capability_statement("http://localhost/fhir");
    let normative = normative_statement(full.clone());
    let resources = |statement: &Json| {
        statement
            .get("rest")
            .and_then(|rest| rest.items().first()?.get("resource"))
            .map_or(&[][..], Json::items)
            .to_vec()
    };
    let (all, kept) = (resources(&full), resources(&normative));
    assert!(all.iter().any(|one| one.get_str("type") == Some("Encounter")));
    assert!(!kept.iter().any(|one| one.get_str("type") == Some("Encounter")));
    let patient = kept.iter().find(|one| one.get_str("type") == Some("Patient")).expect("Patient is normative");
    assert!(patient.get("interaction").is_some() && patient.get("searchParam").is_some());
    assert!(patient.get("conditionalCreate").is_none() && patient.get("searchInclude").is_none());
}

#[test]
fn versions_are_told_and_not_demanded() {
    let statement = capability_statement("http://localhost/fhir").to_bytes();
    let statement = String::from_utf8(statement).expect("UTF-8");
    assert!(statement.contains(r#""versioning":"versioned""#) && !statement.contains("versioned-update"));
}

#[test]
fn code_systems_are_listed_with_their_versions_and_one_default() {
    let systems = [system("urn:a", None), system("urn:b", Some("1")), system("urn:b", Some("2"))];
    let statement = terminology_capabilities("http://localhost/fhir", &systems);
    let listed = statement.get("codeSystem").expect("code systems").to_bytes();
    assert_eq!(
        String::from_utf8(listed).expect("UTF-8"),
        concat!(
            r#"[{"uri":"urn:a","subsumption":false},"#,
            r#"{"uri":"urn:b","version":[{"code":"1","isDefault":false},{"code":"2","isDefault":true}],"subsumption":true}]"#
        )
    );
    assert!(listed_systems().any(|one| one.url == "http://hl7.org/fhir/administrative-gender"));
}
