//! read and vread (R4: <https://hl7.org/fhir/R4/http.html#read>): a lookup and a copy of bytes.

use super::source::Source;
use super::{FhirError, FhirService};
use crate::access::{AuditAction, AuditRecord, Caller, EntryId, Interaction, Permit, patients_in};
use crate::index;
use crate::json::{Limits, parse};
use crate::operations::own_definition;
use crate::ports::{Lookup, Stored};
use crate::types::{ResourceKey, VersionId};

impl FhirService {
    /// Reads the current version.
    pub async fn read(&self, caller: &Caller, key: &ResourceKey) -> Result<Stored, FhirError> {
        self.read_from(Source::Committed(&*self.store), caller, key).await
    }

    /// Reads one version.
    pub async fn vread(&self, caller: &Caller, key: &ResourceKey, version: VersionId) -> Result<Stored, FhirError> {
        self.vread_from(Source::Committed(&*self.store), caller, key, version).await
    }

    pub(super) async fn read_from(
        &self,
        mut source: Source<'_>,
        caller: &Caller,
        key: &ResourceKey,
    ) -> Result<Stored, FhirError> {
        let permit = self.authorise(caller, Interaction::Read, key.resource_type()).await?;
        let found = match EntryId::of(key) {
            Some(id) => {
                source.has_log()?;
                self.logged(caller, id, &permit).await?
            }
            None => match own_definition(key, self.base_url()) {
                Some(own) => Lookup::Found(own),
                None => source.read(caller, key).await?,
            },
        };
        self.disclose(caller, (AuditAction::Read, key.to_string()), key, (permit, found)).await
    }

    pub(super) async fn vread_from(
        &self,
        mut source: Source<'_>,
        caller: &Caller,
        key: &ResourceKey,
        version: VersionId,
    ) -> Result<Stored, FhirError> {
        let permit = self.authorise(caller, Interaction::Vread, key.resource_type()).await?;
        let found = match EntryId::of(key) {
            Some(_) if version != VersionId::FIRST => Lookup::Absent,
            Some(id) => {
                source.has_log()?;
                self.logged(caller, id, &permit).await?
            }
            None => match own_definition(key, self.base_url()) {
                Some(own) if own.version == version => Lookup::Found(own),
                Some(_) => Lookup::Absent,
                None => source.read_version(caller, key, version).await?,
            },
        };
        if matches!((&found, &permit), (Lookup::Absent, Permit::Whole))
            && self.is_known(&mut source, caller, key).await?
        {
            return Err(FhirError::NoVersion { key: key.clone(), version });
        }
        let target = format!("{key}/_history/{version}");
        self.disclose(caller, (AuditAction::Vread, target), key, (permit, found)).await
    }

    /// Whether there is a resource, or was one.
    async fn is_known(&self, source: &mut Source<'_>, caller: &Caller, key: &ResourceKey) -> Result<bool, FhirError> {
        if EntryId::of(key).is_some() {
            // A record of the log has one version, and whether there is one is not asked twice.
            return Ok(false);
        }
        Ok(own_definition(key, self.base_url()).is_some() || !matches!(source.read(caller, key).await?, Lookup::Absent))
    }

    /// A record of the audit log as the AuditEvent that the caller may see.
    pub(super) async fn logged(&self, caller: &Caller, id: EntryId, permit: &Permit) -> Result<Lookup, FhirError> {
        let only = match permit {
            Permit::Whole => None,
            Permit::Compartment(patient) => Some(patient),
        };
        let entry = self.events.entry(caller.tenant, id).await?;
        Ok(entry.map_or(Lookup::Absent, |entry| Lookup::Found(entry.stored(only))))
    }

    async fn disclose(
        &self,
        caller: &Caller,
        (action, target): (AuditAction, String),
        key: &ResourceKey,
        (permit, found): (Permit, Lookup),
    ) -> Result<Stored, FhirError> {
        let stored = match found {
            Lookup::Found(stored) => stored,
            Lookup::Gone { version, .. } => return Err(FhirError::Gone { key: key.clone(), version }),
            Lookup::Absent => return Err(FhirError::NotFound(key.clone())),
        };
        if let Permit::Compartment(patient) = permit
            && !within(&stored, &patient)
        {
            // Whether it exists is nobody else's business: the answer is the one for an absent resource.
            return Err(FhirError::NotFound(key.clone()));
        }
        let record = AuditRecord::of(caller, action, target, self.clock.now());
        self.audit.record(record.naming(patients_in(&stored))).await;
        Ok(stored)
    }
}

/// Whether a stored resource lies in a patient's compartment.
pub(super) fn within(stored: &Stored, patient: &ResourceKey) -> bool {
    if stored.key == *patient {
        return true;
    }
    let Ok(resource) = parse(&stored.body, &Limits::default()) else { return false };
    let kind = stored.key.resource_type();
    index::compartments_of(&resource, kind).contains(patient)
}
