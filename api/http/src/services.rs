//! The OpenAPI services outside FHIR: log-in, dictation, prescription. Thin: find the caller, one call, the answer.

pub(crate) mod dictations;
mod prescriptions;
mod review;
mod sessions;
mod streams;
mod translations;

use std::sync::Arc;

use poem::{EndpointExt, Route, get, post};
use poem_openapi::OpenApiService;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use serde::Serialize;
use serde_json::Value;
use seva_clinic::blobs::SealedBlobs;
use seva_clinic::commands::CommandService;
use seva_clinic::dictation::DictationService;
use seva_clinic::extracting::TextExtraction;
use seva_clinic::prescription::PrescriptionService;
use seva_clinic::review::ReviewService;
use seva_clinic::translation::TranslationService;
use seva_fhir::FhirService;
use seva_fhir::access::{AuditAction, AuditRecord, Caller, IdempotencyStore};
use seva_fhir::bulk::Fetcher;
use seva_fhir::clock::IdSource;
use seva_fhir::jobs::JobDesk;
use seva_fhir::types::ResourceKey;
use tokio::sync::watch;

use crate::authentication::Authenticator;
use crate::client_address::TrustedProxies;
use crate::failure::Failure;
use crate::health::{AwsProbe, HealthApi, Probe};

/// What the handlers work with.
pub struct Services {
    /// The FHIR service.
    pub fhir: FhirService,
    /// Who asks.
    pub authenticator: Authenticator,
    /// Dictations.
    pub dictations: DictationService,
    /// Prescriptions.
    pub prescriptions: PrescriptionService,
    /// Texts of other programs.
    pub extraction: TextExtraction,
    /// Advice in other languages.
    pub translations: TranslationService,
    /// What helps the reviewing doctor.
    pub review: ReviewService,
    /// Voice commands.
    pub commands: CommandService,
    /// Files that are too large for rows.
    pub blobs: SealedBlobs,
    /// Exports, imports, and what is answered later.
    pub jobs: JobDesk,
    /// Fetches the files of imports.
    pub fetcher: Arc<dyn Fetcher>,
    /// The address that clients use, without a slash at its end.
    pub url: String,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// Whose word about a client's address is taken.
    pub proxies: TrustedProxies,
    /// Becomes true when the server stops, so that open sockets end.
    pub closing: watch::Receiver<bool>,
    /// Answers by idempotency key.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// What `/health` asks.
    pub probes: Vec<Arc<dyn Probe>>,
    /// What `/health/aws-connectivity` asks.
    pub aws: Vec<Arc<dyn AwsProbe>>,
}

type Apis = (
    HealthApi,
    sessions::SessionApi,
    dictations::DictationApi,
    prescriptions::PrescriptionApi,
    review::ReviewApi,
    translations::TranslationApi,
);

fn service(services: &Arc<Services>) -> OpenApiService<Apis, ()> {
    let apis = (
        HealthApi::new(services),
        sessions::SessionApi { services: Arc::clone(services) },
        dictations::DictationApi { services: Arc::clone(services) },
        prescriptions::PrescriptionApi { services: Arc::clone(services) },
        review::ReviewApi { services: Arc::clone(services) },
        translations::TranslationApi { services: Arc::clone(services) },
    );
    OpenApiService::new(apis, "SEVA Arogya", env!("CARGO_PKG_VERSION"))
}

/// The handlers' routes.
pub(crate) fn routes(services: &Arc<Services>) -> Route {
    let socket = get(dictations::socket::open_socket).data(Arc::clone(services));
    let stream = || post(streams::open_stream).data(Arc::clone(services));
    Route::new()
        .at("/v1/dictations/:id/socket", socket)
        .at("/stream-transcription", stream())
        .at("/medical-stream-transcription", stream())
        .nest_no_strip("/", service(services))
}

/// The encounter of an address.
fn encounter(id: &Path<String>) -> Result<ResourceKey, Failure> {
    format!("Encounter/{}", id.0).parse().map_err(|error| Failure::BadRequest(format!("encounter: {error}")))
}

/// Records what was done with a patient's data, named by the reference; the second is what it was done to.
async fn audit(
    services: &Services,
    caller: &Caller,
    action: AuditAction,
    (patient, target): (&str, &str),
) -> Result<(), Failure> {
    let parts = &services.authenticator.parts;
    let patient = patient.trim_start_matches("Patient/");
    let record = AuditRecord::of(caller, action, target.to_owned(), parts.clock.now());
    parts.audit.record_now(record.naming(vec![patient.into()])).await.map_err(Failure::from)
}

fn shown(view: &impl Serialize) -> Result<Json<Value>, Failure> {
    serde_json::to_value(view).map(Json).map_err(|error| Failure::Internal(error.to_string()))
}

/// What the handlers say of themselves, for the comparison with the contract.
pub fn api_specification(services: &Arc<Services>) -> String {
    service(services).spec()
}
