//! Jobs as rows: leased with SKIP LOCKED under a fencing token (decision D14).

use async_trait::async_trait;
use seva_fhir::jobs::{
    FilePurpose, Job, JobFile, JobKind, JobState, JobStore, Lease, caller_from_json, caller_to_json,
};
use seva_fhir::json::{Json, Limits, object, parse};
use seva_fhir::ports::StoreError;
use seva_fhir::types::{Instant, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::Database;
use crate::failure::unavailable;

/// A worker that has not been heard of for so long is gone.
const LEASE: &str = "interval '30 seconds'";
/// A job that took so many workers down is not given to another one.
const MOST_ATTEMPTS: i32 = 5;

const COLUMNS: &str = "id, tenant, kind, state, payload::text AS payload, progress, result::text AS result, \
    (extract(epoch FROM finished) * 1000000)::int8 AS finished, fence";

/// Jobs in PostgreSQL.
#[derive(Clone)]
pub struct PostgresJobs {
    pool: PgPool,
}

impl PostgresJobs {
    /// Over an open database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { pool: database.background.clone() }
    }
}

#[async_trait]
impl JobStore for PostgresJobs {
    async fn add(&self, job: &Job, files: &[JobFile]) -> Result<(), StoreError> {
        let payload = object([("caller", caller_to_json(&job.caller)), ("request", job.request.clone())]);
        let mut transaction = self.pool.begin().await.map_err(unavailable)?;
        sqlx::query(
            "INSERT INTO job (id, tenant, kind, state, payload, owner, progress) \
             VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7)",
        )
        .bind(job.id)
        .bind(job.caller.tenant.get())
        .bind(job.kind.code())
        .bind(job.state.code())
        .bind(String::from_utf8_lossy(&payload.to_bytes()).into_owned())
        .bind(job.caller.account.as_ref())
        .bind(&job.progress)
        .execute(&mut *transaction)
        .await
        .map_err(unavailable)?;
        for file in files {
            insert_file(job.id, file).execute(&mut *transaction).await.map_err(unavailable)?;
        }
        transaction.commit().await.map_err(unavailable)
    }

    async fn find(&self, tenant: TenantId, id: Uuid) -> Result<Option<Job>, StoreError> {
        let statement = format!("SELECT {COLUMNS} FROM job WHERE tenant = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(tenant.get()).bind(id).fetch_optional(&self.pool);
        row.await.map_err(unavailable)?.as_ref().map(read).transpose()
    }

    async fn unfinished(&self, tenant: TenantId, account: &str) -> Result<u64, StoreError> {
        let found: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM job WHERE tenant = $1 AND owner = $2 AND state IN ('queued', 'running')",
        )
        .bind(tenant.get())
        .bind(account)
        .fetch_one(&self.pool)
        .await
        .map_err(unavailable)?;
        Ok(u64::try_from(found).unwrap_or_default())
    }

    async fn claim(&self) -> Result<Option<(Job, Lease)>, StoreError> {
        let statement = format!(
            "UPDATE job SET state = 'running', attempts = attempts + 1, fence = fence + 1, leased_until = now() + {LEASE} \
             WHERE id = (SELECT id FROM job WHERE attempts < {MOST_ATTEMPTS} AND run_after <= now() \
                AND (state = 'queued' OR (state = 'running' AND leased_until < now())) \
                ORDER BY run_after LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING {COLUMNS}"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(statement)).fetch_optional(&self.pool).await.map_err(unavailable)?;
        let Some(row) = row else { return self.give_up().await.map(|()| None) };
        Ok(Some((read(&row)?, Lease(row.try_get("fence").map_err(unavailable)?))))
    }

