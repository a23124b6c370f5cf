//! Listing proposals and deciding them; an accepted one is one transaction on the versions that were read
//! (R4: <https://hl7.org/fhir/R4/http.html#transaction>).

use serde::Serialize;
use seva_fhir::access::Caller;
use seva_fhir::types::ResourceKey;
use uuid::Uuid;

use super::super::ReviewService;
use super::accepting::{changed, rewritten};
use super::comparing::held_of;
use super::{Difference, Proposal, ProposalState};
use crate::dictation::{Dictation, Transcript};
use crate::drafting::{Draft, put, transaction};
use crate::encounter_record::{EncounterRecord, Held};
use crate::failure::ClinicError;

/// The proposals of an encounter.
#[derive(Serialize)]
pub struct ProposalsView {
    /// The encounter.
    pub encounter: String,
    /// The patient.
    pub patient: String,
    /// How many wait for a decision.
    pub pending: usize,
    proposals: Vec<ProposalView>,
}

/// A proposal.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProposalView {
    dictation: String,
    number: u32,
    difference: Difference,
    state: ProposalState,
    resource: Option<String>,
    before: Option<String>,
    after: String,
    begin: usize,
    end: usize,
    start_ms: Option<u64>,
    end_ms: Option<u64>,
    decided: Option<String>,
}

impl From<&Proposal> for ProposalView {
    fn from(proposal: &Proposal) -> Self {
        Self {
            dictation: proposal.dictation.to_string(),
            number: proposal.number,
            difference: proposal.difference,
            state: proposal.state,
            resource: proposal.resource.clone(),
            before: proposal.before.clone(),
            after: proposal.after.clone(),
            begin: proposal.span.begin,
            end: proposal.span.end,
            start_ms: proposal.times.map(|(start, _)| start),
            end_ms: proposal.times.map(|(_, end)| end),
            decided: proposal.decided.map(|decided| decided.to_string()),
        }
    }
}

impl ReviewService {
    /// Lists what further recordings of an encounter propose.
    pub async fn proposals(&self, caller: &Caller, encounter: &ResourceKey) -> Result<ProposalsView, ClinicError> {
        let dictations = self.parts.dictations.by_encounter(caller, encounter).await?;
        let record = Held::of(&self.parts.fhir.read(caller, encounter).await?)?;
        let patient = record.body.get("subject").and_then(|subject| subject.get_str("reference")).unwrap_or_default();
        let ids: Vec<Uuid> = dictations.iter().map(|dictation| dictation.id).collect();
        let found = self.parts.proposals.of(caller.tenant, &ids).await?;
        Ok(ProposalsView {
            encounter: encounter.to_string(),
            patient: patient.to_owned(),
            pending: found.iter().filter(|proposal| proposal.state == ProposalState::Pending).count(),
            proposals: found.iter().map(ProposalView::from).collect(),
        })
    }

    /// Accepts or rejects a proposal of one's own dictation; decided twice in the same way, it is decided once.
    pub async fn decide(
        &self,
        caller: &Caller,
        (id, number): (Uuid, u32),
        decision: &str,
    ) -> Result<ProposalsView, ClinicError> {
        let state = match decision {
            "accepted" => ProposalState::Accepted,
            "rejected" => ProposalState::Rejected,
            _ => return Err(ClinicError::Invalid("a decision is accepted or rejected".to_owned())),
        };
        let dictation = self.parts.dictations.own(caller, id).await?;
        let found = self.parts.proposals.of(caller.tenant, &[id]).await?;
        let found = found.into_iter().find(|proposal| proposal.number == number);
        let mut proposal = found.ok_or(ClinicError::NotFound("the proposal"))?;
        if proposal.state == state {
            return self.proposals(caller, &dictation.encounter).await;
        }
        if proposal.state != ProposalState::Pending {
            return Err(ClinicError::Conflict(format!("the proposal is {}", proposal.state.code())));
        }
        if state == ProposalState::Accepted {
            self.accept(caller, &dictation, &proposal).await?;
        }
        proposal.state = state;
        proposal.decided = Some(self.parts.clock.now().to_milliseconds());
        if !self.parts.proposals.decide(caller.tenant, &proposal).await? {
            return Err(ClinicError::Conflict("the proposal was decided meanwhile".to_owned()));
        }
        self.proposals(caller, &dictation.encounter).await
    }

    async fn accept(&self, caller: &Caller, dictation: &Dictation, proposal: &Proposal) -> Result<(), ClinicError> {
        let record = EncounterRecord::load(&self.parts.fhir, caller, &dictation.encounter).await?;
        let composition = record.composition.as_ref().ok_or(ClinicError::NotFound("the prescription"))?;
        if composition.body.get_str("status") != Some("preliminary") {
            return Err(ClinicError::Conflict("the prescription is signed: amend it with a reason".to_owned()));
        }
        let entity = dictation.result.entities.iter().find(|entity| entity.id == proposal.number);
        let entity = entity.ok_or(ClinicError::NotFound("the statement"))?;
        let target = match proposal.resource.as_deref() {
            Some(resource) => find(&record, resource),
            None => held_of(&record, entity),
        };
        let target = target.ok_or(ClinicError::NotFound("the resource of the proposal"))?;
        let transcript = Transcript::of(&dictation.result.segments);
        let reference = dictation.result.transcript.clone().unwrap_or_default();
        let now = (self.parts.clock.now().to_milliseconds(), self.parts.ids.as_ref());
        let draft = Draft::of(dictation, &transcript, &record, now);
        let body = changed(&draft, target, entity, &reference);
        let body = body.ok_or_else(|| ClinicError::Invalid("the statement says too little".to_owned()))?;
        let note = rewritten(&composition.body, entity, &body);
        let entries = vec![put(target, body), put(composition, note)];
        self.parts.fhir.transaction(caller, transaction(entries)).await?;
        Ok(())
    }
}

fn find<'a>(record: &'a EncounterRecord, resource: &str) -> Option<&'a Held> {
    let kinds: [&[Held]; 4] = [&record.medicines, &record.observations, &record.conditions, &record.allergies];
    kinds.into_iter().flatten().find(|held| held.key.to_string() == resource)
}
