//! Jobs as rows: leased with SKIP LOCKED under a fencing token (decision D14).

mod rows;

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{ExprTrait, LockBehavior, LockType, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, TransactionTrait, UpdateMany,
};
use seva_fhir::jobs::{FilePurpose, Job, JobFile, JobState, JobStore, Lease};
use seva_fhir::json::{Json, object};
use seva_fhir::ports::StoreError;
use seva_fhir::types::{Instant, TenantId};
use uuid::Uuid;

use crate::Database;
use crate::entities::{job, job_file};
use crate::failure::orm_unavailable;
use crate::moments::{after, now, past, time};

/// A worker that has not been heard of for so long is gone.
const LEASE: Duration = Duration::from_secs(30);
/// A job that took so many workers down is not given to another one.
const MOST_ATTEMPTS: i32 = 5;
/// So many rows of files are one statement: one takes at most 65,535 values.
const FILES: usize = 1000;

/// Jobs in PostgreSQL.
#[derive(Clone)]
pub struct PostgresJobs {
    orm: DatabaseConnection,
}

impl PostgresJobs {
    /// Over an open database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { orm: database.background_orm.clone() }
    }
}

#[async_trait]
impl JobStore for PostgresJobs {
    async fn add(&self, job: &Job, files: &[JobFile]) -> Result<(), StoreError> {
        let transaction = self.orm.begin().await.map_err(orm_unavailable)?;
        let row = job::Entity::insert(rows::row_of(job));
        row.exec_without_returning(&transaction).await.map_err(orm_unavailable)?;
        for files in files.chunks(FILES) {
            let files = job_file::Entity::insert_many(files.iter().map(|file| rows::file_row_of(job.id, file)));
            files.exec_without_returning(&transaction).await.map_err(orm_unavailable)?;
        }
        transaction.commit().await.map_err(orm_unavailable)
    }

    async fn find(&self, tenant: TenantId, id: Uuid) -> Result<Option<Job>, StoreError> {
        let row = job::Entity::find_by_id(id).filter(job::Column::Tenant.eq(tenant.get())).one(&self.orm);
        row.await.map_err(orm_unavailable)?.map(rows::job_of).transpose()
    }

    async fn unfinished(&self, tenant: TenantId, account: &str) -> Result<u64, StoreError> {
        job::Entity::find()
            .filter(job::Column::Tenant.eq(tenant.get()))
            .filter(job::Column::Owner.eq(account))
            .filter(job::Column::State.is_in([JobState::Queued.code(), JobState::Running.code()]))
            .count(&self.orm)
            .await
            .map_err(orm_unavailable)
    }

    async fn claim(&self) -> Result<Option<(Job, Lease)>, StoreError> {
        let claimed = job::Entity::update_many()
            .col_expr(job::Column::State, JobState::Running.code().into())
            .col_expr(job::Column::Attempts, job::Column::Attempts.into_expr().add(1))
            .col_expr(job::Column::Fence, job::Column::Fence.into_expr().add(1))
            .col_expr(job::Column::LeasedUntil, after(LEASE))
            // Equal to the one row, and not IN: a join might look for the next job more than once, and lock each.
            .filter(job::Column::Id.into_expr().eq(next()))
            .exec_with_returning(&self.orm)
            .await
            .map_err(orm_unavailable)?;
        let Some(row) = claimed.into_iter().next() else { return self.give_up().await.map(|()| None) };
        let lease = Lease(row.fence);
        Ok(Some((rows::job_of(row)?, lease)))
    }

    async fn renew(&self, id: Uuid, lease: Lease, progress: &str) -> Result<bool, StoreError> {
        let renewed = under(id, lease)
            .col_expr(job::Column::LeasedUntil, after(LEASE))
            .col_expr(job::Column::Progress, progress.into());
        Ok(renewed.exec(&self.orm).await.map_err(orm_unavailable)?.rows_affected == 1)
    }

    async fn finish(&self, id: Uuid, lease: Lease, (state, result): (JobState, &Json)) -> Result<bool, StoreError> {
        let finished = under(id, lease).set(ended(state, result)).col_expr(job::Column::Finished, now());
        Ok(finished.exec(&self.orm).await.map_err(orm_unavailable)?.rows_affected == 1)
    }

    async fn release(&self, id: Uuid, lease: Lease) -> Result<(), StoreError> {
        let waiting = job::ActiveModel {
            state: Set(JobState::Queued.code().to_owned()),
            leased_until: Set(None),
            ..Default::default()
        };
        let released =
            under(id, lease).set(waiting).col_expr(job::Column::Attempts, job::Column::Attempts.into_expr().sub(1));
        released.exec(&self.orm).await.map(drop).map_err(orm_unavailable)
    }

