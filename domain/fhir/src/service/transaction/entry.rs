//! The entries of a transaction or batch, each URL parsed once; a fault names its entry
//! (R4 <https://hl7.org/fhir/R4/bundle.html#bundle-unlabeled-rules>).

use std::collections::HashSet;

use crate::access::Caller;
use crate::date::date_range;
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::preconditions::{IfMatch, Known};
use crate::search::{Presentation, SearchQuery};
use crate::service::conditional::Target;
use crate::service::{Existing, FhirError, FhirService, Patch};
use crate::types::{Instant, InvalidKey, ResourceKey, ResourceType, VersionId};

/// What an entry asks for.
#[derive(Clone)]
pub(crate) enum Verb {
    /// Read or search, after everything else.
    Get(Query),
    /// Create, unless the criteria find a resource.
    Post(ResourceType, Option<Box<SearchQuery>>),
    /// Update.
    Put(Target),
    /// Change a part.
    Patch(Target, Patch),
    /// Delete.
    Delete(Target),
}

/// What a GET asks for.
#[derive(Clone)]
pub(crate) enum Query {
    /// The current version, or as much of it as is asked for.
    Read(ResourceKey, Presentation),
    /// One version, the same.
    Version(ResourceKey, VersionId, Presentation),
    /// A search.
    Search(Box<SearchQuery>),
}

/// One entry.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Its number in the Bundle; none for a request of its own.
    pub(crate) index: Option<usize>,
    pub(crate) full_url: Option<String>,
    pub(crate) verb: Verb,
    pub(crate) if_match: Option<IfMatch>,
    /// What a reader has already.
    pub(crate) known: Known,
    /// What a PUT does to a resource that exists.
    pub(crate) existing: Existing,
    pub(crate) resource: Option<Json>,
}

impl Entry {
    /// An entry of a transaction that is nothing else.
    pub(crate) fn alone(verb: Verb, resource: Option<Json>) -> Self {
        Self {
            index: None,
            full_url: None,
            verb,
            if_match: None,
            known: Known::default(),
            existing: Existing::default(),
            resource,
        }
    }

    /// Names the place of an issue as the Bundle has it; a request of its own has no Bundle.
    pub(crate) fn locate(&self, issue: Issue) -> Issue {
        let Some(index) = self.index else { return issue };
        let inner = match &issue.expression {
            Some(place) if place.starts_with("Bundle.") => return issue,
            Some(place) => format!(".resource{}", place.find('.').and_then(|dot| place.get(dot..)).unwrap_or_default()),
            None => String::new(),
        };
        issue.at(format!("Bundle.entry[{index}]{inner}"))
    }

    /// The types that must be allowed.
    pub(crate) fn resource_types(&self) -> Vec<ResourceType> {
        match &self.verb {
            Verb::Get(query) => match query {
                Query::Read(key, _) | Query::Version(key, ..) => vec![key.resource_type()],
                Query::Search(search) => search.resource_types.clone(),
            },
            Verb::Post(resource_type, _) => vec![*resource_type],
            Verb::Put(target) | Verb::Patch(target, _) | Verb::Delete(target) => {
                target.resource_type().into_iter().collect()
            }
        }
    }
}

