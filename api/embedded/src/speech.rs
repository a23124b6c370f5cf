//! Speech recognition on this machine: whisper.cpp behind the speech port.
//!
//! Whisper (<https://arxiv.org/abs/2212.04356>) is no streaming model: pauses cut the audio into segments, the open
//! segment is decoded again about each second, and what two decodings agree on is shown.

mod names;
mod pool;
mod recogniser;
mod weighing;
mod worker;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinSet;

use seva_clinic::speech::segmented::session;
use seva_clinic::speech::{SAMPLE_RATE, SpeechEngine, SpeechError, SpeechHealth, SpeechRequest, SpeechSession};

use crate::model::{self, ModelChoice, ModelState};
use pool::Pool;
use worker::Worker;

const NAME: &str = "embedded-whisper";
/// New audio after which the open segment is decoded again.
const GLANCE_AFTER: usize = SAMPLE_RATE as usize;

/// How much of the machine speech recognition may take.
#[derive(Clone, Debug)]
pub struct SpeechSettings {
    /// The folder of the models.
    pub folder: PathBuf,
    /// The model.
    pub choice: ModelChoice,
    /// Decodings at a time; each takes `threads` cores.
    pub jobs: usize,
    /// Threads of one decoding.
    pub threads: usize,
    /// Decodings that may wait; past it new sessions are refused.
    pub queue: usize,
    /// How long a final decoding may wait before its segment is reported as a retryable error.
    pub deadline: Duration,
}

impl SpeechSettings {
    /// One decoding at a time on up to four cores: ggml's threads spin, so more of them on busy cores are slower.
    pub fn new(folder: PathBuf, choice: ModelChoice) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { folder, choice, jobs: 1, threads: cores.min(4), queue: 16, deadline: Duration::from_secs(60) }
    }
}

/// The speech engine of this machine; the model is loaded when it is first used, and kept.
pub struct EmbeddedSpeech {
    settings: SpeechSettings,
    pool: Arc<Pool>,
    sessions: Mutex<JoinSet<()>>,
}

impl EmbeddedSpeech {
    /// Makes the engine and its idle workers; nothing is loaded yet.
    pub fn new(settings: SpeechSettings) -> Result<Self, SpeechError> {
        // Without a logging feature the hooks swallow what whisper.cpp prints.
        whisper_rs::install_logging_hooks();
        let pool = Pool::start(&settings).map_err(|error| SpeechError::Engine(error.to_string()))?;
        Ok(Self { settings, pool: Arc::new(pool), sessions: Mutex::new(JoinSet::new()) })
    }

    fn located(&self) -> Result<PathBuf, SpeechError> {
        match model::locate(&self.settings.folder, &self.settings.choice) {
            ModelState::Ready(path) => Ok(path),
            ModelState::Absent { how } => Err(SpeechError::ModelAbsent { how }),
        }
    }

    /// The language as Whisper names it.
    fn language(&self, tag: &str) -> Result<String, SpeechError> {
        let primary = tag.split('-').next().unwrap_or_default().to_lowercase();
        let primary = if primary.is_empty() { "en".to_owned() } else { primary };
        let english_only = self.settings.choice.name().ends_with(".en");
        let known = whisper_rs::get_lang_id(&primary).is_some();
        if known && (primary == "en" || !english_only) {
            return Ok(primary);
        }
        Err(SpeechError::Language { engine: self.settings.choice.name(), language: tag.to_owned() })
    }
}

#[async_trait]
impl SpeechEngine for EmbeddedSpeech {
    fn name(&self) -> &str {
        NAME
    }

    fn version(&self) -> String {
        format!("whisper.cpp {} {}", whisper_rs::WHISPER_CPP_VERSION, self.settings.choice.name())
    }

    async fn health(&self) -> SpeechHealth {
        match self.located() {
            Ok(_) => SpeechHealth::Ready { waiting: self.pool.waiting() },
            Err(error) => SpeechHealth::Unavailable { reason: error.to_string() },
        }
    }

    async fn open(&self, request: SpeechRequest) -> Result<SpeechSession, SpeechError> {
        let model = self.located()?;
        let language = self.language(&request.language)?;
        let waiting = self.pool.waiting();
        if waiting >= self.settings.queue {
            return Err(SpeechError::Busy { waiting });
        }
        let prompt = request.prompt(PROMPT_CHARACTERS);
        let task = pool::Task { model, language, prompt, vocabulary: request.vocabulary, tree: OnceLock::new() };
        let (session, listening) = session(Arc::new(Worker::new(task, self.pool.clone())), GLANCE_AFTER);
        let mut sessions = self.sessions.lock().map_err(|_| SpeechError::Engine("a session has failed".into()))?;
        while sessions.try_join_next().is_some() {}
        sessions.spawn(listening);
        Ok(session)
    }
}

/// Whisper reads at most 223 tokens before the audio, about this many characters of drug names.
const PROMPT_CHARACTERS: usize = 480;

#[cfg(test)]
mod tests;
