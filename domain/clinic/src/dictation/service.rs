//! Takes a dictation from its first frame to its draft; every caller passes here, from the socket and from the pages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use seva_fhir::FhirService;
use seva_fhir::access::{AuditLog, Caller, Interaction, Refusal, decide};
use seva_fhir::clock::{Clock, IdSource};
use seva_fhir::json::Json;
use seva_fhir::service::FhirError;
use seva_fhir::types::{ResourceKey, TenantId};
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, Semaphore, broadcast, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::live::Recognisers;
use super::ports::{
    AudioChunk, AudioCipher, AudioPlace, BlobStore, DictationStore, DictationStoreError, PartPlace, RecordingArchive,
    RecordingKeys, RecordingUploads, Saved, WrappedKey,
};
use super::{
    Dictation, DictationEvent, DictationLimits, DictationMode, DictationResult, DictationSettings, DictationState,
    Transcript,
};
use crate::consent;
use crate::encounter_record::Held;
use crate::entities::EntityExtractor;
use crate::failure::ClinicError;
use crate::review::{LearntNames, Proposals};
use crate::speech::SpeechEngine;
use crate::speech::audio::AudioDecoder;

/// A frame holds at most one second: 16 kHz, 16 bits.
const MAX_FRAME_BYTES: usize = 32_000;
/// A recording holds at most one day: its WAV file can still tell its size in four bytes.
pub(super) const MAX_MILLISECONDS: u64 = 24 * 3_600_000;
/// Events that a slow listener may fall behind.
const EVENTS: usize = 256;

/// What a dictation is made of.
pub struct DictationRequest {
    /// The patient.
    pub patient: ResourceKey,
    /// The encounter.
    pub encounter: ResourceKey,
    /// The consent that permits the recording.
    pub consent: ResourceKey,
    /// The spoken language as a BCP 47 tag.
    pub language: String,
    /// How the microphone is worked.
    pub mode: DictationMode,
    /// Whether final segments are read as commands.
    pub commands: bool,
}

/// Audio as it was sent: 16 kHz, mono, signed 16-bit little-endian.
#[derive(Clone)]
pub struct Frame {
    /// Its place, from 0.
    pub sequence: u32,
    /// The samples.
    pub samples: Vec<u8>,
}

/// How far the prescription is that was drafted from a dictation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DraftStatus {
    None,
    Unsigned,
    Signed,
}

/// What the service works with.
pub struct DictationParts {
    /// The FHIR kernel.
    pub fhir: FhirService,
    /// Rows.
    pub store: Arc<dyn DictationStore>,
    /// Files that come in parts.
    pub uploads: Arc<dyn RecordingUploads>,
    /// Decodes them.
    pub decoder: Arc<dyn AudioDecoder>,
    /// Where finished audio goes.
    pub blobs: Arc<dyn BlobStore>,
    /// What is known of kept audio.
    pub archive: Arc<dyn RecordingArchive>,
    /// Keys.
    pub keys: Arc<dyn RecordingKeys>,
    /// The cipher.
    pub cipher: Arc<dyn AudioCipher>,
    /// The speech engine.
    pub speech: Arc<dyn SpeechEngine>,
    /// The entity extractor.
    pub extractor: Arc<dyn EntityExtractor>,
    /// The doctors' own lexicons.
    pub lexicon: Arc<dyn LearntNames>,
    /// What further recordings of an encounter propose.
    pub proposals: Arc<dyn Proposals>,
    /// The audit log, for texts that leave this machine.
    pub audit: Arc<dyn AuditLog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// How long states last, and how many are worked on.
    pub limits: DictationLimits,
}

