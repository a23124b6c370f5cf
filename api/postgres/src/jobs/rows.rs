//! Rows of jobs and their files as the domain's values, and back.

use sea_orm::ActiveValue::Set;
use seva_fhir::jobs::{FilePurpose, Job, JobFile, JobKind, JobState, caller_from_json, caller_to_json};
use seva_fhir::json::{Json, Limits, object, parse};
use seva_fhir::ports::StoreError;
use seva_fhir::types::TenantId;
use uuid::Uuid;

use crate::entities::{job, job_file};

pub(super) fn row_of(job: &Job) -> job::ActiveModel {
    let payload = object([("caller", caller_to_json(&job.caller)), ("request", job.request.clone())]);
    job::ActiveModel {
        id: Set(job.id),
        tenant: Set(job.caller.tenant.get()),
        kind: Set(job.kind.code().to_owned()),
        state: Set(job.state.code().to_owned()),
        payload: Set(text(&payload)),
        owner: Set(job.caller.account.to_string()),
        progress: Set(job.progress.clone()),
        ..Default::default()
    }
}

pub(super) fn job_of(row: job::Model) -> Result<Job, StoreError> {
    let json = |text: &str| parse(text.as_bytes(), &Limits::default()).map_err(|_| unexpected("a job's text"));
    let mut payload = json(&row.payload)?;
    Ok(Job {
        id: row.id,
        kind: JobKind::from_code(&row.kind).ok_or_else(|| unexpected("the kind of a job"))?,
        state: JobState::from_code(&row.state).ok_or_else(|| unexpected("the state of a job"))?,
        caller: caller_from_json(tenant(row.tenant)?, payload.get("caller").unwrap_or(&Json::Null)),
        request: payload.remove("request").unwrap_or(Json::Null),
        progress: row.progress,
        result: row.result.as_deref().map(json).transpose()?,
        finished: row.finished.map(Into::into),
    })
}

pub(super) fn file_row_of(job: Uuid, file: &JobFile) -> job_file::ActiveModel {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    job_file::ActiveModel {
        job: Set(job),
        number: Set(i32::try_from(file.number).unwrap_or(i32::MAX)),
        blob: Set(file.blob),
        purpose: Set(file.purpose.code().to_owned()),
        kind: Set(file.kind.clone()),
        lines: Set(whole(file.lines)),
        size: Set(whole(file.size)),
        sha256: Set(file.sha256.clone()),
    }
}

pub(super) fn file_of(row: job_file::Model) -> Result<JobFile, StoreError> {
    Ok(JobFile {
        number: u32::try_from(row.number).unwrap_or_default(),
        blob: row.blob,
        purpose: FilePurpose::from_code(&row.purpose).ok_or_else(|| unexpected("the purpose of a file"))?,
        kind: row.kind,
        lines: u64::try_from(row.lines).unwrap_or_default(),
        size: u64::try_from(row.size).unwrap_or_default(),
        sha256: row.sha256,
    })
}

pub(super) fn text(json: &Json) -> String {
    String::from_utf8_lossy(&json.to_bytes()).into_owned()
}

pub(super) fn tenant(number: i32) -> Result<TenantId, StoreError> {
    TenantId::try_from(number).map_err(|_| unexpected("the tenant of a job"))
}

fn unexpected(what: &str) -> StoreError {
    StoreError::Unavailable(format!("{what} is not one that is known"))
}
