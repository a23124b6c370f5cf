//! The OpenAPI services outside FHIR: log-in, dictation, prescription. Thin: find the caller, one call, the answer.

mod sessions;

use std::sync::Arc;

use poem::Route;
use poem_openapi::OpenApiService;
use seva_fhir::FhirService;
use seva_fhir::clock::IdSource;

use crate::authentication::Authenticator;
use crate::health::{AwsProbe, HealthApi, Probe};

/// What the handlers work with.
pub struct Services {
    /// The FHIR service.
    pub fhir: FhirService,
    /// Who asks.
    pub authenticator: Authenticator,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// What `/health` asks.
    pub probes: Vec<Arc<dyn Probe>>,
    /// What `/health/aws-connectivity` asks.
    pub aws: Vec<Arc<dyn AwsProbe>>,
}

type Apis = (HealthApi, sessions::SessionApi);

fn service(services: &Arc<Services>) -> OpenApiService<Apis, ()> {
    let apis = (HealthApi { services: Arc::clone(services) }, sessions::SessionApi { services: Arc::clone(services) });
    OpenApiService::new(apis, "SEVA Arogya", env!("CARGO_PKG_VERSION"))
}

/// The handlers' routes.
pub(crate) fn routes(services: &Arc<Services>) -> Route {
    Route::new().nest_no_strip("/", service(services))
}

/// What the handlers say of themselves, for the comparison with the contract.
pub fn api_specification(services: &Arc<Services>) -> String {
    service(services).spec()
}
