//! The FHIR face: one endpoint below `/fhir`, dispatched by the interaction table (R4 <https://hl7.org/fhir/R4/http.html>).
//!
//! Thin: find the target, find the caller, one call of the service, write the answer.

pub(crate) mod answer;
mod batch;
mod binary;
mod bundle;
mod format;
mod history;
mod instance;
mod jobs;
mod metadata;
mod negotiation;
mod operations;
mod search;
mod target;
mod transaction;

use std::sync::Arc;

use bytes::Bytes;
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, Request, Response};
use seva_clinic::blobs::SealedBlobs;
use seva_clinic::extracting::TextExtraction;
use seva_fhir::FhirService;
use seva_fhir::access::Caller;
use seva_fhir::bulk::Fetcher;
use seva_fhir::jobs::JobDesk;

use crate::authentication::Authenticator;
use crate::failure::Failure;
use crate::services::Services;
pub use jobs::RequestRunner;
use target::Target;

/// The largest body that is read.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// Everything below `/fhir`.
#[derive(Clone)]
pub struct FhirEndpoint {
    service: FhirService,
    authenticator: Authenticator,
    blobs: SealedBlobs,
    jobs: JobDesk,
    extraction: TextExtraction,
    fetcher: Arc<dyn Fetcher>,
    metadata: Arc<metadata::Metadata>,
}

impl FhirEndpoint {
    /// Wires the endpoint; the CapabilityStatements are rendered here, once.
    pub fn new(services: &Services) -> Self {
        let service = services.fhir.clone();
        let metadata = Arc::new(metadata::Metadata::render(service.base_url()));
        Self {
            service,
            authenticator: services.authenticator.clone(),
            blobs: services.blobs.clone(),
            jobs: services.jobs.clone(),
            extraction: services.extraction.clone(),
            fetcher: Arc::clone(&services.fetcher),
            metadata,
        }
    }

    async fn answer(&self, mut request: Request, wishes: &mut format::Wishes) -> Result<Response, Failure> {
        let target = Target::of(&request)?;
        if !target.is_binary() && !matches!(target, Target::Job(..)) {
            negotiation::check(&request)?;
        }
        if matches!(target, Target::Metadata) {
            return metadata::answer(&request, &self.metadata, &self.service).await;
        }
        let caller = self.authenticator.caller(&request).await?;
        if let Target::Job(id, file) = target {
            return Box::pin(jobs::answer(self, &caller, (id, file), &request)).await;
        }
        // A form is not read before it is known who sends it.
        if !target.is_binary() && format::lift_wishes(&mut request).await {
            *wishes = format::Wishes::of(&request);
            negotiation::check(&request)?;
        }
        match format::receive(&self.service, &target, &mut request).await {
            Err(failure) if target.is_validation() => return operations::not_valid(failure),
            received => received?,
        }
        if negotiation::wants_later(&request) && !target.is_bulk() {
            // What is wrong with a search is told at once, also to who wants its answer later (R4 async.html).
            if let (Some(place), &Method::GET) = (target.place(request.method()), request.method()) {
                search::check(self, &caller, &place, &request)?;
            }
            return Box::pin(jobs::later(self, &caller, request)).await;
        }
        self.dispatch(&caller, &target, request).await
    }

    /// Does what is asked, in the name of a caller whose credentials were checked. All but the reading of a resource is
    /// boxed: a future is as large as its largest branch, and each request would move the largest of all.
    async fn dispatch(
        &self,
        caller: CallerRef<'_>,
        target: &Target,
        mut request: Request,
    ) -> Result<Response, Failure> {
        let method = match *request.method() {
            Method::HEAD => Method::GET,
            ref method => method.clone(),
        };
        if let Some(place) = target.place(&method) {
            let form = if method == Method::POST { Some(form_of(&mut request).await?) } else { None };
            return Box::pin(search::run(self, caller, place, &request, form.as_deref())).await;
        }
        if let Target::Operation(called) = target {
            return Box::pin(operations::run(self, caller, called, &mut request)).await;
        }
        match (target, method) {
            (Target::Instance(key), Method::GET) if target.is_binary() => {
                Box::pin(binary::read(self, caller, (key, None), &request)).await
            }
            (Target::Instance(key), Method::GET) => instance::read(self, caller, key, &request).await,
            (Target::Version(key, version), Method::GET) if target.is_binary() => {
                Box::pin(binary::read(self, caller, (key, Some(*version)), &request)).await
            }
            (Target::Version(key, version), Method::GET) => {
                instance::vread(self, caller, key, *version, &request).await
            }
            (Target::History(_) | Target::TypeHistory(_) | Target::SystemHistory, Method::GET) => {
                Box::pin(history::run(self, caller, target, &request)).await
            }
            (_, method) => Box::pin(self.write(caller, target, method, &mut request)).await,
        }
    }