    async fn renew(&self, id: Uuid, lease: Lease, progress: &str) -> Result<bool, StoreError> {
        let statement = format!(
            "UPDATE job SET leased_until = now() + {LEASE}, progress = $3 \
             WHERE id = $1 AND fence = $2 AND state = 'running'"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(id).bind(lease.0).bind(progress);
        Ok(query.execute(&self.pool).await.map_err(unavailable)?.rows_affected() == 1)
    }

    async fn finish(&self, id: Uuid, lease: Lease, (state, result): (JobState, &Json)) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE job SET state = $3, result = $4::jsonb, finished = now(), leased_until = NULL \
             WHERE id = $1 AND fence = $2 AND state = 'running'",
        )
        .bind(id)
        .bind(lease.0)
        .bind(state.code())
        .bind(String::from_utf8_lossy(&result.to_bytes()).into_owned());
        Ok(query.execute(&self.pool).await.map_err(unavailable)?.rows_affected() == 1)
    }

    async fn release(&self, id: Uuid, lease: Lease) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE job SET state = 'queued', leased_until = NULL, attempts = attempts - 1 \
             WHERE id = $1 AND fence = $2 AND state = 'running'",
        );
        query.bind(id).bind(lease.0).execute(&self.pool).await.map(drop).map_err(unavailable)
    }

    async fn cancel(&self, tenant: TenantId, id: Uuid) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE job SET state = 'cancelled', finished = now() WHERE tenant = $1 AND id = $2");
        query.bind(tenant.get()).bind(id).execute(&self.pool).await.map(drop).map_err(unavailable)
    }

    async fn add_file(&self, id: Uuid, file: &JobFile) -> Result<(), StoreError> {
        insert_file(id, file).execute(&self.pool).await.map(drop).map_err(unavailable)
    }

    async fn files(&self, id: Uuid) -> Result<Vec<JobFile>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, blob, purpose, kind, lines, size, sha256 FROM job_file WHERE job = $1 ORDER BY number",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        rows.iter().map(file).collect()
    }

    async fn expired(&self, before: Instant) -> Result<Vec<(TenantId, Uuid)>, StoreError> {
        let rows: Vec<(i32, Uuid)> = sqlx::query_as(
            "SELECT tenant, id FROM job WHERE finished < to_timestamp($1 / 1000000.0) \
             OR (state = 'cancelled' AND (leased_until IS NULL OR leased_until < now())) LIMIT 100",
        )
        .bind(before.micros())
        .fetch_all(&self.pool)
        .await
        .map_err(unavailable)?;
        rows.into_iter().map(|(number, id)| Ok((tenant(number)?, id))).collect()
    }

    async fn remove(&self, id: Uuid) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM job WHERE id = $1").bind(id).execute(&self.pool).await.map(drop).map_err(unavailable)
    }

    async fn remove_output(&self, id: Uuid) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM job_file WHERE job = $1 AND purpose <> 'input'").bind(id);
        query.execute(&self.pool).await.map(drop).map_err(unavailable)
    }
}

impl PostgresJobs {
    /// Ends what no worker survived, so that its owner is told.
    async fn give_up(&self) -> Result<(), StoreError> {
        let statement = format!(
            "UPDATE job SET state = 'failed', finished = now(), leased_until = NULL, \
             result = jsonb_build_object('problem', 'the work was begun {MOST_ATTEMPTS} times and never ended') \
             WHERE state = 'running' AND leased_until < now() AND attempts >= {MOST_ATTEMPTS}"
        );
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&self.pool).await.map(drop).map_err(unavailable)
    }
}

type Statement<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn insert_file(job: Uuid, file: &JobFile) -> Statement<'_> {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO job_file (job, number, blob, purpose, kind, lines, size, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(job)
    .bind(i32::try_from(file.number).unwrap_or(i32::MAX))
    .bind(file.blob)
    .bind(file.purpose.code())
    .bind(&file.kind)
    .bind(whole(file.lines))
    .bind(whole(file.size))
    .bind(&file.sha256)
}

fn read(row: &PgRow) -> Result<Job, StoreError> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(unavailable);
    let json = |text: String| parse(text.as_bytes(), &Limits::default()).map_err(|_| unexpected("a job's text"));
    let mut payload = json(text("payload")?)?;
    let tenant = tenant(row.try_get("tenant").map_err(unavailable)?)?;
    let result: Option<String> = row.try_get("result").map_err(unavailable)?;
    let finished: Option<i64> = row.try_get("finished").map_err(unavailable)?;
    Ok(Job {
        id: row.try_get("id").map_err(unavailable)?,
        kind: JobKind::from_code(&text("kind")?).ok_or_else(|| unexpected("the kind of a job"))?,
        state: JobState::from_code(&text("state")?).ok_or_else(|| unexpected("the state of a job"))?,
        caller: caller_from_json(tenant, payload.get("caller").unwrap_or(&Json::Null)),
        request: payload.remove("request").unwrap_or(Json::Null),
        progress: text("progress")?,
        result: result.map(json).transpose()?,
        finished: finished.map(Instant::from_micros),
    })
}

fn file(row: &PgRow) -> Result<JobFile, StoreError> {
    let (number, lines, size): (i32, i64, i64) = (
        row.try_get("number").map_err(unavailable)?,
        row.try_get("lines").map_err(unavailable)?,
        row.try_get("size").map_err(unavailable)?,
    );
    let purpose: String = row.try_get("purpose").map_err(unavailable)?;
    Ok(JobFile {
        number: u32::try_from(number).unwrap_or_default(),
        blob: row.try_get("blob").map_err(unavailable)?,
        purpose: FilePurpose::from_code(&purpose).ok_or_else(|| unexpected("the purpose of a file"))?,
        kind: row.try_get("kind").map_err(unavailable)?,
        lines: u64::try_from(lines).unwrap_or_default(),
        size: u64::try_from(size).unwrap_or_default(),
        sha256: row.try_get("sha256").map_err(unavailable)?,
    })
}

fn tenant(number: i32) -> Result<TenantId, StoreError> {
    TenantId::try_from(number).map_err(|_| unexpected("the tenant of a job"))
}

fn unexpected(what: &str) -> StoreError {
    StoreError::Unavailable(format!("{what} is not one that is known"))
}
