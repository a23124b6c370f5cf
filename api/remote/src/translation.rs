//! Free text translated by a service with LibreTranslate's interface (<https://docs.libretranslate.com/guides/api_usage>),
//! which a hospital can run itself, so that advice does not leave it.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};
use seva_clinic::translation::{Languages, TranslationError, Translator};
use tokio::time::{sleep, timeout};

use crate::place::{Place, PlaceError};

/// The longest text that is translated, in bytes.
pub const TEXT_LIMIT: usize = 1 << 16;
/// The largest answer that is read; scripts of India take three bytes a letter.
const LARGEST: usize = 8 * TEXT_LIMIT;
const HEALTH: Duration = Duration::from_secs(3);
/// What one text may take in all, unless it is said: a machine without a graphics card takes seconds for a paragraph.
const BUDGET: Duration = Duration::from_secs(45);
/// The waits before a busy service is asked again.
const WAITS: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];

const ENGINE: &str = "libretranslate";

/// Asks a service with LibreTranslate's interface.
#[derive(Clone, Debug)]
pub struct LibreTranslator {
    client: reqwest::Client,
    place: Place,
    budget: Duration,
}

#[derive(Serialize)]
struct Question<'a> {
    q: &'a str,
    source: &'a str,
    target: &'a str,
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "translatedText")]
    translated_text: String,
}

impl LibreTranslator {
    /// Prepares the client; nothing is sent yet. The address ends before `/translate`.
    pub fn new(place: Place) -> Result<Self, PlaceError> {
        if place.shown().is_empty() {
            return Err(PlaceError::Address);
        }
        Ok(Self { client: place.client()?, place, budget: BUDGET })
    }

    /// The same with another time for one text in all.
    #[must_use]
    pub fn within(self, budget: Duration) -> Self {
        Self { budget, ..self }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.place.endpoint.trim_end_matches('/'))
    }

    /// Asks, again where the service is busy, and reads an answer of a bounded length.
    async fn answer(&self, asked: RequestBuilder) -> Result<Vec<u8>, TranslationError> {
        let mut waits = WAITS.into_iter();
        loop {
            let again = asked.try_clone().ok_or_else(unavailable)?;
            match again.send().await {
                Ok(answer) if answer.status().is_success() => return bounded(answer).await,
                Ok(answer) if passing(answer.status()) => {
                    tracing::warn!(engine = ENGINE, status = answer.status().as_u16(), "translation failed");
                }
                Ok(answer) => return Err(refused(answer.status())),
                Err(error) => {
                    let error = error.without_url();
                    tracing::warn!(engine = ENGINE, %error, "translation failed");
                }
            }
            let Some(wait) = waits.next() else { return Err(unavailable()) };
            sleep(wait).await;
        }
    }
}

/// Whether another attempt may succeed.
fn passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT || status.is_server_error()
}

async fn bounded(mut answer: Response) -> Result<Vec<u8>, TranslationError> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|_| unavailable())? {
        body.extend_from_slice(&piece);
        if body.len() > LARGEST {
            return Err(TranslationError::Refused {
                engine: ENGINE.to_owned(),
                reason: "an endless answer".to_owned(),
            });
        }
    }
    Ok(body)
}

/// The service's own words may quote the text, so only the status is kept.
fn refused(status: StatusCode) -> TranslationError {
    let reason = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "it does not take translation.api_key".to_owned(),
        status => format!("it answered {}", status.as_u16()),
    };
    tracing::warn!(engine = ENGINE, status = status.as_u16(), "translation failed");
    TranslationError::Refused { engine: ENGINE.to_owned(), reason }
}

fn unavailable() -> TranslationError {
    TranslationError::Unavailable { engine: ENGINE.to_owned() }
}

#[async_trait]
impl Translator for LibreTranslator {
    fn name(&self) -> &str {
        ENGINE
    }

    /// The interface tells no version, and the models behind it are the service's.
    fn version(&self) -> &str {
        "1"
    }

    fn destination(&self) -> Option<String> {
        Some(format!("{ENGINE} service at {}", self.place.shown()))
    }

    /// Asks for the list of languages, which is free.
    async fn health(&self) -> Result<(), TranslationError> {
        let asked = self.client.get(self.address("/languages")).timeout(HEALTH).send().await;
        match asked.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) if !passing(status) => Err(refused(status)),
            Ok(_) | Err(_) => Err(unavailable()),
        }
    }

    async fn translate(&self, text: &str, languages: Languages<'_>) -> Result<String, TranslationError> {
        if text.len() > TEXT_LIMIT {
            return Err(TranslationError::TooLong { length: text.len(), limit: TEXT_LIMIT });
        }
        let Languages { source, target } = languages;
        let question = Question { q: text, source, target, format: "text", api_key: self.place.api_key.as_deref() };
        let asked = self.client.post(self.address("/translate")).json(&question);
        let body = timeout(self.budget, self.answer(asked)).await.unwrap_or_else(|_| Err(unavailable()))?;
        let answer: Result<Answer, _> = serde_json::from_slice(&body);
        let answer = answer.map_err(|_| TranslationError::Refused {
            engine: ENGINE.to_owned(),
            reason: "it answered without a translation".to_owned(),
        })?;
        Ok(answer.translated_text.trim().to_owned())
    }
}

#[cfg(test)]
mod tests;
