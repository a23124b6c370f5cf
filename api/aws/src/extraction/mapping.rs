//! From the service's entities, attributes and traits to ours
//! (<https://docs.aws.amazon.com/comprehend-medical/latest/dev/textanalysis-entitiesv2.html>).

use aws_sdk_comprehendmedical::types::{
    Attribute as AnsweredAttribute, AttributeName, Entity as Answered, EntitySubType, EntityType as AnsweredCategory,
};
use seva_clinic::dosage;
use seva_clinic::entities::{Attribute, AttributeType, Category, Entity, EntityType, Trait};
use seva_clinic::lexicon::Span;
use seva_clinic::lexicon::tokens::tokenize;

use super::{codes, results, vitals};

/// A place of the answer that is not in the text, or quotes it wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Misplaced;

/// A score is an estimate, never certainty.
const HIGHEST: f32 = 0.9999;

/// Words of a statement about allergies as a whole: they name no substance.
const ALLERGY_WORDS: [&str; 13] =
    ["no", "nil", "nkda", "nka", "known", "any", "drug", "food", "history", "of", "allergy", "allergies", "past"];
const DENIALS: [&str; 4] = ["no", "nil", "nkda", "nka"];
/// Words between "allergic" and what somebody is allergic to.
const CONNECTIVES: [&str; 10] = ["to", "with", "and", "or", "the", "is", "are", "include", "including", "both"];

