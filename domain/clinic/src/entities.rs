//! Clinical entities found in a transcript, in the shape of Comprehend Medical's `DetectEntitiesV2`, so that one mapper serves every engine.
//!
//! See <https://docs.aws.amazon.com/comprehend-medical/latest/dev/textanalysis-entitiesv2.html>.
//! Offsets count Unicode code points, `begin` inclusive and `end` exclusive, in the text that was analysed.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::laboratory::TestFinding;
use crate::lexicon::Span;

/// Names the broad class of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    /// A medicine.
    Medication,
    /// A sign, symptom or diagnosis.
    MedicalCondition,
    /// A test, treatment or procedure.
    TestTreatmentProcedure,
    /// A part of the body.
    Anatomy,
    /// Something that identifies a person, such as an age.
    ProtectedHealthInformation,
    /// A measured vital sign or bedside value.
    Vital,
    /// An allergy or the stated absence of allergies.
    Allergy,
    /// A way of life that matters to health.
    BehavioralEnvironmentalSocial,
    /// What is to happen next: advice, the next visit.
    CarePlan,
}

/// Names the kind of an entity within its category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EntityType {
    /// A medicine by its non-proprietary name.
    GenericName,
    /// A medicine by its brand.
    BrandName,
    /// The name of a sign, symptom or diagnosis.
    DxName,
    /// The name of a test.
    TestName,
    /// The name of a treatment.
    TreatmentName,
    /// The name of a procedure.
    ProcedureName,
    /// A system, organ or site of the body.
    SystemOrganSite,
    /// An age.
    Age,
    /// A person's name.
    Name,
    /// A date.
    Date,
    /// Another identifier.
    Id,
    /// A vital sign with its value.
    VitalSign,
    /// What somebody is allergic to.
    Substance,
    /// Tobacco, alcohol or another habit.
    Habit,
    /// What the patient is to do or to avoid.
    Advice,
    /// When the patient comes again; a length of time is its duration.
    FollowUp,
}

/// Qualifies an entity by its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trait {
    /// The text says that it is absent.
    Negation,
    /// It belongs to the past.
    PastHistory,
    /// It concerns a relative.
    FamilyHistory,
    /// It may happen, or is only asked about.
    Hypothetical,
    /// It is what the patient feels.
    Symptom,
    /// It is what the clinician concludes.
    Diagnosis,
    /// The reading is doubtful and must be checked.
    LowConfidence,
}

/// Names what an attribute says about its entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AttributeType {
    /// The amount that is taken at a time.
    Dosage,
    /// The strength of the product.
    Strength,
    /// The form of the product.
    Form,
    /// The way in which it enters the body.
    RouteOrMode,
    /// How often it is taken.
    Frequency,
    /// For how long it is taken or has lasted.
    Duration,
    /// The rate of an infusion.
    Rate,
    /// The value of a test or vital sign.
    TestValue,
    /// The unit of a test or vital sign.
    TestUnit,
    /// A side of the body, or how severe it is.
    Quality,
    /// The part of the body that is meant.
    SystemOrganSite,
    /// Words of an order that state none of these: "while awake", "dissolved in water".
    Instruction,
}

/// Describes an entity by a piece of the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// What the attribute says.
    #[serde(rename = "type")]
    pub kind: AttributeType,
    /// The words of the transcript.
    pub text: String,
    /// The first code point.
    pub begin: usize,
    /// The code point after the last.
    pub end: usize,
    /// How often such a reading is right, or nothing where that is unknown.
    pub score: Option<f32>,
    /// The value in canonical form: a decimal for values, a UCUM code for units.
    pub value: Option<String>,
}

impl Attribute {
    /// Returns the value of an amount in canonical form, and the words of everything else.
    #[must_use]
    pub fn canonical(&self) -> &str {
        match (self.kind, &self.value) {
            (AttributeType::Strength | AttributeType::Dosage, Some(value)) => value,
            _ => &self.text,
        }
    }
}

/// Codes an entity in a terminology.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coding {
    /// The code system's URI.
    pub system: String,
    /// The code.
    pub code: String,
    /// The code system's own words for the code.
    pub display: String,
    /// How well the code fits, or nothing where that is unknown.
    pub score: Option<f32>,
}

/// Proposes a name for words that match no name, without replacing them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What stands in the transcript.
    pub heard: String,
    /// What may have been meant.
    pub suggested: String,
    /// How many letters differ.
    pub distance: usize,
}

