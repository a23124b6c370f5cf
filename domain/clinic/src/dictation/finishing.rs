//! The work after the last frame: transcript, entities, draft, one transaction. It starts again after a crash, from the store.

use std::sync::PoisonError;

use seva_fhir::access::{AuditAction, AuditRecord, Caller, Role};
use seva_fhir::ports::Stored;
use seva_fhir::service::TransactionOutcome;
use seva_fhir::types::{ResourceType, TenantId};
use sha1::{Digest, Sha1};
use uuid::Uuid;

use super::service::DictationService;
use super::{Claim, Dictation, DictationEvent, DictationState, LEASE, Saved, Transcript};
use crate::drafting::{self, Draft, Recording};
use crate::encounter_record::{DICTATION_SYSTEM, EncounterRecord, transcript_identifier};
use crate::failure::ClinicError;
use crate::speech::audio::{WAVE_HEADER, wave_header};

/// Whether other nodes may work on the same database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherNodes {
    /// The database is this node's own.
    None,
    /// It is shared, or may be.
    Possible,
}

impl DictationService {
    /// Ends the recording and begins the work on it; the answer is the dictation in its new state.
    pub async fn finish(&self, caller: &Caller, id: Uuid) -> Result<Dictation, ClinicError> {
        let mut dictation = self.own(caller, id).await?;
        let before = dictation.state;
        if !before.may_become(DictationState::Finishing) {
            // Asked twice: the work is going on or done.
            return Ok(dictation);
        }
        dictation.state = DictationState::Finishing;
        dictation.result.problem = None;
        dictation.updated = self.parts.clock.now().to_milliseconds();
        self.parts.store.update(caller.tenant, &dictation, before).await?;
        self.start(caller.tenant, dictation.clone());
        Ok(dictation)
    }

    /// Goes on with what was unfinished when a program ended, now and whenever a node's lease runs out; call it once at
    /// the start.
    pub async fn resume_unfinished(&self, others: OtherNodes) -> Result<(), ClinicError> {
        if others == OtherNodes::None {
            self.parts.store.release().await?;
        }
        self.resume().await?;
        let service = self.clone();
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.spawn(async move {
            loop {
                tokio::time::sleep(LEASE / 3).await;
                if let Err(error) = service.resume().await {
                    tracing::warn!(%error, "unfinished dictations were not looked for");
                }
            }
        });
        Ok(())
    }

    async fn resume(&self) -> Result<(), ClinicError> {
        for (tenant, id) in self.parts.store.unfinished().await? {
            if let Some(dictation) = self.parts.store.find(tenant, id).await?
                && dictation.state == DictationState::Finishing
            {
                self.start(tenant, dictation);
            }
        }
        Ok(())
    }

    /// Stops the work; what is unfinished goes on at the next start.
    pub async fn shut_down(&self) {
        let mut jobs = std::mem::take(&mut *self.jobs.lock().unwrap_or_else(PoisonError::into_inner));
        jobs.shutdown().await;
    }

