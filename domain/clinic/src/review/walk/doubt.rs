//! How doubtful a reading is: 1 − confidence where an engine gives one, and what is doubtful whatever the engine says.

use serde::Serialize;

use crate::dictation::Transcript;
use crate::entities::{Entity, Trait};
use crate::lexicon::Span;
use crate::lexicon::tokens::Token;

/// Why words are doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoubtReason {
    /// Another name was heard than the one that is proposed.
    Repaired,
    /// No such strength of the medicine is made.
    NotMade,
    /// The extractor doubts its reading.
    Doubted,
    /// It denies something, and nothing was read as denied.
    UnreadNegation,
    /// The engine gives no confidence.
    Unknown,
    /// Another number or unit sounds like it.
    SoundAlike,
    /// The engine was not sure of the words.
    Words,
    /// Such readings are not always right.
    Score,
}

impl DoubtReason {
    /// The least doubt that the reason alone stands for.
    const fn least(self) -> f32 {
        match self {
            Self::Repaired => 0.9,
            Self::NotMade => 0.8,
            Self::Doubted => 0.7,
            Self::UnreadNegation => 0.6,
            Self::Unknown => 0.5,
            Self::SoundAlike => 0.4,
            Self::Words | Self::Score => 0.0,
        }
    }
}

/// How doubtful words are, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubt {
    /// How much.
    pub value: f32,
    /// Why: the gravest of several reasons.
    pub reason: DoubtReason,
}

impl Doubt {
    /// A doubt that was measured.
    pub(super) fn of(reason: DoubtReason, value: f32) -> Self {
        // What is no number is no confidence either.
        let value = if value.is_nan() { DoubtReason::Unknown.least() } else { value.clamp(0.0, 1.0) };
        Self { value, reason }
    }

    /// The doubt that a reason alone stands for.
    pub(super) const fn at_least(reason: DoubtReason) -> Self {
        Self { value: reason.least(), reason }
    }
}

/// The gravest of some doubts. Where nobody says anything, nothing is known.
pub(super) fn gravest(doubts: Vec<Doubt>) -> Doubt {
    let gravest = doubts.into_iter().reduce(|one, other| if other.value > one.value { other } else { one });
    gravest.unwrap_or(Doubt::at_least(DoubtReason::Unknown))
}

/// What the speech engine says of its words; its silence is a doubt of its own.
pub(super) fn of_words(transcript: &Transcript, span: Span) -> Vec<Doubt> {
    vec![match transcript.confidence(span.begin, span.end) {
        Some(confidence) => Doubt::of(DoubtReason::Words, 1.0 - confidence),
        None => Doubt::at_least(DoubtReason::Unknown),
    }]
}

/// What the extractor says of an entity.
pub(super) fn of_entity(entity: &Entity) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    doubts.extend(entity.score.map(|score| Doubt::of(DoubtReason::Score, 1.0 - score)));
    let repaired = |heard: &str, suggested: &str| !heard.trim().eq_ignore_ascii_case(suggested.trim());
    if entity.suggestion.as_ref().is_some_and(|each| repaired(&each.heard, &each.suggested)) {
        doubts.push(Doubt::at_least(DoubtReason::Repaired));
    } else if entity.has(Trait::LowConfidence) {
        doubts.push(Doubt::at_least(DoubtReason::Doubted));
    }
    doubts
}

/// Fifteen and fifty, milligram and microgram: an error of ten or of a thousand times that sounds the same.
pub(super) fn sound_alike(tokens: &[Token], span: Span) -> Option<Doubt> {
    const UNITS: [&str; 8] = ["mg", "milligram", "milligrams", "mcg", "microgram", "micrograms", "µg", "ug"];
    let alike = |token: &Token| match token.number().map(|number| number.as_whole()) {
        Some(Some(value)) => (13..=19).contains(&value) || ((30..=90).contains(&value) && value % 10 == 0),
        Some(None) => false,
        None => UNITS.contains(&token.word.as_str()),
    };
    let found = tokens.iter().filter(|token| token.span.overlaps(span)).any(alike);
    found.then_some(Doubt::at_least(DoubtReason::SoundAlike))
}
