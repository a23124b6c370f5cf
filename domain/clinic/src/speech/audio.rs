//! The port that decodes recorded audio, such as the content of a FHIR R4 Binary or Media, into samples.
//!
//! <http://hl7.org/fhir/R4/media.html>

use std::io::{Read, Seek};
use std::ops::ControlFlow;

use thiserror::Error;

/// Bytes that a decoder can read and seek in: a file, or a cursor over bytes.
pub trait AudioSource: Read + Seek + Send + Sync {}

impl<Source: Read + Seek + Send + Sync> AudioSource for Source {}

/// A block of decoded audio, 16 kHz mono.
#[derive(Clone, Copy, Debug)]
pub struct AudioBlock<'a> {
    /// The samples.
    pub samples: &'a [i16],
    /// The time up to which the audio is decoded.
    pub done_ms: u64,
    /// The length of the whole, where the file tells it.
    pub total_ms: Option<u64>,
}

/// Why audio could not be decoded.
#[derive(Debug, Error)]
pub enum AudioError {
    /// The format is none of those that are read.
    #[error("the audio is not WAV, FLAC, Ogg Vorbis, MP3 or M4A")]
    Unsupported,
    /// The file is broken.
    #[error("the audio cannot be decoded: {0}")]
    Broken(String),
    /// The sample rate is out of range.
    #[error("the audio has {0} samples a second")]
    Rate(u32),
}

/// Decodes recorded audio in bounded memory; it blocks, so callers leave the async threads.
pub trait AudioDecoder: Send + Sync {
    /// Hands the audio over in blocks until its end or until the receiver breaks off; returns the decoded milliseconds.
    fn decode(
        &self,
        source: Box<dyn AudioSource>,
        receive: &mut dyn FnMut(AudioBlock<'_>) -> ControlFlow<()>,
    ) -> Result<u64, AudioError>;
}

/// How long the header is.
pub const WAVE_HEADER: usize = 44;

/// Writes the header of a WAV file (RIFF, 16 kHz, mono, 16 bits) whose samples have so many bytes.
#[must_use]
pub fn wave_header(length: u32) -> Vec<u8> {
    let mut header = Vec::with_capacity(WAVE_HEADER);
    header.extend_from_slice(b"RIFF");
    header.extend_from_slice(&length.saturating_add(36).to_le_bytes());
    header.extend_from_slice(b"WAVEfmt ");
    header.extend_from_slice(&16_u32.to_le_bytes());
    header.extend_from_slice(&1_u16.to_le_bytes());
    header.extend_from_slice(&1_u16.to_le_bytes());
    header.extend_from_slice(&16_000_u32.to_le_bytes());
    header.extend_from_slice(&32_000_u32.to_le_bytes());
    header.extend_from_slice(&2_u16.to_le_bytes());
    header.extend_from_slice(&16_u16.to_le_bytes());
    header.extend_from_slice(b"data");
    header.extend_from_slice(&length.to_le_bytes());
    header
}
