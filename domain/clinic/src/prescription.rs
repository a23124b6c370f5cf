//! The prescription of one encounter: read, edited, checked and signed (R4: <https://hl7.org/fhir/R4/composition.html>).

mod answers;
mod checks;
mod contradictions;
mod correcting;
mod document;
mod editing;
mod learning;
mod line;
mod paper;
mod signing;
mod verifying;
mod view;

use std::sync::Arc;

use seva_fhir::FhirService;
use seva_fhir::access::Caller;
use seva_fhir::clock::{Clock, IdSource};
use seva_fhir::types::ResourceKey;

use crate::blobs::{BlobRegister, SealedBlobs};
use crate::dictation::DictationStore;
use crate::encounter_record::{EncounterRecord, Held};
use crate::failure::ClinicError;
use crate::printing::PrescriptionPrinter;
use crate::review::{LearntNames, Proposals};

pub use answers::{Answer, FindingAnswer, REASONS};
pub use checks::{Blocker, Finding, Tier};
pub use correcting::Correction;
pub use document::PrintedDocument;
pub(crate) use editing::edit as edit_section;
pub use editing::{MedicineChange, SectionChange};
#[cfg(test)]
pub(crate) use line::TypedLine;
pub use signing::content_hash;
pub use view::{
    Allergy, DosageView, Evidence, LineView, MedicineView, Prescription, SectionView, Signature, SuggestionView, Vital,
};
pub(crate) use view::{evidence as evidence_of, is_listed, review_state};

/// What the service works with.
pub struct PrescriptionParts {
    /// The FHIR kernel.
    pub fhir: FhirService,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// Prints what is signed.
    pub printer: Arc<dyn PrescriptionPrinter>,
    /// Keeps what was printed.
    pub blobs: SealedBlobs,
    /// What was dictated.
    pub dictations: Arc<dyn DictationStore>,
    /// What recordings propose, and nobody has decided.
    pub proposals: Arc<dyn Proposals>,
    /// The doctors' own lexicons.
    pub lexicon: Arc<dyn LearntNames>,
    /// Remembers what is kept, from before it is.
    pub register: Arc<dyn BlobRegister>,
}

/// Reads and changes prescriptions in the name of checked callers.
#[derive(Clone)]
pub struct PrescriptionService {
    parts: Arc<PrescriptionParts>,
}

impl PrescriptionService {
    /// Wires the service.
    #[must_use]
    pub fn new(parts: PrescriptionParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Reads the prescription of an encounter.
    pub async fn load(&self, caller: &Caller, encounter: &ResourceKey) -> Result<Prescription, ClinicError> {
        let record = self.record(caller, encounter).await?;
        Ok(view::of(&record, &self.contradicted(caller, &record).await?))
    }

    async fn record(&self, caller: &Caller, encounter: &ResourceKey) -> Result<EncounterRecord, ClinicError> {
        EncounterRecord::load(&self.parts.fhir, caller, encounter).await
    }

    /// Finds the draft in the version that the caller saw; a signed one takes no edits.
    fn draft<'a>(&self, record: &'a EncounterRecord, wanted: i32) -> Result<&'a Held, ClinicError> {
        let held = record.composition.as_ref().ok_or(ClinicError::NotFound("the prescription"))?;
        if held.version != wanted {
            return Err(ClinicError::Precondition { current: held.version, wanted });
        }
        if held.body.get_str("status") != Some("preliminary") {
            return Err(ClinicError::Conflict("the prescription is signed: amend it with a reason".to_owned()));
        }
        Ok(held)
    }
}

#[cfg(test)]
pub(crate) mod tests;
