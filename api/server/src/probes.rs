//! What `/health` asks, over the adapters.

use std::sync::Arc;

use async_trait::async_trait;
use seva_clinic::speech::{SpeechEngine, SpeechHealth};
use seva_http::Probe;
use seva_postgres::Database;

/// The database.
pub(crate) struct DatabaseProbe(pub(crate) Database);

#[async_trait]
impl Probe for DatabaseProbe {
    fn name(&self) -> &str {
        "database"
    }

    async fn ask(&self) -> Result<Option<String>, String> {
        self.0.ping().await.map(|()| None).map_err(|_| "PostgreSQL does not answer".to_owned())
    }
}

/// The speech engine.
pub(crate) struct SpeechProbe(pub(crate) Arc<dyn SpeechEngine>);

#[async_trait]
impl Probe for SpeechProbe {
    fn name(&self) -> &str {
        "speech"
    }

    async fn ask(&self) -> Result<Option<String>, String> {
        match self.0.health().await {
            SpeechHealth::Ready { waiting } => {
                Ok(Some(format!("{} {}, {waiting} waiting", self.0.name(), self.0.version())))
            }
            SpeechHealth::Unavailable { reason } => {
                Err(format!("speech engine {:?} is not ready: {reason}", self.0.name()))
            }
        }
    }
}
