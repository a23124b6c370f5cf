//! Large blobs go in parts, so that a cut costs one part and not the whole
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>).

use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use seva_clinic::dictation::BlobError;

use super::{S3Blobs, unavailable};

/// Blobs that are larger go in parts of this size; S3 wants 5 MiB at least.
pub(super) const PART: usize = 8 << 20;
/// How many parts are under way at once.
const AT_ONCE: usize = 3;

impl S3Blobs {
    /// Stores a large blob in parts, each with its SHA-256; what is not completed is removed, and is no object before.
    pub(super) async fn put_parts(&self, key: &str, content_type: &str, bytes: Vec<u8>) -> Result<(), BlobError> {
        let upload = self.begin(key, content_type).await?;
        let upload = upload.upload_id().ok_or_else(|| BlobError::Unavailable("S3 began no upload".to_owned()))?;
        let sent = self.send_all(key, upload, bytes.into()).await;
        let completed = match sent {
            Ok(parts) => self.complete(key, upload, parts).await,
            Err(error) => Err(error),
        };
        if completed.is_err() {
            let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
            if let Err(error) = abort.send().await {
                // The bucket's rule for incomplete uploads removes what this could not.
                tracing::warn!(reason = %unavailable(&error), "an incomplete upload was not removed");
            }
        }
        completed
    }

    async fn begin(&self, key: &str, content_type: &str) -> Result<CreateMultipartUploadOutput, BlobError> {
        let mut begin = self.client.create_multipart_upload().bucket(&self.bucket).key(key);
        begin = match &self.kms_key {
            Some(key) => begin.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(key),
            None => begin.server_side_encryption(ServerSideEncryption::Aes256),
        };
        let begin = begin.content_type(content_type).checksum_algorithm(ChecksumAlgorithm::Sha256);
        begin.send().await.map_err(|error| unavailable(&error))
    }

    async fn send_all(&self, key: &str, upload: &str, bytes: Bytes) -> Result<Vec<CompletedPart>, BlobError> {
        let count = bytes.len().div_ceil(PART);
        let parts = (0..count).map(|index| {
            let part = bytes.slice(index * PART..bytes.len().min((index + 1) * PART));
            self.send(key, upload, (index, part))
        });
        // Collected first, so that the stream holds futures and no closure that borrows.
        let parts: Vec<_> = parts.collect();
        stream::iter(parts).buffered(AT_ONCE).try_collect().await
    }

    async fn send(&self, key: &str, upload: &str, (index, part): (usize, Bytes)) -> Result<CompletedPart, BlobError> {
        let number = i32::try_from(index + 1).unwrap_or(i32::MAX);
        let sent = self.client.upload_part().bucket(&self.bucket).key(key).upload_id(upload).part_number(number);
        let sent = sent.checksum_algorithm(ChecksumAlgorithm::Sha256).body(ByteStream::from(part)).send().await;
        let sent = sent.map_err(|error| unavailable(&error))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(part.set_checksum_sha256(sent.checksum_sha256).build())
    }

    async fn complete(&self, key: &str, upload: &str, parts: Vec<CompletedPart>) -> Result<(), BlobError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = self.client.complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        complete.multipart_upload(parts).send().await.map(drop).map_err(|error| unavailable(&error))
    }
}
