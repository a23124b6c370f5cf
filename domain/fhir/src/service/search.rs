//! search of types (R4: <https://hl7.org/fhir/R4/http.html#search>): the access rules add their clause, the store answers.

use super::read::within;
use super::source::Source;
use super::{FhirError, FhirService};
use crate::access::{AuditAction, AuditRecord, Caller, Interaction, Permit, decide, patients_in};
use crate::ports::{SearchPage, Stored};
use crate::search::{Handling, QueryPairs, SearchOptions, SearchQuery, parse_query_string, parse_search};
use crate::types::ResourceType;

impl FhirService {
    /// Answers a parsed search.
    pub async fn search(&self, caller: &Caller, query: SearchQuery) -> Result<SearchPage, FhirError> {
        self.find_from(Source::Committed(&*self.store), caller, query).await
    }

    pub(super) async fn find_from(
        &self,
        mut source: Source<'_>,
        caller: &Caller,
        mut query: SearchQuery,
    ) -> Result<SearchPage, FhirError> {
        self.restrict(caller, &mut query).await?;
        let mut page = source.search(caller, &query).await?;
        page.included.retain(|stored| may_see(caller, stored));
        let mut patients: Vec<Box<str>> = page.matches.iter().chain(&page.included).flat_map(patients_in).collect();
        patients.sort_unstable();
        patients.dedup();
        let target = match query.resource_types.as_slice() {
            [one] => one.as_str(),
            _ => "system",
        };
        let record = AuditRecord::of(caller, AuditAction::Search, target, self.clock.now());
        self.audit.record(record.naming(patients)).await;
        Ok(page)
    }

    /// Parses a search of one type from its raw query string; strict, as programs that write Bundles need it.
    pub(crate) fn search_from(&self, caller: &Caller, kind: ResourceType, raw: &str) -> Result<SearchQuery, FhirError> {
        let pairs = parse_query_string(raw).map_err(|issue| FhirError::Invalid(vec![issue]))?;
        self.strict_search(caller, kind, &pairs)
    }

    /// Parses a search of one type whose parameters are all known.
    pub fn strict_search(
        &self,
        caller: &Caller,
        kind: ResourceType,
        pairs: &QueryPairs,
    ) -> Result<SearchQuery, FhirError> {
        let parameters = &self.parameters(caller);
        let options = SearchOptions { handling: Handling::Strict, base_url: self.base_url(), parameters };
        parse_search(kind, pairs, options).map_err(FhirError::Invalid)
    }

    /// Decides about every type that the answer depends on: a chain is a look into another type.
    pub(super) async fn restrict(&self, caller: &Caller, query: &mut SearchQuery) -> Result<(), FhirError> {
        if query.resource_types.len() > 1 {
            // A search of the system answers what the caller may see, and is no way to learn what else there is.
            query.resource_types.retain(|own| decide(caller, Interaction::Search, *own).is_ok());
        }
        for resource_type in query.types_touched() {
            if let Permit::Compartment(patient) = self.authorise(caller, Interaction::Search, resource_type).await? {
                query.compartment = Some(patient);
            }
        }
        Ok(())
    }
}

/// What comes along must be readable by itself: an include opens no door.
fn may_see(caller: &Caller, stored: &Stored) -> bool {
    match decide(caller, Interaction::Read, stored.key.resource_type()) {
        Ok(Permit::Whole) => true,
        Ok(Permit::Compartment(patient)) => within(stored, &patient),
        Err(_) => false,
    }
}
