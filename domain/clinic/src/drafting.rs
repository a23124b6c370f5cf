//! From a transcript and its entities to one transaction Bundle (R4: <https://hl7.org/fhir/R4/http.html#transaction>):
//! every drafted statement points at the characters and the milliseconds that it comes from.

mod documents;
pub mod elements;
mod findings;
mod medicines;
mod sections;

use std::fmt::Write as _;

use seva_fhir::clock::IdSource;
use seva_fhir::json::{Json, JsonObject, array, object};
use seva_fhir::types::Instant;

use crate::dictation::{Dictation, Transcript};
use crate::encounter_record::{EncounterRecord, Held};
use crate::entities::{Category, Entity, EntityType, Trait};

use elements::reference;

pub(crate) use findings::NO_KNOWN_ALLERGY;
pub use medicines::dispensed_quantity;
pub(crate) use medicines::insert_dosage;
pub use sections::{SECTIONS, SectionKind, empty_composition, section_code, section_state, section_text, set_section};

/// The recording as a file.
pub struct Recording {
    /// Its size in bytes.
    pub size: usize,
    /// Its SHA-1, which is what R4's Attachment.hash asks for.
    pub sha1: [u8; 20],
    /// How long it sounds.
    pub milliseconds: u64,
}

/// What a draft is made from.
pub struct Draft<'a> {
    /// The dictation with its entities.
    pub dictation: &'a Dictation,
    /// Its text.
    pub transcript: &'a Transcript,
    /// Its audio.
    pub recording: Recording,
    /// What the encounter holds already.
    pub record: &'a EncounterRecord,
    /// The extractor's name and version.
    pub extractor: (&'a str, &'a str),
    /// The time.
    pub now: Instant,
    /// New ids.
    pub ids: &'a dyn IdSource,
}

/// A resource that is created, under the `urn:uuid` by which others refer to it.
pub(crate) struct Drafted {
    pub(crate) url: String,
    pub(crate) resource: JsonObject,
    pub(crate) section: Option<SectionKind>,
    pub(crate) line: String,
    pub(crate) evidence: Option<(usize, usize)>,
}

impl Draft<'_> {
    pub(crate) fn url(&self) -> String {
        let mut url = String::from("urn:uuid:");
        // Writing to a string cannot fail.
        let _ = write!(url, "{}", self.ids.new_uuid());
        url
    }

    pub(crate) fn subject(&self) -> Json {
        reference(&self.record.patient)
    }

    pub(crate) fn encounter(&self) -> Json {
        reference(&self.record.encounter.key.to_string())
    }
}

/// Drafts everything as one transaction.
#[must_use]
pub fn bundle(draft: &Draft<'_>) -> Json {
    let transcript_url = draft.url();
    let mut entries = Vec::new();
    let audio_url = draft.url();
    entries.push(post(&audio_url, documents::audio(draft)));
    entries.push(post(&transcript_url, documents::transcript(draft, &audio_url)));
    let mut drafted = Vec::new();
    for entity in &draft.dictation.result.entities {
        if !is_known(draft.record, entity) {
            drafted.extend(one(draft, entity, &transcript_url));
        }
    }
    link_reasons(&mut drafted);
    let device_url = draft.url();
    entries.push(post(&device_url, documents::device(draft)));
    for each in &drafted {
        entries.push(post(&each.url, each.resource.clone().into()));
    }
    let targets: Vec<&str> = drafted.iter().map(|each| each.url.as_str()).collect();
    let composition = sections::composition(draft, &drafted, &transcript_url);
    let composition_url = match &draft.record.composition {
        Some(held) => {
            entries.push(put(held, composition));
            held.key.to_string()
        }
        None => {
            let url = draft.url();
            entries.push(post(&url, composition));
            url
        }
    };
    let mut all: Vec<&str> = targets;
    all.push(&composition_url);
    entries.push(post(&draft.url(), documents::provenance(draft, &all, (&device_url, &transcript_url))));
    transaction(entries)
}

