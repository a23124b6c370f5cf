//! Blobs as objects of Amazon S3 (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>): what a Binary
//! holds when it is too large for a row (R4: <https://hl7.org/fhir/R4/binary.html>).
//!
//! Each object, or each part of a large one, is sent with its SHA-256, which S3 checks; that of an object is checked again when
//! the whole is read. It lies encrypted under the KMS
//! key that is configured, or else under S3's own.

mod writing;

use std::error::Error;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ServerSideEncryption};
use seva_clinic::dictation::{BlobContent, BlobError, BlobStore, BlobWriter};
use seva_fhir::types::TenantId;
use uuid::Uuid;

use crate::connection::{Connection, Patience, silence};
use writing::S3Writer;

/// A recording of an hour is some 40 MB: two minutes are enough on a slow line.
const PATIENCE: Patience = Patience { attempt: Duration::from_secs(40), all: Duration::from_secs(120), attempts: 3 };

/// Which bucket, and how objects lie in it.
#[derive(Clone, Debug)]
pub struct S3Settings {
    /// Where S3 is and who asks it.
    pub connection: Connection,
    /// The bucket.
    pub bucket: String,
    /// What names of objects begin with, without slashes at its ends; may be empty.
    pub prefix: String,
    /// The KMS key that encrypts the objects.
    pub kms_key: Option<String>,
}

/// Keeps each blob in one object, `<prefix>/<tenant>/<id>`.
#[derive(Clone, Debug)]
pub struct S3Blobs {
    client: Client,
    bucket: String,
    prefix: String,
    kms_key: Option<String>,
}

impl S3Blobs {
    /// Prepares the client; nothing is sent yet.
    pub async fn new(settings: S3Settings) -> Self {
        Self::waiting(settings, PATIENCE).await
    }

    async fn waiting(settings: S3Settings, patience: Patience) -> Self {
        let shared = settings.connection.configure(patience).await;
        let configuration = aws_sdk_s3::config::Builder::from(&shared)
            // A stand-in has no host name for each bucket.
            .force_path_style(settings.connection.endpoint.is_some())
            .build();
        let prefix = match settings.prefix.trim_matches('/') {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let client = Client::from_conf(configuration);
        Self { client, bucket: settings.bucket, prefix, kms_key: settings.kms_key }
    }

    /// A large blob in parts, so that a fault costs one part and not the whole.
    async fn put_parts(&self, tenant: TenantId, id: Uuid, content_type: &str, bytes: &[u8]) -> Result<(), BlobError> {
        let mut writer = self.write(tenant, id, content_type).await?;
        for part in bytes.chunks(writing::PART) {
            if let Err(error) = writer.append(part.to_vec()).await {
                writer.abandon().await;
                return Err(error);
            }
        }
        writer.finish().await
    }

    fn key(&self, tenant: TenantId, id: Uuid) -> String {
        format!("{}{}/{id}", self.prefix, tenant.get())
    }

    /// How S3 encrypts what it is sent.
    fn encryption(&self) -> (ServerSideEncryption, Option<String>) {
        match &self.kms_key {
            Some(key) => (ServerSideEncryption::AwsKms, Some(key.clone())),
            None => (ServerSideEncryption::Aes256, None),
        }
    }

    /// The size of an object, and nothing when it is not there.
    async fn head(&self, key: &str) -> Result<Option<(String, u64)>, BlobError> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(head) => Ok(Some((media_type(head.content_type), size_of(head.content_length)))),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// An empty range has no spelling in HTTP, and one that S3 refuses needs the size for the answer.
    async fn without_bytes(&self, key: &str, range: &Range<u64>) -> Result<Option<BlobContent>, BlobError> {
        match self.head(key).await? {
            Some((content_type, size)) if range.start == range.end && range.end <= size => {
                Ok(Some(BlobContent { content_type, size, bytes: Vec::new() }))
            }
            Some((_, size)) => Err(BlobError::Range { size }),
            None => Ok(None),
        }
    }
}

#[async_trait]
impl BlobStore for S3Blobs {
    async fn put(&self, tenant: TenantId, id: Uuid, content_type: &str, bytes: Vec<u8>) -> Result<(), BlobError> {
        if bytes.len() > writing::PART {
            return self.put_parts(tenant, id, content_type, &bytes).await;
        }
        let (encryption, kms_key) = self.encryption();
        let put = self.client.put_object().bucket(&self.bucket).key(self.key(tenant, id));
        let put = put.server_side_encryption(encryption).set_ssekms_key_id(kms_key);
        let put = put.content_type(content_type).checksum_algorithm(ChecksumAlgorithm::Sha256).body(bytes.into());
        put.send().await.map(drop).map_err(|error| unavailable(&error))
    }

