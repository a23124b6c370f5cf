//! history of one resource, of a type, of everything (R4 <https://hl7.org/fhir/R4/http.html#history>).

use std::collections::HashSet;

use poem::{Request, Response};
use seva_fhir::date::date_range;
use seva_fhir::ports::HistoryEntry;
use seva_fhir::search::{DEFAULT_COUNT, LARGEST_COUNT, Presentation, parse_query_string, write_query_string};
use seva_fhir::service::HistoryRange;
use seva_fhir::types::Instant;

use super::answer::{etag, http_date};
use super::bundle::{BundleWriter, Link};
use super::search::presentation;
use super::target::Target;
use super::{CallerRef, FhirEndpoint};
use crate::failure::{FHIR_JSON, Failure};

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    target: &Target,
    request: &Request,
) -> Result<Response, Failure> {
    let shown = presentation(request)?;
    let (range, used) = parameters(request)?;
    let service = face.service();
    let (page, place) = match target {
        Target::History(key) => (service.history(caller, key, &range).await?, format!("{}/{key}", face.base())),
        Target::TypeHistory(kind) => {
            (service.history_of(caller, Some(*kind), &range).await?, format!("{}/{kind}", face.base()))
        }
        _ => (service.history_of(caller, None, &range).await?, face.base().to_owned()),
    };
    let link = |before: Option<i64>| {
        let mut url = format!("{place}/_history?_count={}{used}", range.count);
        if let Some(before) = before {
            url.push_str(&format!("&_before={before}"));
        }
        url
    };
    let mut links = vec![Link { relation: "self", url: link(range.before) }];
    if let Some(before) = page.next_before {
        links.push(Link { relation: "next", url: link(Some(before)) });
    }
    // A first page that is the last one has counted them all.
    let is_all = range.before.is_none() && page.next_before.is_none() && range.count > 0;
    let total = is_all.then_some(page.entries.len() as u64);
    let mut bundle = BundleWriter::new("history", total, &links, 4096);
    for entry in &page.entries {
        push(&mut bundle, face.base(), (entry, &shown));
    }
    let response = Response::builder().content_type(FHIR_JSON);
    let response = match page.entries.first() {
        Some(newest) => response.header("last-modified", http_date(newest.updated)),
        None => response,
    };
    Ok(response.body(bundle.finish()))
}

fn push(bundle: &mut BundleWriter, base: &str, (entry, shown): (&HistoryEntry, &Presentation)) {
    let verb = entry.method.verb();
    let (status, url) = match verb {
        "POST" => ("201", entry.key.resource_type().to_string()),
        "DELETE" => ("204", entry.key.to_string()),
        _ => ("200", entry.key.to_string()),
    };
    let rest = format!(
        "\"request\":{{\"method\":\"{verb}\",\"url\":\"{url}\"}},\"response\":{{\"status\":\"{status}\",\"etag\":\"{}\",\"lastModified\":\"{}\"}}",
        etag(entry.version).replace('"', "\\\""),
        entry.updated,
    );
    let body = entry.body.as_ref().map(|body| shown.cut(body));
    bundle.entry(Some(&format!("{base}/{}", entry.key)), body.as_deref(), rest.as_bytes());
}

/// Reads the parameters, and gives those back that the links repeat.
fn parameters(request: &Request) -> Result<(HistoryRange, String), Failure> {
    let pairs = parse_query_string(request.uri().query().unwrap_or_default())?;
    let mut range = HistoryRange { count: DEFAULT_COUNT, ..HistoryRange::default() };
    let (mut used, mut seen) = (String::new(), HashSet::new());
    for (name, value) in &pairs {
        // R4 http.html#history: none of these appears more than once.
        if matches!(name.as_str(), "_count" | "_since" | "_at" | "_list") && !seen.insert(name.as_str()) {
            return Err(Failure::BadRequest(format!("{name} is given more than once")));
        }
        let wrong = |what: &str| Failure::BadRequest(format!("{name}: {value:?} is not {what}"));
        match name.as_str() {
            "_count" => {
                let count = value.parse::<u32>().map_err(|_| wrong("a whole number"))?;
                range.count = count.min(LARGEST_COUNT);
            }
            "_before" => range.before = Some(value.parse().map_err(|_| wrong("a place of a page link"))?),
            // A zone's plus sign arrives as a space when the client did not encode it.
            "_since" | "_at" => {
                let text = value.replace(' ', "+");
                let (low, high) = date_range(&text).ok_or_else(|| wrong("a date or an instant"))?;
                if name == "_since" {
                    range.since = Some(Instant::from_micros(low));
                } else {
                    range.at = Some((low, high));
                }
                used.push_str(&format!("&{name}={}", text.replace('+', "%2B")));
            }
            "_list" | "_summary" | "_elements" => {
                if name == "_list" {
                    let named = value.parse().map_err(|error| Failure::BadRequest(format!("{name}: {error}")))?;
                    range.list = Some(named);
                }
                used.push_str(&format!("&{}", write_query_string([(name.as_str(), value.as_str())])));
            }
            "_format" | "_pretty" => {}
            other => return Err(Failure::BadRequest(format!("{other} is not a parameter of _history"))),
        }
    }
    Ok((range, used))
}
