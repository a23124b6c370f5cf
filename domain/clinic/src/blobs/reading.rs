//! The data of large Binaries, put back where they are read.

use async_trait::async_trait;
use bytes::Bytes;
use seva_fhir::json::{Limits, parse};
use seva_fhir::ports::{HistoryEntry, Lookup, ScanSink, SearchPage, StoreError, Stored, Written};
use seva_fhir::search::SearchQuery;
use seva_fhir::types::{Instant, ResourceKey, ResourceType, TenantId, VersionId};

use super::{BlobLink, SealedBlobs, with_data};

/// So many bytes of data are put back in one answer; what is beyond is read by itself.
const LARGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// Puts data back into the Binaries of one answer.
pub(super) struct Filled<'a> {
    blobs: &'a SealedBlobs,
    tenant: TenantId,
    left: u64,
}

impl<'a> Filled<'a> {
    pub(super) fn new(blobs: &'a SealedBlobs, tenant: TenantId) -> Self {
        Self { blobs, tenant, left: LARGEST_ANSWER }
    }

    async fn body(&mut self, key: &ResourceKey, body: &mut Bytes) -> Result<(), StoreError> {
        if key.resource_type() != ResourceType::binary() {
            return Ok(());
        }
        let binary = parse(body, &Limits::default())
            .map_err(|error| StoreError::Unavailable(format!("{key} does not parse: {error}")))?;
        let named = BlobLink::read(&binary).filter(|link| BlobLink::is_named(&binary) && link.size <= self.left);
        let Some(link) = named else { return Ok(()) };
        self.left -= link.size;
        let bytes = self.blobs.get(self.tenant, &link).await;
        let bytes = bytes.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        *body = with_data(&binary, &bytes).to_bytes().into();
        Ok(())
    }

    pub(super) async fn lookup(mut self, mut found: Lookup) -> Result<Lookup, StoreError> {
        if let Lookup::Found(stored) = &mut found {
            self.body(&stored.key.clone(), &mut stored.body).await?;
        }
        Ok(found)
    }

    pub(super) async fn all(&mut self, found: &mut [Stored]) -> Result<(), StoreError> {
        for stored in found {
            self.body(&stored.key.clone(), &mut stored.body).await?;
        }
        Ok(())
    }

    pub(super) async fn entry(&mut self, entry: &mut HistoryEntry) -> Result<(), StoreError> {
        match &mut entry.body {
            Some(body) => self.body(&entry.key, body).await,
            None => Ok(()),
        }
    }

    pub(super) async fn page(mut self, mut page: SearchPage) -> Result<SearchPage, StoreError> {
        self.all(&mut page.matches).await?;
        self.all(&mut page.included).await?;
        Ok(page)
    }
}

/// Takes what a scan reads, with its data.
pub(super) struct FilledSink<'a> {
    pub(super) blobs: &'a SealedBlobs,
    pub(super) tenant: TenantId,
    pub(super) sink: &'a mut dyn ScanSink,
}

#[async_trait]
impl ScanSink for FilledSink<'_> {
    async fn begin(&mut self, moment: Instant) -> Result<(), StoreError> {
        self.sink.begin(moment).await
    }

    async fn take(&mut self, place: usize, batch: Vec<Stored>) -> Result<(), StoreError> {
        if batch.iter().all(|stored| stored.key.resource_type() != ResourceType::binary()) {
            return self.sink.take(place, batch).await;
        }
        // One by one: a batch of large files would not fit.
        for mut stored in batch {
            Filled::new(self.blobs, self.tenant).all(std::slice::from_mut(&mut stored)).await?;
            self.sink.take(place, vec![stored]).await?;
        }
        Ok(())
    }
}

/// What is written and not yet committed, with its data.
pub(super) struct FilledWritten {
    pub(super) blobs: SealedBlobs,
    pub(super) tenant: TenantId,
    pub(super) written: Box<dyn Written>,
}

#[async_trait]
impl Written for FilledWritten {
    async fn read(&mut self, key: &ResourceKey) -> Result<Lookup, StoreError> {
        Filled::new(&self.blobs, self.tenant).lookup(self.written.read(key).await?).await
    }

    async fn read_version(&mut self, key: &ResourceKey, version: VersionId) -> Result<Lookup, StoreError> {
        Filled::new(&self.blobs, self.tenant).lookup(self.written.read_version(key, version).await?).await
    }

    async fn search(&mut self, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        Filled::new(&self.blobs, self.tenant).page(self.written.search(query).await?).await
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.written.commit().await
    }
}
