//! search of a type, by GET and by POST `_search` (R4 <https://hl7.org/fhir/R4/search.html>).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use poem::http::StatusCode;
use poem::{Request, Response};
use seva_fhir::outcome::OperationOutcome;
use seva_fhir::ports::{SearchPage, Stored};
use seva_fhir::search::{Cursor, SearchOptions, SearchQuery, parse_query_string, parse_search};
use seva_fhir::service::FhirError;
use seva_fhir::types::ResourceType;

use super::bundle::{BundleWriter, Link};
use super::negotiation::handling;
use super::{CallerRef, FhirEndpoint};
use crate::failure::{FHIR_JSON, Failure};

/// What stays readable in a query string.
const QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'/').remove(b',');

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    resource_type: ResourceType,
    request: &Request,
    form: Option<&[u8]>,
) -> Result<Response, Failure> {
    let mut pairs = parse_query_string(request.uri().query().unwrap_or_default()).map_err(one)?;
    if let Some(form) = form {
        let text =
            std::str::from_utf8(form).map_err(|_| Failure::BadRequest("the form is not valid UTF-8".to_owned()))?;
        pairs.extend(parse_query_string(text).map_err(one)?);
    }
    let options = SearchOptions { handling: handling(request), base_url: face.base() };
    let query = parse_search(resource_type, &pairs, options).map_err(FhirError::Invalid)?;
    let (used, warnings) = (query.clone(), query.warnings.clone());
    let page = face.service().search(caller, query).await?;
    let mut body = write(face.base(), &used, &page);
    if !warnings.is_empty() {
        let outcome = OperationOutcome::new(warnings).to_json().to_bytes();
        body.entry(None, Some(&outcome), b"\"search\":{\"mode\":\"outcome\"}");
    }
    Ok(Response::builder().status(StatusCode::OK).content_type(FHIR_JSON).body(body.finish()))
}

fn one(issue: seva_fhir::outcome::Issue) -> Failure {
    FhirError::Invalid(vec![issue]).into()
}

fn write(base: &str, query: &SearchQuery, page: &SearchPage) -> BundleWriter {
    let mut links = vec![Link { relation: "self", url: link(base, query, query.cursor.as_ref()) }];
    if let Some(next) = &page.next {
        links.push(Link { relation: "next", url: link(base, query, Some(next)) });
    }
    let size = page.matches.iter().chain(&page.included).map(|stored| stored.body.len() + 160).sum();
    let mut bundle = BundleWriter::new("searchset", page.total, &links, size);
    let mut push = |stored: &Stored, rest: &[u8]| {
        bundle.entry(Some(&format!("{base}/{}", stored.key)), Some(&stored.body), rest);
    };
    for stored in &page.matches {
        push(stored, b"\"search\":{\"mode\":\"match\"}");
    }
    for stored in &page.included {
        push(stored, b"\"search\":{\"mode\":\"include\"}");
    }
    bundle
}

fn link(base: &str, query: &SearchQuery, cursor: Option<&Cursor>) -> String {
    let mut url = format!("{base}/{}", query.resource_type);
    let cursor = cursor.map(|cursor| ("_cursor", cursor.as_str()));
    let pairs = query.used.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(cursor);
    for (place, (name, value)) in pairs.enumerate() {
        url.push(if place == 0 { '?' } else { '&' });
        url.extend(utf8_percent_encode(name, QUERY));
        url.push('=');
        url.extend(utf8_percent_encode(value, QUERY));
    }
    url
}
