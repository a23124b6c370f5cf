//! Typed R4 models for what the program builds in code (R4: <https://hl7.org/fhir/R4/device.html>).
//!
//! Only construction: bytes from outside are read by seva-fhir's own reader. Each instantiated type costs build time, so
//! a type is added here when code builds it.

use fhirbolt::model::r4::resources::{Device, DeviceDeviceName, DeviceVersion};
use fhirbolt::model::r4::types::{Code, CodeableConcept, String as FhirString};

/// Builds the Device that stands for a speech engine with its extractor, as JSON text.
///
/// `parts` are names with versions; the versions become `Device.version`.
#[must_use]
pub fn device(name: &str, parts: &[(&str, &str)]) -> Vec<u8> {
    let versions = parts.iter().map(|(part, version)| DeviceVersion {
        r#type: Some(Box::new(CodeableConcept { text: Some(text(part)), ..CodeableConcept::default() })),
        value: text(version),
        ..DeviceVersion::default()
    });
    let device = Device {
        status: Some(Code { value: Some("active".to_owned()), ..Code::default() }),
        device_name: vec![DeviceDeviceName {
            name: text(name),
            r#type: Code { value: Some("user-friendly-name".to_owned()), ..Code::default() },
            ..DeviceDeviceName::default()
        }],
        version: versions.collect(),
        ..Device::default()
    };
    // A value that was built from plain text always serialises.
    fhirbolt::json::to_vec(&device, None).unwrap_or_default()
}

fn text(value: &str) -> FhirString {
    FhirString { value: Some(value.to_owned()), ..FhirString::default() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_device_names_its_versions() {
        let text = String::from_utf8(super::device("whisper", &[("whisper.cpp", "1.8")])).unwrap_or_default();
        assert!(text.contains("\"resourceType\":\"Device\"") && text.contains("\"value\":\"1.8\""), "{text}");
    }
}
