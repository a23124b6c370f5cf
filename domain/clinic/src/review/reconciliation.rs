//! Reconciliation: what a further recording of an encounter says about what the record holds already is proposed as a
//! difference, and never drafted a second time (R4: <https://hl7.org/fhir/R4/medicationrequest.html>,
//! <https://hl7.org/fhir/R4/observation.html>).

mod accepting;
mod comparing;
mod deciding;
mod repeating;

use serde::Serialize;
use seva_fhir::types::Instant;
use uuid::Uuid;

use crate::dictation::{Dictation, Transcript};
use crate::encounter_record::EncounterRecord;
use crate::entities::Entity;
use crate::lexicon::Span;

pub(crate) use comparing::{contradicts, held_of};
pub use deciding::ProposalsView;
pub(crate) use repeating::{Repeat, repeats};

use comparing::{compared, told};

/// How what was said relates to what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// Nothing is held: it was drafted.
    New,
    /// The same is held.
    Same,
    /// It is held with another dose or value.
    Changed,
    /// What was said denies what is held, or the other way round; or one recording says two different things.
    Contradicting,
}

impl Difference {
    const ALL: [Self; 4] = [Self::New, Self::Same, Self::Changed, Self::Contradicting];

    /// Returns the stored word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Contradicting => "contradicting",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|difference| difference.code() == code)
    }
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProposalState {
    /// There is nothing to decide.
    Settled,
    /// It waits for a decision.
    Pending,
    /// The record was changed as it says.
    Accepted,
    /// The record stays as it was.
    Rejected,
}

impl ProposalState {
    const ALL: [Self; 4] = [Self::Settled, Self::Pending, Self::Accepted, Self::Rejected];

    /// Returns the stored word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// A difference that a recording proposes; its entity in the dictation is its evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The dictation.
    pub dictation: Uuid,
    /// The number of the entity in the dictation.
    pub number: u32,
    /// How it relates to what is held.
    pub difference: Difference,
    /// The resource that holds it; none where it is new, or was said twice in the recording that drafted it.
    pub resource: Option<String>,
    /// What is held, in words.
    pub before: Option<String>,
    /// What was said, in words.
    pub after: String,
    /// Where it stands in the transcript.
    pub span: Span,
    /// When it was spoken, in milliseconds.
    pub times: Option<(u64, u64)>,
    /// Where it stands.
    pub state: ProposalState,
    /// When it was decided.
    pub decided: Option<Instant>,
}

/// Compares what a dictation says with what the record holds, and with what it said before. The first of an encounter
/// proposes only what waits for a decision, such as an allergy of the record that it denies.
#[must_use]
pub fn proposals(record: &EncounterRecord, dictation: &Dictation) -> Vec<Proposal> {
    let transcript = Transcript::of(&dictation.result.segments);
    let fresh: Vec<&Entity> =
        dictation.result.entities.iter().filter(|entity| held_of(record, entity).is_none()).collect();
    let repeats = repeats(&fresh);
    let repeated = |entity: &Entity| {
        let place = fresh.iter().position(|one| one.id == entity.id)?;
        let Repeat { first, agrees } = (*repeats.get(place)?)?;
        Some((if agrees { Difference::Same } else { Difference::Contradicting }, *fresh.get(first)?))
    };
    let compared = |entity: &Entity| {
        let (mut difference, held) = compared(record, entity)?;
        let mut before = held.map(|held| told::held(&held.body));
        // Its draft is not stored yet, and is found by what it is about.
        if let (None, Some((found, first))) = (held, repeated(entity)) {
            difference = found;
            before = Some(told::said(first));
        }
        let decides = matches!(difference, Difference::Changed | Difference::Contradicting);
        Some(Proposal {
            dictation: dictation.id,
            number: entity.id,
            difference,
            resource: held.map(|held| held.key.to_string()),
            before,
            after: told::said(entity),
            span: entity.span(),
            times: transcript.times(entity.begin, entity.end),
            state: if decides { ProposalState::Pending } else { ProposalState::Settled },
            decided: None,
        })
    };
    let is_first = record.composition.is_none();
    let says_something = |one: &Proposal| !is_first || one.state == ProposalState::Pending;
    dictation.result.entities.iter().filter_map(compared).filter(says_something).collect()
}

#[cfg(test)]
mod tests;
