//! The pages: server-rendered HTML over the HTTP API, one client among many
//! (FHIR R4 RESTful API, <https://hl7.org/fhir/R4/http.html>).

mod client;
mod consultation;
mod review;
mod routes;
mod session;
mod templates;
mod views;

pub use client::{ApiClient, ApiRequest, ApiResponse, ApiUnavailable};
pub use routes::{Pages, WebSettings, pages};
