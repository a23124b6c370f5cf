//! From a transcript and its entities to one transaction Bundle (R4: <https://hl7.org/fhir/R4/http.html#transaction>):
//! every drafted statement points at the characters and the milliseconds that it comes from.

pub(crate) mod documents;
pub mod elements;
mod findings;
mod medicines;
mod sections;

use std::collections::HashMap;
use std::fmt::Write as _;

use seva_fhir::clock::IdSource;
use seva_fhir::json::{Json, JsonObject, object};
use seva_fhir::types::Instant;
use seva_models::{self as models, Extension, Origin};

use crate::dictation::{Dictation, Transcript};
use crate::encounter_record::{EncounterRecord, Held};
use crate::entities::{Category, Entity, Trait};

use crate::review::{Repeat, held_of, repeats};
use elements::written;

pub(crate) use findings::NO_KNOWN_ALLERGY;
pub(crate) use medicines::dispensed;
pub use medicines::dispensed_quantity;
pub use sections::{
    SECTIONS, SectionContent, SectionKind, empty_composition, section_code, section_state, section_text, set_section,
};

/// The recording as a file.
pub struct Recording {
    /// Its size in bytes.
    pub size: usize,
    /// Its SHA-1, which is what R4's Attachment.hash asks for.
    pub sha1: [u8; 20],
    /// How long it sounds.
    pub milliseconds: u64,
}

/// What every drafted statement is made from.
pub struct Draft<'a> {
    /// The text.
    pub transcript: &'a Transcript,
    /// Its language as a BCP 47 tag.
    pub language: &'a str,
    /// The dictation in which it was spoken; none for a text that was sent.
    pub dictation: Option<&'a Dictation>,
    /// The clinician, `Practitioner/x`.
    pub author: Option<String>,
    /// The patient, `Patient/x`.
    pub subject: String,
    /// The encounter, `Encounter/x`.
    pub encounter: Option<String>,
    /// The time.
    pub now: Instant,
    /// New ids.
    pub ids: &'a dyn IdSource,
}

/// What the draft of a dictation is put together from, beside its statements.
pub struct Assembly<'a> {
    /// The audio.
    pub recording: Recording,
    /// What the encounter holds already.
    pub record: &'a EncounterRecord,
    /// The extractor's name and version.
    pub extractor: (&'a str, &'a str),
}

/// A resource that is created, under the `urn:uuid` by which others refer to it.
pub(crate) struct Drafted {
    pub(crate) url: String,
    pub(crate) statement: Statement,
    pub(crate) section: Option<SectionKind>,
    pub(crate) line: String,
    pub(crate) evidence: Vec<(usize, usize)>,
}

/// A statement with where it was made again, and the text that holds both.
#[derive(Clone, Copy)]
pub(crate) struct Mention<'m> {
    pub(crate) entity: &'m Entity,
    pub(crate) again: &'m [&'m Entity],
    pub(crate) text: &'m [char],
}

/// What was heard, as the model of its resource.
pub(crate) enum Statement {
    Observation(models::Observation),
    Condition(models::Condition),
    Allergy(models::AllergyIntolerance),
    Medicine(models::MedicationRequest),
    Test(models::ServiceRequest),
}

impl Statement {
    fn to_json(&self) -> Vec<u8> {
        match self {
            Self::Observation(observation) => observation.to_json(),
            Self::Condition(condition) => condition.to_json(),
            Self::Allergy(allergy) => allergy.to_json(),
            Self::Medicine(request) => request.to_json(),
            Self::Test(request) => request.to_json(),
        }
    }
}

