//! References between the entries: a `fullUrl` of the Bundle becomes the key that its resource gets.
//!
//! R4 <https://hl7.org/fhir/R4/http.html#trules>: in references, in other URLs, and in links of the narrative.

use std::collections::HashMap;

use super::Planned;
use crate::json::Json;

/// Rewrites all resources of the plan.
pub(super) fn references(planned: &mut [Planned]) {
    let known: HashMap<String, String> =
        planned.iter().filter_map(|plan| Some((plan.entry.full_url.clone()?, plan.key.to_string()))).collect();
    if known.is_empty() {
        return;
    }
    for plan in planned {
        if let Some(resource) = &mut plan.entry.resource {
            rewrite(resource, &known);
        }
    }
}

fn rewrite(value: &mut Json, known: &HashMap<String, String>) {
    match value {
        Json::String(text) => {
            if let Some(key) = known.get(text.as_ref()) {
                *text = key.as_str().into();
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rewrite(item, known)),
        Json::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Json::String(text) if name == "div" => *text = narrative(text, known).into(),
                    // A business identifier may be a urn:uuid of its own: it is a name, not a link.
                    Json::Object(identifier) if name == "identifier" => {
                        if let Some(assigner) = identifier.get_mut("assigner") {
                            rewrite(assigner, known);
                        }
                    }
                    other => rewrite(other, known),
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn narrative(text: &str, known: &HashMap<String, String>) -> String {
    let mut narrative = text.to_owned();
    for (url, key) in known {
        if narrative.contains(url.as_str()) {
            narrative = narrative.replace(&format!("\"{url}\""), &format!("\"{key}\""));
        }
    }
    narrative
}
