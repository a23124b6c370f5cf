//! seva-fhir.
pub mod date;
pub mod json;
pub mod outcome;
pub mod types;
pub mod path;
pub mod index;
pub mod structure;
