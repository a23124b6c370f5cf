//! Formats: JSON in and out (R4 <https://hl7.org/fhir/R4/http.html#mime-type>); XML is refused by name until it is offered.

use poem::Request;
use poem::http::header;
use seva_fhir::search::Handling;

use crate::failure::Failure;

/// What `Prefer: return=` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Return {
    Minimal,
    Representation,
    Outcome,
}

/// Refuses what can't be answered in JSON; `_format` goes before `Accept`.
pub(super) fn check(request: &Request) -> Result<(), Failure> {
    let asked = request.uri().query().and_then(format_parameter);
    if let Some(format) = asked {
        let format =
            format.replace("%2B", "+").replace("%2b", "+").replace("%2F", "/").replace("%2f", "/").replace(' ', "+");
        return if is_json(&format) || format == "json" { Ok(()) } else { Err(not_acceptable(&format)) };
    }
    let Some(accept) = request.header(header::ACCEPT) else { return Ok(()) };
    let any =
        accept.split(',').any(|range| is_json(range) || is_wildcard(range) || range.trim().starts_with("text/html"));
    if any { Ok(()) } else { Err(not_acceptable(accept)) }
}

/// Whether FHIR is asked for by name, which decides how a Binary goes out.
pub(super) fn wants_resource(request: &Request) -> bool {
    if request.uri().query().and_then(format_parameter).is_some() {
        return true;
    }
    request.header(header::ACCEPT).is_some_and(|accept| accept.split(',').any(is_json))
}

fn not_acceptable(format: &str) -> Failure {
    Failure::NotAcceptable(format!("{format:?} is not offered: ask for application/fhir+json"))
}

fn format_parameter(query: &str) -> Option<&str> {
    query.split('&').find_map(|part| part.strip_prefix("_format="))
}

fn media_type(range: &str) -> &str {
    range.split(';').next().unwrap_or_default().trim()
}

fn is_json(range: &str) -> bool {
    matches!(media_type(range), "application/fhir+json" | "application/json" | "text/json")
}

fn is_wildcard(range: &str) -> bool {
    matches!(media_type(range), "*/*" | "application/*")
}

/// Refuses bodies that are not JSON.
pub(super) fn check_content_type(kind: &str) -> Result<(), Failure> {
    if is_json(kind) {
        return Ok(());
    }
    Err(Failure::UnsupportedMediaType(format!("{:?} is not read here: send application/fhir+json", media_type(kind))))
}

/// Reads `Prefer: return=…`.
pub(super) fn preferred_return(request: &Request) -> Return {
    match preference(request, "return") {
        Some("minimal") => Return::Minimal,
        Some("OperationOutcome") => Return::Outcome,
        _ => Return::Representation,
    }
}

/// Reads `Prefer: handling=…`; strict unless lenient is asked for (decision D7).
pub(super) fn handling(request: &Request) -> Handling {
    match preference(request, "handling") {
        Some("lenient") => Handling::Lenient,
        _ => Handling::Strict,
    }
}

fn preference<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request
        .headers()
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(|value| value.split([',', ';']).find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')))
}
