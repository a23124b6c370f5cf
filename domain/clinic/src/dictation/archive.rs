//! The life of recorded audio after its last frame: it moves from its rows into one sealed blob, is read from either, and
//! ends when its consent is withdrawn or its time is over. Its end is the end of its key (NIST SP 800-88, cryptographic
//! erase); what lies sealed without a key is removed after.

use std::ops::Range;
use std::time::Duration;

use seva_fhir::access::{AuditAction, AuditRecord, Caller};
use seva_fhir::types::TenantId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::finishing::job_caller;
use super::ports::{ArchivePlace, BlobError, BlobWriter, Claim, UnderConsent, WrappedKey};
use super::service::DictationService;
use super::{AudioPlace, Dictation, DictationEvent, DictationState, DictationStoreError};
use crate::consent;
use crate::encounter_record::Held;
use crate::failure::ClinicError;
use crate::speech::audio::wave_header;

/// How often kept audio is looked after.
pub(super) const CARE: Duration = Duration::from_secs(5);
/// Samples in one sealed piece of a blob.
const PIECE: u64 = 1024 * 1024;
/// Pieces of blobs are sealed under places that neither frames nor parts of files have.
const BLOB_PLACE: u32 = 3 << 30;
/// 16 samples of two bytes.
const BYTES_A_MILLISECOND: u64 = 32;
/// Chunks that are read at once.
const CHUNKS: u32 = 64;
/// Dictations that are looked after at once.
const AT_ONCE: u32 = 100;
/// Consents that are looked at at once.
const LOOKED_AT: u32 = 1000;
/// How often reading follows audio that moves while it is read.
const MOVES: u32 = 3;

/// A recording as a WAV file (RIFF, 16 kHz, mono, 16 bits) that is read piece by piece.
#[derive(Clone)]
pub struct RecordingFile {
    service: DictationService,
    tenant: TenantId,
    dictation: Dictation,
    /// The bytes of the samples that the file holds.
    part: Range<u64>,
}

impl RecordingFile {
    /// The length of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.header().len() as u64 + self.part.end - self.part.start
    }

    /// A file of its own with these milliseconds, as many of them as there are.
    pub fn clip(mut self, milliseconds: Range<u64>) -> Result<Self, ClinicError> {
        let bytes = |time: u64| time.saturating_mul(BYTES_A_MILLISECOND).min(self.part.end);
        let part = bytes(milliseconds.start)..bytes(milliseconds.end);
        if part.is_empty() {
            let text = format!("the recording lasts {} milliseconds", self.dictation.saved.milliseconds);
            return Err(ClinicError::Invalid(text));
        }
        self.part = part;
        Ok(self)
    }

    fn header(&self) -> Vec<u8> {
        wave_header(u32::try_from(self.part.end - self.part.start).unwrap_or(u32::MAX))
    }

    /// Reads bytes from `at` on, as many as lie together; none at the end.
    pub async fn read(&mut self, at: u64) -> Result<Vec<u8>, ClinicError> {
        let head = self.header();
        if let Some(rest) = usize::try_from(at).ok().and_then(|at| head.get(at..)).filter(|rest| !rest.is_empty()) {
            return Ok(rest.to_vec());
        }
        let byte = self.part.start + at.saturating_sub(head.len() as u64);
        if byte >= self.part.end {
            return Ok(Vec::new());
        }
        let mut bytes = self.samples(byte).await?;
        bytes.truncate(usize::try_from(self.part.end - byte).unwrap_or(usize::MAX));
        Ok(bytes)
    }

    async fn samples(&mut self, byte: u64) -> Result<Vec<u8>, ClinicError> {
        for _ in 0..MOVES {
            let found = match self.dictation.audio {
                AudioPlace::Rows => self.service.rows_at(self.tenant, &self.dictation, byte).await?,
                AudioPlace::Blob => self.service.blob_at(self.tenant, &self.dictation, byte).await?,
                AudioPlace::Shredding | AudioPlace::Shredded => None,
            };
            if let Some(bytes) = found {
                return Ok(bytes);
            }
            // It moved, or ended, between two pieces.
            let now = self.service.parts.store.find(self.tenant, self.dictation.id).await?;
            self.dictation = now.ok_or(ClinicError::NotFound("the dictation"))?;
            gone(&self.dictation)?;
        }
        Err(ClinicError::Unavailable(format!("the audio of dictation {} is not in its place", self.dictation.id)))
    }
}

