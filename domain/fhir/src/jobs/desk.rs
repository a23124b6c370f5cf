//! Where jobs are handed in, asked after and taken back (R4 <https://hl7.org/fhir/R4/async.html#3.1.6.3>).

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{FilePurpose, Job, JobFile, JobFiles, JobKind, JobState, JobStore};
use crate::access::{AuditAction, AuditLog, AuditRecord, Caller};
use crate::clock::{Clock, IdSource};
use crate::json::Json;
use crate::ports::StoreError;
use crate::service::FhirError;
use crate::types::{Instant, TenantId};

/// Results are kept for a day.
const KEPT_SECONDS: i64 = 24 * 60 * 60;
/// So many jobs of an account wait or run at most.
const MOST_UNFINISHED: u64 = 20;

/// Hands jobs in and out.
#[derive(Clone)]
pub struct JobDesk {
    parts: Arc<JobDeskParts>,
}

/// What the desk works with.
pub struct JobDeskParts {
    /// The rows.
    pub store: Arc<dyn JobStore>,
    /// The files.
    pub files: Arc<dyn JobFiles>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
}

/// A file that is to be kept.
pub struct NewFile<'a> {
    /// What it is for.
    pub purpose: FilePurpose,
    /// The resource type of its lines, or a media type.
    pub kind: &'a str,
    /// How many lines it has.
    pub lines: u64,
    /// Its content.
    pub bytes: &'a [u8],
}

impl JobDesk {
    /// Wires the desk.
    #[must_use]
    pub fn new(parts: JobDeskParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// The rows, for workers.
    #[must_use]
    pub fn store(&self) -> &dyn JobStore {
        self.parts.store.as_ref()
    }

    /// Seals an input file before its job exists.
    pub async fn keep_input(&self, caller: &Caller, number: u32, file: NewFile<'_>) -> Result<JobFile, FhirError> {
        Ok(self.keep(caller.tenant, number, file).await?)
    }

    /// Hands a job in; it is in the audit log before its id is told.
    pub async fn start(
        &self,
        caller: &Caller,
        (kind, request): (JobKind, Json),
        inputs: Vec<JobFile>,
    ) -> Result<Uuid, FhirError> {
        if self.parts.store.unfinished(caller.tenant, &caller.account).await? >= MOST_UNFINISHED {
            let text = format!("{MOST_UNFINISHED} of your requests are still being worked on: wait until one is done");
            return Err(FhirError::Busy(text));
        }
        let id = self.parts.ids.new_uuid();
        let job = Job {
            id,
            kind,
            state: JobState::Queued,
            caller: caller.clone(),
            request,
            progress: "waiting for a worker".to_owned(),
            result: None,
            finished: None,
        };
        let target = format!("{} job {id}", kind.code());
        let action = if kind == JobKind::Export { AuditAction::Export } else { AuditAction::Write };
        self.parts.audit.record_now(AuditRecord::of(caller, action, target, self.parts.clock.now())).await?;
        self.parts.store.add(&job, &inputs).await?;
        Ok(id)
    }

    /// Finds a job of the caller's own; others' don't exist for it.
    pub async fn find(&self, caller: &Caller, id: Uuid) -> Result<Option<Job>, FhirError> {
        let job = self.parts.store.find(caller.tenant, id).await?;
        Ok(job.filter(|job| job.caller.account == caller.account && job.state != JobState::Cancelled))
    }

    /// When the results of a job that ended are forgotten.
    #[must_use]
    pub fn expiry(&self, job: &Job) -> Option<Instant> {
        job.finished.map(|finished| Instant::from_micros(finished.micros() + KEPT_SECONDS * 1_000_000))
    }

    /// Cancels a job, or forgets its result; false when there is none.
    pub async fn cancel(&self, caller: &Caller, id: Uuid) -> Result<bool, FhirError> {
        let found = self.find(caller, id).await?;
        if found.is_some() {
            self.parts.store.cancel(caller.tenant, id).await?;
        }
        Ok(found.is_some())
    }

    /// The files of a job in their order.
    pub async fn files(&self, id: Uuid) -> Result<Vec<JobFile>, FhirError> {
        Ok(self.parts.store.files(id).await?)
    }

    /// Reads a file of a job of the caller's own, and records that it was read.
    pub async fn download(
        &self,
        caller: &Caller,
        id: Uuid,
        number: u32,
    ) -> Result<Option<(JobFile, Bytes)>, FhirError> {
        if self.find(caller, id).await?.is_none_or(|job| job.state != JobState::Done) {
            return Ok(None);
        }
        let files = self.parts.store.files(id).await?;
        let own = |file: &JobFile| file.number == number && file.purpose != FilePurpose::Input;
        let Some(file) = files.into_iter().find(own) else { return Ok(None) };
        let target = format!("job {id} file {number}");
        let record = AuditRecord::of(caller, AuditAction::Export, target, self.parts.clock.now());
        self.parts.audit.record_now(record).await?;
        let bytes = self.read(caller.tenant, &file).await?;
        Ok(Some((file, bytes)))
    }

    /// Reads a file, for the worker.
    pub async fn read(&self, tenant: TenantId, file: &JobFile) -> Result<Bytes, FhirError> {
        Ok(self.parts.files.get(tenant, file).await?)
    }

    /// Keeps a file of a job that is worked on.
    pub async fn put(&self, job: &Job, number: u32, file: NewFile<'_>) -> Result<JobFile, StoreError> {
        let file = self.keep(job.caller.tenant, number, file).await?;
        self.parts.store.add_file(job.id, &file).await?;
        Ok(file)
    }

    /// Forgets what a worker that is gone left behind, before the work begins again.
    pub async fn begin_again(&self, job: &Job) -> Result<(), StoreError> {
        for file in self.parts.store.files(job.id).await? {
            if file.purpose != FilePurpose::Input {
                self.parts.files.discard(job.caller.tenant, file.blob).await;
            }
        }
        self.parts.store.remove_output(job.id).await
    }

    /// Forgets the jobs whose time is over, with their files.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let before = Instant::from_micros(self.parts.clock.now().micros() - KEPT_SECONDS * 1_000_000);
        for (tenant, id) in self.parts.store.expired(before).await? {
            for file in self.parts.store.files(id).await? {
                self.parts.files.discard(tenant, file.blob).await;
            }
            self.parts.store.remove(id).await?;
        }
        Ok(())
    }

    async fn keep(&self, tenant: TenantId, number: u32, file: NewFile<'_>) -> Result<JobFile, StoreError> {
        let kept = JobFile {
            number,
            blob: self.parts.ids.new_uuid(),
            purpose: file.purpose,
            kind: file.kind.to_owned(),
            lines: file.lines,
            size: file.bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(file.bytes)),
        };
        self.parts.files.put(tenant, &kept, file.bytes).await?;
        Ok(kept)
    }
}
