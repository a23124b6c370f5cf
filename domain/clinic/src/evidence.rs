//! Where drafted statements come from: the HL7 extension
//! <http://hl7.org/fhir/StructureDefinition/derivation-reference> on an element names the characters of a transcript, ours
//! beside it the milliseconds of a recording; `$evidence` resolves both (decision D10).

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seva_fhir::FhirService;
use seva_fhir::access::Caller;
use seva_fhir::json::{Json, object};
use seva_fhir::service::FhirError;
use seva_fhir::types::{ResourceKey, ResourceType};
use uuid::Uuid;

use crate::drafting::elements::{EXTENSION, extension_value};
use crate::encounter_record::Held;
use crate::failure::ClinicError;

/// Who wrote a resource is told by so many Provenances at most.
const PROVENANCES: &str = "50";

/// What was said at one place, for one element of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The element, such as `Composition.section[1]`.
    pub path: String,
    /// The transcript, `DocumentReference/x`.
    pub source: Option<String>,
    /// The first code point of its text.
    pub offset: i64,
    /// How many code points.
    pub length: i64,
    /// Where it is to be heard.
    pub audio: Option<AudioSpan>,
    /// The engine's score as it was written; none where it gave none.
    pub confidence: Option<String>,
}

/// Milliseconds of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSpan {
    /// The dictation.
    pub dictation: Uuid,
    /// The first.
    pub start_ms: i64,
    /// The one after the last.
    pub end_ms: i64,
}

/// The spans of one element, not of those within it.
#[must_use]
pub fn of_element(element: &Json, path: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let score = extension_value(element, "confidence", "valueDecimal").and_then(Json::as_number);
    for each in element.get("extension").map_or(&[][..], Json::items) {
        let url = each.get_str("url").unwrap_or_default();
        if url.ends_with("/derivation-reference") {
            let number = |name| part(each, name, "valueInteger").and_then(Json::as_i64);
            let (Some(offset), Some(length)) = (number("offset"), number("length")) else { continue };
            let source = part(each, "reference", "valueReference").and_then(|reference| reference.get_str("reference"));
            let (path, source, confidence) = (path.to_owned(), source.map(str::to_owned), score.map(str::to_owned));
            spans.push(Span { path, source, offset, length, audio: None, confidence });
        } else if url.strip_prefix(EXTENSION) == Some("audio-span")
            // It follows the characters that it belongs to.
            && let Some(last) = spans.last_mut()
        {
            last.audio = audio_span(each);
        }
    }
    spans
}

fn audio_span(extension: &Json) -> Option<AudioSpan> {
    let number = |name| part(extension, name, "valueUnsignedInt").and_then(Json::as_i64);
    let dictation = part(extension, "dictation", "valueString").and_then(Json::as_str)?.parse().ok()?;
    Some(AudioSpan { dictation, start_ms: number("start")?, end_ms: number("end")? })
}

fn part<'a>(extension: &'a Json, name: &str, value: &str) -> Option<&'a Json> {
    let parts = extension.get("extension").map_or(&[][..], Json::items);
    parts.iter().find(|part| part.get_str("url") == Some(name)).and_then(|part| part.get(value))
}

/// The spans of a resource and of all its elements, in the order in which they stand in it.
#[must_use]
pub fn of_resource(resource: &Json) -> Vec<Span> {
    let mut spans = Vec::new();
    visit(resource, resource.get_str("resourceType").unwrap_or_default(), &mut spans);
    spans
}

fn visit(element: &Json, path: &str, spans: &mut Vec<Span>) {
    spans.extend(of_element(element, path));
    for (name, value) in element.as_object().into_iter().flat_map(|members| members.iter()) {
        // An extension says something of its element; it has no evidence of its own.
        if name == "extension" || name == "modifierExtension" || name == "contained" {
            continue;
        }
        let name = name.strip_prefix('_').unwrap_or(name);
        match value {
            Json::Object(_) => visit(value, &format!("{path}.{name}"), spans),
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    visit(item, &format!("{path}.{name}[{index}]"), spans);
                }
            }
            _ => {}
        }
    }
}

/// Answers `$evidence`: a Parameters resource that says whether the resource is supported by what was said, with a `span`
/// for each place and the Provenances that tell who assembled it.
pub async fn resolve(fhir: &FhirService, caller: &Caller, key: &ResourceKey) -> Result<Json, ClinicError> {
    let held = Held::of(&fhir.read(caller, key).await?)?;
    let spans = of_resource(&held.body);
    let texts = texts(fhir, caller, &spans).await?;
    let mut parameters = vec![object([("name", "supported".into()), ("valueBoolean", (!spans.is_empty()).into())])];
    for span in &spans {
        let text = span.source.as_ref().and_then(|source| texts.get(source));
        parameters.push(told(span, text.map(String::as_str), fhir.base_url()));
    }
    for reference in provenances(fhir, caller, key).await? {
        let value = object([("reference", reference.into())]);
        parameters.push(object([("name", "provenance".into()), ("valueReference", value)]));
    }
    Ok(object([("resourceType", "Parameters".into()), ("parameter", parameters.into())]))
}