fn gone(dictation: &Dictation) -> Result<(), ClinicError> {
    if dictation.audio.is_kept() { Ok(()) } else { Err(ClinicError::Gone("the audio of this dictation was shredded")) }
}

impl DictationService {
    /// The committed audio as a WAV file.
    pub async fn recording(&self, caller: &Caller, id: Uuid) -> Result<RecordingFile, ClinicError> {
        let dictation = self.find(caller, id).await?;
        gone(&dictation)?;
        let part = 0..dictation.saved.bytes;
        Ok(RecordingFile { service: self.clone(), tenant: caller.tenant, dictation, part })
    }

    async fn rows_at(
        &self,
        tenant: TenantId,
        dictation: &Dictation,
        byte: u64,
    ) -> Result<Option<Vec<u8>>, ClinicError> {
        let Some(key) = self.parts.keys.find(tenant, dictation.id).await? else { return Ok(None) };
        let Some((sequence, first)) = self.parts.archive.chunk_at(tenant, dictation.id, byte).await? else {
            return Ok(None);
        };
        let mut plain = Vec::new();
        for chunk in self.parts.store.chunks(tenant, dictation.id, sequence, CHUNKS).await? {
            plain.extend(self.open_piece(dictation.id, &key, (chunk.sequence, &chunk.data))?);
        }
        Ok(rest_of(plain, byte - first))
    }

    async fn blob_at(
        &self,
        tenant: TenantId,
        dictation: &Dictation,
        byte: u64,
    ) -> Result<Option<Vec<u8>>, ClinicError> {
        let Some(key) = self.parts.keys.find(tenant, dictation.id).await? else { return Ok(None) };
        let (number, place) = self.piece_of(dictation.saved.bytes, byte);
        let sealed = match self.parts.blobs.get(tenant, dictation.id, Some(place)).await {
            Ok(sealed) => sealed,
            // Another size than the row tells: it is not this recording's whole blob.
            Err(BlobError::Range { .. }) => None,
            Err(error) => return Err(ClinicError::Unavailable(error.to_string())),
        };
        let Some(sealed) = sealed else { return Ok(None) };
        let plain = self.open_piece(dictation.id, &key, (BLOB_PLACE | number, &sealed.bytes))?;
        Ok(rest_of(plain, byte % PIECE))
    }

    /// The piece that holds a byte of so many, and where it lies sealed.
    fn piece_of(&self, bytes: u64, byte: u64) -> (u32, Range<u64>) {
        let number = byte / PIECE;
        let sealed = PIECE + self.parts.cipher.overhead();
        let plain = PIECE.min(bytes - number * PIECE);
        let start = number * sealed;
        (u32::try_from(number).unwrap_or(u32::MAX), start..start + plain + self.parts.cipher.overhead())
    }

    /// Opens what was sealed for its place.
    pub(super) fn open_piece(
        &self,
        id: Uuid,
        key: &WrappedKey,
        (place, sealed): (u32, &[u8]),
    ) -> Result<Vec<u8>, ClinicError> {
        let opened = self.parts.cipher.decrypt(id, key, place, sealed);
        opened.map_err(|error| ClinicError::Unavailable(error.to_string()))
    }

    /// Moves audio whose work is done into the blob store; true when there was some to move.
    pub(super) async fn move_audio(&self) -> Result<bool, ClinicError> {
        let Some((tenant, dictation, claim)) = self.parts.archive.claim_audio().await? else { return Ok(false) };
        let id = dictation.id;
        // What fails is tried again when the lease is over, and not before: the blob store may be away.
        tokio::select! {
            moved = self.moving(tenant, &dictation, claim) => moved.map(|()| true),
            () = self.hold(tenant, id, claim) => Ok(true),
            () = self.closed() => Ok(false),
        }
    }

