//! Typed R4 models for what the program builds in code (R4: <https://hl7.org/fhir/R4/resourcelist.html>).
//!
//! Only construction: plain typed input becomes JSON text. Bytes from outside are read by seva-fhir's own reader, and
//! the library's types stay in here. Each instantiated type costs build time, so a type is added when code builds it.

mod composition;
mod device;
mod documents;
mod dosage;
mod elements;
mod findings;
mod provenance;
mod requests;

pub use composition::{Attester, Composition, Section};
pub use device::device;
pub use documents::{Attachment, DocumentReference};
pub use dosage::{AsNeeded, Dosage, Dose, Timing};
pub use elements::{Coding, Concept, Extension, ExtensionValue, Identifier, Quantity};
pub use findings::{AllergyIntolerance, Condition, Observation, Origin, Value};
pub use provenance::{Agent, DetectedIssue, Provenance};
pub use requests::{MedicationRequest, ServiceRequest};

/// A resource whose required elements are filled always serialises; every builder here fills them.
fn to_json<R: fhirbolt::serde::SerializeResource>(resource: &R) -> Vec<u8> {
    fhirbolt::json::to_vec(resource, None).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap_or_default()
    }

    #[test]
    fn a_device_names_its_versions() {
        let text = said(device("whisper", &[("whisper.cpp", "1.8")]));
        assert!(text.contains("\"resourceType\":\"Device\"") && text.contains("\"value\":\"1.8\""), "{text}");
    }

    #[test]
    fn decimals_keep_their_digits() {
        let quantity = Quantity { value: "38.50".into(), unit: "Cel".into(), code: "Cel".into() };
        let text = said(Observation { value: Value::Quantity(quantity), ..Observation::default() }.to_json());
        assert!(text.contains("\"valueQuantity\":{\"value\":38.50,"), "{text}");
    }

    #[test]
    fn every_builder_serialises_even_its_defaults() {
        let all = [
            ("AllergyIntolerance", AllergyIntolerance::default().to_json()),
            ("Composition", Composition::default().to_json()),
            ("Condition", Condition::default().to_json()),
            ("DetectedIssue", DetectedIssue::default().to_json()),
            ("DocumentReference", DocumentReference::default().to_json()),
            ("MedicationRequest", MedicationRequest::default().to_json()),
            ("Observation", Observation::default().to_json()),
            ("Provenance", Provenance::default().to_json()),
            ("ServiceRequest", ServiceRequest::default().to_json()),
        ];
        for (kind, bytes) in all {
            assert!(said(bytes).starts_with(&format!("{{\"resourceType\":\"{kind}\"")), "{kind}");
        }
    }
}
