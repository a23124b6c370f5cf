//! What of the record an entity is about, and how the two differ.

pub(super) mod told;

use seva_fhir::json::Json;

use super::Difference;
use crate::dosage::{self, AsNeeded, Dosage, regimen_from_fhir};
use crate::drafting::{NO_KNOWN_ALLERGY, is_same_concept};
use crate::encounter_record::{EncounterRecord, Held};
use crate::entities::{AttributeType, Category, Entity, Trait};
use crate::lexicon::decimal::Decimal;
use crate::prescription::review_state;

/// SNOMED CT's code for what was looked for and is not there.
const ABSENT: &str = "2667000";

/// The difference between an entity and the record, and what it is about; nothing for what is never drafted.
pub(super) fn compared<'a>(record: &'a EncounterRecord, entity: &Entity) -> Option<(Difference, Option<&'a Held>)> {
    if entity.has(Trait::FamilyHistory) || entity.has(Trait::Hypothetical) {
        return None;
    }
    let Some(held) = held_of(record, entity) else {
        return drafts_anew(entity).then_some((Difference::New, None));
    };
    Some((difference(&held.body, entity), Some(held)))
}

/// Whether the record holds the opposite of what was said.
pub(crate) fn contradicts(record: &EncounterRecord, entity: &Entity) -> bool {
    matches!(compared(record, entity), Some((Difference::Contradicting, _)))
}

/// The resource of the record that an entity is about, if there is one.
pub(crate) fn held_of<'a>(record: &'a EncounterRecord, entity: &Entity) -> Option<&'a Held> {
    let candidates: &[Held] = match (entity.category, entity.kind) {
        (Category::Medication, _) => &record.medicines,
        (Category::Allergy, _) => &record.allergies,
        (Category::MedicalCondition, _) if entity.has(Trait::Diagnosis) => &record.conditions,
        (Category::MedicalCondition | Category::Vital, _) => &record.observations,
        (Category::TestTreatmentProcedure, _) if entity.is_reported() => &record.observations,
        (Category::TestTreatmentProcedure, _) if entity.is_requested() => &record.requests,
        _ => return None,
    };
    let listed = |held: &&Held| {
        held.body.get_str("status") != Some("entered-in-error")
            && code_of(&held.body, "verificationStatus") != Some("entered-in-error")
    };
    // "No known allergies" denies whichever allergy the record has.
    let denies_all = entity.category == Category::Allergy && entity.has(Trait::Negation) && entity.codings.is_empty();
    let mut candidates = candidates.iter().filter(listed);
    if denies_all {
        let none_known = |held: &&Held| code_of(&held.body, "code") == Some(NO_KNOWN_ALLERGY);
        let mut all = candidates.collect::<Vec<_>>();
        // A known allergy weighs more than an earlier "none known".
        all.sort_by_key(none_known);
        return all.into_iter().find(|held| code_of(&held.body, "verificationStatus") != Some("refuted"));
    }
    candidates.find(|held| is_same_concept(&held.body, entity))
}

fn drafts_anew(entity: &Entity) -> bool {
    match (entity.category, entity.kind) {
        (Category::Medication, _) => !entity.has(Trait::Negation) && !entity.has(Trait::PastHistory),
        (Category::MedicalCondition | Category::Allergy, _) => true,
        (Category::Vital, _) => entity.attributes_of(AttributeType::TestUnit).next().is_some(),
        (Category::TestTreatmentProcedure, _) => entity.is_reported() || entity.is_requested(),
        _ => false,
    }
}

