//! Whole recordings: an uploaded file becomes frames of a second, and the audio goes out as WAV with ranges (RFC 9110 §14).

use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use poem::Body;
use poem::error::ReadBodyError;
use poem_openapi::ApiResponse;
use poem_openapi::payload::Binary;
use seva_clinic::dictation::Frame;
use seva_clinic::speech::audio::{AudioDecoder, AudioError};
use seva_fhir::access::Caller;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::failure::Failure;
use crate::range;
use crate::services::Services;

/// A second of 16 kHz.
const SECOND: usize = 16_000;
/// The largest file: more than an hour of what is kept, 16 kHz and 16 bits, as WAV.
const LARGEST_FILE: usize = 128 * 1024 * 1024;
/// Frames that are decoded ahead of their commit.
const AHEAD: usize = 8;

/// The audio, whole or in part.
#[derive(ApiResponse)]
pub enum Audio {
    /// The whole recording.
    #[oai(status = 200, content_type = "audio/wav")]
    Whole(Binary<Vec<u8>>, #[oai(header = "accept-ranges")] String),
    /// The range that was asked for.
    #[oai(status = 206, content_type = "audio/wav")]
    Part(Binary<Vec<u8>>, #[oai(header = "content-range")] String, #[oai(header = "accept-ranges")] String),
}

/// Reads the file, within bounds: a decoder moves about in it, so it is whole in memory and never on disk in the clear.
pub(super) async fn read(body: Body) -> Result<Bytes, Failure> {
    body.into_bytes_limit(LARGEST_FILE).await.map_err(|error| match error {
        ReadBodyError::PayloadTooLarge => Failure::TooLarge { limit: LARGEST_FILE },
        other => Failure::BadRequest(format!("the recording did not arrive: {other}")),
    })
}

/// Decodes a file off the async threads and commits it frame by frame.
pub(super) async fn take(services: &Services, caller: &Caller, id: Uuid, file: Bytes) -> Result<(), Failure> {
    services.dictations.own(caller, id).await?;
    let (frames, mut decoded) = mpsc::channel(AHEAD);
    let decoder = Arc::clone(&services.decoder);
    let decoding = tokio::task::spawn_blocking(move || decode(decoder.as_ref(), file, &frames));
    while let Some(frame) = decoded.recv().await {
        services.dictations.append_frames(caller, id, vec![frame]).await?;
    }
    let done = decoding.await.map_err(|error| Failure::Internal(error.to_string()))?;
    done.map(drop).map_err(|error| match error {
        AudioError::Unsupported => {
            Failure::UnsupportedMediaType("the file is none of WAV, FLAC, Ogg, MP3, M4A".to_owned())
        }
        AudioError::Broken(text) => Failure::Unprocessable(format!("the recording can't be decoded: {text}")),
        AudioError::Rate(rate) => Failure::Unprocessable(format!("a sample rate of {rate} Hz can't be used")),
    })
}

fn decode(decoder: &dyn AudioDecoder, file: Bytes, frames: &mpsc::Sender<Frame>) -> Result<u64, AudioError> {
    let mut waiting: Vec<i16> = Vec::with_capacity(2 * SECOND);
    let mut sequence = 0;
    let mut send = |samples: &[i16]| {
        let samples = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let sent = frames.blocking_send(Frame { sequence, samples });
        sequence += 1;
        // The receiver has gone: a commit failed, and there is nobody to decode for.
        if sent.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let done = decoder.decode(Box::new(Cursor::new(file)), &mut |block| {
        waiting.extend_from_slice(block.samples);
        while waiting.len() >= SECOND {
            let rest = waiting.split_off(SECOND);
            send(&waiting)?;
            waiting = rest;
        }
        ControlFlow::Continue(())
    })?;
    if !waiting.is_empty() && send(&waiting).is_break() {
        return Ok(done);
    }
    Ok(done)
}

/// Cuts the range that was asked for; one range only, as browsers' players ask.
pub(super) fn audio(wave: Vec<u8>, range: Option<&str>) -> Result<Audio, Failure> {
    let bytes = "bytes".to_owned();
    let size = wave.len();
    let Some(part) = range::wanted(range, size)? else { return Ok(Audio::Whole(Binary(wave), bytes)) };
    let place = range::content_range(&part, size);
    let cut = wave.get(part).unwrap_or_default().to_vec();
    Ok(Audio::Part(Binary(cut), place, bytes))
}
