//! create (R4: <https://hl7.org/fhir/R4/http.html#create>): the server chooses the id; one statement.

use super::incoming::{Stamp, read_resource, stamp};
use super::{FhirError, FhirService};
use crate::access::{Caller, Interaction};
use crate::ports::{Method, Stored, Write};
use crate::types::{ResourceKey, ResourceType, VersionId};

impl FhirService {
    /// Stores a new resource and returns what is served from now on.
    pub async fn create(&self, caller: &Caller, resource_type: ResourceType, body: &[u8]) -> Result<Stored, FhirError> {
        self.authorise(caller, Interaction::Create, resource_type).await?;
        let resource = read_resource(body, resource_type, &self.limits)?;
        self.accept(caller, &resource).await?;
        let key = ResourceKey::new(resource_type, self.ids.new_resource_id());
        let updated = self.clock.now().to_milliseconds();
        let draft = stamp(resource, Stamp { key, version: VersionId::FIRST, updated }, &self.parameters(caller))?;
        let stored = draft.stored.clone();
        let write = Write::Insert { draft, method: Method::Create };
        self.store.commit(&Self::context(caller), vec![write], Vec::new()).await?;
        Ok(stored)
    }
}
