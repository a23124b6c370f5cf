//! What is answered later (R4 <https://hl7.org/fhir/R4/async.html>): how far a job is, its files, its end; and any other
//! request that asks for `respond-async`.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::Compression;
use poem::http::{HeaderName, Method, StatusCode, Uri, header};
use poem::{Body, Request, Response};
use seva_fhir::bulk::LINES;
use seva_fhir::jobs::{FilePurpose, Job, JobFile, JobKind, JobRunner, JobState, NewFile, Work};
use seva_fhir::json::{Json, JsonObject, Limits, array, object, parse};
use seva_fhir::outcome::{Issue, IssueCode, OperationOutcome};
use seva_fhir::service::FhirError;
use uuid::Uuid;

use super::answer::http_date;
use super::format::{self, Raw};
use super::target::Target;
use super::{CallerRef, FhirEndpoint, body_of};
use crate::failure::{FHIR_JSON, Failure};

/// Clients ask again after so many seconds.
const RETRY_AFTER: u32 = 1;
const PROGRESS: HeaderName = HeaderName::from_static("x-progress");
/// The headers of a request that is kept for later.
const HEADERS: [&str; 7] =
    ["accept", "content-type", "if-none-exist", "if-match", "if-none-match", "prefer", "x-security-context"];
/// The media type of a request that is kept for later.
const KEPT: &str = "application/json";

/// The URL of a request, as the client wrote it.
pub(super) fn url_of(face: &FhirEndpoint, request: &Request) -> String {
    format!("{}{}", face.base(), request.uri().path_and_query().map_or("", |path| path.as_str()))
}

/// The work was taken on.
pub(super) fn accepted(face: &FhirEndpoint, id: Uuid) -> Response {
    Response::builder()
        .status(StatusCode::ACCEPTED)
        .header(header::CONTENT_LOCATION, format!("{}/$job/{id}", face.base()))
        .body(())
}

/// How far a job is, one of its files, or its end.
pub(super) async fn answer(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    (id, file): (Uuid, Option<u32>),
    request: &Request,
) -> Result<Response, Failure> {
    let absent = || Failure::NotFound(format!("there is no job {id} of yours: it may have been cancelled or expired"));
    match (request.method(), file) {
        (&Method::GET | &Method::HEAD, None) => {
            let job = face.jobs().find(caller, id).await?.ok_or_else(absent)?;
            status(face, &job).await
        }
        (&Method::GET | &Method::HEAD, Some(number)) => {
            let found = face.jobs().download(caller, id, number).await?;
            let (_, bytes) = found.ok_or_else(absent)?;
            Ok(lines(bytes, request).await)
        }
        (&Method::DELETE, None) => {
            if face.jobs().cancel(caller, id).await? {
                Ok(Response::builder().status(StatusCode::ACCEPTED).body(()))
            } else {
                Err(absent())
            }
        }
        (method, _) => {
            Err(Failure::MethodNotAllowed { method: method.to_string(), allow: Target::Job(id, file).allow() })
        }
    }
}

/// A file as it is, or packed for who unpacks it (R4 http.html#compression).
async fn lines(bytes: Bytes, request: &Request) -> Response {
    let response = Response::builder().content_type(LINES).header(header::VARY, "accept-encoding").extension(Raw);
    let packed = if format::takes_gzip(request) {
        let plain = bytes.clone();
        let packing = tokio::task::spawn_blocking(move || format::packed(&plain, Compression::fast()));
        packing.await.ok().flatten()
    } else {
        None
    };
    match packed {
        Some(packed) => response.header(header::CONTENT_ENCODING, "gzip").body(packed),
        None => response.body(bytes),
    }
}

async fn status(face: &FhirEndpoint, job: &Job) -> Result<Response, Failure> {
    match job.state {
        JobState::Queued | JobState::Running | JobState::Cancelled => Ok(Response::builder()
            .status(StatusCode::ACCEPTED)
            .header(PROGRESS, job.progress.chars().take(100).collect::<String>())
            .header(header::RETRY_AFTER, RETRY_AFTER)
            .body(())),
        JobState::Failed => {
            let text = job.result.as_ref().and_then(|result| result.get_str("problem")).unwrap_or("the work failed");
            let status = job.result.as_ref().and_then(|result| result.get("status")).and_then(Json::as_i64);
            let outcome = OperationOutcome::new(vec![Issue::error(IssueCode::Exception, text)]).to_json();
            let code = status.and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok());
            let code = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Ok(Response::builder().status(code).content_type(FHIR_JSON).body(outcome.to_bytes()))
        }
        JobState::Done => {
            let files = face.jobs().files(job.id).await?;
            let mut response = Response::builder().content_type(KEPT);
            if let Some(expiry) = face.jobs().expiry(job) {
                response = response.header(header::EXPIRES, http_date(expiry));
            }
            Ok(response.body(manifest(face, job, &files).to_bytes()))
        }
    }
}

