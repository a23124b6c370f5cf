//! The stages after the last frame, or the last byte of a file: transcript, entities, draft in one transaction. Each works on what is stored, and done a
//! second time comes to the same.

use seva_fhir::access::{Caller, Role};
use seva_fhir::ports::Stored;
use seva_fhir::service::TransactionOutcome;
use seva_fhir::types::{ResourceType, TenantId};
use sha1::{Digest, Sha1};
use uuid::Uuid;

use super::service::DictationService;
use super::{Claim, Dictation, DictationEvent, DictationMode, DictationState, Stage, Transcript};
use crate::commands;
use crate::disclosure::disclose;
use crate::drafting::{self, Assembly, Draft, Recording};
use crate::encounter_record::{DICTATION_SYSTEM, EncounterRecord, transcript_identifier};
use crate::failure::ClinicError;
use crate::review::learning::{Instead, substituted};
use crate::review::{LearntName, proposals};
use crate::speech::audio::{WAVE_HEADER, wave_header};

impl DictationService {
    /// Carries a stage out; the answer is the state that follows.
    pub(super) async fn carry_out(
        &self,
        stage: Stage,
        tenant: TenantId,
        dictation: &mut Dictation,
        claim: Claim,
    ) -> Result<DictationState, ClinicError> {
        match stage {
            Stage::Decode => self.unpack(tenant, dictation, claim).await,
            Stage::Transcribe => self.transcribe(tenant, dictation).await,
            Stage::Extract => self.extract(tenant, dictation).await,
            Stage::Draft => self.draft(tenant, dictation, claim).await.map(|()| DictationState::Drafted),
        }
    }

    async fn transcribe(&self, tenant: TenantId, dictation: &mut Dictation) -> Result<DictationState, ClinicError> {
        if dictation.settings.mode == DictationMode::Upload {
            // Its audio is committed: nobody needs the file any more.
            self.parts.uploads.remove(tenant, dictation.id).await?;
        }
        let frames = dictation.saved.sequence.map_or(0, |last| last + 1);
        if frames == 0 {
            return Ok(DictationState::NoSpeech);
        }
        dictation.result.segments = match self.live_segments(dictation.id, frames).await {
            Some(segments) => segments,
            None => self.decode(tenant, dictation).await?,
        };
        if dictation.settings.commands {
            let segments = std::mem::take(&mut dictation.result.segments);
            dictation.result.segments = commands::sorted(segments);
        }
        let silent = Transcript::of(&dictation.result.segments).text.is_empty();
        Ok(if silent { DictationState::NoSpeech } else { DictationState::Transcribed })
    }

    async fn extract(&self, tenant: TenantId, dictation: &mut Dictation) -> Result<DictationState, ClinicError> {
        if let Some(place) = self.parts.extractor.destination() {
            self.disclose(tenant, dictation, &place).await?;
        }
        let text = Transcript::of(&dictation.result.segments).text;
        let learnt = self.learnt(tenant, dictation).await?;
        let mut names: Vec<Instead> = learnt.iter().map(Instead::from).collect();
        names.extend(Instead::proposed(&dictation.result.segments));
        let read = substituted(&text, &names);
        let found = (self.parts.extractor.extract(&read.text, &dictation.settings.language).await)
            .map_err(|error| ClinicError::Unavailable(error.to_string()))?;
        dictation.result.entities = read.restored(found, &text);
        for entity in &dictation.result.entities {
            self.publish(dictation.id, DictationEvent::Entity { entity: Box::new(entity.clone()) });
        }
        Ok(DictationState::Extracted)
    }

