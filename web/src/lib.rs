//! The pages: server-rendered HTML over the HTTP API, one client among many
//! (FHIR R4 RESTful API, <https://hl7.org/fhir/R4/http.html>).

#![cfg_attr(test, expect(clippy::indexing_slicing, clippy::panic, reason = "tests may panic"))]

mod account;
mod answers;
mod asker;
mod assets;
mod banner;
mod choices;
mod client;
mod commands;
mod conflict;
mod consent;
mod consultation;
mod frame;
mod language;
mod log_in;
mod looks;
mod moment;
mod note;
mod omissions;
mod once;
mod patient;
mod patients;
mod prescription;
mod proposals;
mod readiness;
mod records;
mod registration;
mod review;
mod routes;
mod session;
mod templates;
mod transcript;
mod translation;
mod voice;
mod walk;
mod wording;
mod worklist;

#[cfg(test)]
mod contrast_tests;
#[cfg(test)]
mod page_tests;

pub use client::{ApiClient, ApiRequest, ApiResponse, ApiUnavailable, Surroundings};
pub use routes::{Pages, WebSettings, pages};
