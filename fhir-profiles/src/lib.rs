//! seva-fhir-profiles.
