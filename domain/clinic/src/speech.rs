//! The speech port: audio in, words with times and confidence out, whichever engine listens.
//!
//! The words become evidence: FHIR R4 `Provenance.entity` and the extension
//! <http://hl7.org/fhir/StructureDefinition/derivation-reference> point into the text that is reported here.

mod agreement;
pub mod audio;
pub mod repetition;
pub mod scripted;
pub mod segmented;
pub mod segments;
pub mod stream;
mod voice;

use async_trait::async_trait;
use std::fmt;
use thiserror::Error;
use tokio::sync::mpsc;

/// Samples a second of all audio that passes this port; one channel.
pub const SAMPLE_RATE: u32 = 16_000;

/// One recognised word.
#[derive(Clone, PartialEq)]
pub struct Word {
    /// The word as it was heard, with its punctuation.
    pub text: String,
    /// Where it starts, in milliseconds from the session's first sample.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// The engine's probability of 0 to 1; absent where the engine gives none.
    pub confidence: Option<f32>,
    /// A name of the session's vocabulary that may have been said, where the engine was unsure: proposed beside what was
    /// heard, never in its place.
    pub suggested: Option<String>,
}

/// What an engine reports while it listens.
#[derive(Clone, PartialEq)]
pub enum SpeechEvent {
    /// The engine listens.
    Started,
    /// An open segment's text so far; the next partial or final of the segment replaces it.
    Partial {
        /// The segment's number, from 0.
        segment: u32,
        /// The text on which successive hypotheses agree.
        text: String,
        /// The words of the text.
        words: Vec<Word>,
    },
    /// A segment's text, which no longer changes.
    Final {
        /// The segment's number, from 0.
        segment: u32,
        /// Where the segment starts, in milliseconds from the session's first sample.
        start_ms: u64,
        /// Where the segment ends.
        end_ms: u64,
        /// Who spoke, where the engine tells speakers apart.
        speaker: Option<String>,
        /// The words of the text.
        words: Vec<Word>,
        /// The text.
        text: String,
    },
    /// Names that may have been said in a segment, known after its final and before the end: the same text, in which the words
    /// that a name is proposed for are one word.
    Weighed {
        /// The segment's number.
        segment: u32,
        /// The final's words with proposals.
        words: Vec<Word>,
    },
    /// The whole session held no speech; it is a result, not an error.
    NoSpeech,
    /// The engine failed.
    Error {
        /// Whether the same audio may be sent again.
        retryable: bool,
        /// What failed, without any clinical text.
        message: String,
    },
    /// The last event of a session.
    Ended,
}

/// How the speech is organised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpeechMode {
    /// One clinician dictates.
    #[default]
    Dictation,
    /// Clinician and patient talk.
    Conversation,
}

/// What a session needs to know before it listens.
#[derive(Clone, Default)]
pub struct SpeechRequest {
    /// The spoken language as a BCP 47 tag.
    pub language: String,
    /// Names that are likely to be spoken, the likeliest first: favourites, the patient's medicines, the formulary.
    pub prompt_terms: Vec<String>,
    /// All names that may be spoken, which an engine may try where it is unsure of what it heard.
    pub vocabulary: Vec<String>,
    /// How the speech is organised.
    pub mode: SpeechMode,
}

impl SpeechRequest {
    /// Writes as many of the likeliest names as fit into so many bytes, as engines take them for a prompt.
    #[must_use]
    pub fn prompt(&self, bytes: usize) -> String {
        let mut prompt = String::new();
        for term in &self.prompt_terms {
            if prompt.len() + term.len() + 2 > bytes {
                break;
            }
            let separator = if prompt.is_empty() { "" } else { ", " };
            prompt.push_str(separator);
            prompt.push_str(term);
        }
        if !prompt.is_empty() {
            prompt.push('.');
        }
        prompt
    }
}

/// An open session. Dropping `audio` ends the audio; the remaining finals and `Ended` follow.
#[derive(Debug)]
pub struct SpeechSession {
    /// Takes 16 kHz mono blocks; a full channel means that the engine is behind.
    pub audio: mpsc::Sender<Vec<i16>>,
    /// Gives the events in order.
    pub events: mpsc::Receiver<SpeechEvent>,
}

/// Whether an engine can listen now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpeechHealth {
    /// It can, and so many decoding jobs are waiting.
    Ready {
        /// Jobs that wait for a worker.
        waiting: usize,
    },
    /// It cannot, for this reason.
    Unavailable {
        /// The reason, with the remedy.
        reason: String,
    },
}

/// Why a session could not be opened.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SpeechError {
    /// The engine's weights are not there.
    #[error("the speech model is absent: {how}")]
    ModelAbsent {
        /// How to get them.
        how: String,
    },
    /// The engine does not know the language.
    #[error("{engine} does not recognise the language {language}")]
    Language {
        /// The engine.
        engine: String,
        /// The tag that was asked for.
        language: String,
    },
    /// All workers and the queue are taken.
    #[error("speech recognition is busy: {waiting} jobs are waiting")]
    Busy {
        /// Jobs that wait for a worker.
        waiting: usize,
    },
    /// The engine failed or cannot be reached.
    #[error("the speech engine failed: {0}")]
    Engine(String),
}

/// An engine that turns speech into words.
#[async_trait]
pub trait SpeechEngine: Send + Sync {
    /// Names the engine, as a Provenance's agent shows it.
    fn name(&self) -> &str;
    /// Tells the version of engine and model.
    fn version(&self) -> String;
    /// Names the service that the audio is sent to; nothing when it stays on this machine.
    fn destination(&self) -> Option<String> {
        None
    }
    /// Tells whether a session can be opened now.
    async fn health(&self) -> SpeechHealth;
    /// Opens a session.
    async fn open(&self, request: SpeechRequest) -> Result<SpeechSession, SpeechError>;
}

// What is said is clinical text: Debug names the event and never the words.
impl fmt::Debug for Word {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Word([phi] {}..{})", self.start_ms, self.end_ms)
    }
}

impl fmt::Debug for SpeechEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => formatter.write_str("Started"),
            Self::Partial { segment, words, .. } => {
                write!(formatter, "Partial({segment}, {} words)", words.len())
            }
            Self::Final { segment, start_ms, end_ms, words, .. } => {
                write!(formatter, "Final({segment}, {start_ms}..{end_ms}, {} words)", words.len())
            }
            Self::Weighed { segment, words } => write!(formatter, "Weighed({segment}, {} words)", words.len()),
            Self::NoSpeech => formatter.write_str("NoSpeech"),
            Self::Error { retryable, message } => {
                formatter.debug_struct("Error").field("retryable", retryable).field("message", message).finish()
            }
            Self::Ended => formatter.write_str("Ended"),
        }
    }
}

impl fmt::Debug for SpeechRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SpeechRequest")
            .field("language", &self.language)
            .field("prompt_terms", &self.prompt_terms.len())
            .field("vocabulary", &self.vocabulary.len())
            .field("mode", &self.mode)
            .finish()
    }
}
