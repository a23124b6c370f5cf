//! The walk in the words of the contract.

use serde::Serialize;

use super::ports::{LearntName, Mark};
use super::walk::{Danger, DoubtReason, Stop};
use crate::dictation::Dictation;

/// A walk through one dictation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WalkView {
    /// The dictation.
    pub dictation: String,
    /// The encounter.
    pub encounter: String,
    /// The patient.
    pub patient: String,
    /// How many stops wait for a mark.
    pub left: usize,
    /// The stops, the gravest first.
    pub stops: Vec<StopView>,
}

/// A stop.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StopView {
    id: String,
    danger: Danger,
    text: String,
    drafted: Option<String>,
    before: String,
    after: String,
    begin: usize,
    end: usize,
    start_ms: Option<u64>,
    end_ms: Option<u64>,
    weight: f64,
    doubt: f64,
    reason: DoubtReason,
    suggested: Option<String>,
    resource: Option<String>,
    mark: Option<MarkView>,
}

/// What was done at a stop.
#[derive(Serialize)]
struct MarkView {
    act: &'static str,
    meant: Option<String>,
    applied: bool,
    learnt: bool,
    at: String,
}

/// A name of the doctor's own lexicon.
#[derive(Serialize)]
pub struct LearntView {
    heard: String,
    meant: String,
    times: u32,
    updated: String,
}

impl WalkView {
    pub(super) fn of(dictation: &Dictation, stops: &[Stop], marks: &[Mark]) -> Self {
        let marked = |stop: &Stop| marks.iter().find(|mark| mark.stop == stop.id);
        Self {
            dictation: dictation.id.to_string(),
            encounter: dictation.encounter.to_string(),
            patient: dictation.patient.to_string(),
            left: stops.iter().filter(|stop| marked(stop).is_none()).count(),
            stops: stops.iter().map(|stop| StopView::of(stop, marked(stop))).collect(),
        }
    }
}

impl StopView {
    fn of(stop: &Stop, mark: Option<&Mark>) -> Self {
        Self {
            id: stop.id.clone(),
            danger: stop.danger,
            text: stop.text.clone(),
            drafted: stop.drafted.clone(),
            before: stop.before.clone(),
            after: stop.after.clone(),
            begin: stop.span.begin,
            end: stop.span.end,
            start_ms: stop.times.map(|(start, _)| start),
            end_ms: stop.times.map(|(_, end)| end),
            weight: hundredths(stop.weight()),
            doubt: hundredths(stop.doubt.value),
            reason: stop.doubt.reason,
            suggested: stop.suggestion.as_ref().map(|suggestion| suggestion.suggested.clone()),
            resource: stop.resource.clone(),
            mark: mark.map(|mark| MarkView {
                act: mark.act.code(),
                meant: mark.meant.clone(),
                applied: mark.applied,
                learnt: mark.learnt,
                at: mark.at.to_string(),
            }),
        }
    }
}

impl From<LearntName> for LearntView {
    fn from(name: LearntName) -> Self {
        Self { heard: name.heard, meant: name.meant, times: name.times, updated: name.updated.to_string() }
    }
}

fn hundredths(value: f32) -> f64 {
    (f64::from(value) * 100.0).round() / 100.0
}
