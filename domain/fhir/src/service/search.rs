//! search of types (R4: <https://hl7.org/fhir/R4/http.html#search>): the access rules add their clause, the store answers.

use seva_fhir_profiles::definitions;

use super::contained::follow_contained;
use super::read::within;
use super::source::{Asked, Source};
use super::{FhirError, FhirService, own_definitions};
use crate::access::{
    AuditAction, AuditQuery, AuditRecord, Caller, Interaction, Permit, decide, decide_looks, patients_in,
};
use crate::ports::{Incomplete, SearchPage, Stored};
use crate::search::{
    Clause, Handling, QueryPairs, ReferenceTest, SearchOptions, SearchQuery, Searched, Test, empty_query,
    parse_query_string, parse_search,
};
use crate::types::{ResourceKey, ResourceType};

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
        let of_log = query.resource_types.as_slice() == [ResourceType::audit_event()];
        if of_log {
            source.has_log()?;
        }
        self.find_codes(caller, &mut query).await?;
        self.restrict(caller, &mut query).await?;
        let is_cut = !of_log && follow_contained(&mut Asked { source: &mut source, caller }, &mut query).await?;
        let mut page = if of_log {
            let asked = AuditQuery::of(&query).map_err(FhirError::Invalid)?;
            self.events.search(caller.tenant, &query, &asked).await?
        } else if query.resource_types.as_slice() == [ResourceType::operation_definition()]
            && query.contained.searched == Searched::Outside
        {
            own_definitions::find(&mut source, caller, &query, self.base_url()).await?
        } else if query.contained.searched == Searched::Outside {
            source.search(caller, &query).await?
        } else {
            self.find_contained(&mut source, caller, &query).await?
        };
        if !of_log && query.needs_index() && self.parameters(caller).is_incomplete() {
            page.incomplete.push(Incomplete::Indexing);
        }
        if is_cut {
            page.incomplete.push(Incomplete::Contained);
        }
        page.included.retain(|stored| may_see(caller, stored));
        let containers = page.contained.iter().map(|found| &found.container);
        let disclosed = page.matches.iter().chain(&page.included).chain(containers);
        let mut patients: Vec<Box<str>> = disclosed.flat_map(patients_in).collect();
        patients.sort_unstable();
        patients.dedup();
        let (action, target) = match query.resource_types.as_slice() {
            [one] => (AuditAction::Search, one.as_str()),
            _ => (AuditAction::SystemSearch, "system"),
        };
        let asked = match query.query_string() {
            words if words.is_empty() => target.to_owned(),
            words => format!("{target}?{words}"),
        };
        let record = AuditRecord::of(caller, action, target, self.clock.now());
        self.audit.record(record.naming(patients).asking(asked)).await;
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
            let permit = if resource_type == ResourceType::audit_event() {
                self.authorise_looks(caller, query).await?
            } else {
                self.authorise(caller, Interaction::Search, resource_type).await?
            };
            if let Permit::Compartment(patient) = permit {
                query.compartment = Some(patient);
            }
        }
        Ok(())
    }

    /// Who asks about one patient may have that patient in care.
    async fn authorise_looks(&self, caller: &Caller, query: &SearchQuery) -> Result<Permit, FhirError> {
        let mut in_care = None;
        if let (Some(patient), Some(own)) = (query.patient(), &caller.practitioner)
            && decide_looks(caller, Some(patient.clone())).is_ok()
        {
            let own = ResourceKey::new(ResourceType::practitioner(), own.clone());
            let visits = self.store.search(caller.tenant, &visits_of(patient, &own)).await?;
            in_care = (!visits.matches.is_empty()).then(|| patient.clone());
        }
        match decide_looks(caller, in_care) {
            Ok(permit) => Ok(permit),
            Err(refusal) => {
                let on = ResourceType::audit_event().as_str();
                Err(self.refuse(caller, Interaction::Search, on, refusal).await?)
            }
        }
    }
}

/// A visit of a patient in which a practitioner takes part.
fn visits_of(patient: &ResourceKey, practitioner: &ResourceKey) -> SearchQuery {
    let mut query = empty_query(vec![ResourceType::encounter()]);
    query.count = 1;
    for (code, key) in [("patient", patient), ("participant", practitioner)] {
        if let Some(parameter) = definitions().search_parameter(ResourceType::encounter().as_str(), code) {
            let test = Test::Reference(vec![ReferenceTest::Local(vec![key.clone()])]);
            query.clauses.push(Clause::Parameter { parameter, test });
        }
    }
    query
}

/// What comes along must be readable by itself: an include opens no door.
pub(super) fn may_see(caller: &Caller, stored: &Stored) -> bool {
    match decide(caller, Interaction::Read, stored.key.resource_type()) {
        Ok(Permit::Whole) => true,
        Ok(Permit::Compartment(patient)) => within(stored, &patient),
        Err(_) => false,
    }
}
