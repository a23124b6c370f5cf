//! The dictation as the interface outside /fhir shows it.

use serde::Serialize;

use super::{Dictation, DictationMode, DictationState, Segment, Stage, Transcript};
use crate::entities::{Attribute, Category, Coding, EntityType, Trait};

/// A dictation in the words of the contract.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DictationView {
    id: String,
    state: DictationState,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<u32>,
    patient: String,
    encounter: String,
    consent: String,
    language: String,
    mode: DictationMode,
    commands: bool,
    engine: Engine,
    saved_sequence: i64,
    saved_milliseconds: u64,
    uploaded_bytes: u64,
    audio: AudioView,
    progress: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_stage: Option<Stage>,
    segments: Vec<Segment>,
    entities: Vec<EntityView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transcript: Option<TranscriptView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    composition: Option<String>,
    created: String,
    updated: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum AudioView {
    Kept,
    Shredded,
}

#[derive(Serialize)]
struct Engine {
    name: String,
    version: String,
}

#[derive(Serialize)]
struct TranscriptView {
    text: String,
    reference: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntityView {
    id: u32,
    text: String,
    category: Category,
    kind: EntityType,
    begin: usize,
    end: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    traits: Vec<Trait>,
    attributes: Vec<Attribute>,
    codings: Vec<Coding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_ms: Option<u64>,
}

impl DictationView {
    /// Shows a dictation.
    #[must_use]
    pub fn of(dictation: &Dictation) -> Self {
        let transcript = Transcript::of(&dictation.result.segments);
        let entities = dictation.result.entities.iter().map(|entity| {
            let times = transcript.times(entity.begin, entity.end);
            EntityView {
                id: entity.id,
                text: entity.text.clone(),
                category: entity.category,
                kind: entity.kind,
                begin: entity.begin,
                end: entity.end,
                score: entity.score,
                traits: entity.traits.clone(),
                attributes: entity.attributes.clone(),
                codings: entity.codings.clone(),
                start_ms: times.map(|(start, _)| start),
                end_ms: times.map(|(_, end)| end),
            }
        });
        let settings = &dictation.settings;
        Self {
            id: dictation.id.to_string(),
            state: dictation.state,
            since: dictation.since.to_string(),
            place: dictation.place,
            patient: dictation.patient.to_string(),
            encounter: dictation.encounter.to_string(),
            consent: dictation.consent.to_string(),
            language: settings.language.clone(),
            mode: settings.mode,
            commands: settings.commands,
            engine: Engine { name: settings.engine.clone(), version: settings.engine_version.clone() },
            saved_sequence: dictation.saved.sequence.map_or(-1, i64::from),
            saved_milliseconds: dictation.saved.milliseconds,
            uploaded_bytes: dictation.uploaded,
            audio: if dictation.audio.is_kept() { AudioView::Kept } else { AudioView::Shredded },
            progress: dictation.result.progress,
            problem: dictation.result.problem.clone(),
            failed_stage: dictation.result.failed_stage,
            entities: entities.collect(),
            transcript: (dictation.result.transcript.clone())
                .map(|reference| TranscriptView { text: transcript.text.clone(), reference }),
            segments: dictation.result.segments.clone(),
            composition: dictation.result.composition.clone(),
            created: dictation.created.to_string(),
            updated: dictation.updated.to_string(),
        }
    }
}
