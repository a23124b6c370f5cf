//! Bulk import of lines of JSON: each line is a resource that is written under its id. The lines come as the body of the
//! request, or are fetched from the addresses that it names.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::fetch::{FetchError, Fetcher};
use super::manifest::ImportInput;
use super::parts::{LINES, LineCutter, Output, Parts, split_lines};
use crate::jobs::{FilePurpose, JobFile, JobKind, JobRunner, Work};
use crate::json::{Json, object};
use crate::outcome::{Issue, IssueCode, OperationOutcome};
use crate::service::{FhirError, FhirService, ImportLine};
use crate::types::ResourceType;

/// So many lines are one unit of work.
const BATCH: usize = 500;
/// The largest file that is fetched.
const LARGEST_FILE: u64 = 4 * 1024 * 1024 * 1024;

/// Reads imports.
pub struct ImportRunner {
    service: FhirService,
    fetcher: Arc<dyn Fetcher>,
}

impl ImportRunner {
    /// Over a service, and who fetches files.
    #[must_use]
    pub fn new(service: FhirService, fetcher: Arc<dyn Fetcher>) -> Self {
        Self { service, fetcher }
    }
}

/// Where a line stands, for messages.
#[derive(Default)]
struct Place<'a> {
    /// The file that is read and the type that its resources must be of; none for the body of the request.
    input: Option<(usize, &'a ImportInput)>,
    /// Lines of the files before.
    before: u64,
}

impl Place<'_> {
    fn prefix(&self, number: u64) -> String {
        let line = number - self.before;
        match self.input {
            Some((place, _)) => format!("input[{place}], line {line}"),
            None => format!("line {line}"),
        }
    }

    fn expected(&self) -> Option<ResourceType> {
        self.input.map(|(_, input)| input.resource_type)
    }
}

/// An import under way.
struct Reading<'a> {
    runner: &'a ImportRunner,
    work: &'a Work<'a>,
    output: Output<'a>,
    errors: Parts,
    number: u64,
    written: u64,
    refused: u64,
    /// How many lines there are, where that is known.
    total: Option<u64>,
}

impl Reading<'_> {
    /// Writes lines, and keeps what is said of those that can't be written.
    async fn part(&mut self, bytes: &[u8], place: &Place<'_>) -> Result<(), FhirError> {
        let lines: Vec<ImportLine> = split_lines(bytes)
            .map(|line| {
                self.number += 1;
                ImportLine { number: self.number, bytes: Bytes::copy_from_slice(line), expected: place.expected() }
            })
            .collect();
        for batch in lines.chunks(BATCH) {
            let refused = self.runner.service.import(&self.work.job.caller, self.work.job.id, batch).await?;
            self.written += (batch.len() - refused.len()) as u64;
            for line in refused {
                let at = |issue: Issue| Issue {
                    diagnostics: format!("{}: {}", place.prefix(line.number), issue.diagnostics),
                    ..issue
                };
                self.refuse(line.issues.into_iter().map(at).collect()).await?;
            }
            self.tell(batch.last().map_or(0, |line| line.number));
        }
        Ok(())
    }

    async fn refuse(&mut self, issues: Vec<Issue>) -> Result<(), FhirError> {
        self.refused += 1;
        Ok(self.errors.add(&OperationOutcome::new(issues).to_json().to_bytes(), &mut self.output).await?)
    }

    fn tell(&self, done: u64) {
        let of = self.total.map(|total| format!(" of {total}")).unwrap_or_default();
        self.work.progress.tell(format!("{done}{of} lines read, {} resources written", self.written));
    }

    async fn body(&mut self, inputs: &[JobFile]) -> Result<(), FhirError> {
        self.total = Some(inputs.iter().map(|file| file.lines).sum());
        for input in inputs {
            let bytes = self.work.desk.read(self.work.job.caller.tenant, input).await?;
            self.part(&bytes, &Place::default()).await?;
        }
        Ok(())
    }

    /// A file that can't be fetched is told, and doesn't stop the others; what came of it before stays.
    async fn fetched(&mut self, inputs: &[ImportInput]) -> Result<(), FhirError> {
        for (place, input) in inputs.iter().enumerate() {
            let place = Place { input: Some((place, input)), before: self.number };
            if let Err(error) = self.file(input, &place).await? {
                let number = place.input.map_or(0, |(number, _)| number);
                let text = format!("input[{number}] was not read to its end: {error}");
                self.refuse(vec![Issue::error(IssueCode::Processing, text)]).await?;
            }
        }
        Ok(())
    }

    async fn file(&mut self, input: &ImportInput, place: &Place<'_>) -> Result<Result<(), FetchError>, FhirError> {
        let mut stream = match self.runner.fetcher.open(&input.url).await {
            Ok(stream) => stream,
            Err(error) => return Ok(Err(error)),
        };
        let (mut cutter, mut size) = (LineCutter::default(), 0_u64);
        loop {
            let piece = match stream.next().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(error) => return Ok(Err(error)),
            };
            size += piece.len() as u64;
            if size > LARGEST_FILE {
                return Ok(Err(FetchError::Failed(format!("it is larger than {LARGEST_FILE} bytes"))));
            }
            match cutter.push(&piece) {
                Ok(Some(lines)) => self.part(&lines, place).await?,
                Ok(None) => {}
                Err(error) => return Ok(Err(FetchError::Failed(error.to_string()))),
            }
        }
        self.part(&cutter.rest(), place).await?;
        Ok(Ok(()))
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
        let mut reading = Reading {
            runner: self,
            work,
            output: Output::after(work, inputs.len()),
            errors: Parts::new(FilePurpose::Error, "OperationOutcome"),
            number: 0,
            written: 0,
            refused: 0,
            total: None,
        };
        reading.body(&inputs).await?;
        let named = ImportInput::of_job(&job.request);
        if !named.is_empty() {
            reading.total = None;
            reading.fetched(&named).await?;
        }
        let Reading { mut output, mut errors, written, refused, .. } = reading;
        errors.close(&mut output).await?;
        Ok(object([
            ("transactionTime", self.service.now().to_string().into()),
            ("request", job.request.get("url").cloned().unwrap_or(Json::Null)),
            ("inputFormat", LINES.into()),
            ("written", written.into()),
            ("refused", refused.into()),
        ]))
    }
}
