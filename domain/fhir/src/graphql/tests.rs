//! The language: what is read and what is refused.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::parser::parse;
use super::*;
use crate::json::{Limits, parse as json};

fn fault(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn a_query_is_read_with_aliases_arguments_directives_and_fragments() {
    let text = r#"query Q($id: ID!, $count: [Int] = 5) { # comment
        one: Patient(id: $id, flag: true, list: [a, "b\u00e9"]) @include(if: true) { name { ...Names } ... on Patient { id } } }
        fragment Names on HumanName { family given @first }"#;
    let document = parse(text).unwrap();
    let [operation] = document.operations.as_slice() else { panic!("one operation") };
    assert_eq!((operation.name.as_deref(), operation.variables.len()), (Some("Q"), 2));
    let [Selection::Field(field)] = operation.selection.as_slice() else { panic!("one field") };
    assert_eq!((field.key(), field.name.as_str(), field.arguments.len()), ("one", "Patient", 3));
    assert!(field.directive("include").is_some() && document.fragments.contains_key("Names"));
}

#[test]
fn what_is_not_graphql_is_told_in_words() {
    for (text, wanted) in [
        ("", "asks for nothing"),
        ("{", "ends too early"),
        ("{ }", "selection is empty"),
        ("{ a(b: ) }", "')' was not expected"),
        ("{ a \"open }", "has no end"),
        ("mutation { a }", "changed by REST"),
        ("{ a ; }", "no part of the language"),
    ] {
        assert!(fault(text).contains(wanted), "{text}: {}", fault(text));
    }
    assert!(fault(&"{ a ".repeat(5000)).contains("nests deeper"));
    assert!(fault(&format!("{{ a(b: {}) }}", "[".repeat(5000))).contains("nests deeper"));
    assert!(fault(&"#".repeat(70_000)).contains("longer"));
}

proptest::proptest! {
    #[test]
    fn no_text_takes_the_parser_down(text in "[{}()\\[\\]:=$@!.\"\\\\#, \nuon a-z0-9é-]{0,200}") {
        drop(parse(&text));
    }
}

#[test]
fn variables_take_their_values_or_defaults() {
    let given = |variables: &str| GraphRequest {
        query: "query Q($a: Int = 3, $b: ID) { x(a: $a, b: $b) } query R { y }".to_owned(),
        operation: Some("Q".to_owned()),
        variables: json(variables.as_bytes(), &Limits::default()).unwrap(),
    };
    let (_, operation, variables) = prepare(&given(r#"{"b": ["p", 1]}"#)).unwrap();
    let [Selection::Field(field)] = operation.selection.as_slice() else { panic!("one field") };
    let texts: Vec<_> = field.arguments.iter().map(|(_, value)| variables.texts(value).unwrap()).collect();
    assert_eq!(texts, [vec!["3"], vec!["p", "1"]]);
    let (_, _, none) = prepare(&given("{}")).unwrap();
    assert!(none.text(&field.arguments, "b").is_err(), "a variable without a value");
    assert!(prepare(&GraphRequest { operation: None, ..given("{}") }).is_err(), "two operations and no name");
}