impl<'a> Draft<'a> {
    /// Of a dictation in an encounter.
    #[must_use]
    pub fn of(
        dictation: &'a Dictation,
        transcript: &'a Transcript,
        record: &EncounterRecord,
        (now, ids): (Instant, &'a dyn IdSource),
    ) -> Self {
        Self {
            transcript,
            language: &dictation.settings.language,
            dictation: Some(dictation),
            author: dictation.settings.practitioner.clone(),
            subject: record.patient.clone(),
            encounter: Some(record.encounter.key.to_string()),
            now,
            ids,
        }
    }

    pub(crate) fn url(&self) -> String {
        let mut url = String::from("urn:uuid:");
        // Writing to a string cannot fail.
        let _ = write!(url, "{}", self.ids.new_uuid());
        url
    }

    pub(crate) fn origin(&self, extensions: Vec<Extension>) -> Origin {
        let date = self.now.to_string();
        let (subject, encounter) = (self.subject.clone(), self.encounter.clone());
        Origin { labels: Vec::new(), extensions, subject, encounter, date }
    }
}

/// Drafts everything that a dictation says as one transaction.
#[must_use]
pub fn bundle(draft: &Draft<'_>, assembly: &Assembly<'_>) -> Json {
    let record = assembly.record;
    let transcript_url = draft.url();
    let create = |url: &str, text: Vec<u8>| post(url, written(&text).into());
    let mut entries = Vec::new();
    let audio_url = draft.url();
    entries.push(create(&audio_url, documents::audio(draft, &assembly.recording)));
    entries.push(create(&transcript_url, documents::transcript(draft, Some(&audio_url))));
    let entities = draft.dictation.map_or(&[][..], |dictation| &dictation.result.entities);
    // What the record holds already is proposed as a difference, and not drafted a second time.
    let fresh = entities.iter().filter(|entity| held_of(record, entity).is_none());
    let drafted = statements(draft, fresh, &transcript_url);
    let device_url = draft.url();
    entries.push(create(&device_url, documents::device(draft, assembly.extractor)));
    for each in &drafted {
        entries.push(create(&each.url, each.statement.to_json()));
    }
    let composition = sections::composition(draft, record, &drafted, &transcript_url);
    let composition_url = match &record.composition {
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
    let targets = drafted.iter().map(|each| each.url.clone()).chain([composition_url]).collect();
    entries.push(create(&draft.url(), documents::provenance(draft, targets, (&device_url, &transcript_url))));
    transaction(entries)
}

/// Drafts what a text says as a collection that is stored nowhere: the text as a document, its statements with their
/// evidence in it, the machine that found them, and the Provenance that says so.
#[must_use]
pub fn collection(draft: &Draft<'_>, entities: &[Entity], extractor: (&str, &str)) -> Json {
    let entry = |url: &str, text: &[u8]| object([("fullUrl", url.into()), ("resource", Json::from(written(text)))]);
    let (transcript_url, device_url) = (draft.url(), draft.url());
    let drafted = statements(draft, entities.iter(), &transcript_url);
    let mut entries = vec![
        entry(&transcript_url, &documents::transcript(draft, None)),
        entry(&device_url, &documents::device(draft, extractor)),
    ];
    entries.extend(drafted.iter().map(|each| entry(&each.url, &each.statement.to_json())));
    if !drafted.is_empty() {
        let targets = drafted.iter().map(|each| each.url.clone()).collect();
        let provenance = documents::provenance(draft, targets, (&device_url, &transcript_url));
        entries.push(entry(&draft.url(), &provenance));
    }
    object([
        ("resourceType", "Bundle".into()),
        ("type", "collection".into()),
        ("timestamp", draft.now.to_string().into()),
        ("entry", entries.into()),
    ])
}

fn statements<'e>(draft: &Draft<'_>, entities: impl Iterator<Item = &'e Entity>, transcript: &str) -> Vec<Drafted> {
    let entities: Vec<&Entity> = entities.collect();
    let text: Vec<char> = draft.transcript.text.chars().collect();
    let repeats = repeats(&entities);
    let mut agreeing: HashMap<usize, Vec<&Entity>> = HashMap::new();
    for (entity, repeat) in entities.iter().zip(&repeats) {
        if let Some(Repeat { first, agrees: true }) = repeat {
            agreeing.entry(*first).or_default().push(entity);
        }
    }
    let mut drafted = Vec::new();
    for (place, (entity, repeat)) in entities.iter().zip(&repeats).enumerate() {
        // Said before: one draft, or a contradiction that is proposed to the doctor.
        if repeat.is_none() {
            let again = agreeing.get(&place).map_or(&[][..], Vec::as_slice);
            drafted.extend(one(draft, Mention { entity, again, text: &text }, transcript));
        }
    }
    link_reasons(&mut drafted);
    drafted
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

/// What a statement says, as a resource that is not written.
pub(crate) fn statement(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Option<JsonObject> {
    let text: Vec<char> = draft.transcript.text.chars().collect();
    let mention = Mention { entity, again: &[], text: &text };
    Some(written(&one(draft, mention, transcript)?.statement.to_json()))
}

/// Drafts what an entity says, with what was said of it again.
fn one(draft: &Draft<'_>, mention: Mention<'_>, transcript: &str) -> Option<Drafted> {
    let entity = mention.entity;
    // What belongs to a relative, or may only happen, is no finding of this patient today.
    if entity.has(Trait::FamilyHistory) || entity.has(Trait::Hypothetical) {
        return None;
    }
    match (entity.category, entity.kind) {
        (Category::Medication, _) if !entity.has(Trait::Negation) && !entity.has(Trait::PastHistory) => {
            Some(medicines::request(draft, mention, transcript))
        }
        (Category::MedicalCondition, _) if entity.has(Trait::Diagnosis) => {
            Some(findings::condition(draft, entity, transcript))
        }
        (Category::MedicalCondition, _) => Some(findings::symptom(draft, entity, transcript)),
        (Category::Vital, _) => findings::vital(draft, entity, transcript),
        (Category::Allergy, _) => Some(findings::allergy(draft, entity, transcript)),
        (Category::TestTreatmentProcedure, _) if entity.is_reported() => {
            findings::laboratory(draft, entity, transcript)
        }
        (Category::TestTreatmentProcedure, _) if entity.is_requested() => {
            Some(findings::test(draft, mention, transcript))
        }
        _ => None,
    }
}

/// Whether a resource is about what an entity names: the same code, or the same words.
pub(crate) fn is_same_concept(body: &Json, entity: &Entity) -> bool {
    let Some(concept) = body.get("medicationCodeableConcept").or_else(|| body.get("code")) else { return false };
    let codings = concept.get("coding").map_or(&[][..], Json::items);
    let coded = codings.iter().any(|coding| {
        let is = |ours: &crate::entities::Coding| {
            coding.get_str("system") == Some(&ours.system) && coding.get_str("code") == Some(&ours.code)
        };
        entity.codings.iter().any(is)
    });
    coded || concept.get_str("text").is_some_and(|text| text.eq_ignore_ascii_case(&entity.text))
}

/// A single diagnosis is the reason of what is prescribed; between several nobody said which.
fn link_reasons(drafted: &mut [Drafted]) {
    let mut diagnoses = drafted.iter().filter(|each| match &each.statement {
        Statement::Condition(condition) => condition.verification == findings::PROVISIONAL,
        _ => false,
    });
    let (Some(only), None) = (diagnoses.next().map(|each| each.url.clone()), diagnoses.next()) else { return };
    for each in drafted {
        if let Statement::Medicine(request) = &mut each.statement {
            request.reasons = vec![only.clone()];
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
