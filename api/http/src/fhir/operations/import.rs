//! `$import`: lines of resources, as the body or at addresses that it names, written by a worker under their ids.

use futures_util::StreamExt;
use poem::http::{Method, header};
use poem::{Request, Response};
use seva_fhir::bulk::{ImportInput, LINES, LONGEST_LINE, LineCutter, split_lines};
use seva_fhir::jobs::{FilePurpose, JobFile, JobKind, NewFile};
use seva_fhir::json::{Limits, object, parse};
use seva_fhir::outcome::{Issue, IssueCode};
use seva_fhir::service::FhirError;

use super::super::{CallerRef, FhirEndpoint, jobs};
use crate::failure::Failure;

/// The largest manifest.
const LARGEST_MANIFEST: usize = 1024 * 1024;
/// The largest body.
const LARGEST: usize = 4 * 1024 * 1024 * 1024;

pub(super) async fn start(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    request: &mut Request,
) -> Result<Response, Failure> {
    if *request.method() != Method::POST {
        return Err(Failure::MethodNotAllowed { method: request.method().to_string(), allow: "POST" });
    }
    let kind = request.header(header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let names_files = ["application/json", "application/fhir+json"].contains(&kind);
    if !names_files && ![LINES, "application/ndjson", "application/x-ndjson"].contains(&kind) {
        return Err(Failure::UnsupportedMediaType(format!(
            "{kind:?} is not read here: send {LINES}, one resource a line, or JSON that names files"
        )));
    }
    face.service().authorise_bulk(caller, "$import").await?;
    let url = jobs::url_of(face, request);
    if names_files {
        let inputs = named(face, request).await?;
        let asked = object([("url", url.into()), ("inputs", ImportInput::to_json(&inputs))]);
        let id = face.jobs().start(caller, (JobKind::Import, asked), Vec::new()).await?;
        return Ok(jobs::accepted(face, id));
    }
    let inputs = receive(face, caller, request).await?;
    if inputs.is_empty() {
        return Err(Failure::BadRequest("there is no line to import".to_owned()));
    }
    let asked = object([("url", url.into())]);
    let id = face.jobs().start(caller, (JobKind::Import, asked), inputs).await?;
    Ok(jobs::accepted(face, id))
}

/// The files that a manifest names; all of them must be at places that are asked.
async fn named(face: &FhirEndpoint, request: &mut Request) -> Result<Vec<ImportInput>, Failure> {
    let body = request.take_body().into_bytes_limit(LARGEST_MANIFEST).await;
    let body = body.map_err(|_| Failure::TooLarge { limit: LARGEST_MANIFEST })?;
    let asked = parse(&body, &Limits::default()).map_err(|error| Failure::BadRequest(error.to_string()))?;
    let inputs = ImportInput::read_all(&asked)?;
    let refused = inputs.iter().enumerate().filter_map(|(place, input)| {
        let error = face.fetcher().check(&input.url).err()?;
        Some(Issue::error(IssueCode::Suppressed, error.to_string()).at(format!("input[{place}].url")))
    });
    let refused: Vec<Issue> = refused.collect();
    if refused.is_empty() { Ok(inputs) } else { Err(FhirError::Invalid(refused).into()) }
}

/// Seals the body part by part as it comes, cut at line ends: no more than a part and a line is in memory.
async fn receive(face: &FhirEndpoint, caller: CallerRef<'_>, request: &mut Request) -> Result<Vec<JobFile>, Failure> {
    let mut stream = std::pin::pin!(request.take_body().into_bytes_stream());
    let (mut cutter, mut inputs, mut size) = (LineCutter::default(), Vec::new(), 0);
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| Failure::BadRequest("the body ended early".to_owned()))?;
        size += piece.len();
        if size > LARGEST {
            return Err(Failure::TooLarge { limit: LARGEST });
        }
        if let Some(lines) = cutter.push(&piece).map_err(|_| Failure::TooLarge { limit: LONGEST_LINE })? {
            inputs.push(keep(face, caller, inputs.len(), &lines).await?);
        }
    }
    let rest = cutter.rest();
    if split_lines(&rest).next().is_some() {
        inputs.push(keep(face, caller, inputs.len(), &rest).await?);
    }
    Ok(inputs)
}

async fn keep(face: &FhirEndpoint, caller: CallerRef<'_>, place: usize, bytes: &[u8]) -> Result<JobFile, Failure> {
    let lines = split_lines(bytes).count() as u64;
    let file = NewFile { purpose: FilePurpose::Input, kind: LINES, lines, bytes };
    Ok(face.jobs().keep_input(caller, u32::try_from(place).unwrap_or(u32::MAX), file).await?)
}
