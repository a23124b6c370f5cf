//! References between the entries: a `fullUrl` of the Bundle becomes the key that its resource gets.
//!
//! R4 <https://hl7.org/fhir/R4/http.html#trules>: in references, in other URLs, and in links of the narrative.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use seva_fhir_profiles::{TypeDefinition, TypeKind, definitions};

use super::entry::Verb;
use super::{Planned, TransactionOutcome};
use crate::access::Caller;
use crate::json::Json;
use crate::ports::Lookup;
use crate::search::{SearchQuery, leads_elsewhere};
use crate::service::{FhirError, FhirService};
use crate::types::{ResourceKey, ResourceType, VersionId};

/// So many matches of a conditional reference are looked at: the Bundle may delete all but one of them.
const MOST_FOUND: u32 = 20;

/// Rewrites all resources of the plan.
pub(super) fn references(planned: &mut [Planned], versions: &Versions) {
    let urls: HashMap<String, String> = (planned.iter())
        .filter_map(|plan| Some((plan.entry.full_url.clone()?, plan.keys.first()?.to_string())))
        .collect();
    if urls.is_empty() {
        return;
    }
    for plan in planned {
        if let Some(resource) = &mut plan.entry.resource {
            let root = plan.entry.full_url.as_deref().and_then(root_of);
            rewrite(resource, None, &Names { urls: &urls, versions: Some(versions), root });
        }
    }
}

/// The versions that a Bundle gives to what its references name by version, by `fullUrl`.
pub(super) type Versions = HashMap<String, VersionId>;

/// Finds them. R4 http.html#trules: such references stay what they are, and name the versions that the Bundle makes. Of a
/// resource that has its `fullUrl` on this server a version is named that is here.
pub(super) async fn versions(
    service: &FhirService,
    caller: &Caller,
    planned: &[Planned],
) -> Result<Versions, FhirError> {
    let mut named = HashSet::new();
    for plan in planned {
        if let Some(resource) = &plan.entry.resource {
            collect_versioned(resource, plan.entry.full_url.as_deref().and_then(root_of), &mut named);
        }
    }
    let mut versions = Versions::new();
    for plan in planned {
        let (Some(url), Some(key)) = (&plan.entry.full_url, plan.keys.first()) else { continue };
        if url.starts_with(service.base_url()) || !named.contains(url) {
            continue;
        }
        let version = match (&plan.entry.verb, &plan.existing) {
            (Verb::Post(..), Some(existing)) => existing.version,
            (Verb::Post(..), None) => VersionId::FIRST,
            (Verb::Put(_) | Verb::Patch(..), _) => match service.store.read(caller.tenant, key).await? {
                Lookup::Found(stored) => stored.version.next(),
                Lookup::Gone { version, .. } => version.next(),
                Lookup::Absent => VersionId::FIRST,
            },
            (Verb::Get(_) | Verb::Delete(_), _) => continue,
        };
        versions.insert(url.clone(), version);
    }
    Ok(versions)
}

/// Whether the versions are those that are written: somebody may have been faster.
pub(super) fn hold(versions: &Versions, planned: &[Planned], outcomes: &[Option<TransactionOutcome>]) -> bool {
    planned.iter().zip(outcomes).all(|(plan, outcome)| {
        let Some(version) = plan.entry.full_url.as_ref().and_then(|url| versions.get(url)) else { return true };
        match outcome {
            Some(TransactionOutcome::Created(stored) | TransactionOutcome::Updated(stored)) => {
                stored.version == *version
            }
            _ => true,
        }
    })
}

/// What the Bundle names, for the resource of one entry.
#[derive(Clone, Copy)]
struct Names<'n> {
    /// What is named, and what it becomes.
    urls: &'n HashMap<String, String>,
    /// The versions that what is named gets.
    versions: Option<&'n Versions>,
    /// The server that the entry comes from: its relative references are meant there
    /// (R4 <https://hl7.org/fhir/R4/bundle.html#references>).
    root: Option<&'n str>,
}

