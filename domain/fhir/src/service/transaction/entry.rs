//! The entries of a transaction, each URL parsed once; a fault names its entry.

use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::service::FhirError;
use crate::types::{ResourceKey, ResourceType, VersionId};

/// What an entry asks for.
pub(super) enum Verb {
    /// Create.
    Post(ResourceType),
    /// Update.
    Put(ResourceKey),
    /// Delete.
    Delete(ResourceKey),
}

/// One entry.
pub(super) struct Entry {
    pub(super) index: usize,
    pub(super) full_url: Option<String>,
    pub(super) verb: Verb,
    pub(super) if_match: Option<VersionId>,
    pub(super) resource: Option<Json>,
}

impl Entry {
    pub(super) fn place(&self) -> String {
        format!("Bundle.entry[{}]", self.index)
    }

    pub(super) fn resource_type(&self) -> ResourceType {
        match &self.verb {
            Verb::Post(resource_type) => *resource_type,
            Verb::Put(key) | Verb::Delete(key) => key.resource_type(),
        }
    }
}

/// Reads all entries of a Bundle whose structure was checked; every fault is reported.
pub(super) fn read(mut bundle: Json, base_url: &str) -> Result<Vec<Entry>, FhirError> {
    if bundle.get("type").and_then(Json::as_str) != Some("transaction") {
        let text = "only Bundles of type transaction are processed here";
        return Err(FhirError::Invalid(vec![Issue::error(IssueCode::NotSupported, text).at("Bundle.type")]));
    }
    let entries = match bundle.remove("entry") {
        Some(Json::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let mut read = Vec::with_capacity(entries.len());
    let mut issues = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match one(index, entry, base_url) {
            Ok(entry) => read.push(entry),
            Err(issue) => issues.push(issue),
        }
    }
    if issues.is_empty() { Ok(read) } else { Err(FhirError::Invalid(issues)) }
}

fn one(index: usize, mut entry: Json, base_url: &str) -> Result<Entry, Issue> {
    let place = format!("Bundle.entry[{index}]");
    let fault = |code, text: String, member: &str| Issue::error(code, text).at(format!("{place}.request.{member}"));
    let request = entry.remove("request").ok_or_else(|| {
        Issue::error(IssueCode::Required, "an entry of a transaction needs a request").at(format!("{place}.request"))
    })?;
    let text = |name: &str| request.get(name).and_then(Json::as_str);
    let method = text("method").unwrap_or_default();
    let url = text("url").unwrap_or_default();
    let local = url.strip_prefix(base_url).map_or(url, |rest| rest.trim_start_matches('/'));
    for conditional in ["ifNoneExist", "ifNoneMatch", "ifModifiedSince"] {
        if request.get(conditional).is_some() {
            return Err(fault(IssueCode::NotSupported, "conditional entries are not offered yet".into(), conditional));
        }
    }
    if local.contains('?') {
        return Err(fault(IssueCode::NotSupported, "conditional URLs are not offered yet".into(), "url"));
    }
    let key =
        || local.parse::<ResourceKey>().map_err(|error| fault(IssueCode::Invalid, format!("{url:?}: {error}"), "url"));
    let verb = match method {
        "POST" => Verb::Post(local.parse().map_err(|error| fault(IssueCode::Invalid, format!("{error}"), "url"))?),
        "PUT" => Verb::Put(key()?),
        "DELETE" => Verb::Delete(key()?),
        other => {
            let text = format!("{other} entries are not offered yet: use POST, PUT or DELETE");
            return Err(fault(IssueCode::NotSupported, text, "method"));
        }
    };
    let if_match = match text("ifMatch") {
        Some(etag) => Some(VersionId::from_etag(etag).ok_or_else(|| {
            fault(IssueCode::Invalid, format!("{etag:?} is not a version: write W/\"3\""), "ifMatch")
        })?),
        None => None,
    };
    let full_url = entry.get("fullUrl").and_then(Json::as_str).map(str::to_owned);
    let resource = entry.remove("resource");
    check_resource(&verb, resource.as_ref(), &place)?;
    Ok(Entry { index, full_url, verb, if_match, resource })
}

fn check_resource(verb: &Verb, resource: Option<&Json>, place: &str) -> Result<(), Issue> {
    let expected = match verb {
        Verb::Post(resource_type) => *resource_type,
        Verb::Put(key) => key.resource_type(),
        Verb::Delete(_) => return Ok(()),
    };
    let found = resource.and_then(|resource| resource.get("resourceType")).and_then(Json::as_str);
    if found == Some(expected.as_str()) {
        return Ok(());
    }
    let text = format!("the URL asks for {expected}, the resource is {}", found.unwrap_or("missing"));
    Err(Issue::error(IssueCode::Invalid, text).at(format!("{place}.resource")))
}
