//! Free text of advice in the patient's language, by machine: labelled, beside the doctor's words and never in their place.
//!
//! Doses come from phrases and never from here (decision 0022). What a machine says is guarded: a translation that lost
//! or changed a number, unit, medicine or denial is refused. The label is HL7's `AIAST`
//! (<https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html>).

pub mod guard;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use seva_fhir::access::{AuditLog, Caller, Interaction, decide};
use seva_fhir::clock::Clock;
use seva_fhir::service::FhirError;
use seva_fhir::types::{ResourceKey, ResourceType};

use crate::disclosure::disclose;
use crate::failure::ClinicError;
use crate::prescription::{Prescription, PrescriptionService};
use guard::{Difference, Guard};

/// The language of the doctor's words.
const SOURCE: &str = "en";
/// The sections that are advice to the patient.
const ADVICE: [&str; 4] = ["instructions", "follow-up", "tests", "referral"];
/// HL7's label of what a machine asserts.
const LABEL: &str = "AIAST";

/// Explains why there is no translation.
#[derive(Debug, thiserror::Error)]
pub enum TranslationError {
    /// The text is longer than the engine takes.
    #[error("text of {length} bytes is longer than the limit of {limit}")]
    TooLong {
        /// The length of the text.
        length: usize,
        /// The most that the engine takes.
        limit: usize,
    },
    /// The engine did not answer; another attempt may succeed.
    #[error("translation engine {engine} is unavailable")]
    Unavailable {
        /// The engine's name.
        engine: String,
    },
    /// The engine refused the request; another attempt will not succeed.
    #[error("translation engine {engine} refused the request: {reason}")]
    Refused {
        /// The engine's name.
        engine: String,
        /// The engine's code for it.
        reason: String,
    },
}

/// From which language into which, as BCP 47 tags.
#[derive(Clone, Copy, Debug)]
pub struct Languages<'a> {
    /// That of the text.
    pub source: &'a str,
    /// That of the translation.
    pub target: &'a str,
}

/// Translates free text.
#[async_trait]
pub trait Translator: Send + Sync {
    /// Returns the engine's name.
    fn name(&self) -> &str;

    /// Returns the engine's version.
    fn version(&self) -> &str;

    /// Names the service and the region that the text is sent to; nothing when it stays on this machine.
    fn destination(&self) -> Option<String>;

    /// Tells whether texts can be translated now.
    async fn health(&self) -> Result<(), TranslationError>;