    /// What changes the record.
    async fn write(
        &self,
        caller: CallerRef<'_>,
        target: &Target,
        method: Method,
        request: &mut Request,
    ) -> Result<Response, Failure> {
        match (target, method) {
            (Target::System, Method::POST) => {
                let body = body_of(request).await?;
                transaction::run(self, caller, request, &body).await
            }
            (Target::Type(kind), Method::POST) => {
                let body = resource_body(request, target).await?;
                instance::create(self, caller, *kind, request, &body).await
            }
            (Target::Type(kind), Method::PUT) => {
                let body = resource_body(request, target).await?;
                instance::update_where(self, caller, *kind, request, &body).await
            }
            (Target::Instance(key), Method::PUT) => {
                let body = resource_body(request, target).await?;
                instance::update(self, caller, key, request, &body).await
            }
            (Target::Type(_) | Target::Instance(_), Method::PATCH) => {
                let addressed = self.addressed(caller, target, request)?;
                let body = body_of(request).await?;
                instance::patch(self, caller, addressed, request, &body).await
            }
            (Target::Type(kind), Method::DELETE) => instance::delete_where(self, caller, *kind, request).await,
            (Target::Instance(key), Method::DELETE) => instance::delete(self, caller, key, request).await,
            (target, method) => Err(Failure::MethodNotAllowed { method: method.to_string(), allow: target.allow() }),
        }
    }

    /// What a PATCH changes: the resource of the URL, or what its criteria find.
    fn addressed(
        &self,
        caller: CallerRef<'_>,
        target: &Target,
        request: &Request,
    ) -> Result<seva_fhir::service::Target, Failure> {
        match target {
            Target::Instance(key) => Ok(seva_fhir::service::Target::Key(key.clone())),
            Target::Type(kind) => {
                let criteria = self.service.criteria(caller, *kind, request.uri().query().unwrap_or_default())?;
                Ok(seva_fhir::service::Target::Criteria(Box::new(criteria)))
            }
            other => Err(Failure::MethodNotAllowed { method: "PATCH".to_owned(), allow: other.allow() }),
        }
    }

    fn base(&self) -> &str {
        self.service.base_url()
    }

    fn blobs(&self) -> &SealedBlobs {
        &self.blobs
    }

    fn jobs(&self) -> &JobDesk {
        &self.jobs
    }

    fn fetcher(&self) -> &dyn Fetcher {
        self.fetcher.as_ref()
    }

    fn service(&self) -> &FhirService {
        &self.service
    }
}

impl Endpoint for FhirEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let head = request.method() == Method::HEAD;
        let mut wishes = format::Wishes::of(&request);
        let response = self.answer(request, &mut wishes).await.unwrap_or_else(|failure| failure.to_outcome());
        let mut response = format::present(response, &wishes).await;
        if head {
            without_body(&mut response).await;
        }
        Ok(response)
    }
}

/// The headers of a GET, its length too (RFC 9110 §9.3.2); what is streamed says its length itself.
async fn without_body(response: &mut Response) {
    let body = response.take_body();
    let is_bare = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if is_bare || response.headers().contains_key(header::CONTENT_LENGTH) || response.data::<format::Raw>().is_some() {
        return;
    }
    if let Ok(body) = body.into_bytes().await {
        response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
    }
}

/// Who asks, what for: the arguments that every interaction shares.
type CallerRef<'a> = &'a Caller;

async fn resource_body(request: &mut Request, target: &Target) -> Result<Bytes, Failure> {
    let kind = request.header(header::CONTENT_TYPE).map(str::to_owned);
    let check = |kind: &str| negotiation::check_body(kind, target);
    let refusal = kind.as_deref().map(check).unwrap_or(Ok(()));
    match (refusal, kind) {
        (refusal, Some(kind)) if target.is_binary() => {
            let body = body_of(request).await?;
            if refusal.is_ok() && !binary::is_content(&body, &kind)? {
                return Ok(body);
            }
            Ok(binary::wrapped(&body, &kind, request, target.instance()).into())
        }
        (refusal, _) => {
            refusal?;
            body_of(request).await
        }
    }
}

/// The parameters of a POST `_search`: other bodies would be searches without conditions.
async fn form_of(request: &mut Request) -> Result<Bytes, Failure> {
    let kind = request.header(header::CONTENT_TYPE).unwrap_or_default().to_owned();
    let form = body_of(request).await?;
    if form.is_empty() || format::is_form(&kind) {
        return Ok(form);
    }
    let text = format!("{kind:?} is not read here: send the parameters as application/x-www-form-urlencoded");
    Err(Failure::UnsupportedMediaType(text))
}

async fn body_of(request: &mut Request) -> Result<Bytes, Failure> {
    match request.take_body().into_bytes_limit(LARGEST_BODY).await {
        Ok(body) => Ok(body),
        Err(poem::error::ReadBodyError::PayloadTooLarge) => Err(Failure::TooLarge { limit: LARGEST_BODY }),
        Err(_) => Err(Failure::BadRequest("the body ended early".to_owned())),
    }
}