/// Reads answers against the text that was asked about.
pub(super) struct Reader {
    characters: Vec<char>,
}

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        Self { characters: text.chars().collect() }
    }

    /// The text of a range.
    pub(super) fn quote(&self, span: Span) -> String {
        self.characters.get(span.begin..span.end).unwrap_or_default().iter().collect()
    }

    /// Reads the answer for the piece that begins at a place.
    pub(super) fn entities(&self, answered: &[Answered], begin: usize) -> Result<Vec<Entity>, Misplaced> {
        let mut found = Vec::new();
        for each in answered {
            if let Some(entity) = self.entity(each, begin)? {
                found.push(entity);
            }
        }
        for each in answered.iter().filter(|each| each.category() == Some(&AnsweredCategory::TimeExpression)) {
            self.attach_length(each, begin, &mut found)?;
        }
        self.allergies(&mut found);
        for entity in &mut found {
            codes::code(entity);
            if entity.category == Category::Medication {
                self.doubt_dosage(entity);
            } else {
                vitals::measured(self, entity);
                results::stated(self, entity);
            }
            entity.traits.sort();
            entity.traits.dedup();
            entity.attributes.sort_by_key(|attribute| attribute.begin);
        }
        Ok(found)
    }

    /// The place in the whole text of what was found in the piece that begins at `shift`.
    pub(super) fn place(
        &self,
        ends: (Option<i32>, Option<i32>),
        text: Option<&str>,
        shift: usize,
    ) -> Result<Span, Misplaced> {
        let at = |offset: Option<i32>| Some(usize::try_from(offset?).ok()? + shift);
        let span = match (at(ends.0), at(ends.1)) {
            (Some(begin), Some(end)) if begin < end && end <= self.characters.len() => Span::new(begin, end),
            _ => return Err(Misplaced),
        };
        if text.is_some_and(|text| text != self.quote(span)) { Err(Misplaced) } else { Ok(span) }
    }

    fn entity(&self, answered: &Answered, shift: usize) -> Result<Option<Entity>, Misplaced> {
        let span = self.place((answered.begin_offset(), answered.end_offset()), answered.text(), shift)?;
        let kinds = answered.category().zip(answered.r#type());
        let Some((category, kind)) = kinds.and_then(|(category, kind)| class(category, kind)) else { return Ok(None) };
        let mut attributes = Vec::new();
        let mut traits: Vec<Trait> = answered.traits().iter().filter_map(|each| flag(each.name()?, category)).collect();
        for each in answered.attributes() {
            let Some(attribute) = self.attribute(each, shift)? else { continue };
            // "Not twice a day": what is denied is no dose, and what remains is doubtful.
            if each.traits().iter().any(|each| each.name() == Some(&AttributeName::Negation)) {
                traits.push(Trait::LowConfidence);
            } else {
                attributes.push(attribute);
            }
        }
        Ok(Some(Entity {
            id: 0,
            text: self.quote(span),
            category,
            kind,
            begin: span.begin,
            end: span.end,
            score: score(answered.score()),
            traits,
            attributes,
            codings: Vec::new(),
            suggestion: None,
        }))
    }

    fn attribute(&self, answered: &AnsweredAttribute, shift: usize) -> Result<Option<Attribute>, Misplaced> {
        let span = self.place((answered.begin_offset(), answered.end_offset()), answered.text(), shift)?;
        let Some(kind) = answered.r#type().and_then(attribute_kind) else { return Ok(None) };
        let text = self.quote(span);
        // It is right only if it is read rightly and belongs where it was put.
        let least = match (answered.score(), answered.relationship_score()) {
            (Some(own), Some(relation)) => Some(own.min(relation)),
            (own, relation) => own.or(relation),
        };
        let value = canonical(kind, &text);
        Ok(Some(Attribute { kind, text, begin: span.begin, end: span.end, score: score(least), value }))
    }

    /// "For three days" is an entity of its own that points at what lasts so long.
    fn attach_length(&self, answered: &Answered, shift: usize, found: &mut [Entity]) -> Result<(), Misplaced> {
        let span = self.place((answered.begin_offset(), answered.end_offset()), answered.text(), shift)?;
        let text = self.quote(span);
        let Some(value) = canonical(AttributeType::Duration, &text) else { return Ok(()) };
        for each in answered.attributes() {
            let owner = self.place((each.begin_offset(), each.end_offset()), each.text(), shift)?;
            let entity = found.iter_mut().find(|entity| entity.span() == owner);
            let Some(entity) = entity.filter(|entity| entity.attributes_of(AttributeType::Duration).next().is_none())
            else {
                continue;
            };
            let score = score(each.relationship_score().or(answered.score()));
            let (kind, value) = (AttributeType::Duration, Some(value.clone()));
            entity.attributes.push(Attribute {
                kind,
                text: text.clone(),
                begin: span.begin,
                end: span.end,
                score,
                value,
            });
        }
        Ok(())
    }

    /// What somebody is allergic to must never be drafted as a prescription, and only a statement about allergies as a
    /// whole may become "no known allergies".
    fn allergies(&self, found: &mut Vec<Entity>) {
        let stated: Vec<Span> =
            found.iter().filter(|entity| entity.category == Category::Allergy).map(Entity::span).collect();
        found.retain(|entity| {
            entity.category != Category::Medication || !stated.iter().any(|span| span.overlaps(entity.span()))
        });
        for entity in found.iter_mut() {
            let dosed = entity.attributes.iter().any(|attribute| attribute.kind != AttributeType::Quality);
            if entity.category == Category::Medication && !dosed && self.after_allergy_word(entity.begin) {
                entity.category = Category::Allergy;
                entity.kind = EntityType::Substance;
                entity.traits.push(Trait::LowConfidence);
            }
            if entity.category != Category::Allergy {
                continue;
            }
            entity.codings = codes::medicine_in(&entity.text);
            let words = entity.text.to_lowercase();
            let general = words.split_whitespace().all(|word| ALLERGY_WORDS.contains(&word));
            if general && !entity.has(Trait::Negation) && words.split_whitespace().any(|word| DENIALS.contains(&word)) {
                entity.traits.push(Trait::Negation);
            }
            if entity.codings.is_empty() && !general && entity.has(Trait::Negation) {
                entity.category = Category::BehavioralEnvironmentalSocial;
            } else if entity.codings.is_empty() && general && !entity.has(Trait::Negation) {
                entity.traits.push(Trait::LowConfidence);
            }
        }
    }

    /// Whether "allergic to", "allergy to penicillin and" or the like stands right before a place.
    fn after_allergy_word(&self, place: usize) -> bool {
        let before: String = self.characters.get(..place).unwrap_or_default().iter().collect();
        let sentence = before.rsplit(['.', '?', '!', ';', '\n']).next().unwrap_or_default().to_lowercase();
        let mut words = sentence.rsplit(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
        let between = |word: &&str| !CONNECTIVES.contains(word) && codes::medicine_in(word).is_empty();
        words.find(between).is_some_and(|word| word.starts_with("allerg"))
    }

    /// Words between name and last attribute that change the dose in a way no model of it can state make it doubtful.
    fn doubt_dosage(&self, entity: &mut Entity) {
        let whole =
            entity.attributes.iter().fold(entity.span(), |span, each| span.joined(Span::new(each.begin, each.end)));
        if dosage::read(&tokenize(&self.quote(whole))).conflicts > 0 {
            entity.traits.push(Trait::LowConfidence);
        }
    }
}

pub(super) fn score(answered: Option<f32>) -> Option<f32> {
    answered.filter(|score| *score > 0.0).map(|score| score.min(HIGHEST))
}

/// What our grammar reads in an attribute, when it reads one thing and that has a value.
fn canonical(kind: AttributeType, text: &str) -> Option<String> {
    let alike: &[AttributeType] = match kind {
        // The grammar tells strength and dose apart by their units, the service by the words around them.
        AttributeType::Strength | AttributeType::Dosage => &[AttributeType::Strength, AttributeType::Dosage],
        AttributeType::Duration => &[AttributeType::Duration],
        _ => return None,
    };
    match dosage::read(&tokenize(text)).parts.as_slice() {
        [part] if alike.contains(&part.kind) => part.value.clone(),
        _ => None,
    }
}

fn class(category: &AnsweredCategory, kind: &EntitySubType) -> Option<(Category, EntityType)> {
    use AnsweredCategory as From;
    let kind = match kind {
        EntitySubType::GenericName => EntityType::GenericName,
        EntitySubType::BrandName => EntityType::BrandName,
        EntitySubType::DxName => EntityType::DxName,
        EntitySubType::TestName => EntityType::TestName,
        EntitySubType::TreatmentName => EntityType::TreatmentName,
        EntitySubType::ProcedureName => EntityType::ProcedureName,
        EntitySubType::SystemOrganSite => EntityType::SystemOrganSite,
        EntitySubType::Age => EntityType::Age,
        EntitySubType::Name => EntityType::Name,
        EntitySubType::Date => EntityType::Date,
        EntitySubType::Allergies => return Some((Category::Allergy, EntityType::Substance)),
        EntitySubType::TobaccoUse | EntitySubType::AlcoholConsumption | EntitySubType::RecDrugUse => EntityType::Habit,
        _ if *category == From::ProtectedHealthInformation => EntityType::Id,
        _ => return None,
    };
    let category = match category {
        From::Medication => Category::Medication,
        From::MedicalCondition => Category::MedicalCondition,
        From::TestTreatmentProcedure => Category::TestTreatmentProcedure,
        From::Anatomy => Category::Anatomy,
        From::ProtectedHealthInformation => Category::ProtectedHealthInformation,
        From::BehavioralEnvironmentalSocial => Category::BehavioralEnvironmentalSocial,
        // A length of time belongs to another entity; a category of tomorrow is nothing that we know how to draft.
        _ => return None,
    };
    Some((category, kind))
}

fn attribute_kind(kind: &EntitySubType) -> Option<AttributeType> {
    Some(match kind {
        EntitySubType::Dosage => AttributeType::Dosage,
        EntitySubType::Strength => AttributeType::Strength,
        EntitySubType::Form => AttributeType::Form,
        EntitySubType::RouteOrMode => AttributeType::RouteOrMode,
        EntitySubType::Frequency => AttributeType::Frequency,
        EntitySubType::Duration => AttributeType::Duration,
        EntitySubType::Rate => AttributeType::Rate,
        EntitySubType::TestValue => AttributeType::TestValue,
        EntitySubType::TestUnit | EntitySubType::TestUnits => AttributeType::TestUnit,
        EntitySubType::Quality | EntitySubType::Acuity | EntitySubType::Direction => AttributeType::Quality,
        EntitySubType::SystemOrganSite => AttributeType::SystemOrganSite,
        _ => return None,
    })
}

fn flag(name: &AttributeName, category: Category) -> Option<Trait> {
    Some(match name {
        // A test that is still to be done is one that is asked for.
        AttributeName::Future if category == Category::TestTreatmentProcedure => return None,
        AttributeName::Negation => Trait::Negation,
        AttributeName::PastHistory => Trait::PastHistory,
        AttributeName::PertainsToFamily => Trait::FamilyHistory,
        AttributeName::Hypothetical | AttributeName::Future => Trait::Hypothetical,
        AttributeName::Sign | AttributeName::Symptom => Trait::Symptom,
        AttributeName::Diagnosis => Trait::Diagnosis,
        AttributeName::LowConfidence => Trait::LowConfidence,
        _ => return None,
    })
}
