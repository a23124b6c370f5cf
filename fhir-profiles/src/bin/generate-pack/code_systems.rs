//! The code systems that the code lists are made of (R4 <https://hl7.org/fhir/R4/codesystem.html>): names and meanings.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{list, text};

/// Codes and names by code.
type Names<'v> = BTreeMap<&'v str, &'v str>;

/// One line per system (`=url name version case content`), then one per concept
/// (`level code display definition flags`); of a system that isn't there completely, what value sets call its codes.
pub(crate) fn table(resources: &[Value], code_lists: &[String]) -> Vec<String> {
    let urls: BTreeSet<&str> = code_lists.iter().filter_map(|line| line.split('\t').nth(1)).collect();
    let mut lines = Vec::new();
    for url in urls {
        let found = resources.iter().find(|one| {
            text(one, "resourceType") == "CodeSystem" && text(one, "url") == url && text(one, "content") == "complete"
        });
        if let Some(system) = found {
            let folded = system.get("caseSensitive").and_then(Value::as_bool) == Some(false);
            let case = if folded { "folded" } else { "sensitive" };
            lines.push(format!("={url}\t{}\t{}\t{case}\tcomplete", text(system, "name"), text(system, "version")));
            concepts(list(system, "concept"), 0, &mut lines);
            continue;
        }
        let mut names = named(resources, url);
        let of_lists = code_lists.iter().map(|line| line.split('\t').skip(1)).filter_map(|mut fields| {
            let own = fields.next() == Some(url);
            own.then(|| fields.collect::<Vec<&str>>())
        });
        let wanted: BTreeSet<&str> = of_lists.flatten().collect();
        names.retain(|code, _| wanted.contains(code));
        lines.push(format!("={url}\t\t\tsensitive\tfragment"));
        lines.extend(names.iter().map(|(code, display)| format!("0\t{code}\t{}\t\t", line(display))));
    }
    lines
}

fn concepts(all: &[Value], level: usize, lines: &mut Vec<String>) {
    for concept in all {
        let own = ["code", "display", "definition"].map(|name| line(text(concept, name)));
        lines.push(format!("{level}\t{}\t{}", own.join("\t"), flags(concept)));
        concepts(list(concept, "concept"), level + 1, lines);
    }
}

/// `a` is not to be chosen, `r` is no longer in use.
fn flags(concept: &Value) -> String {
    let mut flags = String::new();
    for property in list(concept, "property") {
        let set = property.get("valueBoolean").and_then(Value::as_bool) == Some(true);
        match text(property, "code") {
            "notSelectable" if set => flags.push('a'),
            "status" if text(property, "valueCode") == "retired" => flags.push('r'),
            _ => {}
        }
    }
    flags
}

/// What value sets call the codes of a system.
fn named<'v>(resources: &'v [Value], url: &str) -> Names<'v> {
    let sets = resources.iter().filter(|one| text(one, "resourceType") == "ValueSet");
    let includes = sets.filter_map(|set| set.get("compose")).flat_map(|compose| list(compose, "include"));
    let own = includes.filter(|include| text(include, "system") == url).flat_map(|include| list(include, "concept"));
    own.map(|concept| (text(concept, "code"), text(concept, "display"))).filter(|(_, name)| !name.is_empty()).collect()
}

/// A text as one field of a line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
