//! A Vosk server: audio and words over one WebSocket (<https://alphacephei.com/vosk/server>).
//!
//! A server has one model, and so one language, which it does not tell: it is configured.

mod socket;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seva_clinic::speech::stream::{self, StreamLimits};
use seva_clinic::speech::{SpeechEngine, SpeechError, SpeechHealth, SpeechRequest, SpeechSession};

use crate::place::{Place, PlaceError};
use socket::Sockets;

const NAME: &str = "vosk";
const HEALTH: Duration = Duration::from_secs(3);

/// Which server is asked.
#[derive(Clone, Debug)]
pub struct VoskSettings {
    /// The server, `ws://` or `wss://`.
    pub place: Place,
    /// The language of its model, a BCP 47 tag.
    pub language: String,
    /// How long everything may take.
    pub limits: StreamLimits,
}

/// Listens through a Vosk server.
pub struct VoskSpeech {
    sockets: Arc<Sockets>,
    language: String,
    limits: StreamLimits,
}

impl VoskSpeech {
    /// Prepares the connection; nothing is sent yet.
    pub fn new(settings: VoskSettings) -> Result<Self, PlaceError> {
        let VoskSettings { place, language, limits } = settings;
        if place.shown().is_empty() {
            return Err(PlaceError::Address);
        }
        let tls = Arc::new(place.tls()?);
        Ok(Self { sockets: Arc::new(Sockets { place, tls }), language, limits })
    }
}

#[async_trait]
impl SpeechEngine for VoskSpeech {
    fn name(&self) -> &str {
        NAME
    }

    /// The model's language; the server tells neither its model nor its version.
    fn version(&self) -> String {
        format!("model for {}", self.language)
    }

    fn destination(&self) -> Option<String> {
        Some(format!("{NAME} server at {}", self.sockets.place.shown()))
    }

    async fn health(&self) -> SpeechHealth {
        let unavailable = |reason: &str| SpeechHealth::Unavailable { reason: reason.to_owned() };
        match tokio::time::timeout(HEALTH, self.sockets.check()).await {
            Ok(Ok(())) => SpeechHealth::Ready { waiting: 0 },
            Ok(Err(failure)) => unavailable(&failure.reason),
            Err(_) => unavailable("the speech service gave no answer in time"),
        }
    }

    async fn open(&self, request: SpeechRequest) -> Result<SpeechSession, SpeechError> {
        if primary(&request.language) != primary(&self.language) {
            return Err(SpeechError::Language { engine: self.version(), language: request.language });
        }
        Ok(stream::open(self.sockets.clone(), self.limits))
    }
}

fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests;
