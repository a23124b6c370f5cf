//! What a score means: the share of right readings among readings with the same evidence, measured on our own labelled texts,
//! and stated low, because the rules were written with these texts in sight.
//!
//! It is the lower end of Wilson's interval of 90 % (<https://doi.org/10.1080/01621459.1927.10502953>), so that few readings
//! cannot make a high score, it is never 1, and more than sixty readings do not raise it; with fewer than
//! [`LEAST_SEEN`] readings there is no score. Tests measure the counts again. See docs/extraction.md.

use seva_clinic::entities::{Entity, Trait};

/// The fewest readings from which a score is made.
pub const LEAST_SEEN: u32 = 10;

/// So many readings count at most: by being more, texts that the rules were written with in sight say nothing more.
const MOST_COUNTED: u32 = 60;

/// The quantile of the normal distribution that leaves 5 % above it.
const QUANTILE: f64 = 1.645;

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
    /// The next visit.
    Visit,
    /// Advice.
    Advice,
    /// A statement about allergies.
    AllergyStatement,
    /// An age.
    Age,
}

impl Evidence {
    /// Lists all kinds of evidence.
    pub const ALL: [Self; 10] = [
        Self::MedicineName,
        Self::SoundAlike,
        Self::ConditionPhrase,
        Self::OtherPhrase,
        Self::Measurement,
        Self::LaboratoryResult,
        Self::Visit,
        Self::Advice,
        Self::AllergyStatement,
        Self::Age,
    ];

    /// Returns the name of the evidence in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MedicineName => "exact name of a medicine",
            Self::SoundAlike => "name that resembles a medicine",
            Self::ConditionPhrase => "condition or symptom phrase",
            Self::OtherPhrase => "test or site phrase",
            Self::Measurement => "measurement",
            Self::LaboratoryResult => "laboratory result",
            Self::Visit => "next visit",
            Self::Advice => "advice",
            Self::AllergyStatement => "allergy statement",
            Self::Age => "age",
        }
    }

    /// Returns how many readings of the labelled sentences were right and how many were seen.
    #[must_use]
    pub const fn typed(self) -> (u32, u32) {
        match self {
            Self::MedicineName => (16, 16),
            Self::SoundAlike | Self::AllergyStatement => (12, 12),
            Self::ConditionPhrase => (49, 49),
            Self::OtherPhrase => (14, 15),
            Self::Measurement => (14, 14),
            Self::Age => (10, 10),
            Self::LaboratoryResult | Self::Visit | Self::Advice => (0, 0),
        }
    }

    /// Returns the same for the dictations of the developing half that were written by hand.
    #[must_use]
    pub const fn dictated(self) -> (u32, u32) {
        match self {
            Self::MedicineName => (528, 530),
            Self::ConditionPhrase => (633, 645),
            Self::OtherPhrase => (106, 108),
            Self::Measurement => (109, 109),
            Self::LaboratoryResult => (51, 51),
            Self::Visit => (41, 41),
            Self::AllergyStatement => (16, 16),
            // Advice has labels that were completed with the output in sight, and the reporting half confirms few of its readings.
            Self::SoundAlike | Self::Advice | Self::Age => (0, 0),
        }
    }

    /// Returns how many readings were right and how many were seen, of all.
    #[must_use]
    pub const fn counts(self) -> (u32, u32) {
        let (typed, dictated) = (self.typed(), self.dictated());
        (typed.0 + dictated.0, typed.1 + dictated.1)
    }

    /// Returns the score, or nothing where too little was seen.
    pub fn score(self) -> Option<f32> {
        let (right, seen) = self.counts();
        if seen < LEAST_SEEN {
            return None;
        }
        let (share, square) = (f64::from(right) / f64::from(seen), QUANTILE * QUANTILE);
        let seen = f64::from(seen.min(MOST_COUNTED));
        let middle = share + square / (2.0 * seen);
        let half = QUANTILE * (share * (1.0 - share) / seen + square / (4.0 * seen * seen)).sqrt();
        let lower = (middle - half) / (1.0 + square / seen);
        #[expect(clippy::cast_possible_truncation, reason = "a share fits, and its last digits mean nothing")]
        let score = lower as f32;
        Some(score)
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
