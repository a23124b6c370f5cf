//! What the kernel needs of the world: a store of resources. One adapter, PostgreSQL; tested on the real thing.

mod histories;

use async_trait::async_trait;
use bytes::Bytes;

use crate::access::RequestOrigin;
use crate::index::IndexEntry;
use crate::json::Json;
use crate::parameters::Parameters;
use crate::search::{Cursor, InvalidCursor, SearchQuery};
use crate::types::{Instant, ResourceKey, ResourceType, TenantId, VersionId};

pub use histories::{ChangeEntry, ChangesQuery, HistoryEntry, Listed, VersionsQuery};

/// A stored version: the bytes are what is served.
#[derive(Clone)]
pub struct Stored {
    /// Type and id.
    pub key: ResourceKey,
    /// The version.
    pub version: VersionId,
    /// When it was written.
    pub updated: Instant,
    /// The resource as JSON, with its `id` and `meta`.
    pub body: Bytes,
}

/// What the store holds under a key.
pub enum Lookup {
    /// A current version.
    Found(Stored),
    /// It was deleted: the version that records the deletion, and when.
    Gone {
        /// The deletion's version.
        version: VersionId,
        /// When it was deleted.
        at: Instant,
    },
    /// Never seen.
    Absent,
}

/// How a version came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// POST.
    Create,
    /// PUT.
    Update,
    /// DELETE.
    Delete,
}

impl Method {
    /// The stored number.
    pub fn code(self) -> i16 {
        match self {
            Self::Create => 1,
            Self::Update => 2,
            Self::Delete => 3,
        }
    }

    /// The HTTP verb, as `Bundle.entry.request.method` has it.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Create => "POST",
            Self::Update => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Reads the stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete].into_iter().find(|method| method.code() == code)
    }
}

/// A statement of a search that is explained.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Its text, with places for values.
    pub statement: String,
    /// How long it took, with the way to the database and back.
    pub milliseconds: f64,
    /// How many rows it gave.
    pub rows: usize,
    /// The plan with its figures, as the database's JSON.
    pub plan: Option<String>,
}

/// A version with its search values, ready to be written.
pub struct Draft {
    /// What is stored.
    pub stored: Stored,
    /// The search values of it.
    pub entries: Vec<IndexEntry>,
    /// The version of the set of parameters that they are the values of.
    pub parameter_set: i32,
}

/// One change of one resource.
pub enum Write {
    /// A resource that isn't there: the first version, or one after a deletion.
    Insert {
        /// What is written.
        draft: Draft,
        /// POST or PUT.
        method: Method,
    },
    /// A version after the one that was read.
    Replace {
        /// The version that must still be the current one.
        read: Stored,
        /// The search values of that version.
        read_entries: Vec<IndexEntry>,
        /// What is written.
        draft: Draft,
    },
    /// A deletion of the version that was read.
    Remove {
        /// The version that must still be the current one.
        read: Stored,
        /// The deletion's own version.
        version: VersionId,
        /// When.
        at: Instant,
    },
}

impl Write {
    /// The resource that is changed.
    pub fn key(&self) -> &ResourceKey {
        match self {
            Self::Insert { draft, .. } => &draft.stored.key,
            Self::Replace { read, .. } | Self::Remove { read, .. } => &read.key,
        }
    }
}

/// A condition under which writes were planned: the matches of its criteria must still be these when they are done.
#[derive(Clone)]
pub struct Guard {
    /// The criteria.
    pub query: SearchQuery,
    /// The matches that the plan is built on, in order of their keys.
    pub expected: Vec<ResourceKey>,
}

/// In whose name a write is done.
#[derive(Clone)]
pub struct WriteContext {
    /// The tenant.
    pub tenant: TenantId,
    /// The account.
    pub who: Box<str>,
    /// Where the request came from.
    pub request: RequestOrigin,
}

/// A contained resource that fits.
pub struct ContainedMatch {
    /// What contains it.
    pub container: Stored,
    /// Its id within the container.
    pub id: Box<str>,
    /// The resource as JSON.
    pub body: Bytes,
}

/// A page of a search.
#[derive(Default)]
pub struct SearchPage {
    /// The matches, in order.
    pub matches: Vec<Stored>,
    /// Contained resources that are answered by themselves, after the matches.
    pub contained: Vec<ContainedMatch>,
    /// What `_include` brought.
    pub included: Vec<Stored>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
    /// The number of all matches, when it was asked for.
    pub total: Option<u64>,
    /// Includes that would have brought more than one answer holds, as they were asked for.
    pub cut: Vec<String>,
    /// Why matches may be missing.
    pub incomplete: Vec<Incomplete>,
}

/// Why a search may not have found all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incomplete {
    /// Resources are being indexed, and some are left.
    Indexing,
    /// More resources contain what a chain leads to than are looked through.
    Contained,
}

/// What is read in bulk: everything that fits, as it was at one moment.
#[derive(Clone, Debug)]
pub struct Scan {
    /// What is read, one after the other; each query's conditions count, its page and order don't.
    pub queries: Vec<SearchQuery>,
    /// Written at or after this.
    pub since: Option<Instant>,
    /// Written before this.
    pub until: Option<Instant>,
    /// Whose records.
    pub of: ScanOf,
}

