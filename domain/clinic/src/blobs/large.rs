//! Binaries of more than 64 KB (decision D20): their data is sealed in the blob store before the version that names it is
//! committed, and is put back wherever that version is read. Each version has a blob of its own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seva_fhir::clock::IdSource;
use seva_fhir::json::{Json, Limits, parse};
use seva_fhir::parameters::Parameters;
use seva_fhir::ports::{
    ChangeEntry, ChangesQuery, Deletion, Draft, Explained, Guard, HistoryEntry, Lookup, ResourceStore, Scan, ScanSink,
    SearchPage, StoreError, Stored, VersionsQuery, Write, WriteContext, Written,
};
use seva_fhir::search::SearchQuery;
use seva_fhir::types::{Instant, ResourceKey, ResourceType, TenantId, VersionId};
use uuid::Uuid;

use super::reading::{Filled, FilledSink, FilledWritten};
use super::{BlobLink, SealedBlobs};

/// Up to so many bytes lie in the row of the resource.
pub const LARGEST_IN_ROW: usize = 64 * 1024;

/// Remembers which blobs belong to Binaries, from before they are stored.
#[async_trait]
pub trait BlobRegister: Send + Sync {
    /// Remembers a blob that is about to be stored, and whose Binary.
    async fn add(&self, tenant: TenantId, link: &BlobLink, binary: &ResourceKey) -> Result<(), StoreError>;

    /// Forgets a blob.
    async fn remove(&self, tenant: TenantId, blob: Uuid) -> Result<(), StoreError>;

    /// Takes some of the blobs older than an age that no version names: nobody else is given them for some minutes.
    async fn orphans(&self, age: Duration) -> Result<Vec<(TenantId, Uuid)>, StoreError>;
}

/// A store of resources that keeps the data of large Binaries in the blob store.
#[derive(Clone)]
pub struct LargeBinaries {
    /// Where everything else lies.
    pub inner: Arc<dyn ResourceStore>,
    /// The sealed bytes.
    pub blobs: SealedBlobs,
    /// Which blobs there are.
    pub register: Arc<dyn BlobRegister>,
    /// Names of blobs.
    pub ids: Arc<dyn IdSource>,
}

impl LargeBinaries {
    /// Removes blobs older than an age that no version names: what a crash between blob and commit left.
    pub async fn sweep(&self, age: Duration) -> Result<usize, StoreError> {
        let orphans = self.register.orphans(age).await?;
        let mut removed = 0;
        for (tenant, blob) in orphans {
            match self.blobs.remove(tenant, blob).await {
                Ok(()) => {
                    self.register.remove(tenant, blob).await?;
                    removed += 1;
                }
                Err(error) => tracing::warn!(%error, %blob, "a blob that nothing names was not removed"),
            }
        }
        Ok(removed)
    }

    /// Moves the data of large Binaries out of their drafts; the blobs that came to be.
    async fn take_out(&self, tenant: TenantId, writes: &mut [Write]) -> Result<Vec<Uuid>, StoreError> {
        let mut stored = Vec::new();
        for write in writes {
            if let Write::Insert { draft, .. } | Write::Replace { draft, .. } = write
                && draft.stored.key.resource_type() == ResourceType::binary()
            {
                stored.extend(self.take_data(tenant, draft).await?);
            }
        }
        Ok(stored)
    }

    async fn take_data(&self, tenant: TenantId, draft: &mut Draft) -> Result<Option<Uuid>, StoreError> {
        let key = draft.stored.key.clone();
        let mut binary = parse(&draft.stored.body, &Limits::default())
            .map_err(|error| StoreError::Unavailable(format!("{key} does not parse: {error}")))?;
        // Who reads a Binary is given its data: a mark of ours that comes back is another one's, or its data is lost.
        if BlobLink::is_named(&binary) {
            return Err(StoreError::Foreign { key });
        }
        let data = binary.get_str("data").unwrap_or_default();
        if data.len() / 4 * 3 <= LARGEST_IN_ROW {
            return Ok(None);
        }
        let digits: String = data.split_ascii_whitespace().collect();
        let Ok(bytes) = STANDARD.decode(digits) else { return Ok(None) };
        if bytes.len() <= LARGEST_IN_ROW {
            return Ok(None);
        }
        let content_type = binary.get_str("contentType").unwrap_or("application/octet-stream");
        let link = BlobLink::of(self.ids.new_uuid(), content_type, &bytes);
        self.register.add(tenant, &link, &key).await?;
        self.blobs.put(tenant, &link, &bytes).await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        link.stand_for_data(&mut binary);
        draft.stored.body = binary.to_bytes().into();
        Ok(Some(link.id))
    }