    fn start(&self, tenant: TenantId, dictation: Dictation) {
        let service = self.clone();
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        // Ended jobs are let go here, so that the set does not grow.
        while jobs.try_join_next().is_some() {}
        jobs.spawn(async move {
            match service.parts.store.claim(tenant, dictation.id).await {
                Ok(Some(claim)) => service.complete(tenant, dictation, claim).await,
                // Another node works on it.
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "a dictation was not claimed: it is tried again"),
            }
        });
    }

    /// Keeps the lease while the work goes on; ends when somebody else has the dictation.
    async fn hold(&self, tenant: TenantId, id: Uuid, claim: Claim) {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            match self.parts.store.renew(tenant, id, claim).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, "a lease was not renewed"),
            }
        }
    }

    async fn complete(&self, tenant: TenantId, mut dictation: Dictation, claim: Claim) {
        let id = dictation.id;
        let worked = tokio::select! {
            worked = self.work(tenant, &mut dictation) => worked,
            () = self.hold(tenant, id, claim) => return,
        };
        match worked {
            Ok(state) => dictation.state = state,
            Err(error) => {
                dictation.state = DictationState::Failed;
                dictation.result.problem = Some(error.to_string());
            }
        }
        if dictation.state != DictationState::Failed {
            dictation.result.progress = 100;
        }
        dictation.updated = self.parts.clock.now().to_milliseconds();
        // A withdrawal may have come first, and a database that is away leaves it for the next start.
        let written = self.parts.store.complete(tenant, &dictation, claim).await;
        if written.is_ok() {
            match (dictation.state, &dictation.result.composition) {
                (DictationState::Drafted, Some(composition)) => {
                    self.publish(id, DictationEvent::Draft { composition: composition.clone() });
                }
                (DictationState::NoSpeech, _) => self.publish(id, DictationEvent::NoSpeech),
                _ => {}
            }
        }
        let reason = dictation.result.problem.clone().unwrap_or_else(|| dictation.state.code().to_owned());
        self.publish(id, DictationEvent::Closing { reason });
        self.forget(id);
    }

    async fn work(&self, tenant: TenantId, dictation: &mut Dictation) -> Result<DictationState, ClinicError> {
        let saved = self.parts.store.saved(tenant, dictation.id).await?;
        let frames = saved.sequence.map_or(0, |last| last + 1);
        if frames == 0 {
            return Ok(DictationState::NoSpeech);
        }
        dictation.result.segments = match self.live_segments(dictation.id, frames).await {
            Some(segments) => segments,
            None => self.decode(tenant, dictation).await?,
        };
        let transcript = Transcript::of(&dictation.result.segments);
        if transcript.text.is_empty() {
            return Ok(DictationState::NoSpeech);
        }
        if let Some(place) = self.parts.extractor.destination() {
            self.disclose(tenant, dictation, &place).await?;
        }
        let language = dictation.settings.language.clone();
        dictation.result.entities = (self.parts.extractor.extract(&transcript.text, &language).await)
            .map_err(|error| ClinicError::Unavailable(error.to_string()))?;
        for entity in &dictation.result.entities {
            self.publish(dictation.id, DictationEvent::Entity { entity: Box::new(entity.clone()) });
        }
        self.draft(tenant, dictation, saved, &transcript).await?;
        Ok(DictationState::Drafted)
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
        let record = AuditRecord::of(&caller, AuditAction::Disclose, target, self.parts.clock.now());
        let record = record.naming(vec![dictation.patient.id().as_str().into()]);
        self.parts.audit.record_now(record).await.map_err(|error| ClinicError::Unavailable(error.to_string()))
    }

    async fn draft(
        &self,
        tenant: TenantId,
        dictation: &mut Dictation,
        saved: Saved,
        transcript: &Transcript,
    ) -> Result<(), ClinicError> {
        let caller = job_caller(tenant, dictation)?;
        let record = EncounterRecord::load(&self.parts.fhir, &caller, &dictation.encounter).await?;
        if let Some(written) = record.draft_of(dictation.id) {
            // The program ended between the transaction and the state: the draft is there already.
            dictation.result.transcript = Some(written);
            dictation.result.composition = record.composition_reference();
            return Ok(());
        }
        let wave = self.wave(tenant, dictation.id).await?;
        let recording =
            Recording { size: wave.len(), sha1: Sha1::digest(&wave).into(), milliseconds: saved.milliseconds };
        drop(wave);
        let bundle = drafting::bundle(&Draft {
            dictation,
            transcript,
            recording,
            record: &record,
            extractor: (self.parts.extractor.name(), self.parts.extractor.version()),
            now: self.parts.clock.now().to_milliseconds(),
            ids: self.parts.ids.as_ref(),
        });
        // Whoever was slower finds the transcript of this dictation, and writes nothing a second time.
        let written = self.parts.fhir.criteria(
            &caller,
            ResourceType::document_reference(),
            &format!("identifier={}", transcript_token(dictation.id)),
        )?;
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

    /// All committed audio as a WAV file (RIFF, 16 kHz, mono, 16 bits).
    pub(super) async fn wave(&self, tenant: TenantId, id: Uuid) -> Result<Vec<u8>, ClinicError> {
        let mut wave = vec![0; WAVE_HEADER];
        let mut from = 0;
        loop {
            let page = self.samples(tenant, id, from).await?;
            let Some((last, _)) = page.last() else { break };
            from = last + 1;
            page.iter().for_each(|(_, samples)| wave.extend_from_slice(samples));
        }
        let length = u32::try_from(wave.len() - WAVE_HEADER).unwrap_or(u32::MAX);
        wave.splice(..WAVE_HEADER, wave_header(length));
        Ok(wave)
    }
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
fn job_caller(tenant: TenantId, dictation: &Dictation) -> Result<Caller, ClinicError> {
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