/// Wraps entries into a transaction.
#[must_use]
pub fn transaction(entries: Vec<Json>) -> Json {
    object([("resourceType", "Bundle".into()), ("type", "transaction".into()), ("entry", entries.into())])
}

/// An entry that creates a resource.
#[must_use]
pub fn post(url: &str, resource: Json) -> Json {
    let kind = resource.get_str("resourceType").unwrap_or_default().to_owned();
    object([
        ("fullUrl", url.into()),
        ("resource", resource),
        ("request", object([("method", "POST".into()), ("url", kind.into())])),
    ])
}

/// An entry that replaces the version that was read, and no other.
#[must_use]
pub fn put(held: &Held, resource: Json) -> Json {
    let request = object([
        ("method", "PUT".into()),
        ("url", held.key.to_string().into()),
        ("ifMatch", format!("W/\"{}\"", held.version).into()),
    ]);
    object([("resource", resource), ("request", request)])
}

fn one(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Option<Drafted> {
    // What belongs to a relative, or may only happen, is no finding of this patient today.
    if entity.has(Trait::FamilyHistory) || entity.has(Trait::Hypothetical) {
        return None;
    }
    match (entity.category, entity.kind) {
        (Category::Medication, _) if !entity.has(Trait::Negation) && !entity.has(Trait::PastHistory) => {
            Some(medicines::request(draft, entity, transcript))
        }
        (Category::MedicalCondition, _) if entity.has(Trait::Diagnosis) => {
            Some(findings::condition(draft, entity, transcript))
        }
        (Category::MedicalCondition, _) => Some(findings::symptom(draft, entity, transcript)),
        (Category::Vital, _) => findings::vital(draft, entity, transcript),
        (Category::Allergy, _) => Some(findings::allergy(draft, entity, transcript)),
        (Category::TestTreatmentProcedure, EntityType::TestName) if !entity.has(Trait::Negation) => {
            Some(findings::test(draft, entity, transcript))
        }
        _ => None,
    }
}

/// A second recording must not double what the first one drafted: same code, or same words where there is no code.
fn is_known(record: &EncounterRecord, entity: &Entity) -> bool {
    let (held, element) = match entity.category {
        Category::Medication => (&record.medicines, "medicationCodeableConcept"),
        Category::Allergy => (&record.allergies, "code"),
        Category::MedicalCondition if entity.has(Trait::Diagnosis) => (&record.conditions, "code"),
        Category::MedicalCondition => (&record.observations, "code"),
        _ => return false,
    };
    held.iter().filter(|held| held.body.get_str("status") != Some("entered-in-error")).any(|held| {
        let Some(concept) = held.body.get(element) else { return false };
        let codings = concept.get("coding").map_or(&[][..], Json::items);
        let coded = codings.iter().any(|coding| {
            let is = |ours: &crate::entities::Coding| {
                coding.get_str("system") == Some(&ours.system) && coding.get_str("code") == Some(&ours.code)
            };
            entity.codings.iter().any(is)
        });
        coded || concept.get_str("text").is_some_and(|text| text.eq_ignore_ascii_case(&entity.text))
    })
}

/// A single diagnosis is the reason of what is prescribed; between several nobody said which.
fn link_reasons(drafted: &mut [Drafted]) {
    let mut diagnoses = drafted.iter().filter(|each| {
        let status = each.resource.get("verificationStatus").and_then(|status| status.get("coding"));
        let code = status.and_then(|codings| codings.get_index(0)).and_then(|coding| coding.get_str("code"));
        code == Some("provisional")
    });
    let (Some(only), None) = (diagnoses.next().map(|each| each.url.clone()), diagnoses.next()) else { return };
    for each in drafted.iter_mut().filter(|each| each.section == Some(SectionKind::Medications)) {
        each.resource.insert("reasonReference", array([reference(&only)]));
    }
}

#[cfg(test)]
pub(crate) mod tests;
