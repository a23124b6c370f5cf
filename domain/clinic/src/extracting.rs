//! `$extract`: a text in, its statements as a Bundle out, and nothing stored. The entities pass the same mapper as those of a
//! dictation, with their evidence in the text (R4: <https://hl7.org/fhir/R4/bundle.html>).

use std::sync::Arc;

use seva_fhir::access::{AuditLog, Caller, Interaction, decide};
use seva_fhir::clock::{Clock, IdSource};
use seva_fhir::json::Json;
use seva_fhir::service::FhirError;
use seva_fhir::types::{ResourceKey, ResourceType};

use crate::dictation::Transcript;
use crate::disclosure::disclose;
use crate::drafting::{self, Draft};
use crate::entities::{EntityExtractor, ExtractionError};
use crate::failure::ClinicError;

/// A text whose statements are asked for.
pub struct TextToExtract {
    /// The text.
    pub text: String,
    /// Its language as a BCP 47 tag.
    pub language: String,
    /// Whom it is about.
    pub subject: ResourceKey,
    /// The encounter that the statements are to name.
    pub encounter: Option<ResourceKey>,
}

/// Finds statements in texts of other programs; clones share everything.
#[derive(Clone)]
pub struct TextExtraction {
    /// The entity extractor.
    pub extractor: Arc<dyn EntityExtractor>,
    /// The audit log, for texts that leave this machine.
    pub audit: Arc<dyn AuditLog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
}

impl TextExtraction {
    /// Drafts what a text says. Offsets count code points of the text as it was sent.
    pub async fn extract(&self, caller: &Caller, asked: &TextToExtract) -> Result<Json, ClinicError> {
        // Whoever may not file a document may not have one drafted.
        decide(caller, Interaction::Create, ResourceType::document_reference()).map_err(FhirError::Refused)?;
        if asked.text.trim().is_empty() {
            return Err(ClinicError::Invalid("the text is empty".to_owned()));
        }
        if let Some(place) = self.extractor.destination() {
            let recorder = (self.audit.as_ref(), self.clock.as_ref());
            let patient = asked.subject.id().as_str().into();
            disclose(recorder, caller, format!("a text to {place}"), vec![patient]).await?;
        }
        let entities = self.extractor.extract(&asked.text, &asked.language).await.map_err(refused)?;
        let transcript = Transcript { text: asked.text.clone(), words: Vec::new() };
        let draft = Draft {
            transcript: &transcript,
            language: &asked.language,
            dictation: None,
            author: caller.practitioner_reference(),
            subject: asked.subject.to_string(),
            encounter: asked.encounter.as_ref().map(ResourceKey::to_string),
            now: self.clock.now().to_milliseconds(),
            ids: self.ids.as_ref(),
        };
        Ok(drafting::collection(&draft, &entities, (self.extractor.name(), self.extractor.version())))
    }
}

/// What the caller can mend is told; what he can't is the service's.
fn refused(error: ExtractionError) -> ClinicError {
    match error {
        ExtractionError::UnsupportedLanguage { .. } | ExtractionError::TooLong { .. } => {
            ClinicError::Invalid(error.to_string())
        }
        ExtractionError::Unavailable { .. } | ExtractionError::Misplaced { .. } | ExtractionError::Refused { .. } => {
            ClinicError::Unavailable(error.to_string())
        }
    }
}