/// Makes dictations, takes their audio and works on them; clones share everything.
#[derive(Clone)]
pub struct DictationService {
    pub(super) parts: Arc<DictationParts>,
    pub(super) live: Arc<Mutex<Recognisers>>,
    listeners: Arc<Mutex<HashMap<Uuid, broadcast::Sender<DictationEvent>>>>,
    /// How much is transcribed of the recordings that this node works on, in percent.
    pub(super) progress: Arc<Mutex<HashMap<Uuid, u8>>>,
    pub(super) tasks: Arc<Mutex<JoinSet<()>>>,
    /// Streams that only become text may be so many.
    pub(super) streams: Arc<Semaphore>,
    /// Told when there may be work.
    pub(super) work: Arc<Notify>,
    pub(super) closing: watch::Sender<bool>,
}

impl From<DictationStoreError> for ClinicError {
    fn from(error: DictationStoreError) -> Self {
        match error {
            DictationStoreError::Unavailable(text) => Self::Unavailable(text),
            other => Self::Conflict(other.to_string()),
        }
    }
}

impl DictationService {
    /// Wires the service.
    #[must_use]
    pub fn new(parts: DictationParts) -> Self {
        Self {
            streams: Arc::new(Semaphore::new(parts.limits.sessions)),
            parts: Arc::new(parts),
            live: Arc::default(),
            listeners: Arc::default(),
            progress: Arc::default(),
            tasks: Arc::default(),
            work: Arc::default(),
            closing: watch::Sender::new(false),
        }
    }

    /// Makes a dictation if patient, encounter and consent belong together and the consent permits it.
    pub async fn create(&self, caller: &Caller, request: DictationRequest) -> Result<Dictation, ClinicError> {
        let practitioner = Some(may_dictate(caller)?);
        self.resource(caller, &request.patient).await?;
        let encounter = self.resource(caller, &request.encounter).await?;
        let patient = request.patient.to_string();
        if encounter.get("subject").and_then(|subject| subject.get_str("reference")) != Some(&patient) {
            return Err(ClinicError::Invalid("the encounter is not the patient's".to_owned()));
        }
        let consent = self.parts.fhir.read(caller, &request.consent).await?;
        let consent_version = Some(consent.version);
        let consent = Held::of(&consent)?.body;
        let now = self.parts.clock.now().to_milliseconds();
        if let Some(reason) = consent::refusal(&consent, &patient, now) {
            return Err(ClinicError::Invalid(reason.to_owned()));
        }
        let settings = DictationSettings {
            account: caller.account.to_string(),
            display: caller.display.to_string(),
            practitioner,
            language: request.language,
            mode: request.mode,
            commands: request.commands,
            engine: self.parts.speech.name().to_owned(),
            engine_version: self.parts.speech.version(),
        };
        let dictation = Dictation {
            id: self.parts.ids.new_uuid(),
            state: DictationState::Created,
            patient: request.patient,
            encounter: request.encounter,
            consent: request.consent,
            consent_version,
            settings,
            result: DictationResult::default(),
            saved: Saved::default(),
            audio: AudioPlace::Rows,
            uploaded: 0,
            since: now,
            place: None,
            created: now,
            updated: now,
        };
        let key =
            self.parts.cipher.new_key(dictation.id).map_err(|error| ClinicError::Unavailable(error.to_string()))?;
        self.parts.store.create(caller.tenant, &dictation).await?;
        self.parts.keys.create(caller.tenant, dictation.id, &key).await?;
        Ok(dictation)
    }

    /// Finds a dictation that the caller may read.
    pub async fn find(&self, caller: &Caller, id: Uuid) -> Result<Dictation, ClinicError> {
        may_read(caller)?;
        let mut found =
            self.parts.store.find(caller.tenant, id).await?.ok_or(ClinicError::NotFound("the dictation"))?;
        self.complete(caller, &mut found).await?;
        Ok(found)
    }

    /// Lists the dictations of an encounter.
    pub async fn by_encounter(&self, caller: &Caller, encounter: &ResourceKey) -> Result<Vec<Dictation>, ClinicError> {
        may_read(caller)?;
        let mut found = self.parts.store.by_encounter(caller.tenant, encounter).await?;
        for dictation in &mut found {
            self.complete(caller, dictation).await?;
        }
        Ok(found)
    }

