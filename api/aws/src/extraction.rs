//! Entities found by Amazon Comprehend Medical's `DetectEntitiesV2`
//! (<https://docs.aws.amazon.com/comprehend-medical/latest/api/API_DetectEntitiesV2.html>).
//!
//! The text leaves this machine for the configured region. Places and scores are the service's; codes come from our own
//! formulary and phrase lists and, where that is configured, from what the service infers; doses are read by our own grammar, so that drafts look the same whichever engine reads.

mod codes;
mod inference;
mod mapping;
mod results;
mod vitals;

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_comprehendmedical::Client;
use aws_sdk_comprehendmedical::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_comprehendmedical::types::Entity as Answered;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use seva_clinic::entities::{Entity, EntityExtractor, ExtractionError};

use crate::connection::{Connection, Patience, refusal};
use crate::pieces::{Piece, pieces};
use mapping::Reader;

pub use inference::Ontology;

/// The longest text that is read, in bytes: many hours of dictation.
pub const TEXT_LIMIT: usize = 1 << 18;
/// The service takes fewer than 20,000 bytes at a time.
const PIECE_LIMIT: usize = 19_999;
/// How many pieces are asked for at once.
const AT_ONCE: usize = 4;
/// What one text may take in all, unless it is said.
const BUDGET: Duration = Duration::from_secs(90);
const PATIENCE: Patience = Patience { attempt: Duration::from_secs(15), all: Duration::from_secs(40), attempts: 4 };

const ENGINE: &str = "comprehend-medical";

/// Asks Comprehend Medical.
#[derive(Clone, Debug)]
pub struct ComprehendExtractor {
    client: Client,
    region: String,
    ontologies: Vec<Ontology>,
    budget: Duration,
}

impl ComprehendExtractor {
    /// Prepares the client; nothing is sent yet.
    pub async fn new(connection: Connection) -> Self {
        let client = Client::new(&connection.configure(PATIENCE).await);
        Self { client, region: connection.region, ontologies: Vec::new(), budget: BUDGET }
    }

    /// The same with another time for one text in all.
    #[must_use]
    pub fn within(self, budget: Duration) -> Self {
        Self { budget, ..self }
    }

    /// Has codes of these code systems inferred too; each is a question of its own, with its own price.
    #[must_use]
    pub fn inferring(mut self, ontologies: Vec<Ontology>) -> Self {
        self.ontologies = ontologies;
        self
    }

    async fn read(&self, text: &str) -> Result<Vec<Entity>, ExtractionError> {
        let reader = Reader::new(text);
        let asked: Vec<_> = pieces(text, PIECE_LIMIT).into_iter().map(|piece| self.detect(piece)).collect();
        let answers = stream::iter(asked);
        let answers: Vec<(usize, Vec<Answered>)> = answers.buffered(AT_ONCE).try_collect().await?;
        let mut found = Vec::new();
        for (begin, entities) in answers {
            let read = reader.entities(&entities, begin);
            found.extend(read.map_err(|_| ExtractionError::Misplaced { engine: ENGINE.to_owned() })?);
        }
        found.sort_by_key(|entity: &Entity| (entity.begin, entity.end));
        for (index, entity) in found.iter_mut().enumerate() {
            entity.id = u32::try_from(index).unwrap_or(u32::MAX);
        }
        for ontology in &self.ontologies {
            self.infer(*ontology, text, &mut found).await?;
        }
        Ok(found)
    }

    async fn detect(&self, piece: Piece<'_>) -> Result<(usize, Vec<Answered>), ExtractionError> {
        let answer = self.client.detect_entities_v2().text(piece.text).send().await.map_err(|error| failure(&error))?;
        tracing::debug!(model = answer.model_version(), unmapped = answer.unmapped_attributes().len(), "entities read");
        Ok((piece.begin, answer.entities))
    }
}

fn failure<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> ExtractionError {
    let passing = ["TooManyRequestsException", "ThrottlingException"];
    let engine = ENGINE.to_owned();
    match refusal(error, (ENGINE, "entity extraction"), &passing) {
        Some(_) => ExtractionError::Refused { engine },
        None => ExtractionError::Unavailable { engine },
    }
}

#[async_trait]
impl EntityExtractor for ComprehendExtractor {
    fn name(&self) -> &str {
        ENGINE
    }

    /// The version of the service's interface; the model behind it changes without notice.
    fn version(&self) -> &str {
        "2018-10-30"
    }

    fn destination(&self) -> Option<String> {
        Some(format!("{ENGINE} in {}", self.region))
    }

    /// Lists one job: it is free, reads nothing, and shows that region, credentials and network are right.
    async fn health(&self) -> Result<(), ExtractionError> {
        let asked = self.client.list_entities_detection_v2_jobs().max_results(1).send().await;
        asked.map(drop).map_err(|error| failure(&error))
    }

    async fn extract(&self, text: &str, language: &str) -> Result<Vec<Entity>, ExtractionError> {
        let primary = language.split(['-', '_']).next().unwrap_or_default();
        if !primary.eq_ignore_ascii_case("en") {
            return Err(ExtractionError::UnsupportedLanguage { language: language.to_owned() });
        }
        if text.len() > TEXT_LIMIT {
            return Err(ExtractionError::TooLong { length: text.len(), limit: TEXT_LIMIT });
        }
        let read = tokio::time::timeout(self.budget, self.read(text)).await;
        read.unwrap_or_else(|_| Err(ExtractionError::Unavailable { engine: ENGINE.to_owned() }))
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]
mod tests;
