//! References between the entries: a `fullUrl` of the Bundle becomes the key that its resource gets.
//!
//! R4 <https://hl7.org/fhir/R4/http.html#trules>: in references, in other URLs, and in links of the narrative.

use std::collections::HashMap;

use super::Planned;
use super::entry::Verb;
use crate::access::Caller;
use crate::json::Json;
use crate::search::{SearchQuery, leads_elsewhere};
use crate::service::{FhirError, FhirService};
use crate::types::{ResourceKey, ResourceType};

/// So many matches of a conditional reference are looked at: the Bundle may delete all but one of them.
const MOST_FOUND: u32 = 20;

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
/// (R4 http.html#trules). They are resolved when all else is done, so they find what the Bundle itself writes as well.
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
        let mut criteria = service.criteria(caller, kind, raw)?;
        service.find_codes(caller, &mut criteria).await?;
        let found = service.matches(caller, &criteria, MOST_FOUND).await?.into_iter().map(|stored| stored.key);
        let found = after(planned, &criteria, found.collect());
        match found.as_slice() {
            [one] => asked.insert(name.clone(), one.to_string()),
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

/// What criteria find when the Bundle is carried out: what was there and isn't written, and what is written and fits.
/// Of a patch the outcome isn't known yet: its resource counts as it was found. So do all where criteria lead elsewhere.
fn after(planned: &[Planned], criteria: &SearchQuery, mut found: Vec<ResourceKey>) -> Vec<ResourceKey> {
    if criteria.clauses.iter().any(leads_elsewhere) {
        return found;
    }
    for plan in planned {
        let resource = match (&plan.entry.verb, &plan.entry.resource) {
            (Verb::Delete(_), _) => None,
            (Verb::Post(..), Some(resource)) if plan.existing.is_none() && plan.same_as.is_none() => Some(resource),
            (Verb::Put(_), Some(resource)) => Some(resource),
            _ => continue,
        };
        found.retain(|key| !plan.keys.contains(key));
        let of_type = plan.keys.first().filter(|key| criteria.resource_types.contains(&key.resource_type()));
        if let (Some(resource), Some(key)) = (resource, of_type)
            && criteria.is_fit(resource)
        {
            found.push(key.clone());
        }
    }
    found
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
