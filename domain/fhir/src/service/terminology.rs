//! Terminology operations over stored resources (R4 <https://hl7.org/fhir/R4/terminology-service.html>): what a request
//! names by URL is found by search, with everything that it is built from.

use super::incoming::{check_structure, check_type};
use super::update::stored_json;
use super::{FhirError, FhirService};
use crate::access::Caller;
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::ports::Stored;
use crate::terminology::{Expansion, ExpansionError, Sources, expand, listed, needs};
use crate::types::{ResourceKey, ResourceType};

/// Value sets are followed to this depth.
const ROUNDS: usize = 10;

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

impl FhirService {
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
        self.stored_by_url(caller, kind, url).await?.as_ref().map(stored_json).transpose()
    }

    /// The same, its JSON not read.
    pub(super) async fn stored_by_url(
        &self,
        caller: &Caller,
        kind: &str,
        url: &str,
    ) -> Result<Option<Stored>, FhirError> {
        let (plain, version) = url.split_once('|').map_or((url, None), |(plain, version)| (plain, Some(version)));
        let escaped = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,");
        let mut pairs = vec![("url".to_owned(), escaped(plain)), ("_sort".to_owned(), "-_lastUpdated".to_owned())];
        if let Some(version) = version {
            pairs.push(("version".to_owned(), escaped(version)));
        }
        let kind: ResourceType = kind.parse().map_err(|_| unknown(kind))?;
        let mut query = self.strict_search(caller, kind, &pairs)?;
        query.count = 1;
        Ok(self.search(caller, query).await?.matches.into_iter().next())
    }

    /// Expands a value set with everything that it names.
    pub async fn expand_value_set(&self, caller: &Caller, named: &Named<'_>) -> Result<(Json, Expansion), FhirError> {
        let value_set = match (self.terminology(caller, "ValueSet", named).await?, named) {
            (Some(value_set), _) => value_set,
            (None, Named::Url(url)) => match listed(url) {
                Some(concepts) => {
                    let shell = crate::json::object([
                        ("resourceType", "ValueSet".into()),
                        ("url", (*url).into()),
                        ("status", "active".into()),
                    ]);
                    return Ok((shell, Expansion { concepts, incomplete: Vec::new() }));
                }
                None => return Err(unknown(url)),
            },
            (None, _) => return Err(unknown("the value set")),
        };
        let sources = self.sources(caller, &value_set).await?;
        let expansion = expand(&value_set, &sources).map_err(|error| {
            let code = match &error {
                ExpansionError::UnknownSystem(_) | ExpansionError::UnknownValueSet(_) => IssueCode::NotFound,
                ExpansionError::Filter(_) => IssueCode::NotSupported,
                ExpansionError::TooLarge | ExpansionError::TooDeep => IssueCode::TooCostly,
            };
            FhirError::Invalid(vec![Issue::error(code, error.to_string())])
        })?;
        Ok((value_set, expansion))
    }

    async fn sources(&self, caller: &Caller, value_set: &Json) -> Result<Sources, FhirError> {
        let mut sources = Sources::default();
        let (mut systems, mut sets) = needs(value_set);
        let mut asked: Vec<String> = Vec::new();
        for _ in 0..ROUNDS {
            let mut next = (Vec::new(), Vec::new());
            for url in std::mem::take(&mut systems) {
                if !asked.contains(&url) {
                    sources.code_systems.extend(self.by_url(caller, "CodeSystem", &url).await?);
                    asked.push(url);
                }
            }
            for url in std::mem::take(&mut sets) {
                if asked.contains(&url) {
                    continue;
                }
                if let Some(found) = self.by_url(caller, "ValueSet", &url).await? {
                    let more = needs(&found);
                    next.0.extend(more.0);
                    next.1.extend(more.1);
                    sources.value_sets.push(found);
                }
                asked.push(url);
            }
            (systems, sets) = next;
            if systems.is_empty() && sets.is_empty() {
                break;
            }
        }
        Ok(sources)
    }
}

fn unknown(name: &str) -> FhirError {
    FhirError::Invalid(vec![Issue::error(IssueCode::NotFound, format!("{name} is not on this server"))])
}
