//! search of one type (R4: <https://hl7.org/fhir/R4/http.html#search>): the access rules add their clause, the store answers.

use super::read::within;
use super::{FhirError, FhirService};
use crate::access::{AuditAction, AuditRecord, Caller, Interaction, Permit, decide, patients_in};
use crate::ports::{SearchPage, Stored};
use crate::search::SearchQuery;

impl FhirService {
    /// Answers a parsed search.
    pub async fn search(&self, caller: &Caller, mut query: SearchQuery) -> Result<SearchPage, FhirError> {
        if let Permit::Compartment(patient) = self.authorise(caller, Interaction::Search, query.resource_type).await? {
            query.compartment = Some(patient);
        }
        let mut page = self.store.search(caller.tenant, &query).await?;
        page.included.retain(|stored| may_see(caller, stored));
        let mut patients: Vec<Box<str>> = page.matches.iter().chain(&page.included).flat_map(patients_in).collect();
        patients.sort_unstable();
        patients.dedup();
        let record = AuditRecord::of(caller, AuditAction::Search, query.resource_type.as_str(), self.clock.now());
        self.audit.record(record.naming(patients)).await;
        Ok(page)
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
