//! Small elements that all drafts share: concepts, extensions, evidence (R4: <https://hl7.org/fhir/R4/extensibility.html>).

use seva_fhir::json::{Json, JsonObject, Limits, parse};
use seva_models::{Coding, Concept, DocumentReference, Extension, ExtensionValue};

use super::Draft;
use crate::entities::{self, Entity};

/// The base of our own extensions.
pub const EXTENSION: &str = "https://seva-arogya.org/fhir/StructureDefinition/";
/// The system of labels that say who asserts something.
pub const VALUES: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
/// A machine asserts it.
pub const MACHINE: &str = "AIAST";
const DERIVATION: &str = "http://hl7.org/fhir/StructureDefinition/derivation-reference";

/// Reads what a typed model wrote, to put it into a Bundle or to take elements for an edit from it.
///
/// A text that could not be read back would be an empty resource, which the transaction refuses.
#[must_use]
pub fn written(text: &[u8]) -> JsonObject {
    match parse(text, &Limits::default()) {
        Ok(Json::Object(members)) => members,
        _ => JsonObject::new(),
    }
}

/// The words as they were heard, with the codes found for them.
#[must_use]
pub fn heard(text: &str, codings: &[entities::Coding]) -> Concept {
    let codings = codings.iter().map(|each| Coding::named(&each.system, &each.code, &each.display)).collect();
    Concept { codings, text: Some(text.to_owned()) }
}

/// An extension of ours with one value.
#[must_use]
pub fn extension(name: &str, value: ExtensionValue) -> Extension {
    Extension { url: format!("{EXTENSION}{name}"), value }
}

/// The value of an extension of ours.
#[must_use]
pub fn extension_value<'a>(element: &'a Json, name: &str, value: &str) -> Option<&'a Json> {
    let wanted = |each: &&Json| each.get_str("url").and_then(|url| url.strip_prefix(EXTENSION)) == Some(name);
    element.get("extension")?.items().iter().find(wanted)?.get(value)
}

/// Replaces an extension of ours, or adds it.
pub fn set_extension(element: &mut JsonObject, name: &str, value: ExtensionValue) {
    let mut list = extensions_but(element, name);
    list.extend(extension_members(vec![extension(name, value)]));
    element.insert("extension", list);
}

/// Extensions for the edit of an element that was stored; a typed model writes whole resources, so one carries them.
#[must_use]
pub fn extension_members(extensions: Vec<Extension>) -> Vec<Json> {
    let carrier =
        written(&DocumentReference { extensions, ..DocumentReference::default() }.to_json()).remove("extension");
    carrier.map(|list| list.items().to_vec()).unwrap_or_default()
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
pub fn evidence(draft: &Draft<'_>, transcript: &str, (begin, end): (usize, usize)) -> Vec<Extension> {
    let part = |name: &str, value: ExtensionValue| Extension { url: name.to_owned(), value };
    let offset = |count: usize| ExtensionValue::Integer(i32::try_from(count).unwrap_or(i32::MAX));
    let characters = vec![
        part("reference", ExtensionValue::Reference(transcript.to_owned())),
        part("path", ExtensionValue::Text("DocumentReference.content[0].attachment.data".to_owned())),
        part("offset", offset(begin)),
        part("length", offset(end - begin)),
    ];
    let mut list = vec![Extension { url: DERIVATION.to_owned(), value: ExtensionValue::Parts(characters) }];
    if let Some(dictation) = draft.dictation
        && let Some((start, stop)) = draft.transcript.times(begin, end)
    {
        let milliseconds = |time| ExtensionValue::Unsigned(u32::try_from(time).unwrap_or(u32::MAX));
        let span = vec![
            part("dictation", ExtensionValue::Text(dictation.id.to_string())),
            part("start", milliseconds(start)),
            part("end", milliseconds(stop)),
        ];
        list.push(extension("audio-span", ExtensionValue::Parts(span)));
    }
    list
}

/// The evidence of an entity, and its score where the engine has one.
#[must_use]
pub fn entity_extensions(draft: &Draft<'_>, transcript: &str, entity: &Entity) -> Vec<Extension> {
    let mut list = evidence(draft, transcript, (entity.begin, entity.end));
    if let Some(score) = entity.score {
        list.push(extension("confidence", ExtensionValue::Decimal(format!("{score:.2}"))));
    }
    list
}

/// Where else it was said; how sure the engine was is told of the first place only.
#[must_use]
pub fn further_evidence(draft: &Draft<'_>, transcript: &str, again: &[&Entity]) -> Vec<Extension> {
    again.iter().flat_map(|entity| evidence(draft, transcript, (entity.begin, entity.end))).collect()
}

/// Says that a machine asserted it and nobody has verified it yet.
#[must_use]
pub fn machine_made() -> Vec<Coding> {
    vec![Coding::named(VALUES, MACHINE, "Artificial Intelligence asserted")]
}
