//! References between the entries: a `fullUrl` of the Bundle becomes the key that its resource gets.
//!
//! R4 <https://hl7.org/fhir/R4/http.html#trules>: in references, in other URLs, and in links of the narrative.

use std::collections::HashMap;

use super::Planned;
use crate::access::Caller;
use crate::json::Json;
use crate::service::{FhirError, FhirService};
use crate::types::{ResourceKey, ResourceType};

/// Rewrites all resources of the plan.
pub(super) fn references(planned: &mut [Planned]) {
    let urls: HashMap<String, String> = (planned.iter())
        .filter_map(|plan| Some((plan.entry.full_url.clone()?, plan.keys.first()?.to_string())))
        .collect();
    if urls.is_empty() {
        return;
    }
    for plan in planned {
        if let Some(resource) = &mut plan.entry.resource {
            let root = plan.entry.full_url.as_deref().and_then(root_of);
            rewrite(resource, "", &Names { urls: &urls, root });
        }
    }
}

/// What the Bundle names, for the resource of one entry.
#[derive(Clone, Copy)]
struct Names<'n> {
    /// What is named, and what it becomes.
    urls: &'n HashMap<String, String>,
    /// The server that the entry comes from: its relative references are meant there
    /// (R4 <https://hl7.org/fhir/R4/bundle.html#references>).
    root: Option<&'n str>,
}

impl Names<'_> {
    /// What a text becomes that is the value of the member `name`.
    fn meant(&self, name: &str, text: &str) -> Option<&str> {
        if let Some(key) = self.urls.get(text) {
            return Some(key);
        }
        let root = self.root.filter(|_| name == "reference" && text.parse::<ResourceKey>().is_ok())?;
        self.urls.get(&format!("{root}/{text}")).map(String::as_str)
    }
}

/// `http://server/fhir` of `http://server/fhir/Patient/1`; none of a name that is no address of a resource.
fn root_of(full_url: &str) -> Option<&str> {
    let (rest, id) = full_url.rsplit_once('/')?;
    let (root, kind) = rest.rsplit_once('/')?;
    let is_address = full_url.starts_with("http") && format!("{kind}/{id}").parse::<ResourceKey>().is_ok();
    is_address.then_some(root)
}

/// Replaces references of the form `Patient?identifier=x` by what they find, which must be one resource
/// (R4 http.html#trules).
pub(super) async fn conditional_references(
    service: &FhirService,
    caller: &Caller,
    planned: &mut [Planned],
) -> Result<(), FhirError> {
    let mut asked: HashMap<String, String> = HashMap::new();
    let mut names = Vec::new();
    for plan in planned.iter() {
        if let Some(resource) = &plan.entry.resource {
            collect(resource, &mut names);
        }
    }
    names.sort_unstable();
    names.dedup();
    for name in names {
        let Some((kind, raw)) = name.split_once('?') else { continue };
        let Ok(kind) = kind.parse::<ResourceType>() else { continue };
        let found = service.matches(caller, &service.criteria(caller, kind, raw)?, 2).await?;
        match found.as_slice() {
            [one] => asked.insert(name.clone(), one.key.to_string()),
            [] => return Err(FhirError::Condition(format!("the reference {name:?} finds no {kind}"))),
            _ => return Err(FhirError::Condition(format!("the reference {name:?} finds more than one {kind}"))),
        };
    }
    if !asked.is_empty() {
        for plan in planned {
            if let Some(resource) = &mut plan.entry.resource {
                rewrite(resource, "", &Names { urls: &asked, root: None });
            }
        }
    }
    Ok(())
}

/// Collects the references that are searches.
fn collect(value: &Json, names: &mut Vec<String>) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Json::Object(members) => {
            for (name, member) in members.iter() {
                match member {
                    Json::String(text) if name == "reference" && text.contains('?') && !text.contains("://") => {
                        names.push(text.to_string());
                    }
                    other => collect(other, names),
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Rewrites a value, which is that of the member `name`.
fn rewrite(value: &mut Json, name: &str, known: &Names<'_>) {
    match value {
        Json::String(text) if name == "div" => *text = narrative(text, known.urls).into(),
        // Of an Identifier or a ContactPoint: a urn:uuid of the business's own is a name, not a link, and no element of
        // this name is a URI in R4.
        Json::String(_) if name == "value" => {}
        Json::String(text) => {
            if let Some(key) = known.meant(name, text) {
                *text = key.into();
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rewrite(item, "", known)),
        Json::Object(members) => {
            for (name, member) in members.iter_mut() {
                rewrite(member, name, known);
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
