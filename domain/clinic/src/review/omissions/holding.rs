//! Whether the note holds a statement: by the evidence of a resource, by the same concept, or by the words of a section.

use seva_fhir::json::Json;

use super::{MissingReason, Standing};
use crate::dictation::Dictation;
use crate::drafting::elements::extension_value;
use crate::drafting::{SectionKind, is_same_concept};
use crate::encounter_record::{EncounterRecord, Held};
use crate::entities::{AttributeType, Category, Entity, Trait};
use crate::prescription::{evidence_of, is_listed, review_state};
use crate::review::contradicts;

/// How a statement stands.
pub(super) enum Holding {
    /// The note has it.
    Held,
    /// It has not.
    Missing(MissingReason),
}

/// Lines that begin so deny what follows.
const DENIALS: [&str; 3] = ["absent:", "ruled out:", "no "];

pub(super) fn holding(
    record: &EncounterRecord,
    sections: &[Standing],
    (dictation, entity): (&Dictation, &Entity),
) -> Holding {
    let id = dictation.id.to_string();
    let drafted = candidates(record, entity).iter().filter(|held| comes_from(held, (&id, entity)));
    let mut reason = None;
    for held in drafted {
        match fate(held, sections, entity) {
            None if !is_own(held, (&id, entity)) && contradicts(record, entity) => {
                reason = Some(MissingReason::Contradicted);
            }
            None => return Holding::Held,
            Some(found) => reason = Some(found),
        }
    }
    if is_written(sections, entity) {
        return Holding::Held;
    }
    if reason.is_none() && contradicts(record, entity) {
        return Holding::Missing(MissingReason::Contradicted);
    }
    let never = if is_drafted_at_all(entity) { MissingReason::Removed } else { MissingReason::NeverDrafted };
    Holding::Missing(reason.unwrap_or(never))
}

/// The resources that may hold an entity.
fn candidates<'a>(record: &'a EncounterRecord, entity: &Entity) -> &'a [Held] {
    match entity.category {
        Category::Medication => &record.medicines,
        Category::Allergy => &record.allergies,
        Category::MedicalCondition if entity.has(Trait::Diagnosis) => &record.conditions,
        Category::TestTreatmentProcedure if !entity.is_measured() => &record.requests,
        Category::MedicalCondition | Category::Vital | Category::TestTreatmentProcedure => &record.observations,
        _ => &[],
    }
}

/// The entity's own evidence, or another recording's with the same concept; of a corrected name what was heard first.
fn comes_from(held: &Held, (dictation, entity): (&str, &Entity)) -> bool {
    let heard = extension_value(&held.body, "heard-name", "valueString").and_then(Json::as_str);
    let heard = heard.is_some_and(|heard| heard.eq_ignore_ascii_case(&entity.text));
    is_own(held, (dictation, entity)) || is_same_concept(&held.body, entity) || heard
}

/// Whether an entity is the evidence of a resource.
fn is_own(held: &Held, (dictation, entity): (&str, &Entity)) -> bool {
    evidence_of(&held.body).into_iter().any(|span| {
        let (begin, end) = (usize::try_from(span.begin), usize::try_from(span.end));
        let covers = begin.is_ok_and(|begin| begin <= entity.begin) && end.is_ok_and(|end| end >= entity.end);
        covers && span.dictation.as_deref() == Some(dictation)
    })
}

/// What became of a draft; nothing where it stands.
fn fate(held: &Held, sections: &[Standing], entity: &Entity) -> Option<MissingReason> {
    let verification = held.body.get("verificationStatus");
    let verification = verification.and_then(|status| status.get("coding")?.get_index(0)?.get_str("code"));
    if !is_listed(held) || verification == Some("entered-in-error") {
        return Some(MissingReason::Removed);
    }
    if entity.category == Category::Medication {
        return (review_state(&held.body) == "rejected").then_some(MissingReason::Rejected);
    }
    let section = sections.iter().find(|section| Some(section.kind) == place(entity))?;
    if section.rejected {
        return Some(MissingReason::Rejected);
    }
    // Vital signs are shown from their resources, whatever the text says.
    let rewritten = section.edited && entity.category != Category::Vital && !names(&section.text, &words(held, entity));
    rewritten.then_some(MissingReason::EditedOut)
}

fn place(entity: &Entity) -> Option<SectionKind> {
    match entity.category {
        Category::MedicalCondition if entity.has(Trait::Diagnosis) => Some(SectionKind::Diagnosis),
        Category::MedicalCondition => Some(SectionKind::Complaint),
        Category::Vital => Some(SectionKind::Vitals),
        Category::TestTreatmentProcedure => Some(SectionKind::of_request(entity)),
        _ => None,
    }
}

/// The words by which a section may name it.
fn words(held: &Held, entity: &Entity) -> Vec<String> {
    let displays = held.body.get("code").and_then(|code| code.get("coding")).map_or(&[][..], Json::items);
    let displays = displays.iter().filter_map(|coding| coding.get_str("display"));
    displays.chain([entity.text.as_str()]).map(str::to_lowercase).collect()
}

fn names(text: &str, words: &[String]) -> bool {
    let lower = text.to_lowercase();
    words.iter().any(|words| !words.is_empty() && lower.contains(words))
}

/// Whether a section has the words, said the same way round.
fn is_written(sections: &[Standing], entity: &Entity) -> bool {
    let wanted = entity.text.to_lowercase();
    let denies = |line: &str| DENIALS.iter().any(|denial| line.starts_with(denial));
    let fits = |line: &str| line.contains(&wanted) && denies(line) == (entity.has(Trait::Negation) && !denies(&wanted));
    let standing = sections.iter().filter(|section| !section.rejected);
    // A rejected medicine is not held by the line that still names it.
    let standing = standing.filter(|section| section.kind != SectionKind::Medications);
    let mut lines = standing.flat_map(|section| section.text.lines());
    !wanted.is_empty() && lines.any(|line| fits(line.trim().to_lowercase().as_str()))
}

/// Whether drafting makes a resource of such an entity.
fn is_drafted_at_all(entity: &Entity) -> bool {
    if entity.has(Trait::FamilyHistory) || entity.has(Trait::Hypothetical) {
        return false;
    }
    let has = |kind| entity.attributes_of(kind).next().is_some();
    let measured = !entity.codings.is_empty() && has(AttributeType::TestValue) && has(AttributeType::TestUnit);
    match entity.category {
        Category::Medication => !entity.has(Trait::Negation) && !entity.has(Trait::PastHistory),
        Category::MedicalCondition | Category::Allergy => true,
        Category::Vital => measured,
        Category::TestTreatmentProcedure if entity.is_measured() => {
            entity.is_reported() && (measured || entity.finding().is_some())
        }
        Category::TestTreatmentProcedure => entity.is_requested(),
        _ => false,
    }
}
