//! Decoding of recorded dictations: WAV, FLAC, Ogg Vorbis, MP3 and M4A to 16 kHz mono, in bounded memory.
//!
//! Recordings arrive as FHIR R4 Binary or Media: <http://hl7.org/fhir/R4/media.html>.

mod resample;

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::{AudioDecoder as Codec, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};

use seva_clinic::speech::SAMPLE_RATE;
use seva_clinic::speech::audio::{AudioBlock, AudioDecoder, AudioError, AudioSource};

use resample::Resampler;

/// Samples of a block: a quarter of a second.
const BLOCK: usize = 4000;

/// Decodes with symphonia.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbeddedAudioDecoder;

impl AudioDecoder for EmbeddedAudioDecoder {
    fn decode(
        &self,
        mut source: Box<dyn AudioSource>,
        receive: &mut dyn FnMut(AudioBlock<'_>) -> ControlFlow<()>,
    ) -> Result<u64, AudioError> {
        let length = measure(source.as_mut()).map_err(broken)?;
        let stream = MediaSourceStream::new(Box::new(Media { source, length }), Default::default());
        let mut format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, Default::default(), Default::default())
            .map_err(unsupported)?;
        let (track, mut codec, total_ms) = open_track(format.as_ref())?;
        let mut output = Output { receive, pending: Vec::with_capacity(2 * BLOCK), sent: 0, total_ms };
        run(format.as_mut(), track, codec.as_mut(), &mut output)?;
        Ok(output.done_ms())
    }
}

type OpenTrack = (u32, Box<dyn Codec>, Option<u64>);

fn open_track(format: &dyn FormatReader) -> Result<OpenTrack, AudioError> {
    let track = format.default_track(TrackType::Audio).ok_or(AudioError::Unsupported)?;
    let parameters =
        track.codec_params.as_ref().and_then(|parameters| parameters.audio()).ok_or(AudioError::Unsupported)?;
    let codec = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(unsupported)?;
    let total_ms = track
        .num_frames
        .zip(parameters.sample_rate)
        .and_then(|(frames, rate)| (frames.saturating_mul(1000)).checked_div(rate.into()));
    Ok((track.id, codec, total_ms))
}

fn run(
    format: &mut dyn FormatReader,
    track: u32,
    codec: &mut dyn Codec,
    output: &mut Output<'_>,
) -> Result<(), AudioError> {
    let (mut resampler, mut mono) = (None::<Resampler>, Vec::new());
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            // A chained Ogg stream starts anew here; what came before is the recording.
            Ok(None) | Err(Error::ResetRequired) => break,
            Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(broken(error)),
        };
        if packet.track_id != track {
            continue;
        }
        let decoded = match codec.decode(&packet) {
            Ok(decoded) => decoded,
            // One broken packet is a gap, not the end.
            Err(Error::DecodeError(_)) => continue,
            Err(error) => return Err(broken(error)),
        };
        let rate = decoded.spec().rate();
        if resampler.as_ref().is_none_or(|known| known.rate() != rate) {
            resampler = Some(Resampler::new(rate).ok_or(AudioError::Rate(rate))?);
        }
        mix(&decoded, &mut mono);
        if let Some(resampler) = &mut resampler {
            resampler.push(&mono, &mut output.pending);
        }
        if output.flush(BLOCK).is_break() {
            return Ok(());
        }
    }
    if let Some(resampler) = &mut resampler {
        resampler.finish(&mut output.pending);
    }
    // At the end it no longer matters whether the receiver has had enough.
    let _ = output.flush(1);
    Ok(())
}

/// Mixes all channels down to one.
fn mix(decoded: &GenericAudioBufferRef<'_>, mono: &mut Vec<f32>) {
    let channels = decoded.num_planes().max(1);
    let mut interleaved = Vec::<f32>::new();
    decoded.copy_to_vec_interleaved(&mut interleaved);
    mono.clear();
    mono.extend(interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
}

struct Output<'a> {
    receive: &'a mut dyn FnMut(AudioBlock<'_>) -> ControlFlow<()>,
    pending: Vec<i16>,
    sent: u64,
    total_ms: Option<u64>,
}

impl Output<'_> {
    fn done_ms(&self) -> u64 {
        self.sent * 1000 / u64::from(SAMPLE_RATE)
    }

    /// Hands over blocks while at least so many samples are pending.
    fn flush(&mut self, least: usize) -> ControlFlow<()> {
        let whole = match least {
            BLOCK => self.pending.len() / BLOCK * BLOCK,
            _ => self.pending.len(),
        };
        let ready: Vec<i16> = self.pending.drain(..whole).collect();
        for samples in ready.chunks(BLOCK) {
            self.sent += samples.len() as u64;
            let block = AudioBlock { samples, done_ms: self.done_ms(), total_ms: self.total_ms };
            (self.receive)(block)?;
        }
        ControlFlow::Continue(())
    }
}

struct Media {
    source: Box<dyn AudioSource>,
    length: u64,
}

impl Read for Media {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

impl Seek for Media {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}

impl MediaSource for Media {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}

fn measure(source: &mut dyn AudioSource) -> io::Result<u64> {
    let length = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    Ok(length)
}

fn unsupported(_error: Error) -> AudioError {
    AudioError::Unsupported
}

fn broken(error: impl std::fmt::Display) -> AudioError {
    AudioError::Broken(error.to_string())
}

#[cfg(test)]
mod tests;
