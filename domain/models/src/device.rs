//! Device (R4: <https://hl7.org/fhir/R4/device.html>).

use fhirbolt::model::r4::resources::{Device, DeviceDeviceName, DeviceVersion};

use crate::elements::{Concept, code, text};
use crate::to_json;

/// Builds the Device that stands for a speech engine with its extractor, as JSON text.
///
/// `parts` are names with versions; the versions become `Device.version`.
#[must_use]
pub fn device(name: &str, parts: &[(&str, &str)]) -> Vec<u8> {
    let versions = parts.iter().map(|(part, version)| DeviceVersion {
        r#type: Some(Concept::worded(part).boxed()),
        value: text(version),
        ..DeviceVersion::default()
    });
    to_json(&Device {
        status: Some(code("active")),
        device_name: vec![DeviceDeviceName {
            name: text(name),
            r#type: code("user-friendly-name"),
            ..DeviceDeviceName::default()
        }],
        version: versions.collect(),
        ..Device::default()
    })
}
