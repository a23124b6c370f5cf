//! The prescription of an encounter: read, reviewed, signed, amended.

use std::sync::Arc;

use poem::Request;
use poem::http::header;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Binary, Json};
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde_json::Value;
use seva_clinic::drafting::SectionKind;
use seva_clinic::prescription::{FindingAnswer, MedicineChange, Prescription, SectionChange};
use seva_clinic::printing::HandoutLanguage;
use seva_fhir::access::{AuditAction, Caller, prescription_of};
use seva_fhir::types::{ResourceKey, VersionId};

use super::Services;
use crate::failure::Failure;
use crate::fhir::answer::match_of;

/// A change of a section or medicine.
#[derive(Object)]
struct ReviewChange {
    /// The new text; without a state it returns to pending.
    text: Option<String>,
    /// pending, approved or rejected.
    state: Option<String>,
}

/// A change of a medicine.
#[derive(Object)]
struct MedicineReview {
    /// The new line; without a state it returns to pending.
    text: Option<String>,
    /// pending, approved or rejected.
    state: Option<String>,
    /// as-heard or as-suggested, where the engine doubts the name.
    verification: Option<String>,
}

/// Why a finding is accepted.
#[derive(Object)]
struct NewAnswer {
    /// A code of HL7's detectedissue-mitigation-action.
    reason: String,
    /// Free text beside it.
    text: Option<String>,
}

/// A typed line.
#[derive(Object)]
struct NewMedicine {
    /// For example `tab azithromycin 500 mg OD x 3 days`.
    text: String,
}

/// A signature.
#[derive(Object)]
struct NewSignature {
    /// The signing PIN of the account.
    pin: String,
    /// The patient's language on the paper, beside English: en, hi or mr; Hindi when absent.
    language: Option<String>,
}

/// An amendment.
#[derive(Object)]
struct NewAmendment {
    /// Why a signed prescription is changed.
    reason: String,
}

/// A prescription and its version.
#[derive(ApiResponse)]
enum Reviewed {
    /// The prescription as it is now.
    #[oai(status = 200)]
    Now(Json<Value>, #[oai(header = "etag")] String),
}

/// A prescription to which something was added.
#[derive(ApiResponse)]
enum Added {
    /// The prescription as it is now.
    #[oai(status = 201)]
    Now(Json<Value>, #[oai(header = "etag")] String),
}

/// The paper.
#[derive(ApiResponse)]
enum Document {
    /// A PDF; a draft says that it is one.
    #[oai(status = 200, content_type = "application/pdf")]
    Pdf(Binary<Vec<u8>>),
}

/// The handlers.
pub struct PrescriptionApi {
    pub(crate) services: Arc<Services>,
}

#[OpenApi]
impl PrescriptionApi {
    /// Reads the prescription of an encounter.
    #[oai(path = "/v1/encounters/:encounter/prescription", method = "get", operation_id = "readPrescription")]
    async fn read_prescription(&self, request: &Request, encounter: Path<String>) -> poem::Result<Reviewed> {
        let (caller, encounter) = self.asked(request, &encounter).await?;
        let found = self.services.prescriptions.load(&caller, &encounter).await.map_err(Failure::from)?;
        self.audit(&caller, AuditAction::Read, (&found.patient, &found.encounter)).await?;
        reviewed(&found)
    }

    /// Changes a section of the note.
    #[oai(
        path = "/v1/encounters/:encounter/prescription/sections/:section",
        method = "put",
        operation_id = "updateSection"
    )]
    async fn update_section(
        &self,
        request: &Request,
        encounter: Path<String>,
        section: Path<String>,
        body: Json<ReviewChange>,
    ) -> poem::Result<Reviewed> {
        let (caller, encounter) = self.asked(request, &encounter).await?;
        let kind = SectionKind::from_code(&section.0)
            .ok_or_else(|| Failure::NotFound(format!("there is no section {:?}", section.0)))?;
        let change = SectionChange { text: body.0.text, state: body.0.state };
        let seen = (version(request)?, kind);
        let now = self.services.prescriptions.update_section(&caller, &encounter, seen, change).await;
        reviewed(&now.map_err(Failure::from)?)
    }

    /// Adds a medicine by a typed line.
    #[oai(path = "/v1/encounters/:encounter/prescription/medicines", method = "post", operation_id = "addMedicine")]
    async fn add_medicine(
        &self,
        request: &Request,
        encounter: Path<String>,
        body: Json<NewMedicine>,
    ) -> poem::Result<Added> {
        let (caller, encounter) = self.asked(request, &encounter).await?;
        let now = self.services.prescriptions.add_medicine(&caller, &encounter, &body.0.text).await;
        added(&now.map_err(Failure::from)?)
    }

