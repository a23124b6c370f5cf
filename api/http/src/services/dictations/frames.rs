//! Frames of audio on both of their ways, the socket and plain requests (docs/voice-protocol.md): read, checked, and committed
//! by the same function, each unbroken run in one transaction.

use poem::Body;
use poem::error::ReadBodyError;
use poem_openapi::Object;
use seva_clinic::dictation::{Frame, Saved};
use seva_clinic::failure::ClinicError;
use seva_fhir::access::Caller;
use uuid::Uuid;

use crate::failure::Failure;
use crate::services::Services;

/// Sequence and checksum, four bytes each.
const HEADER: usize = 8;
/// The size of a frame, before each frame of a body.
const SIZE: usize = 4;
/// The largest body: two minutes of audio.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// What is committed after a request.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
pub struct KeptFrames {
    /// The last committed frame; -1 before the first.
    saved_sequence: i64,
    /// How long the committed audio sounds.
    saved_milliseconds: u64,
    /// The frames up to the highest number of the request that must be sent, or sent again.
    missing: Vec<MissingFrames>,
    /// Why they were not committed.
    warning: Option<FrameWarning>,
}

/// Frames that are not there.
#[derive(Object)]
struct MissingFrames {
    /// The first one.
    first: i64,
    /// The last one.
    last: i64,
}

/// What is wrong with a frame.
#[derive(Object)]
struct FrameWarning {
    /// `checksum` or `gap`.
    code: String,
    /// In words.
    text: String,
}

/// A run of frames that was not committed.
pub(super) struct Refused {
    /// The socket's word for what the client should do.
    pub(super) code: &'static str,
    /// Why.
    pub(super) error: ClinicError,
}

/// Reads a frame: sequence, CRC-32 of the samples, samples.
pub(super) fn read(bytes: &[u8]) -> Result<Frame, &'static str> {
    const SHORT: &str = "a binary frame begins with eight bytes of sequence and checksum";
    let (head, samples) = bytes.split_at_checked(HEADER).ok_or(SHORT)?;
    let number = |part: Option<&[u8]>| part.and_then(|part| part.try_into().ok()).map(u32::from_be_bytes).ok_or(SHORT);
    let (sequence, checksum) = (number(head.get(..4))?, number(head.get(4..))?);
    if crc32fast::hash(samples) != checksum {
        return Err("the checksum does not fit: send the frame again");
    }
    Ok(Frame { sequence, samples: samples.to_vec() })
}

/// Cuts frames where a number is left out or comes again: each piece is committed whole or not at all.
pub(super) fn runs(frames: Vec<Frame>) -> Vec<Vec<Frame>> {
    let mut runs: Vec<Vec<Frame>> = Vec::new();
    for frame in frames {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| last.sequence.checked_add(1) == Some(frame.sequence)) => {
                run.push(frame);
            }
            _ => runs.push(vec![frame]),
        }
    }
    runs
}

/// Commits a run.
pub(super) async fn keep(services: &Services, caller: &Caller, id: Uuid, run: Vec<Frame>) -> Result<Saved, Refused> {
    let first = run.first().map_or(0, |frame| frame.sequence);
    let error = match services.dictations.append_frames(caller, id, run).await {
        Ok(saved) => return Ok(saved),
        Err(error) => error,
    };
    let code = match &error {
        ClinicError::Unavailable(_) => "unsaved",
        ClinicError::Conflict(_) if is_gap(services, caller, id, first).await => "gap",
        _ => "refused",
    };
    Err(Refused { code, error })
}

/// Whether a frame was refused only because one before it is missing.
async fn is_gap(services: &Services, caller: &Caller, id: Uuid, sequence: u32) -> bool {
    let found = services.dictations.find(caller, id).await;
    found.is_ok_and(|dictation| dictation.state.takes_audio() && i64::from(sequence) > sequence_of(dictation.saved) + 1)
}

/// The last committed frame as the protocol has it.
pub(super) fn sequence_of(saved: Saved) -> i64 {
    saved.sequence.map_or(-1, i64::from)
}

/// Takes the frames of a body, in order, as far as they are sound and without a gap.
pub(super) async fn take(services: &Services, caller: &Caller, id: Uuid, body: Body) -> Result<KeptFrames, Failure> {
    let bytes = body.into_bytes_limit(LARGEST_BODY).await.map_err(|error| match error {
        ReadBodyError::PayloadTooLarge => Failure::TooLarge { limit: LARGEST_BODY },
        other => Failure::BadRequest(format!("the frames did not arrive: {other}")),
    })?;
    services.dictations.own(caller, id).await?;
    let (mut sound, mut warning, mut highest) = (Vec::new(), None, -1);
    for part in parts(&bytes)? {
        // A damaged frame may have a damaged number, and is not counted.
        match read(part) {
            Ok(frame) => {
                highest = highest.max(i64::from(frame.sequence));
                sound.push(frame);
            }
            Err(text) => {
                warning = Some(FrameWarning { code: "checksum".to_owned(), text: text.to_owned() });
                break;
            }
        }
    }
    for run in runs(sound) {
        match keep(services, caller, id, run).await {
            Ok(_) => {}
            Err(Refused { code: "gap", error }) => {
                warning.get_or_insert(FrameWarning { code: "gap".to_owned(), text: error.to_string() });
                break;
            }
            Err(Refused { error, .. }) => return Err(error.into()),
        }
    }
    let saved = services.dictations.find(caller, id).await?.saved;
    let saved_sequence = sequence_of(saved);
    let missing = (highest > saved_sequence).then_some(MissingFrames { first: saved_sequence + 1, last: highest });
    let missing = missing.into_iter().collect();
    Ok(KeptFrames { saved_sequence, saved_milliseconds: saved.milliseconds, missing, warning })
}

/// The frames of a body, each after its size.
fn parts(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Failure> {
    let cut = || Failure::BadRequest("the body ends within a frame".to_owned());
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let (size, rest) = bytes.split_first_chunk::<SIZE>().ok_or_else(cut)?;
        let size = usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX);
        let (part, rest) = rest.split_at_checked(size).ok_or_else(cut)?;
        parts.push(part);
        bytes = rest;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_cut_at_its_sizes_and_frames_at_their_gaps() {
        let body = [0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1, 9];
        assert_eq!(parts(&body).expect("whole"), [&[7, 8][..], &[], &[9]]);
        assert!(parts(&body[..5]).is_err() && parts(&body[..12]).is_err());
        let frames = [4, 5, 7, 7, 8].map(|sequence| Frame { sequence, samples: Vec::new() });
        let numbers = |run: Vec<Frame>| run.into_iter().map(|frame| frame.sequence).collect::<Vec<_>>();
        assert_eq!(runs(frames.into()).into_iter().map(numbers).collect::<Vec<_>>(), [vec![4, 5], vec![7], vec![7, 8]]);
    }
}
