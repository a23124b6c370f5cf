//! Advice of a prescription in the patient's language, by machine and labelled as such.

use std::sync::Arc;

use poem::Request;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::Value;
use seva_clinic::translation;
use seva_fhir::access::{AuditAction, prescription_of};

use super::Services;
use crate::failure::Failure;

/// What is to be translated.
#[derive(Object)]
struct NewTranslation {
    /// The code of a section of advice.
    section: String,
    /// The language as a BCP 47 tag.
    language: String,
}

/// The handlers.
pub struct TranslationApi {
    pub(crate) services: Arc<Services>,
}

#[OpenApi]
impl TranslationApi {
    /// Tells what can be translated.
    #[oai(path = "/v1/encounters/:encounter/translations", method = "get", operation_id = "readTranslationOffer")]
    async fn read_translation_offer(&self, request: &Request, encounter: Path<String>) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        super::encounter(&encounter)?;
        Ok(super::shown(&self.services.translations.offer(&caller))?)
    }

    /// Translates a section of advice.
    #[oai(path = "/v1/encounters/:encounter/translations", method = "post", operation_id = "translateAdvice")]
    async fn translate_advice(
        &self,
        request: &Request,
        encounter: Path<String>,
        body: Json<NewTranslation>,
    ) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let encounter = super::encounter(&encounter)?;
        let asked = translation::NewTranslation { section: body.0.section, language: body.0.language };
        let said = self.services.translations.translate(&caller, &encounter, asked).await.map_err(Failure::from)?;
        let what = (said.patient.as_str(), &*prescription_of(&said.encounter));
        super::audit(&self.services, &caller, AuditAction::Read, what).await?;
        Ok(super::shown(&said)?)
    }
}