    /// What surely wasn't written needs no blobs; of what may have been the sweep decides.
    async fn settle<T>(&self, tenant: TenantId, blobs: &[Uuid], done: Result<T, StoreError>) -> Result<T, StoreError> {
        let surely_not = matches!(
            done,
            Err(StoreError::Conflict { .. }
                | StoreError::Exists { .. }
                | StoreError::Stale
                | StoreError::Foreign { .. })
        );
        for blob in blobs.iter().filter(|_| surely_not) {
            if self.blobs.remove(tenant, *blob).await.is_ok() {
                self.register.remove(tenant, *blob).await?;
            }
        }
        done
    }

    pub(super) fn filled(&self, tenant: TenantId) -> Filled<'_> {
        Filled::new(&self.blobs, tenant)
    }
}

#[async_trait]
impl ResourceStore for LargeBinaries {
    fn parameters(&self, tenant: TenantId) -> Parameters {
        self.inner.parameters(tenant)
    }

    async fn read(&self, tenant: TenantId, key: &ResourceKey) -> Result<Lookup, StoreError> {
        self.filled(tenant).lookup(self.inner.read(tenant, key).await?).await
    }

    async fn read_version(
        &self,
        tenant: TenantId,
        key: &ResourceKey,
        version: VersionId,
    ) -> Result<Lookup, StoreError> {
        self.filled(tenant).lookup(self.inner.read_version(tenant, key, version).await?).await
    }

    async fn read_many(&self, tenant: TenantId, keys: &[ResourceKey]) -> Result<Vec<Stored>, StoreError> {
        let mut found = self.inner.read_many(tenant, keys).await?;
        self.filled(tenant).all(&mut found).await?;
        Ok(found)
    }

    async fn history(
        &self,
        tenant: TenantId,
        key: &ResourceKey,
        wanted: &VersionsQuery,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut entries = self.inner.history(tenant, key, wanted).await?;
        let mut filled = self.filled(tenant);
        for entry in &mut entries {
            filled.entry(entry).await?;
        }
        Ok(entries)
    }

    async fn changes(&self, tenant: TenantId, wanted: &ChangesQuery) -> Result<Vec<ChangeEntry>, StoreError> {
        let mut changes = self.inner.changes(tenant, wanted).await?;
        let mut filled = self.filled(tenant);
        for change in &mut changes {
            filled.entry(&mut change.entry).await?;
        }
        Ok(changes)
    }

    async fn search(&self, tenant: TenantId, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        self.filled(tenant).page(self.inner.search(tenant, query).await?).await
    }

    async fn explain(&self, tenant: TenantId, query: &SearchQuery) -> Result<Vec<Explained>, StoreError> {
        self.inner.explain(tenant, query).await
    }

    async fn labels(&self, tenant: TenantId, query: &SearchQuery, most: u32) -> Result<Option<Vec<Json>>, StoreError> {
        self.inner.labels(tenant, query, most).await
    }

    async fn scan(&self, tenant: TenantId, scan: &Scan, sink: &mut dyn ScanSink) -> Result<(), StoreError> {
        self.inner.scan(tenant, scan, &mut FilledSink { blobs: &self.blobs, tenant, sink }).await
    }

    async fn deletions(
        &self,
        tenant: TenantId,
        (resource_type, since): (ResourceType, Instant),
        after: Option<&ResourceKey>,
    ) -> Result<Vec<Deletion>, StoreError> {
        self.inner.deletions(tenant, (resource_type, since), after).await
    }

    async fn write(
        &self,
        context: &WriteContext,
        mut writes: Vec<Write>,
        guards: Vec<Guard>,
    ) -> Result<Box<dyn Written>, StoreError> {
        let tenant = context.tenant;
        let blobs = self.take_out(tenant, &mut writes).await?;
        let written = self.settle(tenant, &blobs, self.inner.write(context, writes, guards).await).await?;
        Ok(Box::new(FilledWritten { blobs: self.blobs.clone(), tenant, written }))
    }

    async fn commit(
        &self,
        context: &WriteContext,
        mut writes: Vec<Write>,
        guards: Vec<Guard>,
    ) -> Result<(), StoreError> {
        let blobs = self.take_out(context.tenant, &mut writes).await?;
        self.settle(context.tenant, &blobs, self.inner.commit(context, writes, guards).await).await
    }
}
