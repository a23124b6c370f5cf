//! How the store carries a search out, for an administrator who wonders why one is slow.

use super::{FhirError, FhirService};
use crate::access::Caller;
use crate::ports::Explained;
use crate::search::SearchQuery;

impl FhirService {
    /// Carries a search out as [`FhirService::search`] does, and tells its statements instead of what it found.
    pub async fn explain(&self, caller: &Caller, mut query: SearchQuery) -> Result<Vec<Explained>, FhirError> {
        self.authorise_bulk(caller, "$explain").await?;
        self.restrict(caller, &mut query).await?;
        Ok(self.store.explain(caller.tenant, &query).await?)
    }
}
