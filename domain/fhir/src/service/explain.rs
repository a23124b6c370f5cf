//! How the store carries a search out, for an administrator who wonders why one is slow.

use super::{FhirError, FhirService};
use crate::access::Caller;
use crate::outcome::{Issue, IssueCode};
use crate::ports::Explained;
use crate::search::SearchQuery;
use crate::types::ResourceType;

impl FhirService {
    /// Carries a search out as [`FhirService::search`] does, and tells its statements instead of what it found.
    pub async fn explain(&self, caller: &Caller, mut query: SearchQuery) -> Result<Vec<Explained>, FhirError> {
        self.authorise_bulk(caller, "$explain").await?;
        self.find_codes(caller, &mut query).await?;
        self.restrict(caller, &mut query).await?;
        if query.resource_types.contains(&ResourceType::audit_event()) {
            let text = "AuditEvents come from the audit log, which is not explained";
            return Err(FhirError::Invalid(vec![Issue::error(IssueCode::NotSupported, text)]));
        }
        Ok(self.store.explain(caller.tenant, &query).await?)
    }
}