    async fn moving(&self, tenant: TenantId, dictation: &Dictation, claim: Claim) -> Result<(), ClinicError> {
        let key = self.parts.keys.find(tenant, dictation.id).await?;
        // Withdrawn at this moment.
        let Some(key) = key else { return Ok(()) };
        let kind = "application/octet-stream";
        let writer = self.parts.blobs.write(tenant, dictation.id, kind).await.map_err(away)?;
        let written = self.pour(tenant, dictation, &key, writer).await?;
        let read = self.digest_of_blob(tenant, dictation).await?;
        if read != written {
            let text =
                format!("the audio of dictation {} did not come back from the blob store as it was", dictation.id);
            return Err(ClinicError::Unavailable(text));
        }
        match self.parts.archive.moved(tenant, dictation.id, claim).await {
            // Withdrawn meanwhile, or somebody else's: the key tells what the blob is worth.
            Ok(()) | Err(DictationStoreError::State) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn pour(
        &self,
        tenant: TenantId,
        dictation: &Dictation,
        key: &WrappedKey,
        mut writer: Box<dyn BlobWriter>,
    ) -> Result<[u8; 32], ClinicError> {
        match self.pour_pieces(tenant, dictation, key, writer.as_mut()).await {
            Ok(digest) => writer.finish().await.map_err(away).map(|()| digest),
            Err(error) => {
                writer.abandon().await;
                Err(error)
            }
        }
    }

    async fn pour_pieces(
        &self,
        tenant: TenantId,
        dictation: &Dictation,
        key: &WrappedKey,
        writer: &mut dyn BlobWriter,
    ) -> Result<[u8; 32], ClinicError> {
        let id = dictation.id;
        let piece = usize::try_from(PIECE).unwrap_or(usize::MAX);
        let (mut digest, mut waiting, mut number, mut from) = (Sha256::new(), Vec::new(), BLOB_PLACE, 0);
        let mut poured = 0;
        loop {
            let page = self.samples(tenant, id, from).await?;
            let Some((last, _)) = page.last() else { break };
            from = last + 1;
            for (_, samples) in &page {
                poured += samples.len() as u64;
                digest.update(samples);
                waiting.extend_from_slice(samples);
            }
            while waiting.len() >= piece {
                let rest = waiting.split_off(piece);
                let sealed = self.parts.cipher.encrypt(id, key, number, &waiting).map_err(away)?;
                writer.append(sealed).await.map_err(away)?;
                (waiting, number) = (rest, number + 1);
            }
        }
        if !waiting.is_empty() {
            let sealed = self.parts.cipher.encrypt(id, key, number, &waiting).map_err(away)?;
            writer.append(sealed).await.map_err(away)?;
        }
        // A late worker whose successor has removed the rows must not put its part of the audio in place of the whole.
        if poured != dictation.saved.bytes {
            let all = dictation.saved.bytes;
            return Err(ClinicError::Unavailable(format!("of dictation {id} {poured} of {all} bytes lie in rows")));
        }
        Ok(digest.finalize().into())
    }

    async fn digest_of_blob(&self, tenant: TenantId, dictation: &Dictation) -> Result<[u8; 32], ClinicError> {
        let (mut digest, mut byte) = (Sha256::new(), 0);
        while byte < dictation.saved.bytes {
            let Some(plain) = self.blob_at(tenant, dictation, byte).await? else { break };
            byte += plain.len() as u64;
            digest.update(&plain);
        }
        Ok(digest.finalize().into())
    }

    /// Ends what has to end: blobs without a key, audio whose time is over, audio whose consent was withdrawn. Returns
    /// where the Consents are looked at next.
    pub(super) async fn care(&self, place: Option<ArchivePlace>) -> Result<Option<ArchivePlace>, ClinicError> {
        for (tenant, id) in self.parts.archive.shredding(AT_ONCE).await? {
            self.remove_blob(tenant, id).await?;
        }
        if let Some(age) = self.parts.limits.keep_audio {
            for (tenant, dictation) in self.parts.archive.kept_since(age, AT_ONCE).await? {
                self.shred(tenant, &dictation, "its time is over").await?;
            }
        }
        let page = self.parts.archive.under_changed_consents(place, LOOKED_AT).await?;
        for under in page.changed {
            self.judge(&under).await?;
        }
        Ok(page.next)
    }

    /// Holds a dictation against its Consent as it stands now.
    async fn judge(&self, under: &UnderConsent) -> Result<(), ClinicError> {
        let UnderConsent { tenant, dictation, consent } = under;
        let refused = match consent {
            None => Some("the consent was deleted"),
            // Its period is that of the recording, and not of the audio.
            Some(stored) => {
                consent::refusal(&Held::of(stored)?.body, &dictation.patient.to_string(), dictation.created)
            }
        };
        match (refused, consent) {
            (Some(reason), _) => self.end(*tenant, dictation, reason).await,
            (None, Some(stored)) => Ok(self.parts.archive.judged(*tenant, dictation.id, stored.version).await?),
            (None, None) => Ok(()),
        }
    }

    /// Ends a dictation whose consent was withdrawn. What was drafted or signed is the clinician's record and stays: its
    /// audio ends.
    async fn end(&self, tenant: TenantId, dictation: &Dictation, reason: &str) -> Result<(), ClinicError> {
        if matches!(dictation.state, DictationState::Drafted | DictationState::Reviewed) {
            return self.shred(tenant, dictation, reason).await;
        }
        match self.parts.store.withdraw(tenant, dictation.id, Some(reason)).await {
            Ok(()) => {}
            Err(DictationStoreError::State) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        self.note_end(tenant, dictation, reason).await?;
        self.tell(dictation.id, DictationEvent::Warning { text: reason.to_owned() });
        self.ended(tenant, dictation.id).await
    }

    async fn shred(&self, tenant: TenantId, dictation: &Dictation, reason: &str) -> Result<(), ClinicError> {
        if !self.parts.archive.shred(tenant, dictation.id).await? {
            return Ok(());
        }
        self.note_end(tenant, dictation, reason).await?;
        self.remove_blob(tenant, dictation.id).await
    }

    /// After a withdrawal: listeners are told, recognisers let go, the sealed blob is removed.
    pub(super) async fn ended(&self, tenant: TenantId, id: Uuid) -> Result<(), ClinicError> {
        self.tell(id, DictationEvent::State { state: DictationState::Withdrawn });
        self.forget(id);
        self.tell_places().await;
        self.remove_blob(tenant, id).await
    }

    async fn remove_blob(&self, tenant: TenantId, id: Uuid) -> Result<(), ClinicError> {
        self.parts.blobs.delete(tenant, id).await.map_err(away)?;
        Ok(self.parts.archive.blob_removed(tenant, id).await?)
    }

    async fn note_end(&self, tenant: TenantId, dictation: &Dictation, reason: &str) -> Result<(), ClinicError> {
        let caller = job_caller(tenant, dictation)?;
        let target = format!("dictation/{} audio shredded: {reason}", dictation.id);
        let record = AuditRecord::of(&caller, AuditAction::Dictation, target, self.parts.clock.now());
        let record = record.naming(vec![dictation.patient.id().as_str().into()]);
        self.parts.audit.record_now(record).await.map_err(away)
    }
}

fn rest_of(mut plain: Vec<u8>, from: u64) -> Option<Vec<u8>> {
    let from = usize::try_from(from).ok().filter(|from| *from < plain.len())?;
    Some(plain.split_off(from))
}

fn away(error: impl std::fmt::Display) -> ClinicError {
    ClinicError::Unavailable(error.to_string())
}