impl Names<'_> {
    /// What a link becomes.
    fn meant(&self, text: &str) -> Option<String> {
        if let Some(key) = self.urls.get(text) {
            return Some(key.clone());
        }
        let (resource, version) = text.split_once("/_history/").map_or((text, None), |(own, old)| (own, Some(old)));
        let url = absolute(resource, self.root);
        let key = self.urls.get(&*url)?;
        match version {
            None => Some(key.clone()),
            Some(_) => Some(format!("{key}/_history/{}", self.versions?.get(&*url)?)),
        }
    }
}

/// A relative reference as it is meant on the server that its entry comes from.
fn absolute<'t>(text: &'t str, root: Option<&str>) -> Cow<'t, str> {
    match root.filter(|_| text.parse::<ResourceKey>().is_ok()) {
        Some(root) => Cow::Owned(format!("{root}/{text}")),
        None => Cow::Borrowed(text),
    }
}

/// Collects what references name a version of.
fn collect_versioned(value: &Json, root: Option<&str>, named: &mut HashSet<String>) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| collect_versioned(item, root, named)),
        Json::Object(members) => {
            for (_, member) in members.iter() {
                match member {
                    Json::String(text) => {
                        let resource = text.split_once("/_history/").map(|(resource, _)| resource);
                        named.extend(resource.map(|own| absolute(own, root).into_owned()));
                    }
                    other => collect_versioned(other, root, named),
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
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
                rewrite(resource, None, &Names { urls: &asked, versions: None, root: None });
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

/// Rewrites a value of a type: in references, and in elements that are URIs, but for canonicals.
fn rewrite(value: &mut Json, of: Option<&TypeDefinition>, known: &Names<'_>) {
    let members = match value {
        Json::Array(items) => return items.iter_mut().for_each(|item| rewrite(item, of, known)),
        Json::Object(members) => members,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => return,
    };
    let named = members.get("resourceType").and_then(Json::as_str).and_then(|name| definitions().type_named(name));
    let Some(of) = named.or(of) else { return };
    for (name, member) in members.iter_mut() {
        let kind = match name.strip_prefix('_') {
            Some(_) => definitions().type_named("Element"),
            None => of.child(name).and_then(|child| definitions().type_at(child.type_id)),
        };
        match member {
            Json::String(text) if of.name == "Narrative" && name == "div" => *text = narrative(text, known.urls).into(),
            Json::String(_) | Json::Array(_) if is_link(of, name, kind) => replace(member, known),
            Json::String(_) => {}
            other => rewrite(other, kind, known),
        }
    }
}

/// Whether an element leads to a resource. Canonicals name one, wherever it is; so do the URLs of systems, of extensions
/// and of what has a URL of its own.
fn is_link(of: &TypeDefinition, name: &str, kind: Option<&TypeDefinition>) -> bool {
    let is_uri = kind.is_some_and(|kind| matches!(kind.name, "uri" | "url" | "oid" | "uuid"));
    let is_name =
        name == "system" || (name == "url" && (of.name == "Extension" || matches!(of.kind, TypeKind::Resource)));
    (of.name == "Reference" && name == "reference") || (is_uri && !is_name)
}

fn replace(value: &mut Json, known: &Names<'_>) {
    match value {
        Json::String(text) => {
            if let Some(meant) = known.meant(text) {
                *text = meant.into();
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| replace(item, known)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => {}
    }
}

fn narrative(text: &str, known: &HashMap<String, String>) -> String {
    let mut narrative = text.to_owned();
    for (url, key) in known {
        if narrative.contains(url.as_str()) {
            for mark in ['"', '\''] {
                narrative = narrative.replace(&format!("{mark}{url}{mark}"), &format!("{mark}{key}{mark}"));
            }
        }
    }
    narrative
}