/// The complete answer (bulk data, "Response - Complete Status").
fn manifest(face: &FhirEndpoint, job: &Job, files: &[JobFile]) -> Json {
    let of = |purpose: FilePurpose| {
        array(files.iter().filter(|file| file.purpose == purpose).map(|file| {
            let url = format!("{}/$job/{}/{}", face.base(), job.id, file.number);
            object([("type", file.kind.as_str().into()), ("url", url.into()), ("count", file.lines.into())])
        }))
    };
    let mut manifest = job.result.clone().unwrap_or(Json::Null);
    if let Some(members) = manifest.as_object_mut() {
        members.insert("requiresAccessToken", true);
        members.insert("output", of(FilePurpose::Output));
        members.insert("deleted", of(FilePurpose::Deleted));
        members.insert("error", of(FilePurpose::Error));
    }
    manifest
}

/// Keeps a request for a worker.
pub(super) async fn later(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    mut request: Request,
) -> Result<Response, Failure> {
    let headers: Vec<(&str, Json)> =
        HEADERS.iter().filter_map(|name| Some((*name, request.header(*name)?.into()))).collect();
    let asked = object([
        ("method", request.method().as_str().into()),
        ("path", request.uri().path_and_query().map_or("/", |path| path.as_str()).into()),
        ("url", url_of(face, &request).into()),
    ]);
    let body = body_of(&mut request).await?;
    // The body and the headers may hold what a patient's record holds: they are sealed like one.
    let kept: JsonObject = headers.into_iter().chain([("body", STANDARD.encode(&body).into())]).collect();
    let bytes = Json::from(kept).to_bytes();
    let file = NewFile { purpose: FilePurpose::Input, kind: KEPT, lines: 1, bytes: &bytes };
    let input = face.jobs().keep_input(caller, 0, file).await?;
    let id = face.jobs().start(caller, (JobKind::Request, asked), vec![input]).await?;
    Ok(accepted(face, id))
}

/// Answers requests that were kept for later.
pub struct RequestRunner {
    face: FhirEndpoint,
}

impl RequestRunner {
    /// With the endpoint that answers.
    #[must_use]
    pub fn new(face: FhirEndpoint) -> Self {
        Self { face }
    }

    /// The request as it came, without the wish to have it later.
    async fn kept(&self, work: &Work<'_>) -> Result<Request, FhirError> {
        let lost = |what: &str| {
            FhirError::Invalid(vec![Issue::error(IssueCode::Exception, format!("{what} of the request is lost"))])
        };
        let files = work.desk.files(work.job.id).await?;
        let input = files.iter().find(|file| file.purpose == FilePurpose::Input).ok_or_else(|| lost("the body"))?;
        let bytes = work.desk.read(work.job.caller.tenant, input).await?;
        let kept =
            parse(&bytes, &Limits { max_bytes: usize::MAX, ..Limits::default() }).map_err(|_| lost("the body"))?;
        let asked = |name: &str| work.job.request.get_str(name).unwrap_or_default();
        let method: Method = asked("method").parse().map_err(|_| lost("the method"))?;
        let uri: Uri = asked("path").parse().map_err(|_| lost("the address"))?;
        let mut request = Request::builder().method(method).uri(uri);
        for name in HEADERS {
            if let Some(value) = kept.get_str(name).filter(|value| !value.is_empty()) {
                request = request.header(name, value);
            }
        }
        let body = STANDARD.decode(kept.get_str("body").unwrap_or_default()).map_err(|_| lost("the body"))?;
        Ok(request.body(Body::from_bytes(body.into())))
    }
}

#[async_trait]
impl JobRunner for RequestRunner {
    fn kind(&self) -> JobKind {
        JobKind::Request
    }

    async fn run(&self, work: &Work<'_>) -> Result<Json, FhirError> {
        let mut request = self.kept(work).await?;
        let answered = match Target::of(&request) {
            Ok(target) => match format::receive(&self.face.service, &target, &mut request).await {
                Ok(()) => self.face.dispatch(&work.job.caller, &target, request).await,
                Err(failure) => Err(failure),
            },
            Err(failure) => Err(failure),
        };
        let response = answered.unwrap_or_else(|failure| failure.to_outcome());
        let status = response.status();
        let body = response.into_body().into_vec().await.unwrap_or_default();
        if !body.is_empty() {
            let kind = parse(&body, &Limits { max_bytes: usize::MAX, ..Limits::default() }).ok();
            let kind = kind.as_ref().and_then(|body| body.get_str("resourceType")).unwrap_or("Binary").to_owned();
            let purpose = if status.is_success() { FilePurpose::Output } else { FilePurpose::Error };
            let file = NewFile { purpose, kind: &kind, lines: 1, bytes: &body };
            work.desk.put(work.job, 1, file).await?;
        }
        Ok(object([
            ("transactionTime", self.face.service.now().to_string().into()),
            ("request", work.job.request.get("url").cloned().unwrap_or(Json::Null)),
            ("status", status.as_u16().into()),
        ]))
    }
}
