//! Terminology operations (R4 <https://hl7.org/fhir/R4/terminology-service.html>): what a request names by URL is found
//! among the hospital's resources, then among those that all share, with everything that it is built from.

mod closure;
mod codes;
mod context;
mod expanding;
mod lookup;
mod translating;
mod validating;

use super::incoming::{check_structure, check_type};
use super::update::stored_json;
use super::{FhirError, FhirService};
use crate::access::{Caller, Interaction};
use crate::capability::{OfferedSystem, listed_systems};
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::ports::Stored;
use crate::search::SearchQuery;
use crate::terminology::{ExpansionError, StoredSystem, specified};
use crate::types::{ResourceKey, ResourceType, TenantId};

pub use closure::ClosureAsked;
pub use lookup::Details;
pub use translating::{Mapping, TranslationAsked};
pub use validating::{AskedCode, ValidationAsked, ValidationPlace, Verdict};

/// Which resource an operation is about.
#[derive(Clone, Debug)]
pub enum Named<'a> {
    /// By its canonical URL.
    Url(&'a str),
    /// By its id.
    Key(&'a ResourceKey),
    /// It came with the request.
    Given(&'a Json),
}

/// A code system that was found.
#[derive(Clone, Debug)]
pub enum KnownSystem {
    /// A CodeSystem resource that holds its concepts.
    Resource(Json),
    /// Concepts in tables.
    Stored(StoredSystem),
}

impl KnownSystem {
    /// The canonical URL.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::Resource(resource) => resource.get_str("url").unwrap_or_default(),
            Self::Stored(system) => &system.url,
        }
    }

    /// The version, if it has one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Resource(resource) => resource.get_str("version"),
            Self::Stored(system) => Some(system.version.as_str()).filter(|version| !version.is_empty()),
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Resource(resource) => {
                ["name", "title", "url"].iter().find_map(|own| resource.get_str(own)).unwrap_or("unnamed")
            }
            Self::Stored(system) => &system.name,
        }
    }

    /// Whether every code is here: a fragment can't say that a code is wrong.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Resource(resource) => resource.get_str("content") == Some("complete"),
            Self::Stored(system) => system.is_complete,
        }
    }
}

impl FhirService {
    /// The code systems that every hospital has, in tables or in the specification's code lists, by URL and version.
    pub async fn offered_systems(&self) -> Result<Vec<OfferedSystem>, FhirError> {
        let shared = self.concepts.shared().await?.into_iter().map(|system| OfferedSystem {
            url: system.url,
            version: Some(system.version).filter(|version| !version.is_empty()),
            has_hierarchy: system.has_hierarchy,
        });
        let mut systems: Vec<OfferedSystem> = listed_systems().chain(shared).collect();
        systems.sort_by(|one, other| (&one.url, &one.version).cmp(&(&other.url, &other.version)));
        Ok(systems)
    }

    /// Finds a terminology resource; the newest one when several have the URL.
    pub async fn terminology(&self, caller: &Caller, kind: &str, named: &Named<'_>) -> Result<Option<Json>, FhirError> {
        match named {
            Named::Given(resource) => {
                check_type(resource, kind.parse().map_err(|_| unknown(kind))?)?;
                check_structure(resource)?;
                Ok(Some((*resource).clone()))
            }
            Named::Key(key) => stored_json(&self.read(caller, key).await?).map(Some),
            Named::Url(url) => self.by_url(caller, kind, url).await,
        }
    }

    async fn by_url(&self, caller: &Caller, kind: &str, url: &str) -> Result<Option<Json>, FhirError> {
        self.stored_by_url(caller, kind, url).await?.map(|(_, found)| stored_json(&found)).transpose()
    }

    /// The hospital's own, else the one that all share, with whose it is; its JSON isn't read.
    pub(super) async fn stored_by_url(
        &self,
        caller: &Caller,
        kind: &str,
        url: &str,
    ) -> Result<Option<(TenantId, Stored)>, FhirError> {
        let query = self.query_by_url(caller, kind, url)?;
        if let Some(own) = self.search(caller, query).await?.matches.into_iter().next() {
            return Ok(Some((caller.tenant, own)));
        }
        if caller.tenant == TenantId::SHARED {
            return Ok(None);
        }
        // Definitions that all hospitals share say nothing of anybody: the right to the type suffices.
        let query = self.query_by_url(caller, kind, url)?;
        let shared = self.store.search(TenantId::SHARED, &query).await?.matches.into_iter().next();
        Ok(shared.map(|found| (TenantId::SHARED, found)))
    }

    fn query_by_url(&self, caller: &Caller, kind: &str, url: &str) -> Result<SearchQuery, FhirError> {
        let (plain, version) = split(url);
        let escaped = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,");
        let mut pairs = vec![("url".to_owned(), escaped(plain)), ("_sort".to_owned(), "-_lastUpdated".to_owned())];
        if let Some(version) = version {
            pairs.push(("version".to_owned(), escaped(version)));
        }
        let kind: ResourceType = kind.parse().map_err(|_| unknown(kind))?;
        let mut query = self.strict_search(caller, kind, &pairs)?;
        query.count = 1;
        Ok(query)
    }

    /// Finds a code system: in tables, or as a resource.
    pub async fn code_system(
        &self,
        caller: &Caller,
        named: &Named<'_>,
        version: Option<&str>,
    ) -> Result<Option<KnownSystem>, FhirError> {
        let kind: ResourceType = "CodeSystem".parse().map_err(|_| unknown("CodeSystem"))?;
        self.authorise(caller, Interaction::Search, kind).await?;
        if let Named::Url(url) = named {
            let (plain, own) = split(url);
            let version = version.or(own);
            if let Some(stored) = self.concepts.find(caller.tenant, plain, version).await? {
                return Ok(Some(KnownSystem::Stored(stored)));
            }
            let canonical = version.map_or_else(|| plain.to_owned(), |version| format!("{plain}|{version}"));
            let found = self.by_url(caller, "CodeSystem", &canonical).await?;
            let found = found.or_else(|| specified(plain, version).cloned());
            return Ok(found.map(KnownSystem::Resource));
        }
        let Some(resource) = self.terminology(caller, "CodeSystem", named).await? else { return Ok(None) };
        if resource.get("concept").is_none()
            && let Some(url) = resource.get_str("url")
            && let Some(stored) = self.concepts.find(caller.tenant, url, resource.get_str("version")).await?
        {
            return Ok(Some(KnownSystem::Stored(stored)));
        }
        Ok(Some(KnownSystem::Resource(resource)))
    }
}

/// A canonical's URL and version.
fn split(canonical: &str) -> (&str, Option<&str>) {
    canonical.split_once('|').map_or((canonical, None), |(url, version)| (url, Some(version)))
}

fn unknown(name: &str) -> FhirError {
    FhirError::Invalid(vec![Issue::error(IssueCode::NotFound, format!("{name} is not on this server"))])
}

fn invalid(text: impl Into<String>) -> FhirError {
    FhirError::Invalid(vec![Issue::error(IssueCode::Invalid, text)])
}

fn not_expanded(error: &ExpansionError) -> FhirError {
    let code = match error {
        ExpansionError::UnknownSystem(_) | ExpansionError::UnknownValueSet(_) => IssueCode::NotFound,
        ExpansionError::Filter(_) => IssueCode::NotSupported,
        ExpansionError::Version { .. } => IssueCode::Value,
        ExpansionError::TooLarge | ExpansionError::TooDeep => IssueCode::TooCostly,
    };
    FhirError::Invalid(vec![Issue::error(code, error.to_string())])
}
