//! Formats: which one is asked for and which one comes (R4 <https://hl7.org/fhir/R4/http.html#mime-type>).

use poem::Request;
use poem::http::header;
use seva_fhir::search::Handling;
use seva_fhir::xml::Layout;

use super::target::Target;
use crate::failure::{FHIR_JSON, FHIR_XML, Failure};

/// The names of the formats before STU3, which R4 encourages servers to read still.
const OLD_JSON: &str = "application/json+fhir";
const OLD_XML: &str = "application/xml+fhir";

/// What `Prefer: return=` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Return {
    Minimal,
    Representation,
    Outcome,
}

/// A format of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Xml,
}

/// How an answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Presentation {
    pub(super) format: Format,
    pub(super) layout: Layout,
}

/// What is asked for: a format that is offered, or why not and the format that the refusal is written in.
type Asked = Result<Format, (Failure, Format)>;

/// Refuses what can't be answered; `_format` goes before `Accept`.
pub(super) fn check(request: &Request) -> Result<(), Failure> {
    asked(request).map(|_| ()).map_err(|(failure, _)| failure)
}

/// How the answer goes out, a refusal too.
pub(super) fn presentation(request: &Request) -> Presentation {
    let format = asked(request).unwrap_or_else(|(_, readable)| readable);
    let pretty = parameter(request, "_pretty").is_some_and(|value| value == "true");
    Presentation { format, layout: if pretty { Layout::Pretty } else { Layout::Compact } }
}

fn asked(request: &Request) -> Asked {
    if let Some(format) = parameter(request, "_format") {
        return match format.to_ascii_lowercase().as_str() {
            // A browser is shown JSON, as it is without the parameter.
            "json" | "html" | "text/html" => Ok(Format::Json),
            "xml" => Ok(Format::Xml),
            _ if is_version_of_ours(&format) => format_of(&format).ok_or_else(|| refused(&format)),
            _ => Err(refused(&format)),
        };
    }
    let accept: Vec<&str> =
        request.headers().get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accept = accept.join(",");
    if accept.trim().is_empty() {
        return Ok(Format::Json);
    }
    best(&accept).ok_or_else(|| refused(&accept))
}

/// The format of the highest quality; of equal ones the first, and a name goes before a wildcard.
fn best(accept: &str) -> Option<Format> {
    let quality = |wanted: Format| {
        let named = accept.split(',').enumerate().filter(|(_, range)| {
            is_version_of_ours(range)
                && (format_of(range) == Some(wanted) || (wanted == Format::Json && media_type(range) == "text/html"))
        });
        let named = named.map(|(place, range)| (quality_of(range), std::cmp::Reverse(place)));
        let any = || {
            let wildcard = accept.split(',').filter(|range| is_wildcard(range)).map(quality_of).max()?;
            Some((wildcard, std::cmp::Reverse(usize::MAX)))
        };
        named.max().or_else(any).filter(|(quality, _)| *quality > 0)
    };
    match (quality(Format::Json), quality(Format::Xml)) {
        (Some(json), Some(xml)) => Some(if json >= xml { Format::Json } else { Format::Xml }),
        (Some(_), None) => Some(Format::Json),
        (None, Some(_)) => Some(Format::Xml),
        (None, None) => None,
    }
}

/// `q` in thousandths (RFC 9110 §12.4.2).
pub(super) fn quality_of(range: &str) -> u32 {
    let quality = media_parameter(range, "q").and_then(|text| text.parse::<f32>().ok()).unwrap_or(1.0);
    (quality.clamp(0.0, 1.0) * 1000.0) as u32
}

/// What the URL asks for, which goes before what the headers accept.
pub(super) fn named_format(request: &Request) -> Option<String> {
    parameter(request, "_format")
}

/// Whether FHIR is asked for by name, which decides how a Binary goes out.
pub(super) fn wants_resource(request: &Request) -> bool {
    if parameter(request, "_format").is_some() {
        return true;
    }
    let of_fhir = |range: &str| is_json(range) || is_fhir_xml(range);
    request.header(header::ACCEPT).is_some_and(|accept| accept.split(',').any(of_fhir))
}

/// A refusal in a format that the client names, whatever else is wrong with it.
fn refused(asked: &str) -> (Failure, Format) {
    let readable = asked.split(',').find_map(format_of).unwrap_or(Format::Json);
    let text = format!("{asked:?} is not offered: ask for application/fhir+json or application/fhir+xml of FHIR 4.0");
    (Failure::NotAcceptable(text), readable)
}

