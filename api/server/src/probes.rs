//! What `/health` asks, over the adapters.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seva_clinic::dictation::BlobStore;
use seva_clinic::entities::EntityExtractor;
use seva_clinic::speech::{SpeechEngine, SpeechHealth};
use seva_clinic::translation::Translator;
use seva_http::{AwsProbe, Probe};
use seva_postgres::Database;
use seva_remote::issuer::IssuerVerifier;

use crate::configuration::{BlobStoreKind, Configuration, ExtractionEngine, SpeechChoice};

/// How long the answer of a service that is not ours is given again.
const LASTS: Duration = Duration::from_secs(10);

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

    fn lasts(&self) -> Duration {
        if self.0.destination().is_some() { LASTS } else { Duration::ZERO }
    }

    async fn ask(&self) -> Result<Option<String>, String> {
        match self.0.health().await {
            SpeechHealth::Ready { waiting } => {
                let named = format!("{} {}", self.0.name(), self.0.version());
                Ok(Some(match self.0.destination() {
                    Some(place) => format!("{named}, audio leaves for {place}"),
                    None => format!("{named}, {waiting} waiting"),
                }))
            }
            SpeechHealth::Unavailable { reason } => {
                Err(format!("speech engine {:?} is not ready: {reason}", self.0.name()))
            }
        }
    }
}

/// The entity extractor.
pub(crate) struct ExtractionProbe(pub(crate) Arc<dyn EntityExtractor>);

#[async_trait]
impl Probe for ExtractionProbe {
    fn name(&self) -> &str {
        "extraction"
    }

    fn lasts(&self) -> Duration {
        if self.0.destination().is_some() { LASTS } else { Duration::ZERO }
    }

    async fn ask(&self) -> Result<Option<String>, String> {
        let place = self.0.destination().map(|place| format!(", texts leave for {place}"));
        let named = format!("{} {}{}", self.0.name(), self.0.version(), place.unwrap_or_default());
        self.0.health().await.map(|()| Some(named)).map_err(|error| error.to_string())
    }
}

/// The translator of advice.
pub(crate) struct TranslationProbe(pub(crate) Arc<dyn Translator>);

#[async_trait]
impl Probe for TranslationProbe {
    fn name(&self) -> &str {
        "translation"
    }

    fn lasts(&self) -> Duration {
        LASTS
    }

    async fn ask(&self) -> Result<Option<String>, String> {
        let place = self.0.destination().map(|place| format!(", advice leaves for {place}"));
        let named = format!("{} {}{}", self.0.name(), self.0.version(), place.unwrap_or_default());
        self.0.health().await.map(|()| Some(named)).map_err(|error| error.to_string())
    }
}

/// The store of large files.
pub(crate) struct BlobProbe(pub(crate) Arc<dyn BlobStore>);

#[async_trait]
impl Probe for BlobProbe {
    fn name(&self) -> &str {
        "blobs"
    }

    fn lasts(&self) -> Duration {
        LASTS
    }

    async fn ask(&self) -> Result<Option<String>, String> {
        self.0.health().await.map(|()| None).map_err(|error| error.to_string())
    }
}

/// The external issuer.
pub(crate) struct IdentityProbe(pub(crate) Arc<IssuerVerifier>);

#[async_trait]
impl Probe for IdentityProbe {
    fn name(&self) -> &str {
        "identity"
    }

    fn lasts(&self) -> Duration {
        LASTS
    }

    async fn ask(&self) -> Result<Option<String>, String> {
        let keys = self.0.health().await.map_err(|error| error.to_string())?;
        Ok(Some(format!("{keys} keys of the external issuer")))
    }
}

/// A service of AWS that the configuration chooses, asked through its adapter.
pub(crate) struct AwsService {
    name: &'static str,
    region: String,
    asked: Arc<dyn Probe>,
}

#[async_trait]
impl AwsProbe for AwsService {
    fn service(&self) -> &str {
        self.name
    }

    fn region(&self) -> Option<&str> {
        Some(&self.region)
    }

    async fn ask(&self) -> Result<(), String> {
        self.asked.ask().await.map(drop)
    }
}

/// What the server depends on.
pub(crate) struct Dependencies<'a> {
    pub(crate) database: &'a Database,
    pub(crate) speech: Arc<dyn SpeechEngine>,
    pub(crate) extractor: Arc<dyn EntityExtractor>,
    pub(crate) translator: Option<Arc<dyn Translator>>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) issuer: Option<Arc<IssuerVerifier>>,
}

impl Dependencies<'_> {
    /// What `/health` asks.
    pub(crate) fn probes(&self) -> Vec<Arc<dyn Probe>> {
        let mut probes: Vec<Arc<dyn Probe>> = vec![
            Arc::new(DatabaseProbe(self.database.clone())),
            Arc::new(SpeechProbe(Arc::clone(&self.speech))),
            Arc::new(ExtractionProbe(Arc::clone(&self.extractor))),
            Arc::new(BlobProbe(Arc::clone(&self.blobs))),
        ];
        if let Some(translator) = &self.translator {
            probes.push(Arc::new(TranslationProbe(Arc::clone(translator))));
        }
        if let Some(issuer) = &self.issuer {
            probes.push(Arc::new(IdentityProbe(Arc::clone(issuer))));
        }
        probes
    }

    /// The services of AWS that are configured; none means that nothing leaves for AWS.
    pub(crate) fn aws(&self, configuration: &Configuration) -> Vec<Arc<dyn AwsProbe>> {
        let mut services: Vec<Arc<dyn AwsProbe>> = Vec::new();
        let (extraction, store, speech) = (&configuration.extraction, &configuration.blobs, &configuration.speech);
        let transcribes = [SpeechChoice::Transcribe, SpeechChoice::TranscribeMedical].contains(&speech.engine);
        if let (true, Some(region)) = (transcribes, &speech.region) {
            let asked = Arc::new(SpeechProbe(Arc::clone(&self.speech)));
            services.push(Arc::new(AwsService { name: speech.engine.name(), region: region.clone(), asked }));
        }
        if let (ExtractionEngine::ComprehendMedical, Some(region)) = (extraction.engine, &extraction.region) {
            let asked = Arc::new(ExtractionProbe(Arc::clone(&self.extractor)));
            services.push(Arc::new(AwsService { name: "comprehendmedical", region: region.clone(), asked }));
        }
        if let (Some(translator), Some(region)) = (&self.translator, &configuration.translation.region) {
            let asked = Arc::new(TranslationProbe(Arc::clone(translator)));
            services.push(Arc::new(AwsService { name: "translate", region: region.clone(), asked }));
        }
        if let (BlobStoreKind::S3, Some(region)) = (store.store, &store.region) {
            let asked = Arc::new(BlobProbe(Arc::clone(&self.blobs)));
            services.push(Arc::new(AwsService { name: "s3", region: region.clone(), asked }));
        }
        services
    }
}