/// The transcripts' texts; one that the caller may not read, or that is gone, has none.
async fn texts(fhir: &FhirService, caller: &Caller, spans: &[Span]) -> Result<HashMap<String, String>, ClinicError> {
    let mut texts = HashMap::new();
    for source in spans.iter().filter_map(|span| span.source.as_ref()) {
        if texts.contains_key(source) {
            continue;
        }
        let Ok(key) = source.parse::<ResourceKey>() else { continue };
        match fhir.read(caller, &key).await {
            Ok(stored) => {
                let body = Held::of(&stored)?.body;
                let attachment = body.get("content").and_then(|list| list.get_index(0)?.get("attachment"));
                let data = attachment.and_then(|attachment| STANDARD.decode(attachment.get_str("data")?).ok());
                let text = data.and_then(|data| String::from_utf8(data).ok());
                texts.extend(text.map(|text| (source.clone(), text)));
            }
            Err(FhirError::NotFound(_) | FhirError::Gone { .. } | FhirError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(texts)
}

async fn provenances(fhir: &FhirService, caller: &Caller, key: &ResourceKey) -> Result<Vec<String>, ClinicError> {
    let kind: ResourceType = "Provenance".parse().map_err(|_| ClinicError::NotFound("Provenance"))?;
    let pairs = vec![("target".to_owned(), key.to_string()), ("_count".to_owned(), PROVENANCES.to_owned())];
    let query = fhir.strict_search(caller, kind, &pairs)?;
    let page = match fhir.search(caller, query).await {
        Ok(page) => page,
        Err(FhirError::Refused(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    Ok(page.matches.iter().map(|stored| stored.key.to_string()).collect())
}

fn told(span: &Span, text: Option<&str>, base: &str) -> Json {
    let part = |name: &str, kind: &str, value: Json| object([("name", name.into()), (kind, value)]);
    let mut parts = vec![part("path", "valueString", span.path.as_str().into())];
    if let Some(source) = &span.source {
        parts.push(part("source", "valueReference", object([("reference", source.as_str().into())])));
    }
    parts.push(part("offset", "valueInteger", span.offset.into()));
    parts.push(part("length", "valueInteger", span.length.into()));
    if let Some(words) = text.and_then(|text| cut(text, span)) {
        parts.push(part("text", "valueString", words.into()));
    }
    if let Some(score) = &span.confidence {
        parts.push(part("confidence", "valueDecimal", Json::Number(score.as_str().into())));
    }
    if let Some(AudioSpan { dictation, start_ms, end_ms }) = span.audio {
        parts.push(part("start", "valueUnsignedInt", start_ms.into()));
        parts.push(part("end", "valueUnsignedInt", end_ms.into()));
        let root = base.trim_end_matches("/fhir");
        let url = format!("{root}/v1/dictations/{dictation}/audio?startMs={start_ms}&endMs={end_ms}");
        let attachment = object([("contentType", "audio/wav".into()), ("url", url.into())]);
        parts.push(part("audio", "valueAttachment", attachment));
    }
    object([("name", "span".into()), ("part", parts.into())])
}

/// The words of a span; none when it does not lie in the text.
fn cut(text: &str, span: &Span) -> Option<String> {
    let (offset, length) = (usize::try_from(span.offset).ok()?, usize::try_from(span.length).ok()?);
    let words: String = text.chars().skip(offset).take(length).collect();
    (length > 0 && words.chars().count() == length).then_some(words)
}

#[cfg(test)]
mod tests {
    use seva_fhir::json::{Limits, parse};

    use super::*;

    #[test]
    fn spans_are_found_on_the_resource_and_within_it_with_what_belongs_to_them() {
        let span = |offset: u32| {
            format!(
                r#"{{"url": "http://hl7.org/fhir/StructureDefinition/derivation-reference", "extension": [
                {{"url": "reference", "valueReference": {{"reference": "DocumentReference/t"}}}},
                {{"url": "offset", "valueInteger": {offset}}}, {{"url": "length", "valueInteger": 5}}]}}"#
            )
        };
        let id = Uuid::from_u128(7);
        let heard = format!(
            r#"{{"url": "{EXTENSION}audio-span", "extension": [{{"url": "dictation", "valueString": "{id}"}},
            {{"url": "start", "valueUnsignedInt": 10}}, {{"url": "end", "valueUnsignedInt": 90}}]}}"#
        );
        let score = format!(r#"{{"url": "{EXTENSION}confidence", "valueDecimal": 0.90}}"#);
        let text = format!(
            r#"{{"resourceType": "Composition", "extension": [{}, {heard}, {score}], "section": [{{}},
            {{"extension": [{}, {}]}}], "contained": [{{"extension": [{}]}}]}}"#,
            span(0),
            span(6),
            span(12),
            span(1)
        );
        let composition = parse(text.as_bytes(), &Limits::default()).expect("a resource");
        let spans = of_resource(&composition);
        let places: Vec<_> = spans.iter().map(|span| (span.path.as_str(), span.offset)).collect();
        assert_eq!(places, [("Composition", 0), ("Composition.section[1]", 6), ("Composition.section[1]", 12)]);
        let first = spans.first().expect("a span");
        assert_eq!(first.audio, Some(AudioSpan { dictation: id, start_ms: 10, end_ms: 90 }));
        let scores: Vec<_> = spans.iter().map(|span| span.confidence.as_deref()).collect();
        assert_eq!(scores, [Some("0.90"), None, None], "digit for digit, and none where there is none");
        assert_eq!(cut("नमस्ते fever", &Span { offset: 7, ..first.clone() }).as_deref(), Some("fever"));
        let outside = Span { offset: 6, ..first.clone() };
        assert_eq!(cut("short", &outside), None, "a span outside of the text has no words");
    }
}
