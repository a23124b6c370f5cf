//! The search parameters, one line per base type (R4 <https://hl7.org/fhir/R4/searchparameter.html>).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{list, text, texts};

const PREFIX: &str = "http://hl7.org/fhir/SearchParameter/";

/// `base code type expression targets components url`, sorted by base and code.
pub(crate) fn table(searches: &[Value]) -> Vec<String> {
    let by_url: BTreeMap<&str, &Value> = searches.iter().map(|search| (text(search, "url"), search)).collect();
    let mut lines = BTreeMap::new();
    for search in searches {
        let components: Vec<String> =
            list(search, "component").iter().map(|component| component_text(search, component, &by_url)).collect();
        for base in texts(search, "base") {
            let code = text(search, "code");
            let line = format!(
                "{base}\t{code}\t{}\t{}\t{}\t{}\t{}",
                parameter_type(search),
                narrowed(text(search, "expression"), base),
                targets(search),
                components.join(";"),
                text(search, "url").replace(PREFIX, "~"),
            );
            lines.insert((base.to_owned(), code.to_owned()), line);
        }
    }
    lines.into_values().collect()
}

/// The targets; `*` stands for all types, which 4.0.1 writes out.
fn targets(search: &Value) -> String {
    let targets = texts(search, "target");
    if targets.len() > 140 { "*".into() } else { targets.join(",") }
}

fn parameter_type(search: &Value) -> &str {
    // 4.0.1 says string for _text and _content and token for _query; none has values in the resource.
    if text(search, "expression").is_empty() { "special" } else { text(search, "type") }
}

/// `code~type~expression` of one part of a composite.
fn component_text(search: &Value, component: &Value, by_url: &BTreeMap<&str, &Value>) -> String {
    let definition = by_url.get(text(component, "definition"));
    let mut expression = text(component, "expression");
    if text(search, "id") == "DocumentReference-relationship" {
        // 4.0.1 swaps the two: relatesto is the target, relation is the code.
        expression = if expression == "code" { "target" } else { "code" };
    }
    let code = definition.map_or("", |definition| text(definition, "code"));
    let kind = definition.map_or("", |definition| text(definition, "type"));
    let alternatives: Vec<String> = expression.split(" | ").map(as_filter).collect();
    format!("{code}~{kind}~{}", alternatives.join(" | "))
}

/// Keeps the alternatives that begin with the base type.
fn narrowed(expression: &str, base: &str) -> String {
    let kept: Vec<String> = expression
        .split(" | ")
        .map(as_filter)
        .filter_map(|alternative| {
            let first = alternative.split(['.', ' ', '(']).next().unwrap_or_default();
            if first == base {
                Some(alternative)
            } else if first.starts_with(char::is_lowercase) {
                // 4.0.1 leaves the type out in InsurancePlan-name.
                Some(format!("{base}.{alternative}"))
            } else {
                None
            }
        })
        .collect();
    kept.join(" | ")
}

/// `as` fails on a collection, so `(a as T)` and `a.as(T)` become `a.ofType(T)`, which says the same of one item.
fn as_filter(alternative: &str) -> String {
    let mut result = alternative.trim().replace(".as(", ".ofType(");
    while let Some(position) = result.find(" as ") {
        let (before, after) = result.split_at(position);
        let after = after.trim_start_matches(" as ");
        let end = after.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(after.len());
        let (name, rest) = after.split_at(end);
        result = format!("{}.ofType({name}){}", before.trim_start_matches('('), rest.strip_prefix(')').unwrap_or(rest));
    }
    // 4.0.1 writes the type dateTime with a capital in Observation-code-value-date.
    result.replace("ofType(DateTime)", "ofType(dateTime)")
}
