//! `_list` of histories: the versions that a List names (R4 <https://hl7.org/fhir/R4/http.html#history>).

use super::super::{FhirError, FhirService};
use crate::access::Caller;
use crate::json::{Json, Limits, parse};
use crate::outcome::{Issue, IssueCode};
use crate::ports::{Listed, StoreError};
use crate::search::{FunctionalList, LARGEST_COUNT, ListName};
use crate::types::{ReferenceTarget, ResourceId, ResourceKey, ResourceType, VersionId, parse_reference};

impl FhirService {
    /// The versions of one resource that a list names; no answer where it names the resource, and so all of them.
    pub(super) async fn listed_versions(
        &self,
        caller: &Caller,
        list: &ListName,
        key: &ResourceKey,
    ) -> Result<Option<Vec<VersionId>>, FhirError> {
        let mut named = self.listed(caller, list, Some(key.resource_type())).await?;
        named.retain(|one| one.key == *key);
        Ok(named.into_iter().map(|one| one.version).collect())
    }

    /// What a list names, of one type or of all.
    pub(super) async fn listed(
        &self,
        caller: &Caller,
        list: &ListName,
        resource_type: Option<ResourceType>,
    ) -> Result<Vec<Listed>, FhirError> {
        let mut named = match list {
            ListName::Stored(id) => self.entries(caller, id).await?,
            ListName::Functional(list) => self.current(caller, list, resource_type).await?,
        };
        named.retain(|one| resource_type.is_none_or(|own| own == one.key.resource_type()));
        Ok(named)
    }

    /// The entries of a List; one that isn't there has none, as in a search.
    async fn entries(&self, caller: &Caller, id: &ResourceId) -> Result<Vec<Listed>, FhirError> {
        let Ok(kind) = "List".parse() else { return Ok(Vec::new()) };
        let stored = match self.read(caller, &ResourceKey::new(kind, id.clone())).await {
            Ok(stored) => stored,
            Err(FhirError::NotFound(_) | FhirError::Gone { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let list = parse(&stored.body, &Limits::default())
            .map_err(|error| StoreError::Unavailable(format!("{} does not parse: {error}", stored.key)))?;
        let items = list.get("entry").map_or(&[][..], Json::items).iter();
        let texts = items.filter_map(|entry| entry.get("item")?.get_str("reference"));
        let named = texts.filter_map(|text| match parse_reference(text, self.base_url())? {
            ReferenceTarget::Literal { key, version } => Some(Listed { key, version }),
            _ => None,
        });
        Ok(named.collect())
    }

    /// What a functional list finds now, all versions of it.
    async fn current(
        &self,
        caller: &Caller,
        list: &FunctionalList,
        resource_type: Option<ResourceType>,
    ) -> Result<Vec<Listed>, FhirError> {
        let mut named = Vec::new();
        for kind in list.resource_types().filter(|own| resource_type.is_none_or(|wanted| wanted == *own)) {
            let pairs = vec![("_list".to_owned(), list.name().to_owned())];
            let mut query = self.strict_search(caller, kind, &pairs)?;
            query.count = LARGEST_COUNT;
            let page = self.search(caller, query).await?;
            if page.next.is_some() {
                let text =
                    format!("{} holds more than {LARGEST_COUNT} resources: search by _list instead", list.name());
                return Err(FhirError::Invalid(vec![Issue::error(IssueCode::TooCostly, text).at("http._list")]));
            }
            named.extend(page.matches.into_iter().map(|stored| Listed { key: stored.key, version: None }));
        }
        Ok(named)
    }
}
