//! batch (R4: <https://hl7.org/fhir/R4/http.html#transaction>): each entry by itself, each with an outcome of its own.

use super::incoming::check_structure;
use super::transaction::check_size;
use super::transaction::entry;
use super::{FhirError, FhirService, TransactionOutcome};
use crate::access::Caller;
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};

impl FhirService {
    /// Carries out the entries of a batch in their order; what fails, fails alone.
    pub async fn batch(
        &self,
        caller: &Caller,
        bundle: Json,
    ) -> Result<Vec<Result<TransactionOutcome, FhirError>>, FhirError> {
        if bundle.get_str("type") != Some("batch") {
            let text = "a Bundle that is posted here is a transaction, a batch or a history";
            return Err(FhirError::Invalid(vec![Issue::error(IssueCode::Invalid, text).at("Bundle.type")]));
        }
        check_size(&bundle)?;
        check_structure(&without_resources(&bundle))?;
        let mut outcomes = Vec::new();
        for entry in entry::read(bundle, (self, caller)) {
            outcomes.push(match entry {
                Ok(entry) => self.alone(caller, entry).await,
                Err(issue) => Err(FhirError::Invalid(vec![issue])),
            });
        }
        Ok(outcomes)
    }

    async fn alone(&self, caller: &Caller, mut entry: entry::Entry) -> Result<TransactionOutcome, FhirError> {
        if let Some(resource) = &entry.resource {
            check_structure(resource)?;
        }
        // Its answer stands beside it and speaks of its resource alone.
        entry.index = None;
        self.one(caller, entry).await
    }
}

/// The Bundle itself: a fault in a resource is the matter of its entry, and so is a request that is missing.
fn without_resources(bundle: &Json) -> Json {
    let mut bundle = bundle.clone();
    for entry in bundle.get_mut("entry").and_then(Json::as_array_mut).into_iter().flatten() {
        if entry.get("request").is_some() {
            entry.remove("resource");
        }
    }
    bundle
}
