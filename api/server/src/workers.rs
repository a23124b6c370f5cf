//! Workers: they take jobs from the database, one at a time, and keep their leases while they work (decision D14).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use seva_clinic::blobs::LargeBinaries;
use seva_fhir::bulk::{ExportRunner, ImportRunner};
use seva_fhir::jobs::{Job, JobDesk, JobKind, JobRunner, JobState, Lease, Progress, Work};
use seva_fhir::json::{Json, object};
use seva_fhir::service::FhirError;
use seva_http::{FhirEndpoint, RequestRunner, Services};
use seva_postgres::PostgresSealer;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How many jobs a node works on at a time: each may hold a connection of the background pool.
const WORKERS: usize = 2;
/// How often a worker looks for a job.
const LOOK: Duration = Duration::from_millis(250);
/// How often the lease is renewed and the progress told; a lease holds for 30 seconds.
const RENEW: Duration = Duration::from_secs(1);
/// How often what expired is removed.
const SWEEP: Duration = Duration::from_secs(60);
/// After so long a blob that no version names was left by a crash: no write takes longer.
const ORPHAN: Duration = Duration::from_secs(3600);
/// How often the audit log is sealed.
const SEAL: Duration = Duration::from_secs(2);

/// The workers of this node.
pub struct Workers {
    tasks: JoinSet<()>,
}

/// What a worker needs.
#[derive(Clone)]
struct Worker {
    desk: JobDesk,
    runners: Arc<HashMap<JobKind, Arc<dyn JobRunner>>>,
    closing: watch::Receiver<bool>,
}

impl Workers {
    /// Starts them; they end when the server closes.
    pub fn start(services: &Services, sealer: PostgresSealer, resources: LargeBinaries) -> Self {
        let fhir = &services.fhir;
        let runners: [Arc<dyn JobRunner>; 3] = [
            Arc::new(ExportRunner::new(fhir.clone())),
            Arc::new(ImportRunner::new(fhir.clone(), Arc::clone(&services.fetcher))),
            Arc::new(RequestRunner::new(FhirEndpoint::new(services))),
        ];
        let runners = Arc::new(runners.into_iter().map(|runner| (runner.kind(), runner)).collect());
        let worker = Worker { desk: services.jobs.clone(), runners, closing: services.closing.clone() };
        let mut tasks = JoinSet::new();
        for _ in 0..WORKERS {
            tasks.spawn(worker.clone().work());
        }
        tasks.spawn(worker.clone().seal(sealer));
        tasks.spawn(worker.sweep(resources));
        Self { tasks }
    }

    /// Waits until they have let go of their jobs.
    pub async fn stop(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Worker {
    async fn work(mut self) {
        while !*self.closing.borrow() {
            match self.desk.store().claim().await {
                Ok(Some((job, lease))) => self.carry_out(job, lease).await,
                Ok(None) => self.pause(LOOK).await,
                Err(error) => {
                    tracing::warn!(%error, "no job could be taken");
                    self.pause(SWEEP / 60).await;
                }
            }
        }
    }

    /// Removes what expired, and the blobs that a crash left behind.
    async fn sweep(mut self, resources: LargeBinaries) {
        let mut swept: Option<Instant> = None;
        while !*self.closing.borrow() {
            if swept.is_none_or(|swept| swept.elapsed() >= SWEEP) {
                swept = Some(Instant::now());
                if let Err(error) = resources.sweep(ORPHAN).await {
                    tracing::warn!(%error, "blobs that nothing names were not looked for");
                }
                if let Err(error) = self.desk.sweep().await {
                    tracing::warn!(%error, "expired jobs were not removed");
                }
            }
            self.pause(LOOK * 4).await;
        }
    }

    /// Seals the audit log; while another node does, there is nothing to do.
    async fn seal(mut self, sealer: PostgresSealer) {
        while !*self.closing.borrow() {
            match sealer.seal().await {
                Ok(sealed) if sealed >= PostgresSealer::BATCH => {}
                Ok(_) => self.pause(SEAL).await,
                Err(error) => {
                    tracing::warn!(%error, "the audit log was not sealed");
                    self.pause(SEAL).await;
                }
            }
        }
    }

    /// Sleeps, or wakes because the program stops.
    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            _ = self.closing.changed() => {}
        }
    }

    /// Works until the job is done, taken away, or the program stops; then another worker begins it again.
    async fn carry_out(&mut self, job: Job, lease: Lease) {
        let progress = Progress::default();
        let mut closing = self.closing.clone();
        let ended = tokio::select! {
            result = self.run(&job, &progress) => Some(result),
            () = self.hold(&job, lease, &progress) => None,
            _ = closing.changed() => {
                if let Err(error) = self.desk.store().release(job.id, lease).await {
                    tracing::warn!(%error, "a job was not given back: it is taken again when its lease is over");
                }
                None
            }
        };
        let Some(result) = ended else { return };
        let (state, result) = match result {
            Ok(result) => (JobState::Done, result),
            Err(error) => (JobState::Failed, problem(&error)),
        };
        if let Err(error) = self.desk.store().finish(job.id, lease, (state, &result)).await {
            tracing::warn!(%error, "the end of a job was not written: it is done again");
        }
    }

    async fn run(&self, job: &Job, progress: &Progress) -> Result<Json, FhirError> {
        self.desk.begin_again(job).await?;
        let runner =
            self.runners.get(&job.kind).ok_or_else(|| FhirError::Condition("no worker does this".to_owned()))?;
        runner.run(&Work { job, desk: &self.desk, progress }).await
    }

    /// Returns when the job is cancelled or somebody else has it.
    async fn hold(&self, job: &Job, lease: Lease, progress: &Progress) {
        loop {
            sleep(RENEW).await;
            match self.desk.store().renew(job.id, lease, &progress.read()).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, "the lease of a job was not renewed"),
            }
        }
    }
}

/// What the owner is told; what went wrong inside stays in the log.
fn problem(error: &FhirError) -> Json {
    let (status, text) = match error {
        FhirError::Invalid(issues) | FhirError::Unprocessable(issues) => {
            (400, issues.first().map_or_else(|| error.to_string(), |issue| issue.diagnostics.clone()))
        }
        FhirError::Refused(_) => (403, error.to_string()),
        FhirError::NotFound(_) | FhirError::NoVersion { .. } | FhirError::Gone { .. } => (404, error.to_string()),
        FhirError::Precondition { .. } | FhirError::Condition(_) | FhirError::Busy(_) => (412, error.to_string()),
        FhirError::Store(inner) => {
            tracing::error!(error = %inner, "a job failed");
            (500, "the store was not available".to_owned())
        }
    };
    object([("status", i64::from(status).into()), ("problem", text.into())])
}
