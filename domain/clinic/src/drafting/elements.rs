//! Small elements that all drafts share: references, concepts, evidence (R4: <https://hl7.org/fhir/R4/extensibility.html>).

use seva_fhir::json::{Json, JsonObject, array, object};

use super::Draft;
use crate::entities::{Coding, Entity};

/// The base of our own extensions.
pub const EXTENSION: &str = "https://seva-arogya.org/fhir/StructureDefinition/";
const DERIVATION: &str = "http://hl7.org/fhir/StructureDefinition/derivation-reference";

/// A literal reference.
#[must_use]
pub fn reference(target: &str) -> Json {
    object([("reference", target.into())])
}

/// A coding with its display.
#[must_use]
pub fn coding(system: &str, code: &str, display: &str) -> Json {
    object([("system", system.into()), ("code", code.into()), ("display", display.into())])
}

/// A concept of one coding.
#[must_use]
pub fn concept(system: &str, code: &str, display: &str) -> Json {
    object([("coding", array([coding(system, code, display)]))])
}

/// The words as they were heard, with the codes found for them.
#[must_use]
pub fn heard(text: &str, codings: &[Coding]) -> Json {
    let mut concept = JsonObject::new();
    if !codings.is_empty() {
        concept.insert("coding", array(codings.iter().map(|each| coding(&each.system, &each.code, &each.display))));
    }
    concept.insert("text", text);
    concept.into()
}

/// An extension of ours with one value, such as `("valueCode", …)`.
#[must_use]
pub fn extension(name: &str, value: (&str, Json)) -> Json {
    object([("url", format!("{EXTENSION}{name}").into()), value])
}

/// The value of an extension of ours.
#[must_use]
pub fn extension_value<'a>(element: &'a Json, name: &str, value: &str) -> Option<&'a Json> {
    let wanted = |each: &&Json| each.get_str("url").and_then(|url| url.strip_prefix(EXTENSION)) == Some(name);
    element.get("extension")?.items().iter().find(wanted)?.get(value)
}

/// Replaces an extension of ours, or adds it.
pub fn set_extension(element: &mut JsonObject, name: &str, value: (&str, Json)) {
    let mut list = extensions_but(element, name);
    list.push(extension(name, value));
    element.insert("extension", list);
}

/// Removes an extension of ours; FHIR has no empty lists.
pub fn remove_extension(element: &mut JsonObject, name: &str) {
    let list = extensions_but(element, name);
    if !list.is_empty() {
        element.insert("extension", list);
    }
}

fn extensions_but(element: &mut JsonObject, name: &str) -> Vec<Json> {
    let Some(Json::Array(mut list)) = element.remove("extension") else { return Vec::new() };
    list.retain(|each| each.get_str("url").and_then(|url| url.strip_prefix(EXTENSION)) != Some(name));
    list
}

/// Points at characters of the transcript and at the milliseconds in which they were spoken.
#[must_use]
pub fn evidence(draft: &Draft<'_>, transcript: &str, (begin, end): (usize, usize)) -> Vec<Json> {
    let part = |name: &str, value: (&str, Json)| object([("url", name.into()), value]);
    let mut list = vec![object([
        ("url", DERIVATION.into()),
        (
            "extension",
            array([
                part("reference", ("valueReference", reference(transcript))),
                part("path", ("valueString", "DocumentReference.content[0].attachment.data".into())),
                part("offset", ("valueInteger", begin.into())),
                part("length", ("valueInteger", (end - begin).into())),
            ]),
        ),
    ])];
    if let Some((start, stop)) = draft.transcript.times(begin, end) {
        list.push(object([
            ("url", format!("{EXTENSION}audio-span").into()),
            (
                "extension",
                array([
                    part("dictation", ("valueString", draft.dictation.id.to_string().into())),
                    part("start", ("valueUnsignedInt", start.into())),
                    part("end", ("valueUnsignedInt", stop.into())),
                ]),
            ),
        ]));
    }
    list
}

/// The evidence of an entity, and its score where the engine has one.
#[must_use]
pub fn entity_extensions(draft: &Draft<'_>, transcript: &str, entity: &Entity) -> Vec<Json> {
    let mut list = evidence(draft, transcript, (entity.begin, entity.end));
    if let Some(score) = entity.score {
        list.push(extension("confidence", ("valueDecimal", Json::Number(format!("{score:.2}").into()))));
    }
    list
}

/// Says that a machine asserted it and nobody has verified it yet.
#[must_use]
pub fn machine_made() -> Json {
    let label = coding(
        "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
        "AIAST",
        "Artificial Intelligence asserted",
    );
    object([("security", array([label]))])
}
