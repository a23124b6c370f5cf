//! A blob of unknown size as a multipart upload
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>): each part is sent with its SHA-256.

use async_trait::async_trait;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use seva_clinic::dictation::{BlobError, BlobWriter};

use super::{S3Blobs, unavailable};

/// S3 takes 10,000 parts, none but the last below 5 MiB: of eight, a blob of 80 GB.
const PART: usize = 8 * 1024 * 1024;

/// An upload that is open.
pub(super) struct S3Writer {
    blobs: S3Blobs,
    key: String,
    upload: String,
    parts: Vec<CompletedPart>,
    waiting: Vec<u8>,
}

impl S3Writer {
    /// Begins an upload.
    pub(super) async fn begin(blobs: &S3Blobs, key: String, content_type: &str) -> Result<Self, BlobError> {
        let begin = blobs.client.create_multipart_upload().bucket(&blobs.bucket).key(&key).content_type(content_type);
        let (encryption, kms_key) = blobs.encryption();
        let begin = begin.server_side_encryption(encryption).set_ssekms_key_id(kms_key);
        let begun = begin.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await;
        let upload = begun.map_err(|error| unavailable(&error))?.upload_id;
        let upload = upload.ok_or_else(|| BlobError::Unavailable("S3 named no upload".to_owned()))?;
        Ok(Self { blobs: blobs.clone(), key, upload, parts: Vec::new(), waiting: Vec::new() })
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), BlobError> {
        let number = i32::try_from(self.parts.len()).unwrap_or(i32::MAX).saturating_add(1);
        let S3Blobs { client, bucket, .. } = &self.blobs;
        let part = client.upload_part().bucket(bucket).key(&self.key).upload_id(&self.upload).part_number(number);
        let sent = part.checksum_algorithm(ChecksumAlgorithm::Sha256).body(bytes.into()).send().await;
        let sent = sent.map_err(|error| unavailable(&error))?;
        let done = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .set_checksum_sha256(sent.checksum_sha256)
            .build();
        self.parts.push(done);
        Ok(())
    }

    async fn complete(&mut self) -> Result<(), BlobError> {
        // An upload has one part at least, be it empty.
        if !self.waiting.is_empty() || self.parts.is_empty() {
            let last = std::mem::take(&mut self.waiting);
            self.send(last).await?;
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(std::mem::take(&mut self.parts))).build();
        let S3Blobs { client, bucket, .. } = &self.blobs;
        let complete = client.complete_multipart_upload().bucket(bucket).key(&self.key).upload_id(&self.upload);
        complete.multipart_upload(parts).send().await.map(drop).map_err(|error| unavailable(&error))
    }

    async fn abort(&self) {
        let S3Blobs { client, bucket, .. } = &self.blobs;
        let abort = client.abort_multipart_upload().bucket(bucket).key(&self.key).upload_id(&self.upload);
        if let Err(error) = abort.send().await {
            // The bucket's own rule ends it after a day (terraform/modules/storage).
            let error = unavailable(&error);
            tracing::warn!(%error, "an upload to S3 was left open");
        }
    }
}

#[async_trait]
impl BlobWriter for S3Writer {
    async fn append(&mut self, bytes: Vec<u8>) -> Result<(), BlobError> {
        self.waiting.extend_from_slice(&bytes);
        while self.waiting.len() >= PART {
            let rest = self.waiting.split_off(PART);
            let part = std::mem::replace(&mut self.waiting, rest);
            self.send(part).await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), BlobError> {
        let done = self.complete().await;
        if done.is_err() {
            self.abort().await;
        }
        done
    }

    async fn abandon(self: Box<Self>) {
        self.abort().await;
    }
}
