//! What helps the doctor who reviews a draft: the verify walk with the doctor's own lexicon, the omission meter, reconciliation.
//!
//! It works on dictations and on the resources that were drafted from them (R4:
//! <https://hl7.org/fhir/R4/documentreference.html>, <https://hl7.org/fhir/R4/medicationrequest.html>).

pub mod learning;
mod marking;
pub mod omissions;
mod ports;
mod reconciliation;
mod view;
pub mod walk;

use std::sync::Arc;

use seva_fhir::FhirService;
use seva_fhir::access::Caller;
use seva_fhir::clock::{Clock, IdSource};
use seva_fhir::types::ResourceKey;
use uuid::Uuid;

use crate::dictation::{Dictation, DictationService};
use crate::encounter_record::{EncounterRecord, Held};
use crate::failure::ClinicError;
use crate::lexicon::Span;
use crate::prescription::{PrescriptionService, evidence_of};

pub use marking::NewMark;
pub use omissions::Omissions;
pub use ports::{LearntName, LearntNames, Mark, MarkAct, Proposals, WalkMarks};
pub use reconciliation::{Difference, Proposal, ProposalState, ProposalsView};
pub(crate) use reconciliation::{Repeat, contradicts, held_of, proposals, repeats};
pub use view::{LearntView, WalkView};
pub use walk::{Danger, Doubt, DoubtReason, Stop, Touched};

/// What the service works with.
pub struct ReviewParts {
    /// The FHIR kernel.
    pub fhir: FhirService,
    /// Dictations.
    pub dictations: DictationService,
    /// Prescriptions.
    pub prescriptions: PrescriptionService,
    /// The marks of walks.
    pub marks: Arc<dyn WalkMarks>,
    /// The doctors' own lexicons.
    pub lexicon: Arc<dyn LearntNames>,
    /// What further recordings propose.
    pub proposals: Arc<dyn Proposals>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
}

/// Helps to review, in the name of checked callers.
#[derive(Clone)]
pub struct ReviewService {
    parts: Arc<ReviewParts>,
}

impl ReviewService {
    /// Wires the service.
    #[must_use]
    pub fn new(parts: ReviewParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Walks through the dangerous words of a dictation.
    pub async fn walk(&self, caller: &Caller, id: Uuid) -> Result<WalkView, ClinicError> {
        let dictation = self.parts.dictations.find(caller, id).await?;
        let stops = self.stops(caller, &dictation).await?;
        self.walked(caller, (&dictation, &stops)).await
    }

    /// Measures the note of an encounter: what was said and is missing, what is needed and unsaid.
    pub async fn omissions(&self, caller: &Caller, encounter: &ResourceKey) -> Result<Omissions, ClinicError> {
        let dictations = self.parts.dictations.by_encounter(caller, encounter).await?;
        let record = EncounterRecord::load(&self.parts.fhir, caller, encounter).await?;
        Ok(omissions::omissions(&record, &dictations))
    }

    async fn walked(&self, caller: &Caller, (of, stops): (&Dictation, &[Stop])) -> Result<WalkView, ClinicError> {
        let marks = self.parts.marks.marks(caller.tenant, of.id).await?;
        Ok(WalkView::of(of, stops, &marks))
    }

    async fn stops(&self, caller: &Caller, dictation: &Dictation) -> Result<Vec<Stop>, ClinicError> {
        let record = EncounterRecord::load(&self.parts.fhir, caller, &dictation.encounter).await?;
        Ok(walk::stops(dictation, &touched(&record, dictation.id)))
    }
}

/// The resources of a record that were drafted from a dictation, each with the characters that it comes from.
fn touched(record: &EncounterRecord, dictation: Uuid) -> Vec<Touched> {
    let id = dictation.to_string();
    let kinds: [&[Held]; 5] =
        [&record.medicines, &record.observations, &record.conditions, &record.requests, &record.allergies];
    let of_one = |held: &Held| {
        let spans = evidence_of(&held.body).into_iter().filter(|span| span.dictation.as_ref() == Some(&id));
        let placed = |begin: i64, end: i64| Some(Span::new(usize::try_from(begin).ok()?, usize::try_from(end).ok()?));
        let resource = held.key.to_string();
        let touched = |span| Touched { resource: resource.clone(), span };
        spans.filter_map(|span| placed(span.begin, span.end)).map(touched).collect::<Vec<_>>()
    };
    kinds.into_iter().flatten().flat_map(of_one).collect()
}