/// Reads all entries of a Bundle whose structure was checked; every fault stays with its entry.
pub(crate) fn read(mut bundle: Json, (service, caller): (&FhirService, &Caller)) -> Vec<Result<Entry, Issue>> {
    let entries = match bundle.remove("entry") {
        Some(Json::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let mut names = HashSet::new();
    let entries = entries.into_iter().enumerate();
    entries
        .map(|(index, entry)| {
            check_name(&mut names, index, &entry)?;
            one(index, entry, (service, caller))
        })
        .collect()
}

/// `bdl-7`: two entries of one `fullUrl` are versions of one resource, or a reference to it could mean either.
fn check_name(names: &mut HashSet<(String, Option<String>)>, index: usize, entry: &Json) -> Result<(), Issue> {
    let Some(url) = entry.get_str("fullUrl") else { return Ok(()) };
    let version = entry.get("resource").and_then(|resource| resource.get("meta")?.get_str("versionId"));
    if names.insert((url.to_owned(), version.map(str::to_owned))) {
        return Ok(());
    }
    let text = format!("bdl-7: the fullUrl {url:?} stands at an entry before: give each entry its own");
    Err(Issue::error(IssueCode::Invariant, text).at(format!("Bundle.entry[{index}].fullUrl")))
}

fn one(index: usize, mut entry: Json, (service, caller): (&FhirService, &Caller)) -> Result<Entry, Issue> {
    let place = format!("Bundle.entry[{index}]");
    let request = entry
        .remove("request")
        .ok_or_else(|| Issue::error(IssueCode::Required, "an entry needs a request").at(format!("{place}.request")))?;
    let resource = entry.remove("resource");
    let reader = Reader { service, caller, place: &place, request: &request };
    let verb = reader.verb(resource.as_ref())?;
    let if_match = match reader.text("ifMatch") {
        Some(etag) => Some(IfMatch::parse(etag).ok_or_else(|| {
            reader.fault(IssueCode::Invalid, format!("{etag:?} is not a version: write W/\"3\""), "ifMatch")
        })?),
        None => None,
    };
    let full_url = entry.get("fullUrl").and_then(Json::as_str).map(str::to_owned);
    check_resource(&verb, resource.as_ref(), &place)?;
    let resource = if matches!(verb, Verb::Patch(..)) { None } else { resource };
    let none_match = reader.text("ifNoneMatch");
    let since = reader.text("ifModifiedSince").and_then(date_range).map(|(low, _)| Instant::from_micros(low));
    let existing = if none_match.map(str::trim) == Some("*") { Existing::Kept } else { Existing::Replaced };
    Ok(Entry { index: Some(index), full_url, verb, if_match, known: Known::new(none_match, since), existing, resource })
}

struct Reader<'a> {
    service: &'a FhirService,
    caller: &'a Caller,
    place: &'a str,
    request: &'a Json,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.request.get(name).and_then(Json::as_str)
    }

    fn fault(&self, code: IssueCode, text: String, member: &str) -> Issue {
        Issue::error(code, text).at(format!("{}.request.{member}", self.place))
    }

    fn verb(&self, resource: Option<&Json>) -> Result<Verb, Issue> {
        let url = self.text("url").unwrap_or_default();
        let base = self.service.base_url();
        let local = url.strip_prefix(base).unwrap_or(url).trim_start_matches('/');
        let (path, query) = local.split_once('?').map_or((local, None), |(path, query)| (path, Some(query)));
        match self.text("method").unwrap_or_default() {
            "GET" | "HEAD" => self.get(path, query).map(Verb::Get),
            "POST" => {
                let kind = self.type_named(path)?;
                let criteria = match self.text("ifNoneExist") {
                    Some(raw) => Some(Box::new(self.criteria(kind, raw, "ifNoneExist")?)),
                    None => None,
                };
                Ok(Verb::Post(kind, criteria))
            }
            "PUT" => Ok(Verb::Put(self.target(path, query)?)),
            "DELETE" => Ok(Verb::Delete(self.target(path, query)?)),
            "PATCH" => {
                let resource = resource.ok_or_else(|| {
                    let text = "a PATCH entry needs a resource: Parameters (FHIRPath Patch) or Binary (JSON Patch)";
                    Issue::error(IssueCode::Required, text).at(format!("{}.resource", self.place))
                })?;
                let patch =
                    Patch::from_resource(resource).map_err(|issue| issue.at(format!("{}.resource", self.place)))?;
                Ok(Verb::Patch(self.target(path, query)?, patch))
            }
            other => {
                Err(self.fault(IssueCode::NotSupported, format!("{other:?} is not a method of a Bundle"), "method"))
            }
        }
    }

    fn get(&self, path: &str, query: Option<&str>) -> Result<Query, Issue> {
        let wrong = |text: String| self.fault(IssueCode::Invalid, text, "url");
        let shown = || Presentation::of_query(query.unwrap_or_default()).map_err(|issue| wrong(issue.diagnostics));
        match path.split('/').collect::<Vec<_>>().as_slice() {
            [name] => {
                let kind = self.type_named(name)?;
                self.service
                    .search_from(self.caller, kind, query.unwrap_or_default())
                    .map(|search| Query::Search(Box::new(search)))
                    .map_err(|error| match error {
                        FhirError::Invalid(mut issues) if !issues.is_empty() => issues.remove(0),
                        other => wrong(other.to_string()),
                    })
            }
            [name, id, "_history", version] => {
                let version = version.parse().map_err(|_| wrong(format!("{version:?} is not a version")))?;
                Ok(Query::Version(self.key(&format!("{name}/{id}"))?, version, shown()?))
            }
            _ => Ok(Query::Read(self.key(path)?, shown()?)),
        }
    }

    fn target(&self, path: &str, query: Option<&str>) -> Result<Target, Issue> {
        match query {
            Some(raw) if !path.contains('/') => {
                let kind = self.type_named(path)?;
                Ok(Target::Criteria(Box::new(self.criteria(kind, raw, "url")?)))
            }
            _ => self.key(path).map(Target::Key),
        }
    }

    fn type_named(&self, name: &str) -> Result<ResourceType, Issue> {
        // As it would be alone: there is nothing at this address.
        name.parse().map_err(|error| self.fault(IssueCode::NotFound, format!("{error}"), "url"))
    }

    fn key(&self, path: &str) -> Result<ResourceKey, Issue> {
        path.parse().map_err(|error| {
            let code = if matches!(error, InvalidKey::Type(_)) { IssueCode::NotFound } else { IssueCode::Invalid };
            self.fault(code, format!("{path:?}: {error}"), "url")
        })
    }

    fn criteria(&self, kind: ResourceType, raw: &str, member: &str) -> Result<SearchQuery, Issue> {
        self.service.criteria(self.caller, kind, raw).map_err(|error| {
            let text = match error {
                FhirError::Invalid(issues) => {
                    issues.into_iter().map(|issue| issue.diagnostics).collect::<Vec<_>>().join("; ")
                }
                other => other.to_string(),
            };
            self.fault(IssueCode::Invalid, text, member)
        })
    }
}

fn check_resource(verb: &Verb, resource: Option<&Json>, place: &str) -> Result<(), Issue> {
    let expected = match verb {
        Verb::Post(resource_type, _) => Some(*resource_type),
        Verb::Put(target) => target.resource_type(),
        Verb::Get(_) | Verb::Patch(..) | Verb::Delete(_) => None,
    };
    let Some(expected) = expected else { return Ok(()) };
    let found = resource.and_then(|resource| resource.get("resourceType")).and_then(Json::as_str);
    if found == Some(expected.as_str()) {
        return Ok(());
    }
    let text = format!("the URL asks for {expected}, the resource is {}", found.unwrap_or("missing"));
    Err(Issue::error(IssueCode::Invalid, text).at(format!("{place}.resource")))
}