    /// Translates a text, whole.
    async fn translate(&self, text: &str, languages: Languages<'_>) -> Result<String, TranslationError>;
}

/// What is to be translated.
pub struct NewTranslation {
    /// The code of a section of advice.
    pub section: String,
    /// The language as a BCP 47 tag.
    pub language: String,
}

/// What can be translated, and where it would leave for.
#[derive(Debug, Serialize)]
pub struct TranslationOffer {
    /// The languages as BCP 47 tags; none where no engine is configured, or the caller may not have advice translated.
    pub languages: Vec<&'static str>,
    /// The codes of the sections that are advice.
    pub sections: [&'static str; 4],
    /// The service and its place; nothing when no text leaves this machine.
    pub destination: Option<String>,
}

/// A section in the patient's language, beside the doctor's words.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Translation {
    /// The encounter.
    #[serde(skip)]
    pub encounter: String,
    /// The patient.
    #[serde(skip)]
    pub patient: String,
    /// The section.
    pub section: String,
    /// The version of the prescription that the words stand in.
    pub version: i32,
    /// The doctor's words, which go before.
    pub source: String,
    /// Their language.
    pub source_language: &'static str,
    /// The language that was asked for.
    pub language: String,
    /// The machine's words; none where they were refused.
    pub text: Option<String>,
    /// HL7's label of what a machine asserts.
    pub label: &'static str,
    /// The engine.
    pub engine: String,
    /// Its version.
    pub engine_version: String,
    /// What the machine's words lost or changed; then the doctor's words are shown.
    pub differences: Vec<Difference>,
}

/// What the service works with.
pub struct TranslationParts {
    /// Prescriptions.
    pub prescriptions: PrescriptionService,
    /// The engine; none unless one is configured.
    pub translator: Option<Arc<dyn Translator>>,
    /// The audit log, for texts that leave this machine.
    pub audit: Arc<dyn AuditLog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// Translates advice of prescriptions; clones share everything.
#[derive(Clone)]
pub struct TranslationService {
    parts: Arc<TranslationParts>,
}

impl TranslationService {
    /// Wires the service.
    #[must_use]
    pub fn new(parts: TranslationParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Tells what the caller may have translated; nothing is asked for it.
    #[must_use]
    pub fn offer(&self, caller: &Caller) -> TranslationOffer {
        let allowed = decide(caller, Interaction::Create, ResourceType::document_reference()).is_ok();
        let translator = self.parts.translator.as_ref().filter(|_| allowed);
        TranslationOffer {
            languages: if translator.is_some() { Guard::languages() } else { Vec::new() },
            sections: ADVICE,
            destination: translator.and_then(|engine| engine.destination()),
        }
    }

    /// Translates a section of advice; nothing is stored.
    pub async fn translate(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        asked: NewTranslation,
    ) -> Result<Translation, ClinicError> {
        // Whoever may not file a document may not have one sent away.
        decide(caller, Interaction::Create, ResourceType::document_reference()).map_err(FhirError::Refused)?;
        if !ADVICE.contains(&asked.section.as_str()) {
            return Err(ClinicError::Invalid(format!("only advice is translated: {}", ADVICE.join(", "))));
        }
        let Some(guard) = Guard::into_language(&asked.language) else {
            return Err(ClinicError::Invalid("a translation into this language can't be checked: hi or mr".to_owned()));
        };
        let Some(translator) = &self.parts.translator else {
            return Err(ClinicError::Conflict("no translator is configured: translation.engine".to_owned()));
        };
        let seen = self.parts.prescriptions.load(caller, encounter).await?;
        let found = seen.sections.iter().find(|section| section.code == asked.section);
        let source = found.filter(|section| section.state != "rejected").map(|section| section.text.clone());
        let Some(source) = source.filter(|text| !text.trim().is_empty()) else {
            return Err(ClinicError::NotFound("the section's text"));
        };
        if let Some(place) = translator.destination() {
            let recorder = (self.parts.audit.as_ref(), self.parts.clock.as_ref());
            let patient = seen.patient.trim_start_matches("Patient/").into();
            disclose(recorder, caller, format!("advice of {} to {place}", seen.encounter), vec![patient]).await?;
        }
        // Digits are found again in any language, number words are not.
        let sent = guard::with_digits(&source);
        let languages = Languages { source: SOURCE, target: &asked.language };
        let text = translator.translate(&sent, languages).await.map_err(refused)?;
        let differences = guard.differences(&sent, &text, &names(&seen));
        Ok(Translation {
            encounter: seen.encounter,
            patient: seen.patient,
            section: asked.section,
            version: seen.version,
            source,
            source_language: SOURCE,
            language: asked.language,
            text: differences.is_empty().then_some(text),
            label: LABEL,
            engine: translator.name().to_owned(),
            engine_version: translator.version().to_owned(),
            differences,
        })
    }
}

/// The names of the prescription's own medicines, which the formulary needn't know.
fn names(seen: &Prescription) -> Vec<String> {
    seen.medicines.iter().map(|medicine| medicine.name.clone()).collect()
}

fn refused(error: TranslationError) -> ClinicError {
    match error {
        TranslationError::TooLong { .. } => ClinicError::Invalid(error.to_string()),
        TranslationError::Unavailable { .. } | TranslationError::Refused { .. } => {
            ClinicError::Unavailable(error.to_string())
        }
    }
}
