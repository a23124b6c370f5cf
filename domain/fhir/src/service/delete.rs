//! delete (R4: <https://hl7.org/fhir/R4/http.html#delete>): the resource leaves the current table, its versions stay.

use super::update::stored_json;
use super::{ATTEMPTS, FhirError, FhirService};
use crate::access::{Caller, Interaction, Refusal, decide_change};
use crate::operations::is_own_definition;
use crate::ports::{Lookup, StoreError, Stored, Write};
use crate::preconditions::IfMatch;
use crate::types::{ResourceKey, VersionId};

impl FhirService {
    /// Deletes; returns the deletion's version, or none when there was nothing to delete.
    pub async fn delete(
        &self,
        caller: &Caller,
        key: &ResourceKey,
        if_match: Option<&IfMatch>,
    ) -> Result<Option<VersionId>, FhirError> {
        self.authorise(caller, Interaction::Delete, key.resource_type()).await?;
        if is_own_definition(key) {
            return Err(FhirError::Refused(Refusal::Defined { key: key.clone() }));
        }
        let mut attempt = 1;
        loop {
            let read = match self.store.read(caller.tenant, key).await? {
                Lookup::Found(stored) => stored,
                Lookup::Gone { version, .. } => return Ok(Some(version)),
                Lookup::Absent => return Ok(None),
            };
            let (write, version) = self.plan_delete(caller, read, if_match).await?;
            match self.store.commit(&Self::context(caller), vec![write], Vec::new()).await {
                Ok(()) => return Ok(Some(version)),
                Err(StoreError::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) async fn plan_delete(
        &self,
        caller: &Caller,
        read: Stored,
        if_match: Option<&IfMatch>,
    ) -> Result<(Write, VersionId), FhirError> {
        if let Some(wanted) = if_match.filter(|wanted| !wanted.holds(read.version)) {
            let wanted = wanted.clone();
            return Err(FhirError::Precondition { key: read.key, current: read.version, wanted });
        }
        if let Err(refusal) = decide_change(caller, &read.key, &stored_json(&read)?) {
            return Err(self.refuse(caller, Interaction::Delete, &read.key.to_string(), refusal).await?);
        }
        let version = read.version.next();
        let at = self.clock.now().to_milliseconds().max(read.updated);
        Ok((Write::Remove { read, version, at }, version))
    }
}
