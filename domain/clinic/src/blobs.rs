//! Files that are too large for a row of a resource: sealed before they reach the store, named by a Binary
//! (R4: <https://hl7.org/fhir/R4/binary.html>).

mod large;
mod reading;

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use seva_fhir::jobs::{JobFile, JobFiles};
use seva_fhir::json::{Json, JsonObject, object};
use seva_fhir::ports::StoreError;
use seva_fhir::types::TenantId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::dictation::{AudioCipher, BlobStore, RecordingKeys};
use crate::drafting::elements::EXTENSION;
use crate::failure::ClinicError;

pub use large::{BlobRegister, LARGEST_IN_ROW, LargeBinaries};

/// A blob is one piece under its own key.
const ONLY_PIECE: u32 = 0;
/// The part of a mark that names a blob.
const NAME: &str = "name";

/// A file whose bytes lie in the blob store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobLink {
    /// The blob: it has the id of its Binary, or a name of its own where versions of one Binary differ.
    pub id: Uuid,
    /// The media type.
    pub content_type: String,
    /// The size of the plain bytes.
    pub size: u64,
    /// The SHA-256 of the plain bytes in hexadecimal digits.
    pub sha256: String,
}

impl BlobLink {
    /// Describes the bytes of a blob.
    #[must_use]
    pub fn of(id: Uuid, content_type: &str, bytes: &[u8]) -> Self {
        let sha256 = hex::encode(Sha256::digest(bytes));
        Self { id, content_type: content_type.to_owned(), size: bytes.len() as u64, sha256 }
    }

    /// Reads what a stored Binary says of its blob; nothing when its data stands in the resource.
    #[must_use]
    pub fn read(binary: &Json) -> Option<Self> {
        let parts = parts_of_mark(binary)?;
        let part = |name: &str| parts.iter().find(|part| part.get_str("url") == Some(name));
        // Without a name it is the Binary's own id: a resource that is written from outside can't point at another
        // one's blob, because names are taken from nobody.
        let name = part(NAME).and_then(|part| part.get_str("valueString")).or_else(|| binary.get_str("id"))?;
        Some(Self {
            id: name.parse().ok()?,
            content_type: binary.get_str("contentType")?.to_owned(),
            size: part("size")?.get("valueDecimal")?.as_number()?.parse().ok()?,
            sha256: part("sha256")?.get_str("valueString")?.to_owned(),
        })
    }

    /// Whether a Binary names a blob that isn't called like itself.
    #[must_use]
    pub fn is_named(binary: &Json) -> bool {
        let parts = parts_of_mark(binary).unwrap_or_default();
        parts.iter().any(|part| part.get_str("url") == Some(NAME))
    }

    /// Puts the name of the blob in the place of a Binary's data.
    pub fn stand_for_data(&self, binary: &mut Json) {
        let Some(members) = binary.as_object_mut() else { return };
        members.remove("data");
        let name = object([("url", NAME.into()), ("valueString", self.id.to_string().into())]);
        let mut beside = match members.remove("_data") {
            Some(Json::Object(beside)) => beside,
            _ => JsonObject::new(),
        };
        let mut marks = beside.remove("extension").map_or_else(Vec::new, |marks| marks.items().to_vec());
        marks.push(self.mark(vec![name]));
        beside.insert("extension", marks);
        members.insert("_data", beside);
    }

    fn mark(&self, mut parts: Vec<Json>) -> Json {
        let part = |name: &str, (kind, value): (&str, Json)| object([("url", name.into()), (kind, value)]);
        parts.push(part("size", ("valueDecimal", self.size.into())));
        parts.push(part("sha256", ("valueString", self.sha256.as_str().into())));
        object([("url", format!("{EXTENSION}blob").into()), ("extension", parts.into())])
    }

    /// Builds the Binary that stands for the blob; whoever may not read `security_context` may not read it.
    #[must_use]
    pub fn binary(&self, security_context: &str) -> Json {
        let mark = self.mark(Vec::new());
        object([
            ("resourceType", "Binary".into()),
            ("id", self.id.to_string().into()),
            ("contentType", self.content_type.as_str().into()),
            ("securityContext", object([("reference", security_context.into())])),
            ("_data", object([("extension", vec![mark].into())])),
        ])
    }
}

fn is_mark(mark: &Json) -> bool {
    mark.get_str("url").and_then(|url| url.strip_prefix(EXTENSION)) == Some("blob")
}

fn parts_of_mark(binary: &Json) -> Option<&[Json]> {
    let marks = binary.get("_data")?.get("extension")?.items();
    Some(marks.iter().find(|mark| is_mark(mark))?.get("extension")?.items())
}

/// Puts the bytes of a blob into its Binary, as FHIR's JSON has them.
#[must_use]
pub fn with_data(binary: &Json, bytes: &[u8]) -> Json {
    let mut members: JsonObject = binary.as_object().cloned().unwrap_or_default();
    // Only the mark goes: what others have written beside the data stays.
    if let Some(Json::Object(mut beside)) = members.remove("_data") {
        let marks = beside.remove("extension").map_or_else(Vec::new, |marks| marks.items().to_vec());
        let others: Vec<Json> = marks.into_iter().filter(|mark| !is_mark(mark)).collect();
        if !others.is_empty() {
            beside.insert("extension", others);
        }
        if !beside.is_empty() {
            members.insert("_data", beside);
        }
    }
    members.insert("data", STANDARD.encode(bytes));
    members.into()
}

