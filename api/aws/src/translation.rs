//! Free text translated by Amazon Translate's `TranslateText`
//! (<https://docs.aws.amazon.com/translate/latest/APIReference/API_TranslateText.html>).
//!
//! The text leaves this machine for the configured region. Custom terminologies of the account keep names as they are;
//! whether the answer may be shown is the domain's to judge.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_translate::Client;
use aws_sdk_translate::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_translate::types::{Formality, TranslationSettings};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use seva_clinic::translation::{Languages, TranslationError, Translator};

use crate::connection::{Connection, Patience, refusal};
use crate::pieces::pieces;

/// The longest text that is translated, in bytes.
pub const TEXT_LIMIT: usize = 1 << 17;
/// The service takes 10,000 bytes at a time.
const PIECE_LIMIT: usize = 10_000;
/// How many pieces are asked for at once.
const AT_ONCE: usize = 4;
/// What one text may take in all, unless it is said.
const BUDGET: Duration = Duration::from_secs(45);
const PATIENCE: Patience = Patience { attempt: Duration::from_secs(10), all: Duration::from_secs(30), attempts: 4 };

const ENGINE: &str = "amazon-translate";

/// Asks Translate.
#[derive(Clone, Debug)]
pub struct AmazonTranslator {
    client: Client,
    region: String,
    terminologies: Vec<String>,
    budget: Duration,
}

impl AmazonTranslator {
    /// Prepares the client; nothing is sent yet. The terminologies are those of the account, by name.
    pub async fn new(connection: Connection, terminologies: Vec<String>) -> Self {
        let client = Client::new(&connection.configure(PATIENCE).await);
        Self { client, region: connection.region, terminologies, budget: BUDGET }
    }

    /// The same with another time for one text in all.
    #[must_use]
    pub fn within(self, budget: Duration) -> Self {
        Self { budget, ..self }
    }

    async fn piece(&self, text: &str, languages: Languages<'_>) -> Result<String, TranslationError> {
        // Languages without formality ignore it.
        let settings = TranslationSettings::builder().formality(Formality::Formal).build();
        let names = (!self.terminologies.is_empty()).then(|| self.terminologies.clone());
        let asked = self.client.translate_text().text(text).set_terminology_names(names).settings(settings);
        let asked = asked.source_language_code(languages.source).target_language_code(languages.target);
        let answer = asked.send().await.map_err(|error| failure(&error))?;
        let end = if text.ends_with('\n') { "\n" } else { " " };
        Ok(format!("{}{end}", answer.translated_text().trim()))
    }

    async fn whole(&self, text: &str, languages: Languages<'_>) -> Result<String, TranslationError> {
        let asked: Vec<_> = pieces(text, PIECE_LIMIT).iter().map(|piece| self.piece(piece.text, languages)).collect();
        let answers: Vec<String> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        Ok(answers.concat().trim_end().to_owned())
    }
}

fn failure<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> TranslationError {
    let passing = ["TooManyRequestsException", "ThrottlingException", "LimitExceededException"];
    let engine = ENGINE.to_owned();
    match refusal(error, (ENGINE, "translation"), &passing) {
        Some(reason) => TranslationError::Refused { engine, reason },
        None => TranslationError::Unavailable { engine },
    }
}

#[async_trait]
impl Translator for AmazonTranslator {
    fn name(&self) -> &str {
        ENGINE
    }

    /// The version of the service's interface; the model behind it changes without notice.
    fn version(&self) -> &str {
        "2017-07-01"
    }

    fn destination(&self) -> Option<String> {
        Some(format!("{ENGINE} in {}", self.region))
    }

    /// Asks for the terminologies, or for the languages: both are free, and show that region and credentials are right.
    async fn health(&self) -> Result<(), TranslationError> {
        if self.terminologies.is_empty() {
            let asked = self.client.list_languages().max_results(1).send().await;
            return asked.map(drop).map_err(|error| failure(&error));
        }
        for name in &self.terminologies {
            self.client.get_terminology().name(name).send().await.map_err(|error| failure(&error))?;
        }
        Ok(())
    }

    async fn translate(&self, text: &str, languages: Languages<'_>) -> Result<String, TranslationError> {
        if text.len() > TEXT_LIMIT {
            return Err(TranslationError::TooLong { length: text.len(), limit: TEXT_LIMIT });
        }
        let whole = tokio::time::timeout(self.budget, self.whole(text, languages)).await;
        whole.unwrap_or_else(|_| Err(TranslationError::Unavailable { engine: ENGINE.to_owned() }))
    }
}

#[cfg(test)]
mod tests;
