//! `$import`: lines of resources as the body, written by a worker under their ids.

use futures_util::StreamExt;
use poem::http::{Method, header};
use poem::{Request, Response};
use seva_fhir::bulk::{LINES, split_lines};
use seva_fhir::jobs::{FilePurpose, JobFile, JobKind, NewFile};
use seva_fhir::json::object;

use super::super::{CallerRef, FhirEndpoint, jobs};
use crate::failure::Failure;

/// An input is sealed in parts of this size.
const PART: usize = 8 * 1024 * 1024;
/// The longest line: a resource.
const LONGEST_LINE: usize = 16 * 1024 * 1024;
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
    if ![LINES, "application/ndjson", "application/x-ndjson"].contains(&kind) {
        return Err(Failure::UnsupportedMediaType(format!(
            "{kind:?} is not read here: send {LINES}, one resource a line"
        )));
    }
    face.service().authorise_bulk(caller, "$import").await?;
    let url = jobs::url_of(face, request);
    let inputs = receive(face, caller, request).await?;
    if inputs.is_empty() {
        return Err(Failure::BadRequest("there is no line to import".to_owned()));
    }
    let asked = object([("url", url.into())]);
    let id = face.jobs().start(caller, (JobKind::Import, asked), inputs).await?;
    Ok(jobs::accepted(face, id))
}

/// Seals the body part by part as it comes, cut at line ends: no more than a part and a line is in memory.
async fn receive(face: &FhirEndpoint, caller: CallerRef<'_>, request: &mut Request) -> Result<Vec<JobFile>, Failure> {
    let mut stream = std::pin::pin!(request.take_body().into_bytes_stream());
    let (mut waiting, mut inputs, mut size) = (Vec::new(), Vec::new(), 0);
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| Failure::BadRequest("the body ended early".to_owned()))?;
        size += piece.len();
        waiting.extend_from_slice(&piece);
        if size > LARGEST {
            return Err(Failure::TooLarge { limit: LARGEST });
        }
        if waiting.len() < PART {
            continue;
        }
        match waiting.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => {
                let rest = waiting.split_off(end + 1);
                inputs.push(keep(face, caller, inputs.len(), &waiting).await?);
                waiting = rest;
            }
            None if waiting.len() > LONGEST_LINE => return Err(Failure::TooLarge { limit: LONGEST_LINE }),
            None => {}
        }
    }
    if split_lines(&waiting).next().is_some() {
        inputs.push(keep(face, caller, inputs.len(), &waiting).await?);
    }
    Ok(inputs)
}

async fn keep(face: &FhirEndpoint, caller: CallerRef<'_>, place: usize, bytes: &[u8]) -> Result<JobFile, Failure> {
    let lines = split_lines(bytes).count() as u64;
    let file = NewFile { purpose: FilePurpose::Input, kind: LINES, lines, bytes };
    Ok(face.jobs().keep_input(caller, u32::try_from(place).unwrap_or(u32::MAX), file).await?)
}