fn difference(held: &Json, entity: &Entity) -> Difference {
    let denied = entity.has(Trait::Negation);
    let agrees = |holds_denial: bool| {
        if holds_denial == denied { Difference::Same } else { Difference::Contradicting }
    };
    let changed = |is_other: bool| if is_other { Difference::Changed } else { Difference::Same };
    match entity.category {
        // What was rejected and is said again, or stands and is denied, is the doctor's to decide.
        Category::Medication if denied != is_rejected(held) => Difference::Contradicting,
        Category::Medication if denied => Difference::Same,
        Category::Medication => changed(has_other_dose(held, entity)),
        Category::Allergy if code_of(held, "code") == Some(NO_KNOWN_ALLERGY) => agrees(true),
        Category::Vital | Category::TestTreatmentProcedure => changed(has_other_value(held, entity)),
        Category::MedicalCondition if !entity.has(Trait::Diagnosis) => agrees(value_code(held) == Some(ABSENT)),
        _ => agrees(code_of(held, "verificationStatus") == Some("refuted")),
    }
}

/// Whether a medicine was rejected or ended.
fn is_rejected(held: &Json) -> bool {
    review_state(held) == "rejected" || matches!(held.get_str("status"), Some("cancelled" | "stopped"))
}

/// The steps of a medicine's dosage as they were said now.
pub(super) fn said_steps(entity: &Entity) -> Vec<Dosage> {
    let text = entity.dosage_text();
    if text.is_empty() { Vec::new() } else { dosage::parse(&text) }
}

/// The steps of a held medicine.
pub(super) fn held_steps(held: &Json) -> Vec<Dosage> {
    held.get("dosageInstruction").and_then(|list| regimen_from_fhir(list).ok()).unwrap_or_default()
}

/// Whether what was said of a dose is something else than what is held; what was not said again is no difference.
fn has_other_dose(held: &Json, entity: &Entity) -> bool {
    let (said, held) = (said_steps(entity), held_steps(held));
    if said.len() > 1 || held.len() > 1 {
        let plain =
            |steps: &[Dosage]| steps.iter().map(|step| Dosage { text: None, ..step.clone() }).collect::<Vec<_>>();
        return said.len() > 1 && plain(&said) != plain(&held);
    }
    let Some(said) = said.first() else { return false };
    let before = held.first().cloned().unwrap_or_default();
    let plain = |step: &Dosage| Dosage { text: None, ..step.clone() };
    plain(&overlaid(&before, said)) != plain(&before)
}

/// A step with what was said now in the place of what was said before.
pub(super) fn overlaid(before: &Dosage, said: &Dosage) -> Dosage {
    let mut step = before.clone();
    step.dose = said.dose.or(before.dose);
    step.strength = said.strength.or(before.strength);
    step.route = said.route.or(before.route);
    step.duration = said.duration.or(before.duration);
    step.food = said.food.or(before.food);
    step.max_per_day = said.max_per_day.or(before.max_per_day);
    let timed = said.timing.frequency.is_some() || !said.timing.when.is_empty();
    if timed || said.timing.as_needed != AsNeeded::No {
        step.timing = said.timing.clone();
    }
    step
}

fn has_other_value(held: &Json, entity: &Entity) -> bool {
    if let Some(finding) = entity.finding() {
        return value_code(held) != Some(finding.snomed().0);
    }
    let unit = entity.attributes_of(AttributeType::TestUnit).find_map(|unit| unit.value.as_deref());
    let said: Vec<Option<Decimal>> = entity
        .attributes_of(AttributeType::TestValue)
        .map(|value| value.value.as_deref().and_then(|value| value.parse().ok()))
        .collect();
    let components = held.get("component").map_or(&[][..], Json::items);
    let quantities: Vec<&Json> =
        std::iter::once(held).chain(components).filter_map(|part| part.get("valueQuantity")).collect();
    let number =
        |quantity: &&Json| quantity.get("value").and_then(Json::as_number).and_then(|value| value.parse().ok());
    let values: Vec<Option<Decimal>> = quantities.iter().map(number).collect();
    let other_unit = unit.is_some() && quantities.iter().any(|quantity| quantity.get_str("code") != unit);
    values != said || other_unit
}

fn value_code(held: &Json) -> Option<&str> {
    held.get("valueCodeableConcept")?.get("coding")?.get_index(0)?.get_str("code")
}

pub(super) fn code_of<'a>(held: &'a Json, element: &str) -> Option<&'a str> {
    held.get(element)?.get("coding")?.get_index(0)?.get_str("code")
}
