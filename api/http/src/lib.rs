//! Everything inbound: the FHIR face, the OpenAPI services, the sockets, health, the contract (poem, poem-openapi).
//!
//! [`endpoint`] is the whole server, middleware included; the pages call it in process with the user's own token.

mod authentication;
mod client_address;
mod contract;
mod failure;
mod fhir;
mod health;
mod idempotency;
mod middleware;
mod range;
mod services;

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Response, Route};

pub use authentication::{Authenticator, AuthenticatorParts, KeyError, LogIn, LoggedIn, TokenKeys, new_signing_key};
pub use client_address::{ClientAddress, TrustedProxies};
pub use failure::Failure;
pub use fhir::{FhirEndpoint, RequestRunner};
pub use health::{AwsProbe, Check, CheckStatus, Health, Probe};
pub use services::{Services, api_specification};

/// Builds the server's endpoint.
pub fn endpoint(services: &Arc<Services>) -> impl Endpoint<Output = Response> + 'static {
    let fhir = FhirEndpoint::new(services);
    let outside = contract::routes(services::routes(services)).with(idempotency::Idempotency(Arc::clone(services)));
    let endpoint = Route::new()
        .nest("/fhir", fhir)
        .nest_no_strip("/", outside)
        .catch_all_error(|error| async move { middleware::problem(&error) })
        .with(middleware::RequestIds::new(Arc::clone(&services.ids), services.proxies.clone()));
    middleware::cross_origin(endpoint)
}