    /// Changes a medicine.
    #[oai(
        path = "/v1/encounters/:encounter/prescription/medicines/:medicine",
        method = "put",
        operation_id = "updateMedicine"
    )]
    async fn update_medicine(
        &self,
        request: &Request,
        encounter: Path<String>,
        medicine: Path<String>,
        body: Json<MedicineReview>,
    ) -> poem::Result<Reviewed> {
        let (caller, encounter) = self.asked(request, &encounter).await?;
        let MedicineReview { text, state, verification } = body.0;
        let change = MedicineChange { text, state, verification };
        let seen = (version(request)?, medicine.0.as_str());
        let now = self.services.prescriptions.update_medicine(&caller, &encounter, seen, change).await;
        reviewed(&now.map_err(Failure::from)?)
    }

    /// Gives the reason for which a safety finding is accepted.
    #[oai(
        path = "/v1/encounters/:encounter/prescription/findings/:finding",
        method = "put",
        operation_id = "answerFinding"
    )]
    async fn answer_finding(
        &self,
        request: &Request,
        encounter: Path<String>,
        finding: Path<String>,
        body: Json<NewAnswer>,
    ) -> poem::Result<Reviewed> {
        let (caller, encounter) = self.asked(request, &encounter).await?;
        let answer = FindingAnswer { reason: body.0.reason, text: body.0.text };
        let seen = (version(request)?, finding.0.as_str());
        let now = self.services.prescriptions.answer_finding(&caller, &encounter, seen, answer).await;
        reviewed(&now.map_err(Failure::from)?)
    }

    /// Signs, after the PIN.
    #[oai(
        path = "/v1/encounters/:encounter/prescription/signature",
        method = "post",
        operation_id = "signPrescription"
    )]
    async fn sign_prescription(
        &self,
        request: &Request,
        encounter: Path<String>,
        body: Json<NewSignature>,
    ) -> poem::Result<Added> {
        let (caller, encounter) = self.asked(request, &encounter).await?;
        let wanted = (version(request)?, handout(body.0.language.as_deref())?);
        let session = self.services.authenticator.session_of(request.header(header::AUTHORIZATION)).await?;
        let target = encounter.to_string();
        self.services.authenticator.check_pin(&session, &body.0.pin, (&caller, &target)).await?;
        let signed = self.services.prescriptions.sign(&caller, &encounter, wanted).await.map_err(Failure::from)?;
        self.audit(&caller, AuditAction::Sign, (&signed.patient, &signed.encounter)).await?;
        // Whoever reads a dictation notes that its draft was signed; so its own listeners learn of it now.
        self.services.dictations.by_encounter(&caller, &encounter).await.map_err(Failure::from)?;
        added(&signed)
    }

    /// Opens a signed prescription again, with a reason; the signed versions stay.
    #[oai(
        path = "/v1/encounters/:encounter/prescription/amendment",
        method = "post",
        operation_id = "amendPrescription"
    )]
    async fn amend_prescription(
        &self,
        request: &Request,
        encounter: Path<String>,
        body: Json<NewAmendment>,
    ) -> poem::Result<Added> {
        let (caller, encounter) = self.asked(request, &encounter).await?;
        let now = self.services.prescriptions.amend(&caller, &encounter, &body.0.reason).await;
        let now = now.map_err(Failure::from)?;
        self.audit(&caller, AuditAction::Sign, (&now.patient, &now.encounter)).await?;
        added(&now)
    }

    /// Gives the signed document, or prints a draft.
    #[oai(path = "/v1/encounters/:encounter/prescription/document", method = "get", operation_id = "readDocument")]
    async fn read_document(
        &self,
        request: &Request,
        encounter: Path<String>,
        language: Query<Option<String>>,
    ) -> poem::Result<Document> {
        let (caller, encounter) = self.asked(request, &encounter).await?;
        let language = handout(language.0.as_deref())?;
        let printed = self.services.prescriptions.document(&caller, &encounter, language).await;
        let printed = printed.map_err(Failure::from)?;
        self.audit(&caller, AuditAction::Print, (&printed.patient, &encounter.to_string())).await?;
        Ok(Document::Pdf(Binary(printed.bytes)))
    }
}

impl PrescriptionApi {
    async fn asked(&self, request: &Request, encounter: &Path<String>) -> Result<(Caller, ResourceKey), Failure> {
        let caller = self.services.authenticator.caller(request).await?;
        Ok((caller, super::encounter(encounter)?))
    }

    async fn audit(
        &self,
        caller: &Caller,
        action: AuditAction,
        (patient, encounter): (&str, &str),
    ) -> Result<(), Failure> {
        super::audit(&self.services, caller, action, (patient, &prescription_of(encounter))).await
    }
}

/// The patient's language on the paper.
fn handout(tag: Option<&str>) -> Result<HandoutLanguage, Failure> {
    let Some(tag) = tag else { return Ok(HandoutLanguage::default()) };
    HandoutLanguage::from_tag(tag)
        .ok_or_else(|| Failure::Unprocessable(format!("language {tag:?} has no phrase table: en, hi or mr")))
}

fn reviewed(now: &Prescription) -> poem::Result<Reviewed> {
    let (body, etag) = answer(now)?;
    Ok(Reviewed::Now(body, etag))
}

fn added(now: &Prescription) -> poem::Result<Added> {
    let (body, etag) = answer(now)?;
    Ok(Added::Now(body, etag))
}

fn answer(now: &Prescription) -> Result<(Json<Value>, String), Failure> {
    let body = serde_json::to_value(now).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok((Json(body), format!("W/\"{}\"", now.version)))
}

/// The version that the caller saw; needed, because nobody overwrites what he has not seen.
fn version(request: &Request) -> Result<i32, Failure> {
    let text = request.header(header::IF_MATCH).ok_or_else(|| {
        Failure::Precondition("If-Match is needed: send the ETag of the prescription that you read".to_owned())
    })?;
    match_of(text).map(VersionId::get)
}
