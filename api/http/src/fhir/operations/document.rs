//! `Composition/$document` (R4 <https://hl7.org/fhir/R4/composition-operation-document.html>): a document Bundle, made when
//! it is asked for, and stored where that is asked for too.

use bytes::Bytes;
use poem::Response;
use poem::http::header;
use seva_fhir::outcome::{Issue, IssueCode};
use seva_fhir::ports::Stored;
use seva_fhir::service::Created;
use seva_fhir::types::{ResourceKey, ResourceType};

use super::super::bundle::BundleWriter;
use super::super::{CallerRef, FhirEndpoint};
use super::terminology::flag;
use super::{On, Parameters};
use crate::failure::{FHIR_JSON, Failure};

/// The system of identifiers that are URIs.
const URI: &str = "urn:ietf:rfc:3986";

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let key = &composition(face, on, given)?;
    if given.text("graph").is_some() {
        return Err(unsupported("graph: documents are made of what the Composition refers to, by no GraphDefinition"));
    }
    let persist = flag(given, "persist")? == Some(true);
    let found = face.service().document(caller, key).await?;
    let version = found.first().map(|composition| composition.version.get()).unwrap_or_default();
    // The identifier is the document's own: the same Composition in the same version is the same document.
    let identity = format!("{}/{key}/_history/{version}", face.base());
    let document = written(face, &found, &identity);
    if !persist {
        return Ok(Response::builder().content_type(FHIR_JSON).body(document));
    }
    let kind: ResourceType = "Bundle".parse().map_err(|_| Failure::NotFound("Bundle".to_owned()))?;
    let service = face.service();
    let criteria = service.criteria(caller, kind, &format!("identifier={URI}%7C{identity}"))?;
    let document = service.read_resource(&document, kind)?;
    let (Created::New(stored) | Created::Existing(stored)) = service.create_unless(caller, criteria, document).await?;
    let location = format!("{}/{}/_history/{}", face.base(), stored.key, stored.version);
    Ok(Response::builder().header(header::LOCATION, location).content_type(FHIR_JSON).body(stored.body))
}

/// The Composition: that of the URL, or the one that `id` names by its id or its whole URL.
fn composition(face: &FhirEndpoint, on: &On, given: &Parameters) -> Result<ResourceKey, Failure> {
    match (on, given.text("id")) {
        (On::Instance(key), None) => Ok(key.clone()),
        (On::Instance(_), Some(_)) => {
            Err(Failure::BadRequest("id: the URL names the Composition already; leave the parameter out".to_owned()))
        }
        (On::Type(_) | On::System | On::Version(..), None) => {
            Err(Failure::BadRequest("$document of the type needs id".to_owned()))
        }
        (On::Type(_) | On::System | On::Version(..), Some(id)) => {
            let local = id.strip_prefix(face.base()).unwrap_or(id).trim_matches('/');
            if local.contains("://") {
                return Err(unsupported("id: Compositions of other servers are not fetched"));
            }
            let named = if local.contains('/') { local.to_owned() } else { format!("Composition/{local}") };
            let key = named.parse::<ResourceKey>().ok().filter(|key| key.resource_type().as_str() == "Composition");
            key.ok_or_else(|| Failure::BadRequest(format!("id: {id:?} names no Composition")))
        }
    }
}

fn written(face: &FhirEndpoint, found: &[Stored], identity: &str) -> Bytes {
    let written = found.first().map(|composition| composition.updated.to_string()).unwrap_or_default();
    let size = found.iter().map(|stored| stored.body.len() + 128).sum();
    let mut bundle = BundleWriter::new("document", None, &[], size);
    bundle.member(&format!(
        "\"identifier\":{{\"system\":\"{URI}\",\"value\":\"{identity}\"}},\"timestamp\":\"{written}\""
    ));
    for stored in found {
        bundle.entry(Some(&format!("{}/{}", face.base(), stored.key)), Some(&stored.body), b"");
    }
    bundle.finish()
}

fn unsupported(text: &str) -> Failure {
    Issue::error(IssueCode::NotSupported, text).into()
}
