//! `Composition/$document` (R4 <https://hl7.org/fhir/R4/documents.html>): a document Bundle, made when it is asked for.

use poem::Response;
use seva_fhir::types::ResourceKey;

use super::super::bundle::BundleWriter;
use super::super::{CallerRef, FhirEndpoint};
use crate::failure::{FHIR_JSON, Failure};

pub(super) async fn run(face: &FhirEndpoint, caller: CallerRef<'_>, key: &ResourceKey) -> Result<Response, Failure> {
    let found = face.service().document(caller, key).await?;
    let written = found.first().map(|composition| composition.updated.to_string()).unwrap_or_default();
    let size = found.iter().map(|stored| stored.body.len() + 128).sum();
    let version = found.first().map(|composition| composition.version.get()).unwrap_or_default();
    // The identifier is the document's own: the same Composition in the same version is the same document.
    let identity = format!(
        "\"identifier\":{{\"system\":\"urn:ietf:rfc:3986\",\"value\":\"{}/{key}/_history/{version}\"}},\"timestamp\":\"{written}\"",
        face.base()
    );
    let mut bundle = BundleWriter::new("document", None, &[], size);
    bundle.member(&identity);
    for stored in &found {
        bundle.entry(Some(&format!("{}/{}", face.base(), stored.key)), Some(&stored.body), b"");
    }
    Ok(Response::builder().content_type(FHIR_JSON).body(bundle.finish()))
}
