//! seva-fhir.
