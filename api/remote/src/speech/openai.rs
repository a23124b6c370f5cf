//! Services that speak OpenAI's interface for transcriptions: whisper.cpp's server, speaches, LocalAI, vLLM, hosted ones
//! (<https://platform.openai.com/docs/api-reference/audio/createTranscription>).
//!
//! They hear a whole segment at a time, so pauses cut the audio here; what is silent is never sent.

mod answer;
mod asking;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::StatusCode;
use seva_clinic::speech::segmented::session;
use seva_clinic::speech::{SAMPLE_RATE, SpeechEngine, SpeechError, SpeechHealth, SpeechRequest, SpeechSession};

use crate::place::{Place, PlaceError};
use asking::{Asked, Asking};

pub use asking::Patience;

const NAME: &str = "openai-compatible";
const HEALTH: Duration = Duration::from_secs(3);
/// New audio after which the open segment is asked for again: each question sends the segment whole.
const GLANCE_AFTER: usize = 2 * SAMPLE_RATE as usize;
/// Whisper reads at most 223 tokens before the audio, about this many characters of drug names.
const PROMPT_CHARACTERS: usize = 480;

/// What is asked, and where.
#[derive(Clone, Debug)]
pub struct OpenAiSettings {
    /// The service; its address ends before `/audio/transcriptions`, as in `https://speech.example/v1`.
    pub place: Place,
    /// The model that the service is asked for.
    pub model: String,
    /// How long a segment may take.
    pub patience: Patience,
}

/// Asks a service for the words of each segment.
pub struct OpenAiSpeech {
    asked: Arc<Asked>,
    place: Place,
}

impl OpenAiSpeech {
    /// Prepares the client; nothing is sent yet.
    pub fn new(settings: OpenAiSettings) -> Result<Self, PlaceError> {
        let OpenAiSettings { place, model, patience } = settings;
        if place.shown().is_empty() {
            return Err(PlaceError::Address);
        }
        let asked = Asked {
            client: place.client()?,
            base: place.endpoint.trim_end_matches('/').to_owned(),
            api_key: place.api_key.clone(),
            model,
            patience,
        };
        Ok(Self { asked: Arc::new(asked), place })
    }
}

#[async_trait]
impl SpeechEngine for OpenAiSpeech {
    fn name(&self) -> &str {
        NAME
    }

    /// The model's name; the interface tells no version.
    fn version(&self) -> String {
        self.asked.model.clone()
    }

    fn destination(&self) -> Option<String> {
        Some(format!("{NAME} service at {}", self.place.shown()))
    }

    /// Asks for the list of models: it is free, and shows that address and key are right. Not every server has one.
    async fn health(&self) -> SpeechHealth {
        let unavailable = |reason: String| SpeechHealth::Unavailable { reason };
        match self.asked.get("/models").timeout(HEALTH).send().await {
            Err(error) => unavailable(asking::silence(&error).to_owned()),
            Ok(answer) => match answer.status() {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    unavailable("the service does not take speech.api_key".to_owned())
                }
                status if status.is_server_error() => unavailable(format!("the service answered {}", status.as_u16())),
                _ => SpeechHealth::Ready { waiting: 0 },
            },
        }
    }

    async fn open(&self, request: SpeechRequest) -> Result<SpeechSession, SpeechError> {
        let language = request.language.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        if language.is_empty() {
            return Err(SpeechError::Language { engine: NAME.to_owned(), language: request.language });
        }
        let prompt = request.prompt(PROMPT_CHARACTERS);
        let asking = Asking { asked: Arc::clone(&self.asked), language, prompt };
        let (session, listening) = session(Arc::new(asking), GLANCE_AFTER);
        // The task ends with its session: each question has its limit, and nobody reading ends it at once.
        tokio::spawn(listening);
        Ok(session)
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests may panic")]
mod tests;
