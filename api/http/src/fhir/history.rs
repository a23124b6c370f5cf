//! history of one resource (R4 <https://hl7.org/fhir/R4/http.html#history>).

use poem::{Request, Response};
use seva_fhir::search::{DEFAULT_COUNT, LARGEST_COUNT, parse_query_string};
use seva_fhir::service::FhirError;
use seva_fhir::types::{ResourceKey, VersionId};

use super::answer::{etag, http_date};
use super::bundle::{BundleWriter, Link};
use super::{CallerRef, FhirEndpoint};
use crate::failure::{FHIR_JSON, Failure};

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    key: &ResourceKey,
    request: &Request,
) -> Result<Response, Failure> {
    let (count, before) = parameters(request)?;
    let page = face.service().history(caller, key, before, count).await?;
    let base = format!("{}/{key}", face.base());
    let mut links = vec![Link { relation: "self", url: format!("{base}/_history?_count={count}") }];
    if let Some(before) = page.next_before {
        links.push(Link { relation: "next", url: format!("{base}/_history?_count={count}&_before={before}") });
    }
    let mut bundle = BundleWriter::new("history", None, &links, 4096);
    for entry in &page.entries {
        let status = match entry.method.verb() {
            "POST" => "201",
            "DELETE" => "204",
            _ => "200",
        };
        let url = if entry.method.verb() == "POST" { key.resource_type().to_string() } else { key.to_string() };
        let rest = format!(
            "\"request\":{{\"method\":\"{}\",\"url\":\"{url}\"}},\"response\":{{\"status\":\"{status}\",\"etag\":\"{}\",\"lastModified\":\"{}\"}}",
            entry.method.verb(),
            etag(entry.version).replace('"', "\\\""),
            entry.updated,
        );
        bundle.entry(Some(&base), entry.body.as_deref(), rest.as_bytes());
    }
    let newest = page.entries.first().map(|entry| http_date(entry.updated));
    let response = Response::builder().content_type(FHIR_JSON);
    let response = match newest {
        Some(date) => response.header("last-modified", date),
        None => response,
    };
    Ok(response.body(bundle.finish()))
}

fn parameters(request: &Request) -> Result<(u32, Option<VersionId>), Failure> {
    let pairs = parse_query_string(request.uri().query().unwrap_or_default())
        .map_err(|issue| Failure::from(FhirError::Invalid(vec![issue])))?;
    let (mut count, mut before) = (DEFAULT_COUNT, None);
    for (name, value) in &pairs {
        let wrong = || Failure::BadRequest(format!("{name}: {value:?} is not a whole number above zero"));
        match name.as_str() {
            "_count" => {
                count = value.parse::<u32>().ok().filter(|count| *count > 0).ok_or_else(wrong)?.min(LARGEST_COUNT)
            }
            "_before" => before = Some(value.parse().map_err(|_| wrong())?),
            "_format" | "_pretty" => {}
            other => return Err(Failure::BadRequest(format!("{other} is not a parameter of _history here"))),
        }
    }
    Ok((count, before))
}
