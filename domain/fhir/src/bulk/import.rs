//! Bulk import of lines of JSON: each line is a resource that is written under its id.

use async_trait::async_trait;
use bytes::Bytes;

use super::parts::{LINES, Output, Parts, split_lines};
use crate::jobs::{FilePurpose, JobKind, JobRunner, Work};
use crate::json::{Json, object};
use crate::outcome::{Issue, OperationOutcome};
use crate::service::{FhirError, FhirService, ImportLine};

/// So many lines are one unit of work.
const BATCH: usize = 500;

/// Reads imports.
pub struct ImportRunner {
    service: FhirService,
}

impl ImportRunner {
    /// Over a service.
    #[must_use]
    pub fn new(service: FhirService) -> Self {
        Self { service }
    }
}

#[async_trait]
impl JobRunner for ImportRunner {
    fn kind(&self) -> JobKind {
        JobKind::Import
    }

    async fn run(&self, work: &Work<'_>) -> Result<Json, FhirError> {
        let job = work.job;
        let inputs: Vec<_> =
            work.desk.files(job.id).await?.into_iter().filter(|file| file.purpose == FilePurpose::Input).collect();
        let total: u64 = inputs.iter().map(|file| file.lines).sum();
        let mut output = Output::after(work, inputs.len());
        let mut errors = Parts::new(FilePurpose::Error, "OperationOutcome");
        let (mut number, mut written) = (0, 0_u64);
        for input in &inputs {
            let bytes = work.desk.read(job.caller.tenant, input).await?;
            let lines: Vec<ImportLine> = split_lines(&bytes)
                .map(|line| {
                    number += 1;
                    ImportLine { number, bytes: Bytes::copy_from_slice(line) }
                })
                .collect();
            for batch in lines.chunks(BATCH) {
                let refused = self.service.import(&job.caller, job.id, batch).await?;
                written += (batch.len() - refused.len()) as u64;
                for line in refused {
                    let at = |issue: Issue| Issue {
                        diagnostics: format!("line {}: {}", line.number, issue.diagnostics),
                        ..issue
                    };
                    let issues = line.issues.into_iter().map(at).collect();
                    errors.add(&OperationOutcome::new(issues).to_json().to_bytes(), &mut output).await?;
                }
                let done = batch.last().map_or(0, |line| line.number);
                work.progress.tell(format!("{done} of {total} lines read, {written} resources written"));
            }
        }
        errors.close(&mut output).await?;
        Ok(object([
            ("transactionTime", self.service.now().to_string().into()),
            ("request", job.request.get("url").cloned().unwrap_or(Json::Null)),
            ("inputFormat", LINES.into()),
            ("written", written.into()),
            ("refused", (total.saturating_sub(written)).into()),
        ]))
    }
}
