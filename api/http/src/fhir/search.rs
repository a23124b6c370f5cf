//! search of a type, of a compartment, of the whole system, by GET and by POST `_search`
//! (R4 <https://hl7.org/fhir/R4/http.html#search>).

use bytes::Bytes;
use poem::http::StatusCode;
use poem::{Request, Response};
use seva_fhir::outcome::{Issue, IssueCode, OperationOutcome};
use seva_fhir::ports::{Incomplete, SearchPage};
use seva_fhir::search::{
    Cursor, Handling, Presentation, QueryPairs, SearchOptions, SearchQuery, parse_query_string, parse_search,
    parse_system_search, write_query_string,
};
use seva_fhir::service::FhirError;
use seva_fhir::types::{ResourceKey, ResourceType};

use super::bundle::{BundleWriter, Link};
use super::negotiation::handling;
use super::{CallerRef, FhirEndpoint};
use crate::failure::{FHIR_JSON, Failure};

/// Where is searched.
pub(super) enum Place<'a> {
    /// In one type.
    Type(ResourceType),
    /// In every type, or in those of `_type`.
    System,
    /// In types of a compartment.
    Compartment(&'a ResourceKey, &'a [ResourceType]),
}

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    place: Place<'_>,
    request: &Request,
    form: Option<&[u8]>,
) -> Result<Response, Failure> {
    let mut pairs = pairs_of(request)?;
    if let Some(form) = form {
        let text =
            std::str::from_utf8(form).map_err(|_| Failure::BadRequest("the form is not valid UTF-8".to_owned()))?;
        pairs.extend(parse_query_string(text)?);
    }
    let (mut query, path) = asked(face, caller, &place, &pairs, handling(request))?;
    face.service().find_codes(caller, &mut query).await?;
    let used = query.clone();
    let page = face.service().search(caller, query).await?;
    let body = searchset(face.base(), &path, &used, &page);
    Ok(Response::builder().status(StatusCode::OK).content_type(FHIR_JSON).body(body))
}

/// What a client must know of an answer: what was ignored, and what may be missing.
fn warnings(query: &SearchQuery, page: &SearchPage) -> Vec<Issue> {
    let cut = page.cut.iter().map(|asked| {
        let text = format!("{asked} would bring more than one answer holds: search for the rest by themselves");
        Issue::warning(IssueCode::Incomplete, text)
    });
    let incomplete = page.incomplete.iter().map(|reason| {
        let text = match reason {
            Incomplete::Indexing => "resources are being indexed, and some may not be found yet: search again later",
            Incomplete::Contained => {
                "more resources than are looked through contain what a chain leads to: narrow the search"
            }
        };
        Issue::warning(IssueCode::Incomplete, text)
    });
    query.warnings.iter().cloned().chain(cut).chain(incomplete).collect()
}

/// The search that pairs ask for, and the path that its links have.
pub(super) fn asked(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    place: &Place<'_>,
    pairs: &QueryPairs,
    handling: Handling,
) -> Result<(SearchQuery, String), FhirError> {
    let parameters = &face.service().parameters(caller);
    read(place, pairs, SearchOptions { handling, base_url: face.base(), parameters })
}