/// The value of a parameter of the URL; a plus sign is meant as one.
fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query()?;
    let value = query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
    let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy().replace(' ', "+");
    (!value.is_empty()).then_some(value)
}

pub(super) fn media_type(range: &str) -> &str {
    range.split(';').next().unwrap_or_default().trim()
}

fn media_parameter<'r>(range: &'r str, name: &str) -> Option<&'r str> {
    range.split(';').skip(1).find_map(|part| {
        let (own, value) = part.split_once('=')?;
        own.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// Whether the `fhirVersion` of a media type is R4's, or not said.
fn is_version_of_ours(range: &str) -> bool {
    media_parameter(range, "fhirVersion").is_none_or(|version| version == "4.0")
}

fn format_of(range: &str) -> Option<Format> {
    let is = |name: &&str| media_type(range).eq_ignore_ascii_case(name);
    if [FHIR_JSON, "application/json", "text/json", OLD_JSON].iter().any(is) {
        return Some(Format::Json);
    }
    [FHIR_XML, "application/xml", "text/xml", OLD_XML].iter().any(is).then_some(Format::Xml)
}

pub(super) fn is_json(range: &str) -> bool {
    format_of(range) == Some(Format::Json)
}

/// Whether a media type is one of FHIR's own.
pub(super) fn is_fhir(range: &str) -> bool {
    [FHIR_JSON, OLD_JSON].iter().any(|name| media_type(range).eq_ignore_ascii_case(name)) || is_fhir_xml(range)
}

fn is_fhir_xml(range: &str) -> bool {
    [FHIR_XML, OLD_XML].iter().any(|name| media_type(range).eq_ignore_ascii_case(name))
}

fn is_wildcard(range: &str) -> bool {
    matches!(media_type(range), "*/*" | "application/*")
}

/// Whether a body is XML that is read; for Binary only FHIR's own name counts, because other XML is its content.
pub(super) fn is_xml_body(kind: &str, target: &Target) -> bool {
    format_of(kind) == Some(Format::Xml) && (!target.is_binary() || is_fhir_xml(kind))
}

/// Refuses bodies that are neither JSON nor XML, in another version or in other letters.
pub(super) fn check_content_type(kind: &str) -> Result<(), Failure> {
    let is_utf8 = media_parameter(kind, "charset").is_none_or(|name| name.eq_ignore_ascii_case("utf-8"));
    if format_of(kind).is_some() && is_version_of_ours(kind) && is_utf8 {
        return Ok(());
    }
    Err(Failure::UnsupportedMediaType(format!(
        "{kind:?} is not read here: send application/fhir+json or application/fhir+xml of FHIR 4.0 in UTF-8"
    )))
}

/// The same for a resource's body; XML of another name is what a Binary holds.
pub(super) fn check_body(kind: &str, target: &Target) -> Result<(), Failure> {
    if target.is_binary() && format_of(kind) == Some(Format::Xml) {
        return Err(Failure::UnsupportedMediaType(format!("{kind:?} is no resource")));
    }
    check_content_type(kind)
}

/// Reads `Prefer: return=…`; a resource where nothing is preferred.
pub(super) fn preferred_return(request: &Request) -> Return {
    named_return(request).unwrap_or(Return::Representation)
}

/// The same, when something is preferred.
pub(super) fn named_return(request: &Request) -> Option<Return> {
    match preference(request, "return") {
        Some("minimal") => Some(Return::Minimal),
        Some("OperationOutcome") => Some(Return::Outcome),
        Some("representation") => Some(Return::Representation),
        _ => None,
    }
}

/// Reads `Prefer: handling=…`; strict unless lenient is asked for (decision D7).
pub(super) fn handling(request: &Request) -> Handling {
    match preference(request, "handling") {
        Some("lenient") => Handling::Lenient,
        _ => Handling::Strict,
    }
}

/// Reads `Prefer: respond-async` (R4 <https://hl7.org/fhir/R4/async.html>).
pub(super) fn wants_later(request: &Request) -> bool {
    let wishes = request.headers().get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    wishes.flat_map(|value| value.split([',', ';'])).any(|part| part.trim() == "respond-async")
}

fn preference<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request
        .headers()
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(|value| value.split([',', ';']).find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')))
        // RFC 7240 §2: a value may stand in quotation marks.
        .map(|value| value.trim_matches('"'))
}
