//! The signed paper as FHIR has it: a Binary for its bytes and a DocumentReference with their hash
//! (R4: <https://hl7.org/fhir/R4/documentreference.html>). The bytes are durable before the signature commits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seva_fhir::access::Caller;
use seva_fhir::json::{Json, object};
use seva_fhir::service::FhirError;
use seva_fhir::types::{ResourceKey, ResourceType};
use seva_models::{Attachment, Coding, Concept, DocumentReference, ExtensionValue};
use sha1::{Digest, Sha1};

use super::PrescriptionService;
use crate::blobs::BlobLink;
use crate::drafting::elements::{extension, written};
use crate::drafting::{post, put};
use crate::encounter_record::{EncounterRecord, Held};
use crate::failure::ClinicError;
use crate::printing::{HandoutLanguage, PrintError};

/// LOINC's code of a prescription, which the Composition carries too.
const KIND: (&str, &str, &str) = ("http://loinc.org", "57833-6", "Prescription for medication");
const PDF: &str = "application/pdf";

/// A printed prescription.
pub struct PrintedDocument {
    /// The bytes of the PDF.
    pub bytes: Vec<u8>,
    /// The patient that it names, `Patient/x`.
    pub patient: String,
}

/// The paper of a signature, durable and not yet named by any resource.
pub(super) struct KeptPaper {
    pub(super) link: BlobLink,
    sha1: [u8; 20],
}

/// What the DocumentReference says beside the file.
pub(super) struct Filed<'a> {
    pub(super) signer: &'a str,
    pub(super) now: &'a str,
    pub(super) language: HandoutLanguage,
    pub(super) content_hash: &'a str,
}

impl PrescriptionService {
    /// The prescription on paper: the very bytes that were signed, or a draft that says that it is one.
    pub async fn document(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        language: HandoutLanguage,
    ) -> Result<PrintedDocument, ClinicError> {
        let record = self.record(caller, encounter).await?;
        let patient = record.patient.clone();
        let signed = record.composition.as_ref().is_some_and(is_signed);
        let bytes = match paper_of(&record).filter(|_| signed) {
            Some(document) => self.signed_bytes(caller, document).await?,
            None => self.render(caller, &record, language).await?,
        };
        Ok(PrintedDocument { bytes, patient })
    }

    async fn signed_bytes(&self, caller: &Caller, document: &Held) -> Result<Vec<u8>, ClinicError> {
        let missing = ClinicError::NotFound("the signed document");
        let url = attachment(&document.body).and_then(|attachment| attachment.get_str("url"));
        let Some(key) = url.and_then(|url| url.parse::<ResourceKey>().ok()) else { return Err(missing) };
        let binary = Held::of(&self.parts.fhir.read(caller, &key).await?)?.body;
        let link = BlobLink::read(&binary).ok_or(missing)?;
        self.parts.blobs.get(caller.tenant, &link).await
    }

    /// Renders the paper of a record.
    pub(super) async fn render(
        &self,
        caller: &Caller,
        record: &EncounterRecord,
        language: HandoutLanguage,
    ) -> Result<Vec<u8>, ClinicError> {
        let paper = self.paper(caller, record, language).await?;
        self.parts.printer.render(paper).await.map_err(|error| match error {
            PrintError::EntryTooLong => ClinicError::Invalid(error.to_string()),
            PrintError::Rendering(text) => ClinicError::Unavailable(text),
        })
    }

    /// Makes the paper durable; its name follows in the transaction of the signature.
    pub(super) async fn keep(&self, caller: &Caller, bytes: Vec<u8>) -> Result<KeptPaper, ClinicError> {
        let link = BlobLink::of(self.parts.ids.new_uuid(), PDF, &bytes);
        let binary = ResourceKey::new(ResourceType::binary(), link.id.into());
        // A crash before the transaction leaves a blob that the sweep knows.
        self.parts.register.add(caller.tenant, &link, &binary).await.map_err(FhirError::from)?;
        self.parts.blobs.put(caller.tenant, &link, &bytes).await?;
        Ok(KeptPaper { link, sha1: Sha1::digest(&bytes).into() })
    }

    /// Takes back a paper whose signature failed; what can't be removed now is left to the sweep.
    pub(super) async fn discard(&self, caller: &Caller, kept: &KeptPaper) {
        let (tenant, blob) = (caller.tenant, kept.link.id);
        let is_forgotten = match self.parts.blobs.remove(tenant, blob).await {
            Ok(()) => self.parts.register.remove(tenant, blob).await.is_ok(),
            Err(_) => false,
        };
        if !is_forgotten {
            tracing::warn!(%blob, "a paper that nobody signed waits for the sweep");
        }
    }
}

/// The entries that file the paper: its Binary, its DocumentReference at `url`, and the end of the one before.
pub(super) fn filed(record: &EncounterRecord, kept: &KeptPaper, filed: &Filed<'_>, url: &str) -> Vec<Json> {
    let key = format!("Binary/{}", kept.link.id);
    let request = object([("method", "PUT".into()), ("url", key.as_str().into())]);
    let binary = object([("resource", kept.link.binary(&record.patient)), ("request", request)]);
    let attachment = Attachment {
        content_type: PDF.to_owned(),
        language: Some(filed.language.tag().to_owned()),
        url: Some(key),
        size: u32::try_from(kept.link.size).ok(),
        // R4 has SHA-1 here; what is relied on is the SHA-256 beside it.
        hash: Some(STANDARD.encode(kept.sha1)),
        title: Some("Prescription".to_owned()),
        creation: Some(filed.now.to_owned()),
        ..Attachment::default()
    };
    let before = paper_of(record);
    let document = DocumentReference {
        extensions: vec![
            extension("sha256", ExtensionValue::Text(kept.link.sha256.clone())),
            extension("content-hash", ExtensionValue::Text(filed.content_hash.to_owned())),
        ],
        document_status: Some("final".to_owned()),
        kind: Concept::coded(Coding::named(KIND.0, KIND.1, KIND.2)),
        subject: record.patient.clone(),
        date: filed.now.to_owned(),
        authors: vec![filed.signer.to_owned()],
        authenticator: Some(filed.signer.to_owned()),
        replaces: before.map(|before| before.key.to_string()),
        attachments: vec![attachment],
        encounter: Some(record.encounter.key.to_string()),
        ..DocumentReference::default()
    };
    let mut entries = vec![binary];
    if let Some(before) = before {
        let mut superseded = before.body.clone();
        if let Some(members) = superseded.as_object_mut() {
            members.insert("status", "superseded");
        }
        entries.push(put(before, superseded));
    }
    entries.push(post(url, written(&document.to_json()).into()));
    entries
}

/// The current signed paper of an encounter.
pub(super) fn paper_of(record: &EncounterRecord) -> Option<&Held> {
    record.documents.iter().find(|held| {
        let code = held.body.get("type").and_then(|kind| kind.get("coding")?.get_index(0)?.get_str("code"));
        let pdf = attachment(&held.body).and_then(|attachment| attachment.get_str("contentType")) == Some(PDF);
        pdf && code == Some(KIND.1) && held.body.get_str("status") == Some("current")
    })
}

fn attachment(document: &Json) -> Option<&Json> {
    document.get("content")?.get_index(0)?.get("attachment")
}

fn is_signed(composition: &Held) -> bool {
    matches!(composition.body.get_str("status"), Some("final" | "amended"))
}
