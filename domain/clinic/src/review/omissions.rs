//! The omission meter: what was said and no part of the note holds, and what a prescription needs and nobody said.
//!
//! It compares the entities of the dictations with the resources that stand in the record now (R4:
//! <https://hl7.org/fhir/R4/composition.html>, <https://hl7.org/fhir/R4/medicationrequest.html>).

mod holding;

use serde::Serialize;
use seva_fhir::json::Json;

use crate::dictation::{Dictation, DictationState, Transcript};
use crate::dosage::{AsNeeded, Dosage, regimen_from_fhir};
use crate::drafting::{SECTIONS, SectionKind, section_code, section_state, section_text};
use crate::encounter_record::{EncounterRecord, Held};
use crate::entities::{Category, Entity, EntityType, Trait};
use crate::prescription::{is_listed, review_state};

use holding::{Holding, holding};

/// Why what was said is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingReason {
    /// It was never drafted: it concerns a relative, may only happen, or says too little.
    NeverDrafted,
    /// Its draft was rejected.
    Rejected,
    /// Its draft is not there any more, or was entered in error.
    Removed,
    /// The section was rewritten without it.
    EditedOut,
    /// The record holds the opposite: reconciliation asks which is so.
    Contradicted,
}

/// Something that was said and is missing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    text: String,
    category: Category,
    kind: EntityType,
    traits: Vec<Trait>,
    reason: MissingReason,
    dictation: String,
    begin: usize,
    end: usize,
    start_ms: Option<u64>,
    end_ms: Option<u64>,
}

/// What was said, and how much of it the note holds.
#[derive(Serialize)]
pub struct SaidMeter {
    /// All statements.
    pub total: usize,
    /// Those that the note holds.
    pub held: usize,
    /// The others, in the order in which they were said.
    pub missing: Vec<Missing>,
}

/// Something that is needed and was not said.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Unsaid {
    /// A code for programs.
    pub code: &'static str,
    /// The code of the section or the id of the medicine; empty where it concerns the whole.
    pub target: String,
    /// The medicine's name.
    pub name: Option<String>,
}

/// What is needed, and how much of it is there.
#[derive(Serialize)]
pub struct RequiredMeter {
    /// All that is needed.
    pub total: usize,
    /// What is there.
    pub met: usize,
    /// What is not.
    pub unsaid: Vec<Unsaid>,
}

/// Both meters of an encounter.
#[derive(Serialize)]
pub struct Omissions {
    /// The encounter.
    pub encounter: String,
    /// The patient.
    pub patient: String,
    /// What was said.
    pub said: SaidMeter,
    /// What is needed.
    pub required: RequiredMeter,
}

/// A section as it stands in the note.
pub(super) struct Standing {
    kind: SectionKind,
    text: String,
    rejected: bool,
    edited: bool,
}

/// Measures an encounter's note against its dictations.
#[must_use]
pub fn omissions(record: &EncounterRecord, dictations: &[Dictation]) -> Omissions {
    let sections = standing(record);
    let mut said = SaidMeter { total: 0, held: 0, missing: Vec::new() };
    for dictation in dictations.iter().filter(|one| is_drafted(one)) {
        let transcript = Transcript::of(&dictation.result.segments);
        for entity in dictation.result.entities.iter().filter(|entity| is_statement(entity)) {
            said.total += 1;
            match holding(record, &sections, (dictation, entity)) {
                Holding::Held => said.held += 1,
                Holding::Missing(reason) => said.missing.push(missing(dictation, &transcript, entity, reason)),
            }
        }
    }
    let (encounter, patient) = (record.encounter.key.to_string(), record.patient.clone());
    Omissions { encounter, patient, said, required: required(record, &sections) }
}

fn is_drafted(dictation: &Dictation) -> bool {
    matches!(dictation.state, DictationState::Drafted | DictationState::Reviewed)
}

/// A site of the body or an age alone states nothing about the patient's health.
fn is_statement(entity: &Entity) -> bool {
    !matches!(entity.category, Category::Anatomy | Category::ProtectedHealthInformation)
}