    async fn cancel(&self, tenant: TenantId, id: Uuid) -> Result<(), StoreError> {
        let cancelled = job::Entity::update_many()
            .col_expr(job::Column::State, JobState::Cancelled.code().into())
            .col_expr(job::Column::Finished, now())
            .filter(job::Column::Tenant.eq(tenant.get()))
            .filter(job::Column::Id.eq(id));
        cancelled.exec(&self.orm).await.map(drop).map_err(orm_unavailable)
    }

    async fn add_file(&self, id: Uuid, file: &JobFile) -> Result<(), StoreError> {
        let row = job_file::Entity::insert(rows::file_row_of(id, file));
        row.exec_without_returning(&self.orm).await.map(drop).map_err(orm_unavailable)
    }

    async fn files(&self, id: Uuid) -> Result<Vec<JobFile>, StoreError> {
        let rows = job_file::Entity::find()
            .filter(job_file::Column::Job.eq(id))
            .order_by_asc(job_file::Column::Number)
            .all(&self.orm)
            .await
            .map_err(orm_unavailable)?;
        rows.into_iter().map(rows::file_of).collect()
    }

    async fn expired(&self, before: Instant) -> Result<Vec<(TenantId, Uuid)>, StoreError> {
        let let_go = Condition::any().add(job::Column::LeasedUntil.is_null()).add(past(job::Column::LeasedUntil));
        let cancelled = Condition::all().add(job::Column::State.eq(JobState::Cancelled.code())).add(let_go);
        let found: Vec<(i32, Uuid)> = job::Entity::find()
            .select_only()
            .columns([job::Column::Tenant, job::Column::Id])
            .filter(Condition::any().add(job::Column::Finished.lt(time(before))).add(cancelled))
            .limit(100)
            .into_tuple()
            .all(&self.orm)
            .await
            .map_err(orm_unavailable)?;
        found.into_iter().map(|(number, id)| Ok((rows::tenant(number)?, id))).collect()
    }

    async fn remove(&self, id: Uuid) -> Result<(), StoreError> {
        job::Entity::delete_by_id(id).exec(&self.orm).await.map(drop).map_err(orm_unavailable)
    }

    async fn remove_output(&self, id: Uuid) -> Result<(), StoreError> {
        let output = job_file::Entity::delete_many()
            .filter(job_file::Column::Job.eq(id))
            .filter(job_file::Column::Purpose.ne(FilePurpose::Input.code()));
        output.exec(&self.orm).await.map(drop).map_err(orm_unavailable)
    }
}

impl PostgresJobs {
    /// Ends what no worker survived, so that its owner is told.
    async fn give_up(&self) -> Result<(), StoreError> {
        let problem = format!("the work was begun {MOST_ATTEMPTS} times and never ended");
        let result = object([("problem", Json::from(problem))]);
        let failed = job::Entity::update_many()
            .set(ended(JobState::Failed, &result))
            .col_expr(job::Column::Finished, now())
            .filter(job::Column::State.eq(JobState::Running.code()))
            .filter(past(job::Column::LeasedUntil))
            .filter(job::Column::Attempts.gte(MOST_ATTEMPTS));
        failed.exec(&self.orm).await.map(drop).map_err(orm_unavailable)
    }
}

/// The job that has waited longest, or whose worker is gone.
fn next() -> SelectStatement {
    let abandoned =
        Condition::all().add(job::Column::State.eq(JobState::Running.code())).add(past(job::Column::LeasedUntil));
    job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .filter(job::Column::Attempts.lt(MOST_ATTEMPTS))
        .filter(job::Column::RunAfter.into_expr().lte(now()))
        .filter(Condition::any().add(job::Column::State.eq(JobState::Queued.code())).add(abandoned))
        .order_by_asc(job::Column::RunAfter)
        .limit(1)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query()
}

/// A change of a running job by the worker that holds this lease.
fn under(id: Uuid, lease: Lease) -> UpdateMany<job::Entity> {
    job::Entity::update_many()
        .filter(job::Column::Id.eq(id))
        .filter(job::Column::Fence.eq(lease.0))
        .filter(job::Column::State.eq(JobState::Running.code()))
}

fn ended(state: JobState, result: &Json) -> job::ActiveModel {
    job::ActiveModel {
        state: Set(state.code().to_owned()),
        result: Set(Some(rows::text(result))),
        leased_until: Set(None),
        ..Default::default()
    }
}
