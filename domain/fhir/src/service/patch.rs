//! patch (R4: <https://hl7.org/fhir/R4/http.html#patch>): JSON Patch (RFC 6902) or FHIRPath Patch, applied to the current
//! version; what comes out is checked as an update is.

mod fhir_path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::FhirError;
use crate::json::{Json, Limits, parse};
use crate::outcome::{Issue, IssueCode};

/// A change of a part of a resource.
#[derive(Clone)]
pub struct Patch(Form);

#[derive(Clone)]
enum Form {
    Json(json_patch::Patch),
    FhirPath(Vec<fhir_path::Operation>),
}

impl Patch {
    /// Reads a JSON Patch document.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Issue> {
        serde_json::from_slice(bytes).map(|patch| Self(Form::Json(patch))).map_err(|error| {
            Issue::error(IssueCode::Structure, format!("the body is not a JSON Patch document: {error}"))
        })
    }

    /// Reads the resource of a PATCH: Parameters with FHIRPath operations, or a Binary that holds a JSON Patch.
    pub fn from_resource(resource: &Json) -> Result<Self, Issue> {
        match resource.get_str("resourceType") {
            Some("Parameters") => fhir_path::read(resource).map(|operations| Self(Form::FhirPath(operations))),
            Some("Binary") => {
                let data = STANDARD.decode(resource.get_str("data").unwrap_or_default());
                let data = data.map_err(|_| Issue::error(IssueCode::Structure, "the Binary's data is not base64"))?;
                Self::from_json(&data)
            }
            _ => Err(Issue::error(IssueCode::NotSupported, "a patch is a Parameters or a Binary resource")),
        }
    }

    /// Applies every operation, or none. A well-formed patch that doesn't fit the resource is unprocessable
    /// (RFC 5789 §2.2, which RFC 6902 §5 follows).
    pub fn apply(&self, resource: Json) -> Result<Json, FhirError> {
        match &self.0 {
            Form::Json(patch) => {
                let refused = |text: String| FhirError::Unprocessable(vec![Issue::error(IssueCode::Processing, text)]);
                let mut document: serde_json::Value = serde_json::from_slice(&resource.to_bytes())
                    .map_err(|error| refused(format!("the resource can't be patched: {error}")))?;
                json_patch::patch(&mut document, patch)
                    .map_err(|error| refused(format!("the patch fails: {error}")))?;
                let bytes = serde_json::to_vec(&document).map_err(|error| refused(error.to_string()))?;
                parse(&bytes, &Limits::default()).map_err(|error| refused(error.to_string()))
            }
            Form::FhirPath(operations) => {
                let mut resource = resource;
                for operation in operations {
                    operation.apply(&mut resource).map_err(|issue| FhirError::Unprocessable(vec![issue]))?;
                }
                Ok(resource)
            }
        }
    }
}

#[cfg(test)]
mod tests;