fn missing(dictation: &Dictation, transcript: &Transcript, entity: &Entity, reason: MissingReason) -> Missing {
    let times = transcript.times(entity.begin, entity.end);
    Missing {
        text: entity.text.clone(),
        category: entity.category,
        kind: entity.kind,
        traits: entity.traits.clone(),
        reason,
        dictation: dictation.id.to_string(),
        begin: entity.begin,
        end: entity.end,
        start_ms: times.map(|(start, _)| start),
        end_ms: times.map(|(_, end)| end),
    }
}

fn standing(record: &EncounterRecord) -> Vec<Standing> {
    let list = record.composition.as_ref().and_then(|held| held.body.get("section")).map_or(&[][..], Json::items);
    let edited =
        |section: &Json| crate::drafting::elements::extension_value(section, "edited", "valueBoolean").is_some();
    let of_one = |section: &Json| {
        let (text, rejected) = (section_text(section), section_state(section) == "rejected");
        Some(Standing { kind: section_code(section)?, text, rejected, edited: edited(section) })
    };
    list.iter().filter_map(of_one).collect()
}

/// Counts what is needed, and notes what is not there.
struct Needs {
    total: usize,
    unsaid: Vec<Unsaid>,
}

impl Needs {
    fn need(&mut self, is_there: bool, unsaid: Unsaid) {
        self.total += 1;
        if !is_there {
            self.unsaid.push(unsaid);
        }
    }
}

fn required(record: &EncounterRecord, sections: &[Standing]) -> RequiredMeter {
    let mut needs = Needs { total: 0, unsaid: Vec::new() };
    let medicines: Vec<&Held> =
        record.medicines.iter().filter(|held| is_listed(held) && review_state(&held.body) != "rejected").collect();
    let of_whole = |code, target: &str| Unsaid { code, target: target.to_owned(), name: None };
    for kind in SECTIONS.into_iter().filter(|kind| kind.is_required() || *kind == SectionKind::FollowUp) {
        let written = sections.iter().any(|one| one.kind == kind && !one.rejected && !one.text.is_empty());
        let is_there = if kind == SectionKind::Medications { !medicines.is_empty() } else { written };
        needs.need(is_there, of_whole("section", kind.code()));
    }
    needs.need(!record.allergies.is_empty(), of_whole("allergies", ""));
    for medicine in medicines {
        of_medicine(medicine, &mut needs);
    }
    RequiredMeter { total: needs.total, met: needs.total - needs.unsaid.len(), unsaid: needs.unsaid }
}

fn of_medicine(held: &Held, needs: &mut Needs) {
    let body = &held.body;
    let steps = body.get("dosageInstruction").and_then(|list| regimen_from_fhir(list).ok()).unwrap_or_default();
    let name = body.get("medicationCodeableConcept").and_then(|concept| concept.get_str("text")).map(str::to_owned);
    let every = |has: fn(&Dosage) -> bool| !steps.is_empty() && steps.iter().all(has);
    let as_needed = steps.iter().any(|step| step.timing.as_needed != AsNeeded::No);
    let target = held.key.id().to_string();
    let mut need = |is_there, code| needs.need(is_there, Unsaid { code, target: target.clone(), name: name.clone() });
    need(every(|step| step.dose.or(step.strength).is_some() || step.slots().is_some()), "medicine-dose");
    need(every(|step| step.route.is_some()), "medicine-route");
    if as_needed {
        // What is taken as needed has a most a day in the place of a frequency and a length.
        need(every(|step| step.max_per_day.is_some()), "medicine-maximum");
    } else {
        need(every(|step| step.timing.frequency.is_some() || step.slots().is_some()), "medicine-frequency");
        need(every(|step| step.duration.is_some()), "medicine-duration");
    }
    let reasons = ["reasonReference", "reasonCode"]
        .iter()
        .any(|name| body.get(name).is_some_and(|list| !list.items().is_empty()));
    need(reasons, "medicine-reason");
}

#[cfg(test)]
mod tests;