/// Keeps blobs encrypted, each under a key of its own: shredding the key is deleting the blob.
#[derive(Clone)]
pub struct SealedBlobs {
    /// Where the sealed bytes lie.
    pub store: Arc<dyn BlobStore>,
    /// The wrapped keys.
    pub keys: Arc<dyn RecordingKeys>,
    /// The cipher.
    pub cipher: Arc<dyn AudioCipher>,
}

impl SealedBlobs {
    /// Seals and stores; when this returns the bytes are durable.
    pub async fn put(&self, tenant: TenantId, link: &BlobLink, bytes: &[u8]) -> Result<(), ClinicError> {
        let key = self.cipher.new_key(link.id).map_err(unavailable)?;
        let sealed = self.cipher.encrypt(link.id, &key, ONLY_PIECE, bytes).map_err(unavailable)?;
        self.keys.create(tenant, link.id, &key).await?;
        self.store.put(tenant, link.id, &link.content_type, sealed).await.map_err(unavailable)
    }

    /// Reads and opens a blob, and compares it with what its Binary says.
    pub async fn get(&self, tenant: TenantId, link: &BlobLink) -> Result<Vec<u8>, ClinicError> {
        let key = self.keys.find(tenant, link.id).await?.ok_or(ClinicError::NotFound("the file"))?;
        let found = self.store.get(tenant, link.id, None).await.map_err(unavailable)?;
        let sealed = found.ok_or_else(|| ClinicError::Unavailable(format!("blob {} is not in its store", link.id)))?;
        let plain = self.cipher.decrypt(link.id, &key, ONLY_PIECE, &sealed.bytes).map_err(unavailable)?;
        if hex::encode(Sha256::digest(&plain)) != link.sha256 {
            return Err(ClinicError::Unavailable(format!("blob {} is not what was stored", link.id)));
        }
        Ok(plain)
    }

    /// Removes a blob and its key.
    pub async fn remove(&self, tenant: TenantId, id: Uuid) -> Result<(), ClinicError> {
        // Both are tried: what can't be removed is unreadable without its key.
        let shredded = self.keys.shred(tenant, id).await;
        self.store.delete(tenant, id).await.map_err(unavailable)?;
        Ok(shredded?)
    }

    /// Takes back what was stored for a transaction that failed.
    pub async fn discard(&self, tenant: TenantId, id: Uuid) {
        if self.remove(tenant, id).await.is_err() {
            tracing::warn!(blob = %id, "a blob without a resource was left in its store");
        }
    }
}

/// The files of exports and imports lie among the other blobs, sealed like them.
#[async_trait]
impl JobFiles for SealedBlobs {
    async fn put(&self, tenant: TenantId, file: &JobFile, bytes: &[u8]) -> Result<(), StoreError> {
        Self::put(self, tenant, &link(file), bytes).await.map_err(away)
    }

    async fn get(&self, tenant: TenantId, file: &JobFile) -> Result<Bytes, StoreError> {
        Self::get(self, tenant, &link(file)).await.map(Bytes::from).map_err(away)
    }

    async fn discard(&self, tenant: TenantId, blob: Uuid) {
        Self::discard(self, tenant, blob).await;
    }
}

fn link(file: &JobFile) -> BlobLink {
    let content_type = "application/octet-stream".to_owned();
    BlobLink { id: file.blob, content_type, size: file.size, sha256: file.sha256.clone() }
}

fn away(error: ClinicError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn unavailable(error: impl std::fmt::Display) -> ClinicError {
    ClinicError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_says_where_its_bytes_are() {
        let link = BlobLink::of(Uuid::from_u128(7), "application/pdf", b"%PDF-1.7");
        let binary = link.binary("Patient/a");
        assert_eq!(BlobLink::read(&binary), Some(link));
        assert!(seva_fhir::structure::check(&binary).is_empty());
        let whole = with_data(&binary, b"%PDF-1.7");
        assert_eq!((whole.get_str("data"), BlobLink::read(&whole)), (Some("JVBERi0xLjc="), None));
    }

    #[test]
    fn a_named_blob_stands_for_data_and_leaves_what_is_beside_it() {
        let link = BlobLink::of(Uuid::from_u128(7), "text/plain", b"abc");
        let beside = object([("extension", vec![object([("url", "urn:x".into()), ("valueCode", "y".into())])].into())]);
        let before = object([
            ("resourceType", "Binary".into()),
            ("id", "b".into()),
            ("contentType", "text/plain".into()),
            ("data", "YWJj".into()),
            ("_data", beside),
        ]);
        let mut binary = before.clone();
        link.stand_for_data(&mut binary);
        assert!(binary.get("data").is_none() && BlobLink::is_named(&binary) && !BlobLink::is_named(&before));
        assert!(seva_fhir::structure::check(&binary).is_empty());
        assert_eq!(BlobLink::read(&binary), Some(link));
        let whole = with_data(&binary, b"abc");
        assert_eq!((whole.get("data"), whole.get("_data")), (before.get("data"), before.get("_data")));
    }
}
