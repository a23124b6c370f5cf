//! Work that outlives its request (R4 <https://hl7.org/fhir/R4/async.html>): a row says what is asked and how far it is,
//! files hold what comes out. A worker leases a job under a fencing token, so that a late one can't finish it.

mod caller;
mod desk;

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use uuid::Uuid;

use crate::access::Caller;
use crate::json::Json;
use crate::ports::StoreError;
use crate::service::FhirError;
use crate::types::{Instant, TenantId};

pub use caller::{caller_from_json, caller_to_json};
pub use desk::{JobDesk, JobDeskParts, NewFile};

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Bulk export.
    Export,
    /// Bulk import.
    Import,
    /// Another request, answered later (`Prefer: respond-async`).
    Request,
}

impl JobKind {
    /// The stored word.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Import => "import",
            Self::Request => "request",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Export, Self::Import, Self::Request].into_iter().find(|kind| kind.code() == code)
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It waits for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// Its result is there.
    Done,
    /// It could not be done.
    Failed,
    /// Its owner does not want it any more.
    Cancelled,
}

impl JobState {
    /// The stored word.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let all = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];
        all.into_iter().find(|state| state.code() == code)
    }
}

/// A job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// What it does.
    pub kind: JobKind,
    /// How far it is.
    pub state: JobState,
    /// In whose name: the rights that it was asked for with.
    pub caller: Caller,
    /// What is asked, as its kind writes it.
    pub request: Json,
    /// How far it is, for people.
    pub progress: String,
    /// What came out, as its kind writes it; of a failed job an OperationOutcome.
    pub result: Option<Json>,
    /// When it ended.
    pub finished: Option<Instant>,
}

/// A lease with its fencing token: a later claim makes an earlier one worthless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease(pub i64);

/// What a file of a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilePurpose {
    /// What the job reads.
    Input,
    /// What it was asked for.
    Output,
    /// OperationOutcomes about what could not be done.
    Error,
    /// Bundles that name what was deleted.
    Deleted,
}

impl FilePurpose {
    /// The stored word.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Error => "error",
            Self::Deleted => "deleted",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Input, Self::Output, Self::Error, Self::Deleted].into_iter().find(|own| own.code() == code)
    }
}

/// A file of a job, sealed in the blob store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFile {
    /// Its place among the job's files, from 0.
    pub number: u32,
    /// The blob.
    pub blob: Uuid,
    /// What it is for.
    pub purpose: FilePurpose,
    /// The resource type of its lines, or a media type.
    pub kind: String,
    /// How many lines it has.
    pub lines: u64,
    /// The size of the plain bytes.
    pub size: u64,
    /// The SHA-256 of the plain bytes in hexadecimal digits.
    pub sha256: String,
}

/// Keeps jobs.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Adds a queued job with the files that it reads.
    async fn add(&self, job: &Job, files: &[JobFile]) -> Result<(), StoreError>;

    /// Finds one.
    async fn find(&self, tenant: TenantId, id: Uuid) -> Result<Option<Job>, StoreError>;

    /// How many of an account's jobs wait or run.
    async fn unfinished(&self, tenant: TenantId, account: &str) -> Result<u64, StoreError>;

    /// Takes the job that has waited longest, or one whose worker is gone.
    async fn claim(&self) -> Result<Option<(Job, Lease)>, StoreError>;

    /// Keeps the lease and tells the progress; false when the job is cancelled or somebody else's.
    async fn renew(&self, id: Uuid, lease: Lease, progress: &str) -> Result<bool, StoreError>;

    /// Ends the job; false when the lease is worthless.
    async fn finish(&self, id: Uuid, lease: Lease, ended: (JobState, &Json)) -> Result<bool, StoreError>;

    /// Gives every lease of this node back: it stops.
    async fn release(&self, id: Uuid, lease: Lease) -> Result<(), StoreError>;

    /// Marks as cancelled, whatever its state.
    async fn cancel(&self, tenant: TenantId, id: Uuid) -> Result<(), StoreError>;

    /// Adds a file.
    async fn add_file(&self, id: Uuid, file: &JobFile) -> Result<(), StoreError>;

    /// Lists the files in their order.
    async fn files(&self, id: Uuid) -> Result<Vec<JobFile>, StoreError>;

    /// Jobs that ended before a time, and cancelled ones that nobody works on.
    async fn expired(&self, before: Instant) -> Result<Vec<(TenantId, Uuid)>, StoreError>;

    /// Forgets some files of a job, or with all of them the job.
    async fn remove(&self, id: Uuid) -> Result<(), StoreError>;

    /// Forgets what a worker that is gone wrote.
    async fn remove_output(&self, id: Uuid) -> Result<(), StoreError>;
}

/// Keeps the bytes of jobs' files, encrypted.
#[async_trait]
pub trait JobFiles: Send + Sync {
    /// Seals and stores; when this returns the bytes are durable.
    async fn put(&self, tenant: TenantId, file: &JobFile, bytes: &[u8]) -> Result<(), StoreError>;

    /// Reads and opens.
    async fn get(&self, tenant: TenantId, file: &JobFile) -> Result<Bytes, StoreError>;

    /// Takes back; what can't be removed is unreadable without its key.
    async fn discard(&self, tenant: TenantId, blob: Uuid);
}

/// How far the work is, told by the one who works and read by the one who keeps the lease.
#[derive(Debug)]
pub struct Progress(Mutex<String>);

impl Default for Progress {
    /// Something is told from the beginning on: `X-Progress` without a word tells nothing.
    fn default() -> Self {
        Self(Mutex::new("a worker is on it".to_owned()))
    }
}

impl Progress {
    /// Tells it, for people: "12,000 of 40,000 resources".
    pub fn tell(&self, text: impl Into<String>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = text.into();
    }

    /// Reads it.
    #[must_use]
    pub fn read(&self) -> String {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

/// A job that a worker has.
pub struct Work<'a> {
    /// The job.
    pub job: &'a Job,
    /// Where its files are kept.
    pub desk: &'a JobDesk,
    /// Where the progress is told.
    pub progress: &'a Progress,
}

/// Does the jobs of one kind. Work that is done again, because its worker was lost, must come to the same.
#[async_trait]
pub trait JobRunner: Send + Sync {
    /// Which kind.
    fn kind(&self) -> JobKind;

    /// Does it; what comes back is the job's result.
    async fn run(&self, work: &Work<'_>) -> Result<Json, FhirError>;
}
