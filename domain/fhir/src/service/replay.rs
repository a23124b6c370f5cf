//! A history that is posted (R4 <https://hl7.org/fhir/R4/http.html#other-bundles>): what was done on another server is done
//! here, each entry by itself, the oldest one first.

use super::{FhirError, FhirService, TransactionOutcome};
use crate::access::Caller;
use crate::json::Json;
use crate::types::ResourceKey;

/// Conditions that held where the history comes from; its versions and matches are none of here.
const CONDITIONS: [&str; 4] = ["ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince"];

impl FhirService {
    /// Carries out a Bundle of type history; the outcomes stand in the order of its entries.
    ///
    /// A resource may stand in it several times, which no transaction allows: each of its versions becomes one here.
    pub async fn replay(
        &self,
        caller: &Caller,
        mut bundle: Json,
    ) -> Result<Vec<Result<TransactionOutcome, FhirError>>, FhirError> {
        if let Some(members) = bundle.as_object_mut() {
            members.insert("type", "batch");
        }
        if let Some(entries) = bundle.get_mut("entry").and_then(Json::as_array_mut) {
            entries.iter_mut().for_each(as_request);
            entries.reverse();
        }
        let mut outcomes = self.batch(caller, bundle).await?;
        outcomes.reverse();
        Ok(outcomes)
    }
}

/// Makes what was done a request: a create becomes an update under the id that the resource has, so that references to it
/// hold, and so does a change that was made by criteria or a patch.
fn as_request(entry: &mut Json) {
    let key = key_of(entry);
    for name in ["response", "fullUrl"] {
        entry.remove(name);
    }
    let Some(request) = entry.get_mut("request") else { return };
    for name in CONDITIONS {
        request.remove(name);
    }
    let method = match request.get_str("method") {
        Some("POST" | "PUT" | "PATCH") => "PUT",
        Some("DELETE") => "DELETE",
        _ => return,
    };
    if let (Some(key), Some(members)) = (key, request.as_object_mut()) {
        members.insert("method", method);
        members.insert("url", key.to_string().as_str());
    }
}

/// The resource that an entry is about: the one that it brings, or that its names end with.
fn key_of(entry: &Json) -> Option<ResourceKey> {
    if let Some(resource) = entry.get("resource") {
        let (kind, id) = (resource.get_str("resourceType")?, resource.get_str("id")?);
        return format!("{kind}/{id}").parse().ok();
    }
    let request = entry.get("request");
    let names = [request.and_then(|request| request.get_str("url")), entry.get_str("fullUrl")];
    names.into_iter().flatten().find_map(|url| {
        let (rest, id) = url.rsplit_once('/')?;
        let kind = rest.rsplit_once('/').map_or(rest, |(_, kind)| kind);
        format!("{kind}/{id}").parse().ok()
    })
}
