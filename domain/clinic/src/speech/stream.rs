//! A session over a service that listens through a network: when the connection is lost another one hears again what is
//! not final yet, and the audio goes on being taken meanwhile.
//!
//! Amazon Transcribe's limits shaped it (<https://docs.aws.amazon.com/transcribe/latest/dg/streaming-guidelines.html>): four
//! hours a stream, fifteen seconds without audio, no way to resume.

mod kept;
mod line;
mod listener;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seva_fhir::clock::{IdSource, RandomIds};
use thiserror::Error;
use tokio::sync::mpsc;

use super::{SAMPLE_RATE, SpeechSession, Word};
use listener::Listener;

const BLOCKS: usize = 64;
const EVENTS: usize = 64;

/// What a service heard; times count from the first sample of its connection.
#[derive(Clone, PartialEq)]
pub enum Heard {
    /// The open segment so far.
    Partial {
        /// The text.
        text: String,
        /// Its words, where the service tells them apart.
        words: Vec<Word>,
    },
    /// A segment that no longer changes.
    Final {
        /// Who spoke, where the service tells speakers apart.
        speaker: Option<String>,
        /// The text.
        text: String,
        /// Its words.
        words: Vec<Word>,
        /// Where it ends; audio after it is not final.
        end_ms: u64,
    },
    /// A sign of life without words.
    Nothing,
}

impl fmt::Debug for Heard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Partial { .. } => "Partial([phi])",
            Self::Final { .. } => "Final([phi])",
            Self::Nothing => "Nothing",
        })
    }
}

/// Why a connection failed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{reason}")]
pub struct ServiceFailure {
    /// Whether another connection may do better.
    pub retryable: bool,
    /// What failed, without any clinical text.
    pub reason: String,
}

impl ServiceFailure {
    /// A failure that may pass.
    pub fn passing(reason: impl Into<String>) -> Self {
        Self { retryable: true, reason: reason.into() }
    }

    /// A refusal, which stays one however often it is asked.
    pub fn lasting(reason: impl Into<String>) -> Self {
        Self { retryable: false, reason: reason.into() }
    }
}

/// An open connection. Dropping `audio` ends the audio; `heard` closes when the service has said everything.
#[derive(Debug)]
pub struct ServiceConnection {
    /// Takes 16 kHz mono blocks; a full channel means that the service is behind.
    pub audio: mpsc::Sender<Vec<i16>>,
    /// Gives what was heard; a failure is the last word.
    pub heard: mpsc::Receiver<Result<Heard, ServiceFailure>>,
}

/// A service that listens, for one session.
#[async_trait]
pub trait SpeechService: Send + Sync + 'static {
    /// Opens a connection; none hears what another one was told.
    async fn connect(&self) -> Result<ServiceConnection, ServiceFailure>;
}

/// How long everything may take.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// A connection's opening.
    pub connect: Duration,
    /// A service that takes no audio.
    pub take: Duration,
    /// A service that says nothing while somebody speaks.
    pub answer: Duration,
    /// The time between the last words after the audio's end.
    pub finish: Duration,
    /// A connection is replaced at the first final after so long.
    pub rotate: Duration,
    /// How long failures in a row are borne; it ends with a final, or with a connection that stood so long.
    pub budget: Duration,
    /// The first wait before another connection; it doubles.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// A number from 0 to 1 for each wait: sessions that failed together do not come back together.
    pub chance: fn() -> f64,
    /// How many times as fast as it was spoken audio is sent, beyond the first second of a connection.
    pub pace: u32,
    /// Without audio for so long, silence is sent.
    pub pause: Duration,
    /// Samples that are kept for another connection, and that may wait for this one.
    pub keep: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            take: Duration::from_secs(30),
            answer: Duration::from_secs(45),
            finish: Duration::from_secs(45),
            rotate: Duration::from_secs(230 * 60),
            budget: Duration::from_secs(60),
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(8),
            chance: any_fraction,
            // A service that is told a minute within a moment takes it for an attack, or loses some of it.
            pace: 8,
            pause: Duration::from_secs(5),
            keep: SAMPLE_RATE as usize * 300,
        }
    }
}

fn any_fraction() -> f64 {
    let chance = u32::try_from(RandomIds.new_uuid().as_u128() >> 96).unwrap_or_default();
    f64::from(chance) / f64::from(u32::MAX)
}

/// Opens a session over a service.
#[must_use]
pub fn open(service: Arc<dyn SpeechService>, limits: StreamLimits) -> SpeechSession {
    let (audio, blocks) = mpsc::channel(BLOCKS);
    let (reports, events) = mpsc::channel(EVENTS);
    // The task ends with its session: each wait has its limit, and nobody reading ends it at once.
    tokio::spawn(Listener::new(service, limits, reports).run(blocks));
    SpeechSession { audio, events }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests may panic")]
mod tests;
