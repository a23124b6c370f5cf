//! Which adapter serves each port, as the configuration chooses. A chosen service that is away is a fault, never another one.

use std::sync::Arc;

use anyhow::Context;
use seva_aws::blobs::{S3Blobs, S3Settings};
use seva_aws::{Connection, Identity};
use seva_clinic::dictation::BlobStore;
use seva_embedded::blobs::FileBlobs;

use crate::configuration::{BlobStoreKind, Configuration};

/// The folder of blobs within the data folder.
const BLOBS: &str = "blobs";

/// Where large files lie: the data folder, or S3.
pub async fn blobs(configuration: &Configuration) -> anyhow::Result<Arc<dyn BlobStore>> {
    let settings = &configuration.blobs;
    if settings.store == BlobStoreKind::Files {
        return Ok(Arc::new(FileBlobs::open(&configuration.data.folder.join(BLOBS)).context("the folder of blobs")?));
    }
    let connection = Connection {
        region: settings.region.clone().context("blobs.region must be set")?,
        endpoint: settings.endpoint.clone(),
        identity: Identity::Chain,
    };
    let settings = S3Settings {
        connection,
        bucket: settings.bucket.clone().context("blobs.bucket must be set")?,
        prefix: settings.prefix.clone().unwrap_or_default(),
        kms_key: settings.kms_key.clone(),
    };
    Ok(Arc::new(S3Blobs::new(settings).await))
}