    async fn get(
        &self,
        tenant: TenantId,
        id: Uuid,
        range: Option<Range<u64>>,
    ) -> Result<Option<BlobContent>, BlobError> {
        let key = self.key(tenant, id);
        let mut get = self.client.get_object().bucket(&self.bucket).key(&key).checksum_mode(ChecksumMode::Enabled);
        if let Some(range) = &range {
            let Some(last) = range.end.checked_sub(1).filter(|last| *last >= range.start) else {
                return self.without_bytes(&key, range).await;
            };
            get = get.range(format!("bytes={}-{last}", range.start));
        }
        match (get.send().await, range) {
            (Ok(object), range) => content(object, range).await.map(Some),
            (Err(error), _) if status(&error) == Some(404) => Ok(None),
            (Err(error), Some(range)) if status(&error) == Some(416) => self.without_bytes(&key, &range).await,
            (Err(error), _) => Err(unavailable(&error)),
        }
    }

    async fn write(&self, tenant: TenantId, id: Uuid, content_type: &str) -> Result<Box<dyn BlobWriter>, BlobError> {
        Ok(Box::new(S3Writer::begin(self, self.key(tenant, id), content_type).await?))
    }

    async fn delete(&self, tenant: TenantId, id: Uuid) -> Result<(), BlobError> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(self.key(tenant, id));
        match delete.send().await {
            Err(error) if status(&error) != Some(404) => Err(unavailable(&error)),
            _ => Ok(()),
        }
    }

    async fn health(&self) -> Result<(), BlobError> {
        match self.client.head_bucket().bucket(&self.bucket).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(BlobError::Unavailable(match status(&error) {
                Some(404) => format!("there is no bucket {:?} in the configured region", self.bucket),
                Some(403) => format!("the credentials may not list the bucket {:?}", self.bucket),
                Some(301) => format!("the bucket {:?} lies in another region than the configured one", self.bucket),
                _ => reason(&error),
            })),
        }
    }
}

async fn content(object: GetObjectOutput, range: Option<Range<u64>>) -> Result<BlobContent, BlobError> {
    // `bytes 3-5/10`: the whole is told behind the slash.
    let whole = object.content_range.as_deref().and_then(|text| text.rsplit('/').next()?.parse().ok());
    let size = whole.unwrap_or_else(|| size_of(object.content_length));
    // S3 cuts a range that goes beyond the end; the port refuses it.
    if range.is_some_and(|range| range.end > size) {
        return Err(BlobError::Range { size });
    }
    let content_type = media_type(object.content_type);
    let bytes = object.body.collect().await.map_err(|error| BlobError::Unavailable(error.to_string()))?;
    Ok(BlobContent { content_type, size, bytes: bytes.to_vec() })
}

fn media_type(stored: Option<String>) -> String {
    stored.unwrap_or_else(|| "application/octet-stream".to_owned())
}

fn size_of(length: Option<i64>) -> u64 {
    length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default()
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn unavailable<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> BlobError {
    BlobError::Unavailable(reason(error))
}

/// The service's own code where it answered.
fn reason<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E>) -> String {
    match (error.code(), status(error)) {
        (Some(code), _) => format!("S3 refused: {code}"),
        (None, Some(status)) => format!("S3 answered {status}"),
        (None, None) => format!("S3: {}", silence(error)),
    }
}

#[cfg(test)]
mod tests;