/// Is one clinical statement of the transcript with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// The number of the entity in its answer.
    pub id: u32,
    /// The words of the transcript.
    pub text: String,
    /// The broad class.
    pub category: Category,
    /// The kind within the class.
    #[serde(rename = "type")]
    pub kind: EntityType,
    /// The first code point.
    pub begin: usize,
    /// The code point after the last.
    pub end: usize,
    /// How often such a reading is right, or nothing where that is unknown.
    pub score: Option<f32>,
    /// What the context says.
    pub traits: Vec<Trait>,
    /// What belongs to the entity.
    pub attributes: Vec<Attribute>,
    /// The codes of the entity, best first.
    pub codings: Vec<Coding>,
    /// The repair that is proposed, never applied.
    pub suggestion: Option<Suggestion>,
}

impl Entity {
    /// Returns the place of the entity in the text.
    #[must_use]
    pub const fn span(&self) -> Span {
        Span { begin: self.begin, end: self.end }
    }

    /// Tells whether the context gave the entity this trait.
    #[must_use]
    pub fn has(&self, wanted: Trait) -> bool {
        self.traits.contains(&wanted)
    }

    /// Returns the attributes of one kind, in the order of the text.
    pub fn attributes_of(&self, kind: AttributeType) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(move |attribute| attribute.kind == kind)
    }

    /// Returns the text from which a medicine's dosage is parsed: its attributes in the order of the text, without
    /// instructions in words.
    #[must_use]
    pub fn dosage_text(&self) -> String {
        let read = self.attributes_in_order().into_iter().filter(|part| part.kind != AttributeType::Instruction);
        read.map(Attribute::canonical).collect::<Vec<_>>().join(", ")
    }

    /// Tells whether a test, or a procedure with the time for which it is planned, is asked for.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        let planned = self.kind == EntityType::ProcedureName && self.planned().is_some();
        let asked = !self.has(Trait::Negation) && !self.has(Trait::PastHistory) && !self.is_measured();
        (planned || self.kind == EntityType::TestName) && asked
    }

    /// Returns the words that say for when a test or procedure is planned.
    #[must_use]
    pub fn planned(&self) -> Option<&str> {
        self.attributes_of(AttributeType::Duration).next().map(|time| time.text.as_str())
    }

    /// Tells whether a test has a result.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.attributes_of(AttributeType::TestValue).next().is_some()
    }

    /// Tells whether a test has a result of this visit: one of another day has a date that nobody said.
    #[must_use]
    pub fn is_reported(&self) -> bool {
        self.is_measured() && !self.has(Trait::PastHistory)
    }

    /// Returns how a test came out whose result is a word.
    #[must_use]
    pub fn finding(&self) -> Option<TestFinding> {
        let tested = self.category == Category::TestTreatmentProcedure;
        let mut values = self.attributes_of(AttributeType::TestValue).filter(|_| tested);
        let finding = TestFinding::named(values.next()?.value.as_deref()?)?;
        values.next().is_none().then_some(finding)
    }

    /// Returns the attributes as they follow each other in the text.
    #[must_use]
    pub fn attributes_in_order(&self) -> Vec<&Attribute> {
        let mut parts: Vec<&Attribute> = self.attributes.iter().collect();
        parts.sort_by_key(|part| part.begin);
        parts
    }
}

/// Explains why no entities could be found.
#[derive(Debug, thiserror::Error)]
pub enum ExtractionError {
    /// The engine does not know the language.
    #[error("entity extraction does not support language {language}")]
    UnsupportedLanguage {
        /// The BCP 47 tag that was asked for.
        language: String,
    },
    /// The text is longer than the engine takes.
    #[error("text of {length} bytes is longer than the limit of {limit}")]
    TooLong {
        /// The length of the text.
        length: usize,
        /// The most that the engine takes.
        limit: usize,
    },
    /// The engine did not answer; another attempt may succeed.
    #[error("entity extraction engine {engine} is unavailable")]
    Unavailable {
        /// The engine's name.
        engine: String,
    },
    /// The engine's answer does not fit the text that it was given; nothing of it is used.
    #[error("entity extraction engine {engine} answered with places that do not fit the text")]
    Misplaced {
        /// The engine's name.
        engine: String,
    },
    /// The engine refused the request; another attempt will not succeed.
    #[error("entity extraction engine {engine} refused the request")]
    Refused {
        /// The engine's name.
        engine: String,
    },
}

/// Finds clinical entities in a transcript.
#[async_trait]
pub trait EntityExtractor: Send + Sync {
    /// Returns the engine's name, as Provenance states it.
    fn name(&self) -> &str;

    /// Returns the engine's version, as Provenance states it.
    fn version(&self) -> &str;

    /// Names the service and the region that the text is sent to; nothing when it stays on this machine.
    fn destination(&self) -> Option<String> {
        None
    }

    /// Tells whether texts can be read now.
    async fn health(&self) -> Result<(), ExtractionError> {
        Ok(())
    }

    /// Finds the entities of a text in a language, ordered by their place.
    async fn extract(&self, text: &str, language: &str) -> Result<Vec<Entity>, ExtractionError>;
}