    /// Adds what the row does not say: progress and place of one that is worked on, how much of a file is there, whether a draft was signed.
    async fn complete(&self, caller: &Caller, dictation: &mut Dictation) -> Result<(), ClinicError> {
        let undecoded = dictation.state.takes_file() || dictation.state == DictationState::Uploaded;
        if dictation.settings.mode == DictationMode::Upload && undecoded {
            let last = self.parts.uploads.last(caller.tenant, dictation.id).await?;
            dictation.uploaded = last.as_ref().map_or(0, PartPlace::end);
        }
        if dictation.state.stage().is_some() {
            dictation.place = Some(self.parts.store.place(caller.tenant, dictation.id).await?);
            let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(percent) = progress.get(&dictation.id) {
                dictation.result.progress = *percent;
            }
        }
        if dictation.state == DictationState::Drafted
            && self.draft_status(caller, dictation).await? == DraftStatus::Signed
        {
            dictation.state = DictationState::Reviewed;
            match self.put(caller.tenant, dictation, DictationState::Drafted).await {
                // Somebody else has seen it at the same time.
                Ok(()) | Err(DictationStoreError::State) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// How far the prescription is that was drafted.
    async fn draft_status(&self, caller: &Caller, dictation: &Dictation) -> Result<DraftStatus, ClinicError> {
        let composition = dictation.result.composition.as_ref().and_then(|text| text.parse::<ResourceKey>().ok());
        let Some(key) = composition else { return Ok(DraftStatus::None) };
        let status = self.resource(caller, &key).await?.get_str("status").map(str::to_owned);
        Ok(if status.as_deref() == Some("preliminary") { DraftStatus::Unsigned } else { DraftStatus::Signed })
    }

    /// Finds a dictation that the caller recorded: nobody else may write to it.
    pub async fn own(&self, caller: &Caller, id: Uuid) -> Result<Dictation, ClinicError> {
        let dictation = self.find(caller, id).await?;
        if dictation.settings.account == *caller.account {
            Ok(dictation)
        } else {
            Err(ClinicError::Forbidden("the dictation belongs to another account".to_owned()))
        }
    }

    /// Commits frames, encrypted; what is returned is on disk, and only then is the recogniser fed.
    pub async fn append_frames(&self, caller: &Caller, id: Uuid, frames: Vec<Frame>) -> Result<Saved, ClinicError> {
        let dictation = self.own(caller, id).await?;
        if !dictation.state.takes_audio() {
            return Err(ClinicError::Conflict(format!("the dictation takes no more audio: it is {}", dictation.state)));
        }
        let key = self.parts.keys.find(caller.tenant, id).await?.ok_or(ClinicError::NotFound("the recording's key"))?;
        let mut chunks = Vec::with_capacity(frames.len());
        let mut total = dictation.saved.milliseconds;
        for frame in &frames {
            if frame.samples.is_empty() || frame.samples.len() > MAX_FRAME_BYTES || frame.samples.len() % 2 == 1 {
                return Err(ClinicError::Invalid("a frame holds one second of 16-bit samples at most".to_owned()));
            }
            let chunk = self.sealed(id, &key, frame)?;
            total += u64::from(chunk.milliseconds);
            chunks.push(chunk);
        }
        if total > MAX_MILLISECONDS {
            return Err(ClinicError::Invalid("a recording lasts one day at most".to_owned()));
        }
        let saved = self.parts.store.append(caller.tenant, id, chunks).await?;
        if dictation.state != DictationState::Live {
            self.tell(id, DictationEvent::State { state: DictationState::Live });
        }
        self.feed(caller.tenant, &dictation, frames).await;
        Ok(saved)
    }

    /// A frame as it is stored.
    pub(super) fn sealed(&self, id: Uuid, key: &WrappedKey, frame: &Frame) -> Result<AudioChunk, ClinicError> {
        let data = (self.parts.cipher.encrypt(id, key, frame.sequence, &frame.samples))
            .map_err(|error| ClinicError::Unavailable(error.to_string()))?;
        let milliseconds = u32::try_from(frame.samples.len() / 32).unwrap_or(u32::MAX);
        let size = u32::try_from(frame.samples.len()).unwrap_or(u32::MAX);
        let sha256 = Sha256::digest(&frame.samples).into();
        Ok(AudioChunk { sequence: frame.sequence, milliseconds, size, sha256, data })
    }

    /// Listens to one dictation; the caller must be its owner.
    pub async fn listen(&self, caller: &Caller, id: Uuid) -> Result<broadcast::Receiver<DictationEvent>, ClinicError> {
        self.own(caller, id).await?;
        Ok(self.publisher(id).subscribe())
    }

    /// Shreds the recording's key and audio; not once its draft was signed.
    pub async fn withdraw(&self, caller: &Caller, id: Uuid) -> Result<(), ClinicError> {
        let dictation = self.own(caller, id).await?;
        if dictation.state == DictationState::Reviewed
            || self.draft_status(caller, &dictation).await? == DraftStatus::Signed
        {
            return Err(ClinicError::Conflict("the prescription of this dictation was signed".to_owned()));
        }
        self.parts.store.withdraw(caller.tenant, id, None).await?;
        self.ended(caller.tenant, id).await
    }

    /// Returns the dictation's whole text.
    #[must_use]
    pub fn transcript(dictation: &Dictation) -> Transcript {
        Transcript::of(&dictation.result.segments)
    }

    pub(super) async fn resource(&self, caller: &Caller, key: &ResourceKey) -> Result<Json, ClinicError> {
        Ok(Held::of(&self.parts.fhir.read(caller, key).await?)?.body)
    }

    pub(super) fn publisher(&self, id: Uuid) -> broadcast::Sender<DictationEvent> {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.entry(id).or_insert_with(|| broadcast::channel(EVENTS).0).clone()
    }

    pub(super) fn publish(&self, id: Uuid, event: DictationEvent) {
        // Nobody may be listening; what counts is in the store.
        let _ = self.publisher(id).send(event);
    }

    /// The same to those who listen already: no channel is kept for a dictation that nobody asked for.
    pub(super) fn tell(&self, id: Uuid, event: DictationEvent) {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listeners.get(&id) {
            // The last one may have gone meanwhile.
            let _ = listener.send(event);
        }
    }

    pub(super) fn forget(&self, id: Uuid) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        drop(self.let_go(id));
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    pub(super) async fn samples(
        &self,
        tenant: TenantId,
        id: Uuid,
        from: u32,
    ) -> Result<Vec<(u32, Vec<u8>)>, ClinicError> {
        let key = self.parts.keys.find(tenant, id).await?.ok_or(ClinicError::NotFound("the recording's key"))?;
        let mut plain = Vec::new();
        for chunk in self.parts.store.chunks(tenant, id, from, 64).await? {
            plain.push((chunk.sequence, self.open_piece(id, &key, (chunk.sequence, &chunk.data))?));
        }
        Ok(plain)
    }
}

/// Whoever may dictate is a practitioner; the answer is the reference to it.
pub(super) fn may_dictate(caller: &Caller) -> Result<String, ClinicError> {
    let kind = "DocumentReference".parse().map_err(|_| ClinicError::NotFound("the document type"))?;
    decide(caller, Interaction::Create, kind).map_err(FhirError::Refused)?;
    let refused = || FhirError::Refused(Refusal::NoPractitioner { action: "a dictation" });
    caller.practitioner_reference().ok_or_else(|| refused().into())
}

fn may_read(caller: &Caller) -> Result<(), ClinicError> {
    let kind = "DocumentReference".parse().map_err(|_| ClinicError::NotFound("the document type"))?;
    match decide(caller, Interaction::Read, kind).map_err(FhirError::Refused)? {
        seva_fhir::access::Permit::Whole => Ok(()),
        // A patient's documents are read through /fhir, where the compartment is enforced.
        seva_fhir::access::Permit::Compartment(_) => Err(ClinicError::NotFound("the dictation")),
    }
}
