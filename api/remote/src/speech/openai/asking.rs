//! One question: a segment as a WAV file in a form (RFC 7578, <https://www.rfc-editor.org/rfc/rfc7578>), asked again within
//! its budget while the service is overloaded or away.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Response, StatusCode, header};
use seva_clinic::speech::audio::wave_header;
use seva_clinic::speech::repetition::repeats;
use seva_clinic::speech::segmented::{Effort, Recognised, SegmentDecoder, SegmentFailure};
use tokio::time::{Instant, sleep};

use super::answer::{self, Answer};

/// The largest answer that is read; a segment has half a minute.
const LARGEST: usize = 1 << 20;

/// How long a segment may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// One attempt.
    pub attempt: Duration,
    /// All attempts together.
    pub budget: Duration,
    /// The first wait before another attempt; it doubles, unless the service names one.
    pub first_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(40),
            budget: Duration::from_secs(90),
            first_wait: Duration::from_millis(500),
        }
    }
}

/// The service.
pub(super) struct Asked {
    pub(super) client: reqwest::Client,
    pub(super) base: String,
    pub(super) api_key: Option<String>,
    pub(super) model: String,
    pub(super) patience: Patience,
}

impl Asked {
    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.keyed(self.client.get(format!("{}{path}", self.base)))
    }

    fn keyed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.api_key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

/// What all questions of a session share.
pub(super) struct Asking {
    pub(super) asked: Arc<Asked>,
    pub(super) language: String,
    pub(super) prompt: String,
}

/// Why an attempt failed.
struct Missed {
    retryable: bool,
    /// When the service wants to be asked again.
    after: Option<Duration>,
    reason: String,
}

#[async_trait]
impl SegmentDecoder for Asking {
    async fn decode(&self, samples: Vec<i16>, effort: Effort) -> Result<Recognised, SegmentFailure> {
        let length_ms = samples.len() as u64 / 16;
        let wave = wave(&samples);
        let mut words = self.ask_within(&wave, &self.prompt, effort).await?.words(length_ms);
        if effort != Effort::Glance && repeats(&words) {
            // A drug that nobody said is the worst error: the prompt goes.
            words = self.ask_within(&wave, "", effort).await?.words(length_ms);
        }
        Ok(words.into())
    }
}

impl Asking {
    async fn ask_within(&self, wave: &[u8], prompt: &str, effort: Effort) -> Result<Answer, SegmentFailure> {
        let patience = self.asked.patience;
        let (until, mut wait) = (Instant::now() + patience.budget, patience.first_wait);
        loop {
            let missed = match self.ask(wave, prompt).await {
                Ok(answer) => return Ok(answer),
                Err(missed) => missed,
            };
            let next = missed.after.unwrap_or(wait);
            if !missed.retryable || effort != Effort::Full || Instant::now() + next >= until {
                return Err(SegmentFailure { retryable: missed.retryable, reason: missed.reason });
            }
            sleep(next).await;
            wait *= 2;
        }
    }

    async fn ask(&self, wave: &[u8], prompt: &str) -> Result<Answer, Missed> {
        let broken = |_: reqwest::Error| Missed::lasting("the form can't be made");
        let file = Part::bytes(wave.to_vec()).file_name("segment.wav").mime_str("audio/wav").map_err(broken)?;
        let mut form = Form::new()
            .part("file", file)
            .text("model", self.asked.model.clone())
            .text("language", self.language.clone())
            .text("temperature", "0")
            .text("response_format", "verbose_json")
            .text("timestamp_granularities[]", "word")
            .text("timestamp_granularities[]", "segment");
        if !prompt.is_empty() {
            form = form.text("prompt", prompt.to_owned());
        }
        let url = format!("{}/audio/transcriptions", self.asked.base);
        let request = self.asked.keyed(self.asked.client.post(url));
        let sent = request.timeout(self.asked.patience.attempt).multipart(form).send().await;
        let mut response = sent.map_err(|error| Missed::passing(silence(&error)))?;
        if response.status() != StatusCode::OK {
            return Err(refused(&response));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Missed::passing(silence(&error)))? {
            if body.len() + chunk.len() > LARGEST {
                return Err(Missed::lasting("the speech service's answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        // The parser's words may quote the text: they stay inside.
        answer::read(&body).ok_or(Missed::lasting("the speech service's answer can't be read"))
    }
}

impl Missed {
    fn passing(reason: &str) -> Self {
        Self { retryable: true, after: None, reason: reason.to_owned() }
    }

    fn lasting(reason: &str) -> Self {
        Self { retryable: false, after: None, reason: reason.to_owned() }
    }
}

/// What the service said is not repeated: it may quote the text.
fn refused(response: &Response) -> Missed {
    let status = response.status();
    let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let passing = status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED;
    Missed {
        retryable: passing || [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status),
        after: after.map(Duration::from_secs),
        reason: format!("the speech service answered {}", status.as_u16()),
    }
}

pub(super) fn silence(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "the speech service gave no answer in time"
    } else if error.is_connect() {
        "there is no connection to the speech service"
    } else {
        "the speech service's answer broke off"
    }
}

fn wave(samples: &[i16]) -> Vec<u8> {
    let length = samples.len() * 2;
    let mut wave = wave_header(u32::try_from(length).unwrap_or(u32::MAX));
    wave.reserve(length);
    wave.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    wave
}
