//! The FHIR kernel: types, JSON, XML, search, FHIRPath, structure, access, interactions and ports. No HTTP, no SQL.

pub mod access;
pub mod bulk;
pub mod capability;
pub mod clock;
pub mod date;
pub mod graphql;
pub mod index;
pub mod interactions;
pub mod jobs;
pub mod json;
pub mod matching;
pub mod operations;
pub mod outcome;
pub mod parameters;
pub mod path;
pub mod ports;
pub mod preconditions;
pub mod profile;
pub mod search;
pub mod service;
pub mod structure;
mod summary;
pub mod terminology;
pub mod types;
pub mod validation;
pub mod xml;

pub use service::{FhirService, FhirServiceParts};