/// Parses the search, and tells the path that its links have.
fn read(place: &Place<'_>, pairs: &QueryPairs, options: SearchOptions<'_>) -> Result<(SearchQuery, String), FhirError> {
    match place {
        Place::Type(resource_type) => {
            Ok((parse_search(*resource_type, pairs, options).map_err(FhirError::Invalid)?, resource_type.to_string()))
        }
        Place::System => {
            let query = parse_system_search(pairs, options).map_err(FhirError::Invalid)?;
            // R4 asks for a way to say which resources are meant: everything of everybody is an export.
            if query.clauses.is_empty() && !pairs.iter().any(|(name, _)| name == "_type") {
                let text = "a search of the whole system needs _type, or a parameter that all types have";
                return Err(FhirError::Invalid(vec![Issue::error(IssueCode::TooCostly, text).at("http._type")]));
            }
            Ok((query, String::new()))
        }
        Place::Compartment(key, types) => {
            let mut query = match types {
                [one] => parse_search(*one, pairs, options).map_err(FhirError::Invalid)?,
                _ => {
                    // The audit log is searched alone: `Patient/x/AuditEvent`.
                    let joined = types.iter().filter(|own| **own != ResourceType::audit_event());
                    let names: Vec<&str> = joined.map(|own| own.as_str()).collect();
                    let mut all = pairs.clone();
                    if !pairs.iter().any(|(name, _)| name == "_type") {
                        all.push(("_type".to_owned(), names.join(",")));
                    }
                    let mut query = parse_system_search(&all, options).map_err(FhirError::Invalid)?;
                    query.resource_types.retain(|own| types.contains(own));
                    query
                }
            };
            query.within(key);
            let below = match types {
                [one] => one.as_str(),
                _ => "*",
            };
            Ok((query, format!("{key}/{below}")))
        }
    }
}

/// Tells what is wrong with a search before it is run.
pub(super) fn check(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    place: &Place<'_>,
    request: &Request,
) -> Result<(), Failure> {
    asked(face, caller, place, &pairs_of(request)?, handling(request))?;
    Ok(())
}

fn pairs_of(request: &Request) -> Result<QueryPairs, Failure> {
    Ok(parse_query_string(request.uri().query().unwrap_or_default())?)
}

/// A searchset of one type, as an entry of a Bundle holds it.
pub(super) fn page_bundle(base: &str, query: &SearchQuery, page: &SearchPage) -> Bytes {
    let path = query.resource_types.first().map(ToString::to_string).unwrap_or_default();
    searchset(base, &path, query, page)
}

/// A searchset whose links lead back to `path`.
pub(super) fn searchset(base: &str, path: &str, query: &SearchQuery, page: &SearchPage) -> Bytes {
    let link = |cursor: Option<&Cursor>| link(base, path, query, cursor);
    let mut links = vec![Link { relation: "self", url: link(query.cursor.as_ref()) }];
    if query.cursor.is_some() {
        links.push(Link { relation: "first", url: link(None) });
    }
    if let Some(next) = &page.next {
        links.push(Link { relation: "next", url: link(Some(next)) });
    }
    let size = page.matches.iter().chain(&page.included).map(|stored| stored.body.len() + 160).sum();
    let mut bundle = BundleWriter::new("searchset", page.total, &links, size);
    let mut push = |url: String, body: &Bytes, rest: &[u8]| {
        bundle.entry(Some(&url), Some(&query.presentation.cut(body)), rest);
    };
    let is_match = b"\"search\":{\"mode\":\"match\"}";
    for stored in &page.matches {
        push(format!("{base}/{}", stored.key), &stored.body, is_match);
    }
    for found in &page.contained {
        push(format!("{base}/{}#{}", found.container.key, found.id), &found.body, is_match);
    }
    for stored in &page.included {
        push(format!("{base}/{}", stored.key), &stored.body, b"\"search\":{\"mode\":\"include\"}");
    }
    let warnings = warnings(query, page);
    if !warnings.is_empty() {
        let outcome = OperationOutcome::new(warnings).to_json().to_bytes();
        bundle.entry(None, Some(&outcome), b"\"search\":{\"mode\":\"outcome\"}");
    }
    bundle.finish()
}

/// `_summary` and `_elements` of a read or a history.
pub(super) fn presentation(request: &Request) -> Result<Presentation, Failure> {
    Ok(Presentation::of_query(request.uri().query().unwrap_or_default())?)
}

fn link(base: &str, path: &str, query: &SearchQuery, cursor: Option<&Cursor>) -> String {
    let mut url = if path.is_empty() { base.to_owned() } else { format!("{base}/{path}") };
    let cursor = cursor.map(|cursor| ("_cursor", cursor.as_str()));
    let pairs = query.used.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(cursor);
    let words = write_query_string(pairs);
    if !words.is_empty() {
        url.push('?');
        url.push_str(&words);
    }
    url
}