    /// What the doctor's lexicon has learnt, what was corrected most often first.
    pub(super) async fn learnt(&self, tenant: TenantId, dictation: &Dictation) -> Result<Vec<LearntName>, ClinicError> {
        match &dictation.settings.practitioner {
            Some(practitioner) => Ok(self.parts.lexicon.learnt(tenant, practitioner).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Audio or a text that leaves this machine is recorded before it leaves; without the record it stays.
    pub(super) async fn disclose(
        &self,
        tenant: TenantId,
        dictation: &Dictation,
        place: &str,
    ) -> Result<(), ClinicError> {
        let caller = job_caller(tenant, dictation)?;
        let target = format!("dictation/{} to {place}", dictation.id);
        let recorder = (self.parts.audit.as_ref(), self.parts.clock.as_ref());
        disclose(recorder, &caller, target, vec![dictation.patient.id().as_str().into()]).await
    }

    async fn draft(&self, tenant: TenantId, dictation: &mut Dictation, claim: Claim) -> Result<(), ClinicError> {
        let transcript = Transcript::of(&dictation.result.segments);
        let caller = job_caller(tenant, dictation)?;
        let record = EncounterRecord::load(&self.parts.fhir, &caller, &dictation.encounter).await?;
        if let Some(written) = record.draft_of(dictation.id) {
            // The program ended between the transaction and the state: the draft is there already.
            dictation.result.transcript = Some(written);
            dictation.result.composition = record.composition_reference();
            return Ok(());
        }
        let recording = self.described(tenant, dictation).await?;
        let now = (self.parts.clock.now().to_milliseconds(), self.parts.ids.as_ref());
        let extractor = (self.parts.extractor.name(), self.parts.extractor.version());
        let assembly = Assembly { recording, record: &record, extractor };
        let bundle = drafting::bundle(&Draft::of(dictation, &transcript, &record, now), &assembly);
        // Written before the draft: a draft that is there has its proposals, whatever ends the program.
        self.parts.proposals.propose(tenant, &proposals(&record, dictation)).await?;
        // Whoever was slower finds the transcript of this dictation, and writes nothing a second time.
        let written = self.parts.fhir.criteria(
            &caller,
            ResourceType::document_reference(),
            &format!("identifier={}", transcript_token(dictation.id)),
        )?;
        // A late worker stops here; one that is later still finds the transcript.
        if !self.parts.store.renew(tenant, dictation.id, claim).await? {
            return Err(ClinicError::Conflict("another worker has the dictation".to_owned()));
        }
        let Some(outcomes) = self.parts.fhir.transaction_unless(&caller, bundle, written).await? else {
            let record = EncounterRecord::load(&self.parts.fhir, &caller, &dictation.encounter).await?;
            dictation.result.transcript = record.draft_of(dictation.id);
            dictation.result.composition = record.composition_reference();
            return Ok(());
        };
        for outcome in outcomes {
            let (TransactionOutcome::Created(stored) | TransactionOutcome::Updated(stored)) = outcome else { continue };
            note(dictation, &stored);
        }
        Ok(())
    }

    /// The recording as a WAV file (RIFF, 16 kHz, mono, 16 bits) is described piece by piece: it is never whole in memory.
    async fn described(&self, tenant: TenantId, dictation: &Dictation) -> Result<Recording, ClinicError> {
        let mut digest = Sha1::new_with_prefix(header(dictation));
        self.each_frame(tenant, dictation.id, |samples| digest.update(samples)).await?;
        let size = usize::try_from(dictation.saved.bytes).unwrap_or(usize::MAX).saturating_add(WAVE_HEADER);
        Ok(Recording { size, sha1: digest.finalize().into(), milliseconds: dictation.saved.milliseconds })
    }

    /// Visits the samples of all committed frames, a page of them in memory at a time.
    async fn each_frame(&self, tenant: TenantId, id: Uuid, mut visit: impl FnMut(&[u8])) -> Result<(), ClinicError> {
        let mut from = 0;
        loop {
            let page = self.samples(tenant, id, from).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            from = last + 1;
            page.iter().for_each(|(_, samples)| visit(samples));
        }
    }
}

fn header(dictation: &Dictation) -> Vec<u8> {
    wave_header(u32::try_from(dictation.saved.bytes).unwrap_or(u32::MAX))
}

/// The identifier of a dictation's transcript as a search value.
fn transcript_token(id: Uuid) -> String {
    format!("{DICTATION_SYSTEM}|{}", transcript_identifier(id))
}

/// Keeps the references: the transcript is the last DocumentReference of the Bundle.
fn note(dictation: &mut Dictation, stored: &Stored) {
    match stored.key.resource_type().as_str() {
        "DocumentReference" => dictation.result.transcript = Some(stored.key.to_string()),
        "Composition" => dictation.result.composition = Some(stored.key.to_string()),
        _ => {}
    }
}

/// The act was permitted when the dictation was made; the work on it is the system's, in the clinician's name.
pub(super) fn job_caller(tenant: TenantId, dictation: &Dictation) -> Result<Caller, ClinicError> {
    let settings = &dictation.settings;
    let practitioner = settings.practitioner.as_deref().and_then(|text| text.strip_prefix("Practitioner/"));
    let practitioner = practitioner.and_then(|id| id.parse().ok());
    Ok(Caller {
        tenant,
        account: settings.account.as_str().into(),
        display: settings.display.as_str().into(),
        roles: vec![Role::System],
        practitioner: Some(practitioner.ok_or(ClinicError::NotFound("the dictation's practitioner"))?),
        patient: None,
        request: format!("dictation-{}", dictation.id).into(),
    })
}
