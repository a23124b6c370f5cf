//! Speech recognised by Amazon Transcribe and Amazon Transcribe Medical, while it is spoken
//! (<https://docs.aws.amazon.com/transcribe/latest/dg/streaming.html>).
//!
//! The audio leaves this machine for the configured region. The session that hears again what was lost, sends silence during
//! pauses and replaces a connection before four hours are over is the domain's (`seva_clinic::speech::stream`).

mod results;
mod service;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_transcribestreaming::Client;
use aws_sdk_transcribestreaming::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_transcribestreaming::types::LanguageCode;
use seva_clinic::speech::stream::{self, StreamLimits};
use seva_clinic::speech::{SpeechEngine, SpeechError, SpeechHealth, SpeechRequest, SpeechSession};
use seva_fhir::clock::IdSource;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::connection::{Connection, Patience};
use service::Asking;

/// The only language of Transcribe Medical.
pub const MEDICAL_LANGUAGE: &str = "en-US";
const SERVICE: &str = "transcribestreaming";
const HEALTH: Duration = Duration::from_secs(3);
/// A connection is opened once: the session decides whether and when another one follows.
const PATIENCE: Patience = Patience { attempt: Duration::from_secs(10), all: Duration::from_secs(12), attempts: 1 };

/// Which of the two services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Transcribe.
    Standard,
    /// Transcribe Medical, for this specialty.
    Medical {
        /// A name such as `PRIMARYCARE`.
        specialty: String,
    },
}

/// What is asked, and where.
#[derive(Clone, Debug)]
pub struct TranscribeSettings {
    /// Region, endpoint, credentials.
    pub connection: Connection,
    /// Which service.
    pub kind: Kind,
    /// A variant that stands for all variants of its language; none takes the dictation's own.
    pub language: Option<String>,
    /// The name of a custom vocabulary in the account.
    pub vocabulary: Option<String>,
    /// How long everything may take.
    pub limits: StreamLimits,
}

/// Listens through Transcribe.
pub struct TranscribeSpeech {
    client: Client,
    credentials: Option<SharedCredentialsProvider>,
    settings: TranscribeSettings,
    ids: Arc<dyn IdSource>,
}

impl TranscribeSpeech {
    /// Prepares the client; nothing is sent yet.
    pub async fn new(settings: TranscribeSettings, ids: Arc<dyn IdSource>) -> Self {
        let shared = settings.connection.configure(PATIENCE).await;
        // A dictation may pause: a stream without bytes is no fault of the network.
        let stalls = StalledStreamProtectionConfig::disabled();
        let configuration = Builder::from(&shared).stalled_stream_protection(stalls).build();
        let credentials = shared.credentials_provider();
        Self { client: Client::from_conf(configuration), credentials, settings, ids }
    }

    /// The service's code of a language; another variant only when the configuration says so.
    fn language(&self, tag: &str) -> Result<LanguageCode, SpeechError> {
        let unknown = || SpeechError::Language { engine: self.name().to_owned(), language: tag.to_owned() };
        let told = match &self.settings.language {
            Some(variant) if primary(variant) == primary(tag) => variant,
            Some(_) => return Err(unknown()),
            None => tag,
        };
        let medical = self.settings.kind != Kind::Standard && !told.eq_ignore_ascii_case(MEDICAL_LANGUAGE);
        let known = LanguageCode::values().iter().find(|code| code.eq_ignore_ascii_case(told));
        known.filter(|_| !medical).map(|code| LanguageCode::from(*code)).ok_or_else(unknown)
    }

    async fn check(&self) -> Result<(), &'static str> {
        let credentials = self.credentials.as_ref().ok_or("there are no credentials")?;
        let found = timeout(HEALTH, credentials.provide_credentials()).await;
        found.map_err(|_| "no credentials in time")?.map_err(|_| "there are no credentials")?;
        let place = self.settings.connection.authority(SERVICE);
        let opened = timeout(HEALTH, TcpStream::connect(place)).await;
        opened.map_err(|_| "no connection in time")?.map(drop).map_err(|_| "no connection")
    }
}

fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}

#[async_trait]
impl SpeechEngine for TranscribeSpeech {
    fn name(&self) -> &str {
        match self.settings.kind {
            Kind::Standard => "transcribe",
            Kind::Medical { .. } => "transcribe-medical",
        }
    }

    /// The version of the service's interface; the model behind it changes without notice.
    fn version(&self) -> String {
        "2017-10-26".to_owned()
    }

    fn destination(&self) -> Option<String> {
        Some(format!("{} in {}", self.name(), self.settings.connection.region))
    }

    /// Asks for credentials and opens a connection: the interface has no question that is free.
    async fn health(&self) -> SpeechHealth {
        match self.check().await {
            Ok(()) => SpeechHealth::Ready { waiting: 0 },
            Err(reason) => SpeechHealth::Unavailable { reason: reason.to_owned() },
        }
    }

    async fn open(&self, request: SpeechRequest) -> Result<SpeechSession, SpeechError> {
        let asking = Asking {
            client: self.client.clone(),
            kind: self.settings.kind.clone(),
            language: self.language(&request.language)?,
            vocabulary: self.settings.vocabulary.clone(),
            mode: request.mode,
            ids: Arc::clone(&self.ids),
        };
        Ok(stream::open(Arc::new(asking), self.settings.limits))
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests may panic")]
mod tests;
