//! Orders that contradict a drafted one and wait for a decision (R4: <https://hl7.org/fhir/R4/medicationrequest.html>).

use std::collections::HashSet;

use seva_fhir::access::Caller;

use super::{PrescriptionService, view};
use crate::encounter_record::{EncounterRecord, Held};
use crate::entities::{Category, Entity};
use crate::failure::ClinicError;
use crate::review::{Difference, Proposal, held_of};

/// The ids of the drafted medicines that a waiting proposal contradicts.
pub(super) type Contradicted = HashSet<String>;

impl PrescriptionService {
    /// Finds the medicines of a record about which two things were said, and nobody has decided which is so.
    pub(super) async fn contradicted(
        &self,
        caller: &Caller,
        record: &EncounterRecord,
    ) -> Result<Contradicted, ClinicError> {
        let waiting = self.parts.proposals.waiting(caller.tenant, &record.encounter.key).await?;
        let mut found = Contradicted::new();
        for proposal in waiting.iter().filter(|one| one.difference == Difference::Contradicting) {
            let dictation = self.parts.dictations.find(caller.tenant, proposal.dictation).await?;
            let entities = dictation.map(|dictation| dictation.result.entities).unwrap_or_default();
            let said = entities.iter().find(|entity| entity.id == proposal.number);
            found.extend(said.and_then(|entity| contradicted_medicine(record, proposal, entity)));
        }
        Ok(found)
    }
}

/// The medicine that a proposal contradicts; none where it was rejected, because then nobody orders two things.
fn contradicted_medicine(record: &EncounterRecord, proposal: &Proposal, entity: &Entity) -> Option<String> {
    if entity.category != Category::Medication {
        return None;
    }
    let named = |held: &&Held| proposal.resource.as_ref().is_some_and(|resource| held.key.to_string() == *resource);
    // A draft of the same recording was not stored yet when its proposal was made, and is found by what it is about.
    let held = record.medicines.iter().find(named).or_else(|| held_of(record, entity))?;
    let stands = view::is_listed(held) && view::review_state(&held.body) != "rejected";
    stands.then(|| held.key.id().to_string())
}
