//! Recordings from files: what is uploaded, at once or piece by piece, is kept for the worker that decodes it, and the audio
//! goes out as WAV with ranges (RFC 9110 §14).

use std::ops::Range;

use futures_util::stream;
use poem::Body;
use poem_openapi::ApiResponse;
use poem_openapi::payload::Binary;
use seva_clinic::dictation::{DictationState, LARGEST_PART, RecordingFile};
use seva_fhir::access::Caller;
use tokio::io::{AsyncRead, AsyncReadExt};
use uuid::Uuid;

use crate::failure::Failure;
use crate::range;
use crate::services::Services;

/// The audio, whole or in part.
#[derive(ApiResponse)]
pub enum Audio {
    /// The whole recording.
    #[oai(status = 200, content_type = "audio/wav")]
    Whole(Binary<Body>, #[oai(header = "accept-ranges")] String),
    /// The range that was asked for.
    #[oai(status = 206, content_type = "audio/wav")]
    Part(Binary<Body>, #[oai(header = "content-range")] String, #[oai(header = "accept-ranges")] String),
}

/// Which bytes of a file a request brings (RFC 9110 §14.4, as tus and the cloud stores use it for uploads).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// All of them.
    Whole,
    /// Those from `at` on, of `total`; nothing but the question how it stands where the body is empty.
    Part { at: Option<u64>, total: u64 },
}

impl Piece {
    /// Reads `Content-Range`: `bytes 0-99/1000` or `bytes */1000`.
    pub(super) fn read(header: Option<&str>) -> Result<Self, Failure> {
        let Some(text) = header else { return Ok(Self::Whole) };
        let wrong = || Failure::BadRequest("Content-Range: bytes first-last/total, or bytes */total".to_owned());
        let (range, total) = text.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
        let total: u64 = total.parse().map_err(|_| wrong())?;
        if range == "*" {
            return Ok(Self::Part { at: None, total });
        }
        let (first, last) = range.split_once('-').ok_or_else(wrong)?;
        let (first, last): (u64, u64) = (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
        if first > last || last >= total {
            return Err(wrong());
        }
        Ok(Self::Part { at: Some(first), total })
    }
}

/// Commits a piece of a file while it arrives; true when the file is whole.
pub(super) async fn keep(
    services: &Services,
    caller: &Caller,
    id: Uuid,
    (piece, body): (Piece, Body),
) -> Result<bool, Failure> {
    let dictation = services.dictations.uploading(caller, id).await?;
    if piece != Piece::Whole && !dictation.state.takes_file() && dictation.state != DictationState::Withdrawn {
        // The client did not see the answer to its last piece: it sees now what became of the file.
        return Ok(false);
    }
    let known = dictation.uploaded;
    let (mut at, total) = match piece {
        Piece::Whole => {
            // Sent whole, it is sent anew.
            services.dictations.forget_upload(caller, id).await?;
            (0, None)
        }
        Piece::Part { at: None, total } => return Ok(known == total),
        Piece::Part { at: Some(at), total } => {
            if at > known {
                return Err(Failure::Conflict(format!("the next byte of the file is {known}")));
            }
            (at, Some(total))
        }
    };
    // What is there already is not stored a second time.
    let mut skip = if total.is_some() { known - at } else { 0 };
    let mut reader = body.into_async_read();
    let mut part = vec![0; LARGEST_PART];
    loop {
        let (length, broken) = fill(&mut reader, &mut part).await;
        let passed = usize::try_from(skip).unwrap_or(usize::MAX).min(length);
        skip -= passed as u64;
        at += passed as u64;
        let fresh = part.get(passed..length).unwrap_or_default();
        if !fresh.is_empty() {
            at = services.dictations.upload(caller, id, (at, fresh)).await?;
        }
        // What came before the connection broke is kept: the client goes on behind it.
        if let Some(error) = broken {
            return Err(Failure::BadRequest(format!("the recording did not arrive: {error}")));
        }
        if total.is_some_and(|total| at > total) {
            services.dictations.forget_upload(caller, id).await?;
            return Err(Failure::BadRequest("the body is longer than Content-Range says: begin again".to_owned()));
        }
        if length < LARGEST_PART {
            return Ok(total.is_none_or(|total| at == total));
        }
    }
}

/// Reads until the buffer is full, the body ends or the connection breaks.
async fn fill(reader: &mut (impl AsyncRead + Unpin), buffer: &mut [u8]) -> (usize, Option<std::io::Error>) {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest).await {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) => return (length, Some(error)),
        }
    }
    (length, None)
}

/// Sends the recording, or the range of it that was asked for, piece by piece: it is never whole in memory.
pub(super) fn audio(file: RecordingFile, range: Option<&str>) -> Result<Audio, Failure> {
    let bytes = "bytes".to_owned();
    let size = file.size();
    let Some(part) = range::wanted(range, size)? else {
        return Ok(Audio::Whole(Binary(sent(file, 0..size)), bytes));
    };
    let place = range::content_range(&part, size);
    Ok(Audio::Part(Binary(sent(file, part)), place, bytes))
}

fn sent(file: RecordingFile, range: Range<u64>) -> Body {
    let pieces = stream::try_unfold((file, range), |(mut file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let mut piece = file.read(range.start).await.map_err(|error| std::io::Error::other(error.to_string()))?;
        if piece.is_empty() {
            // The connection is cut: a shorter answer must not look like a whole one.
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
        }
        piece.truncate(usize::try_from(range.end - range.start).unwrap_or(usize::MAX));
        let next = range.start + piece.len() as u64;
        Ok(Some((piece, (file, next..range.end))))
    });
    Body::from_bytes_stream(pieces)
}
