//! Which adapter serves each port, as the configuration chooses. A chosen service that is away is a fault, never another one.

mod speech;

use std::sync::Arc;

use anyhow::Context;
use seva_aws::blobs::{S3Blobs, S3Settings};
use seva_aws::extraction::ComprehendExtractor;
use seva_aws::translation::AmazonTranslator;
use seva_aws::{Connection, Identity};
use seva_clinic::dictation::BlobStore;
use seva_clinic::entities::EntityExtractor;
use seva_clinic::translation::Translator;
use seva_embedded::blobs::FileBlobs;
use seva_embedded::extraction::LexiconExtractor;
use seva_fhir::bulk::Fetcher;
use seva_fhir::clock::SystemClock;
use seva_remote::import::HttpFetcher;
use seva_remote::issuer::{IssuerSettings, IssuerVerifier};
use seva_remote::place::Place;
use seva_remote::translation::LibreTranslator;

pub use speech::speech;

use crate::configuration::{BlobStoreKind, Configuration, ExtractionEngine, Secret, TranslationEngine};

/// The folder of blobs within the data folder.
const BLOBS: &str = "blobs";

/// Where large files lie: the data folder, or S3.
pub async fn blobs(configuration: &Configuration) -> anyhow::Result<Arc<dyn BlobStore>> {
    let settings = &configuration.blobs;
    if settings.store == BlobStoreKind::Files {
        return Ok(Arc::new(FileBlobs::open(&configuration.data.folder.join(BLOBS)).context("the folder of blobs")?));
    }
    let region = settings.region.as_deref().context("blobs.region must be set")?;
    let connection = connection(region, settings.endpoint.as_deref());
    let settings = S3Settings {
        connection,
        bucket: settings.bucket.clone().context("blobs.bucket must be set")?,
        prefix: settings.prefix.clone().unwrap_or_default(),
        kms_key: settings.kms_key.clone(),
    };
    Ok(Arc::new(S3Blobs::new(settings).await))
}

/// What finds entities: our own engine, or Comprehend Medical.
pub async fn extractor(configuration: &Configuration) -> anyhow::Result<Arc<dyn EntityExtractor>> {
    let settings = &configuration.extraction;
    match settings.engine {
        ExtractionEngine::Embedded => Ok(Arc::new(LexiconExtractor::default())),
        ExtractionEngine::ComprehendMedical => {
            let region = settings.region.as_deref().context("extraction.region must be set")?;
            let extractor = ComprehendExtractor::new(connection(region, settings.endpoint.as_deref())).await;
            Ok(Arc::new(extractor.inferring(settings.codes.0.clone())))
        }
    }
}

/// What translates advice; nothing unless an engine is configured.
pub async fn translator(configuration: &Configuration) -> anyhow::Result<Option<Arc<dyn Translator>>> {
    let settings = &configuration.translation;
    Ok(match settings.engine {
        TranslationEngine::None => None,
        TranslationEngine::AmazonTranslate => {
            let region = settings.region.as_deref().context("translation.region must be set")?;
            let connection = connection(region, settings.endpoint.as_deref());
            Some(Arc::new(AmazonTranslator::new(connection, settings.terminologies.0.clone()).await))
        }
        TranslationEngine::Libretranslate => {
            let place = Place {
                endpoint: settings.endpoint.clone().context("translation.endpoint must be set")?,
                api_key: settings.api_key.as_ref().map(Secret::reveal).map(str::to_owned),
                certificates: None,
            };
            Some(Arc::new(LibreTranslator::new(place).context("translation")?))
        }
    })
}

/// Who else's tokens are accepted; nobody's unless an issuer is configured.
pub fn verifier(configuration: &Configuration) -> anyhow::Result<Option<Arc<IssuerVerifier>>> {
    let settings = &configuration.identity;
    let Some(issuer) = settings.issuer.clone() else { return Ok(None) };
    let audience = settings.audience.clone().context("identity.audience must be set")?;
    let settings = IssuerSettings { issuer, audience, jwks_url: settings.jwks_url.clone() };
    let verifier = IssuerVerifier::new(settings, Arc::new(SystemClock)).context("identity.issuer")?;
    Ok(Some(Arc::new(verifier)))
}

/// Where files of an import are fetched from; nowhere unless origins are configured.
pub fn fetcher(configuration: &Configuration) -> anyhow::Result<Arc<dyn Fetcher>> {
    Ok(Arc::new(HttpFetcher::new(&configuration.import.origins.0).context("import.origins")?))
}

/// A service of AWS, asked with the credentials of the SDK's chain.
pub(crate) fn connection(region: &str, endpoint: Option<&str>) -> Connection {
    Connection {
        region: region.to_owned(),
        endpoint: endpoint.map(str::to_owned),
        identity: Identity::Chain,
        certificates: None,
    }
}