/// Whose records are read in bulk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanOf {
    /// Everybody's, and what belongs to nobody.
    Everything,
    /// What lies in the compartment of any patient.
    AnyPatient,
    /// What lies in the compartments of these patients.
    Patients(Vec<ResourceKey>),
}

/// Takes what a scan reads, piece by piece.
#[async_trait]
pub trait ScanSink: Send {
    /// The moment that the scan shows: whatever was written before it is in it.
    async fn begin(&mut self, moment: Instant) -> Result<(), StoreError>;

    /// Takes some of what the query at this place reads.
    async fn take(&mut self, place: usize, batch: Vec<Stored>) -> Result<(), StoreError>;
}

/// A deletion.
pub struct Deletion {
    /// What was deleted.
    pub key: ResourceKey,
    /// When.
    pub at: Instant,
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The version that was read is no longer the current one.
    #[error("{key} was changed by someone else")]
    Conflict {
        /// The resource.
        key: ResourceKey,
    },
    /// A resource that was to be inserted exists.
    #[error("{key} exists already")]
    Exists {
        /// The resource.
        key: ResourceKey,
    },
    /// A Binary names data that lies outside, which only the server does.
    #[error("{key} names a file in the place of its data: write the data itself")]
    Foreign {
        /// The Binary.
        key: ResourceKey,
    },
    /// The matches of a conditional write changed meanwhile.
    #[error("what the condition finds was changed by someone else")]
    Stale,
    /// A page link that this server did not make, or made for another search.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// A statement ran longer than one may.
    #[error("it took too long")]
    TooLong,
    /// The database is away, overloaded, or said something unexpected; the text is for the log.
    #[error("the store is not available: {0}")]
    Unavailable(String),
}

/// Keeps resources.
#[async_trait]
pub trait ResourceStore: Send + Sync {
    /// The search parameters in force.
    fn parameters(&self, tenant: TenantId) -> Parameters;

    /// Reads the current version.
    async fn read(&self, tenant: TenantId, key: &ResourceKey) -> Result<Lookup, StoreError>;

    /// Reads one version.
    async fn read_version(&self, tenant: TenantId, key: &ResourceKey, version: VersionId)
    -> Result<Lookup, StoreError>;

    /// Reads the current versions of several keys; what isn't there is left out.
    async fn read_many(&self, tenant: TenantId, keys: &[ResourceKey]) -> Result<Vec<Stored>, StoreError>;

    /// Lists versions, newest first, before a version.
    async fn history(
        &self,
        tenant: TenantId,
        key: &ResourceKey,
        wanted: &VersionsQuery,
    ) -> Result<Vec<HistoryEntry>, StoreError>;

    /// Lists the versions of a type, or of everything, newest first.
    async fn changes(&self, tenant: TenantId, wanted: &ChangesQuery) -> Result<Vec<ChangeEntry>, StoreError>;

    /// Answers a search.
    async fn search(&self, tenant: TenantId, query: &SearchQuery) -> Result<SearchPage, StoreError>;

    /// Answers a search and tells how.
    async fn explain(&self, tenant: TenantId, query: &SearchQuery) -> Result<Vec<Explained>, StoreError>;

    /// The `meta` of resources that bear, taken together, every profile, tag and security label among the types and in the
    /// compartment of a query; nothing when the tenant has more than `most` values of one of the three.
    async fn labels(&self, tenant: TenantId, query: &SearchQuery, most: u32) -> Result<Option<Vec<Json>>, StoreError>;

    /// Reads in bulk, in one snapshot.
    async fn scan(&self, tenant: TenantId, scan: &Scan, sink: &mut dyn ScanSink) -> Result<(), StoreError>;

    /// Lists what was deleted since, and is still gone; in order of the keys, after a key.
    async fn deletions(
        &self,
        tenant: TenantId,
        (resource_type, since): (ResourceType, Instant),
        after: Option<&ResourceKey>,
    ) -> Result<Vec<Deletion>, StoreError>;

    /// Writes as [`commit`](Self::commit) does, and leaves it to the caller to commit after a look at what was written.
    async fn write(
        &self,
        context: &WriteContext,
        writes: Vec<Write>,
        guards: Vec<Guard>,
    ) -> Result<Box<dyn Written>, StoreError>;

    /// Writes all or nothing, if every guard still holds. One write without a guard is one statement.
    async fn commit(&self, context: &WriteContext, writes: Vec<Write>, guards: Vec<Guard>) -> Result<(), StoreError>;
}

/// Answers searches where it stands, such as within a transaction.
#[async_trait]
pub trait Finder: Send {
    /// Answers a search.
    async fn search(&mut self, query: &SearchQuery) -> Result<SearchPage, StoreError>;
}

/// What is written and not yet committed: it reads what will be there. Dropped, it was never written.
#[async_trait]
pub trait Written: Send {
    /// Reads the current version.
    async fn read(&mut self, key: &ResourceKey) -> Result<Lookup, StoreError>;

    /// Reads one version.
    async fn read_version(&mut self, key: &ResourceKey, version: VersionId) -> Result<Lookup, StoreError>;

    /// Answers a search.
    async fn search(&mut self, query: &SearchQuery) -> Result<SearchPage, StoreError>;

    /// Makes it last.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
