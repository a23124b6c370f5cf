//! What a score means: the share of right readings among readings with the same evidence, measured on our own labelled sentences.
//!
//! The estimate is Laplace's rule of succession, (right + 1) / (seen + 2), so it is never 0 or 1; with fewer than
//! [`LEAST_SEEN`] readings there is no score. A test measures the counts again. See docs/extraction.md.

use seva_clinic::entities::{Entity, Trait};

/// The fewest readings from which a score is made.
pub const LEAST_SEEN: u32 = 10;

/// Says by what an entity was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The exact name of a medicine.
    MedicineName,
    /// A name that resembles a medicine.
    SoundAlike,
    /// A phrase of the condition and symptom lists.
    ConditionPhrase,
    /// A phrase of the test and site lists.
    OtherPhrase,
    /// A vital sign with a value.
    Measurement,
    /// A laboratory result with a value.
    LaboratoryResult,
    /// Advice, or the next visit.
    Plan,
    /// A statement about allergies.
    AllergyStatement,
    /// An age.
    Age,
}

impl Evidence {
    /// Lists all kinds of evidence.
    #[cfg(test)]
    pub const ALL: [Self; 9] = [
        Self::MedicineName,
        Self::SoundAlike,
        Self::ConditionPhrase,
        Self::OtherPhrase,
        Self::Measurement,
        Self::LaboratoryResult,
        Self::Plan,
        Self::AllergyStatement,
        Self::Age,
    ];

    /// Returns how many readings were right and how many were seen.
    pub const fn counts(self) -> (u32, u32) {
        match self {
            Self::MedicineName => (16, 16),
            Self::SoundAlike => (12, 12),
            Self::ConditionPhrase => (49, 49),
            Self::OtherPhrase => (14, 15),
            Self::Measurement => (14, 14),
            Self::LaboratoryResult | Self::Plan => (0, 0),
            Self::AllergyStatement => (12, 12),
            Self::Age => (10, 10),
        }
    }

    /// Returns the score, or nothing where too little was seen.
    pub fn score(self) -> Option<f32> {
        let (right, seen) = self.counts();
        if seen < LEAST_SEEN {
            return None;
        }
        let (right, seen) = (u16::try_from(right).ok()?, u16::try_from(seen).ok()?);
        Some((f32::from(right) + 1.0) / (f32::from(seen) + 2.0))
    }
}

/// Is an entity with the evidence for it.
pub struct Found {
    /// The entity.
    pub entity: Entity,
    /// The evidence.
    pub evidence: Evidence,
}

impl Found {
    /// Puts the score on the entity; a doubtful reading has none, because the measured share does not hold for it.
    pub fn scored(mut self) -> Entity {
        let doubtful = self.entity.has(Trait::LowConfidence) && self.evidence != Evidence::SoundAlike;
        self.entity.score = if doubtful { None } else { self.evidence.score() };
        self.entity
    }
}
