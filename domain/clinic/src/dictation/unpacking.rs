//! From an uploaded file to frames, as a stage of the work: the file is decoded off the async threads, and its frames are
//! committed in order. Done a second time it begins anew, and a file that is no recording makes room for another one.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock, PoisonError};

use seva_fhir::types::TenantId;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::ports::Saved;
use super::service::{DictationService, Frame, MAX_MILLISECONDS};
use super::{Claim, Dictation, DictationEvent, DictationState, UploadedFile};
use crate::failure::ClinicError;
use crate::speech::audio::{AudioDecoder, AudioError};

/// A second of 16 kHz.
const SECOND: usize = 16_000;
/// Frames that are decoded ahead of their commit.
const AHEAD: usize = 8;

/// A frame, and how much of the file is decoded with it where the file tells its length.
struct Decoded {
    frame: Frame,
    percent: Option<u8>,
}

impl DictationService {
    /// Decodes a file into frames; one that is no recording is forgotten, and another one may be sent.
    pub(super) async fn unpack(
        &self,
        tenant: TenantId,
        dictation: &mut Dictation,
        claim: Claim,
    ) -> Result<DictationState, ClinicError> {
        let id = dictation.id;
        self.parts.store.clear(tenant, id, claim).await?;
        let trouble = Arc::new(OnceLock::new());
        let file = self.uploaded_file((tenant, id), Arc::clone(&trouble)).await?;
        let (frames, mut decoded) = mpsc::channel(AHEAD);
        let decoder = Arc::clone(&self.parts.decoder);
        let decoding = tokio::task::spawn_blocking(move || decode(decoder.as_ref(), file, &frames));
        let mut run = Vec::with_capacity(AHEAD);
        let mut saved = Saved::default();
        while decoded.recv_many(&mut run, AHEAD).await > 0 {
            saved = self.keep_decoded((tenant, id), claim, std::mem::take(&mut run)).await?;
            if saved.milliseconds > MAX_MILLISECONDS {
                return self.damaged(tenant, dictation, (claim, "a recording lasts one day at most".to_owned())).await;
            }
        }
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let done = decoding.await.map_err(|error| ClinicError::Unavailable(error.to_string()))?;
        if let Some(text) = trouble.get() {
            return Err(ClinicError::Unavailable(text.clone()));
        }
        match done {
            Ok(_) => {
                dictation.saved = saved;
                Ok(DictationState::Draining)
            }
            Err(error) => self.damaged(tenant, dictation, (claim, error.to_string())).await,
        }
    }

    /// Commits decoded frames and tells how far the file is.
    async fn keep_decoded(
        &self,
        (tenant, id): (TenantId, Uuid),
        claim: Claim,
        run: Vec<Decoded>,
    ) -> Result<Saved, ClinicError> {
        let key = self.parts.keys.find(tenant, id).await?.ok_or(ClinicError::NotFound("the recording's key"))?;
        let percent = run.last().and_then(|decoded| decoded.percent);
        let chunks = run.iter().map(|decoded| self.sealed(id, &key, &decoded.frame)).collect::<Result<_, _>>()?;
        let saved = self.parts.store.append_decoded(tenant, id, (claim, chunks)).await?;
        if let Some(percent) = percent {
            let known = self.progress.lock().unwrap_or_else(PoisonError::into_inner).insert(id, percent);
            if known != Some(percent) {
                self.publish(id, DictationEvent::Progress { percent });
            }
        }
        Ok(saved)
    }

    /// Forgets a file that can't be decoded, with what was decoded of it.
    async fn damaged(
        &self,
        tenant: TenantId,
        dictation: &mut Dictation,
        (claim, problem): (Claim, String),
    ) -> Result<DictationState, ClinicError> {
        self.parts.store.clear(tenant, dictation.id, claim).await?;
        self.parts.uploads.remove(tenant, dictation.id).await?;
        dictation.saved = Saved::default();
        dictation.result.problem = Some(problem);
        Ok(DictationState::Damaged)
    }
}

fn decode(decoder: &dyn AudioDecoder, file: UploadedFile, frames: &mpsc::Sender<Decoded>) -> Result<u64, AudioError> {
    let mut waiting: Vec<i16> = Vec::with_capacity(2 * SECOND);
    let mut sequence = 0;
    let mut send = |samples: &[i16], percent: Option<u8>| {
        let samples = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let sent = frames.blocking_send(Decoded { frame: Frame { sequence, samples }, percent });
        sequence += 1;
        // The receiver has gone: a commit failed, and there is nobody to decode for.
        if sent.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let done = decoder.decode(Box::new(file), &mut |block| {
        let share = block.total_ms.filter(|total| *total > 0).map(|total| (block.done_ms * 100 / total).min(99));
        waiting.extend_from_slice(block.samples);
        while waiting.len() >= SECOND {
            let rest = waiting.split_off(SECOND);
            send(&waiting, share.and_then(|share| u8::try_from(share).ok()))?;
            waiting = rest;
        }
        ControlFlow::Continue(())
    })?;
    if !waiting.is_empty() {
        // Whether somebody takes the last one is known where they are committed.
        let _ = send(&waiting, None);
    }
    Ok(done)
}
