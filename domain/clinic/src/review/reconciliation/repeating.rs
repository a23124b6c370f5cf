//! What is said twice in one recording: the same order of a medicine is one draft with both places as its evidence, another
//! order contradicts the first one (R4: <https://hl7.org/fhir/R4/medicationrequest.html>).

use super::comparing::said_steps;
use crate::dosage::{Dosage, agreed};
use crate::entities::{Category, Entity, Trait};

/// That a statement was made before in the same recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeat {
    /// The place of the first one among the statements.
    pub(crate) first: usize,
    /// Whether both say the same.
    pub(crate) agrees: bool,
}

/// Finds the medicines and the tests that are named a second time; for each statement its own repetition.
pub(crate) fn repeats(entities: &[&Entity]) -> Vec<Option<Repeat>> {
    let mut firsts: Vec<(usize, &Entity, Vec<Dosage>)> = Vec::new();
    let mut found = Vec::with_capacity(entities.len());
    for (place, entity) in entities.iter().enumerate() {
        if !is_order(entity) {
            found.push(None);
            continue;
        }
        let said = if entity.category == Category::Medication { said_steps(entity) } else { Vec::new() };
        match firsts.iter_mut().find(|(_, first, _)| names_the_same(first, entity)) {
            Some((first, _, steps)) => {
                let both = agreed(steps, &said);
                found.push(Some(Repeat { first: *first, agrees: both.is_some() }));
                *steps = both.unwrap_or_else(|| std::mem::take(steps));
            }
            None => {
                found.push(None);
                firsts.push((place, entity, said));
            }
        }
    }
    found
}

/// Whether it asks for a medicine or a test.
fn is_order(entity: &Entity) -> bool {
    let not_now = [Trait::Negation, Trait::PastHistory, Trait::FamilyHistory, Trait::Hypothetical];
    if not_now.iter().any(|each| entity.has(*each)) {
        return false;
    }
    match entity.category {
        Category::Medication => true,
        Category::TestTreatmentProcedure => entity.is_requested(),
        _ => false,
    }
}

/// A doubted name is the same only where it was heard alike: it may have been another medicine's.
fn names_the_same(one: &Entity, other: &Entity) -> bool {
    let words = one.text.eq_ignore_ascii_case(&other.text);
    let certain = one.suggestion.is_none() && other.suggestion.is_none();
    let shared = one
        .codings
        .iter()
        .any(|code| other.codings.iter().any(|other| (&code.system, &code.code) == (&other.system, &other.code)));
    one.category == other.category && (words || (certain && shared))
}
