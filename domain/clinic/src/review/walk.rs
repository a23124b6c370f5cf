//! The verify walk: the words of a dictation that do harm where they were misheard, by danger times doubt.
//!
//! Places are those of the evidence that the draft carries (<http://hl7.org/fhir/StructureDefinition/derivation-reference>):
//! code points of the transcript and milliseconds of the recording. The weights stand in
//! `docs/decisions/0040-danger-times-doubt.md`.

mod doubt;
mod negation;

use serde::Serialize;

use crate::dictation::{Dictation, Transcript};
use crate::entities::{Attribute, AttributeType, Category, Entity, EntityType, Suggestion, Trait};
use crate::formulary::Product;
use crate::lexicon::Span;
use crate::lexicon::tokens::{Token, tokenize};

pub use doubt::{Doubt, DoubtReason};

/// So many code points are shown around a stop.
const AROUND: usize = 48;
/// The words for a side of the body.
const SIDES: [&str; 4] = ["left", "right", "bilateral", "both"];
/// What follows "right" where it is no side.
const NO_SIDE: [&str; 5] = ["now", "away", "after", "before", "from"];

/// What kind of word it is, the most dangerous first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Danger {
    /// A medicine or what somebody is allergic to.
    Drug,
    /// How much of a medicine.
    Dose,
    /// A unit.
    Unit,
    /// Another number: a measured value, how often, for how long.
    Number,
    /// Something that was denied.
    Negation,
    /// A side of the body.
    Side,
    /// A person's name.
    Name,
}

impl Danger {
    /// Returns how much harm such a word does where it is wrong, in tenths.
    #[must_use]
    pub const fn weight(self) -> u8 {
        match self {
            Self::Drug => 10,
            Self::Dose => 9,
            Self::Unit => 8,
            Self::Number => 7,
            Self::Negation => 6,
            Self::Side => 5,
            Self::Name => 4,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Drug => "drug",
            Self::Dose => "dose",
            Self::Unit => "unit",
            Self::Number => "number",
            Self::Negation => "negation",
            Self::Side => "side",
            Self::Name => "name",
        }
    }
}

/// A drafted resource and the characters that it comes from.
pub struct Touched {
    /// Its reference.
    pub resource: String,
    /// The characters.
    pub span: Span,
}

/// A place at which the walk stops.
#[derive(Clone, PartialEq)]
pub struct Stop {
    /// Names the stop while the transcript stays the same.
    pub id: String,
    /// What kind of word it is.
    pub danger: Danger,
    /// The words of the transcript.
    pub text: String,
    /// What the draft has for them, in canonical form.
    pub drafted: Option<String>,
    /// Where they stand.
    pub span: Span,
    /// When they were spoken, in milliseconds.
    pub times: Option<(u64, u64)>,
    /// How doubtful they are, and why.
    pub doubt: Doubt,
    /// The words before them.
    pub before: String,
    /// The words after them.
    pub after: String,
    /// The repair that is proposed.
    pub suggestion: Option<Suggestion>,
    /// The drafted resource that they touch.
    pub resource: Option<String>,
}

impl Stop {
    /// Returns danger times doubt, by which stops are ordered.
    #[must_use]
    pub fn weight(&self) -> f32 {
        f32::from(self.danger.weight()) / 10.0 * self.doubt.value
    }
}

/// Finds the dangerous words of a dictation, the gravest first.
#[must_use]
pub fn stops(dictation: &Dictation, touched: &[Touched]) -> Vec<Stop> {
    let transcript = Transcript::of(&dictation.result.segments);
    let tokens = tokenize(&transcript.text);
    let mut walk = Walk { transcript: &transcript, tokens: &tokens, touched, stops: Vec::new() };
    let entities = &dictation.result.entities;
    entities.iter().for_each(|entity| walk.entity(entity));
    walk.negations(entities);
    walk.sides(entities);
    let mut stops = walk.stops;
    stops.sort_by(|one, other| {
        other.weight().total_cmp(&one.weight()).then(one.span.cmp(&other.span)).then(one.danger.cmp(&other.danger))
    });
    stops
}

struct Walk<'a> {
    transcript: &'a Transcript,
    tokens: &'a [Token],
    touched: &'a [Touched],
    stops: Vec<Stop>,
}

impl Walk<'_> {
    fn entity(&mut self, entity: &Entity) {
        let whole = entity.span();
        match (entity.category, entity.kind) {
            (Category::Medication, _) | (Category::Allergy, EntityType::Substance) if !is_none_known(entity) => {
                let mut doubts = doubt::of_entity(entity);
                doubts.extend(doubt::of_words(self.transcript, whole));
                self.add(Danger::Drug, whole, (doubt::gravest(doubts), None), entity);
            }
            (Category::ProtectedHealthInformation, EntityType::Name) => {
                let mut doubts = doubt::of_entity(entity);
                doubts.extend(doubt::of_words(self.transcript, whole));
                self.add(Danger::Name, whole, (doubt::gravest(doubts), None), entity);
            }
            _ => {}
        }
        for attribute in &entity.attributes {
            self.attribute(entity, attribute);
        }
    }

    fn attribute(&mut self, entity: &Entity, attribute: &Attribute) {
        let place = Span::new(attribute.begin, attribute.end);
        let danger = match attribute.kind {
            AttributeType::Strength | AttributeType::Dosage => Danger::Dose,
            AttributeType::TestUnit | AttributeType::Rate => Danger::Unit,
            // "Negative" and "positive" are as near to each other as "no" and "known".
            AttributeType::TestValue if entity.finding().is_some() => Danger::Negation,
            AttributeType::TestValue | AttributeType::Frequency | AttributeType::Duration => Danger::Number,
            AttributeType::Form
            | AttributeType::RouteOrMode
            | AttributeType::Quality
            | AttributeType::SystemOrganSite
            | AttributeType::Instruction => return,
        };
        // An implied unit has no words of its own: the number that it points at is a stop already.
        if self.stops.iter().any(|stop| stop.span == place) {
            return;
        }
        let mut doubts = doubt::of_words(self.transcript, place);
        doubts.extend(attribute.score.map(|score| Doubt::of(DoubtReason::Score, 1.0 - score)));
        if entity.has(Trait::LowConfidence) && entity.suggestion.is_none() {
            doubts.push(Doubt::at_least(DoubtReason::Doubted));
        }
        doubts.extend(doubt::sound_alike(self.tokens, place));
        if attribute.kind == AttributeType::Strength && self.is_not_made(entity, attribute) {
            doubts.push(Doubt::at_least(DoubtReason::NotMade));
        }
        self.add(danger, place, (doubt::gravest(doubts), attribute.value.clone()), entity);
    }

    fn is_not_made(&self, entity: &Entity, strength: &Attribute) -> bool {
        let name = entity.suggestion.as_ref().map_or(&entity.text, |suggestion| &suggestion.suggested);
        let medicine = Product::named(name).and_then(Product::only);
        medicine.and_then(|medicine| medicine.is_made(strength.value.as_deref()?)) == Some(false)
    }

    /// What was denied, with the word that denies it; and words that deny where the engine read nothing as denied.
    fn negations(&mut self, entities: &[Entity]) {
        let mut claimed = Vec::new();
        for entity in entities.iter().filter(|entity| entity.has(Trait::Negation)) {
            let cue = negation::cue(self.tokens, entity.span());
            claimed.extend(cue.map(|cue| cue.span));
            let span = cue.map_or(entity.span(), |cue| cue.span.joined(entity.span()));
            let mut doubts = doubt::of_entity(entity);
            doubts.extend(doubt::of_words(self.transcript, span));
            self.add(Danger::Negation, span, (doubt::gravest(doubts), None), entity);
        }
        let stated = |entity: &Entity, span: Span| {
            let mut values = entity.attributes_of(AttributeType::TestValue);
            entity.finding().is_some() && values.any(|value| Span::new(value.begin, value.end).overlaps(span))
        };
        let denied = |entity: &Entity, span: Span| entity.has(Trait::Negation) && entity.span().overlaps(span);
        let inside = |span: Span| entities.iter().any(|entity| denied(entity, span) || stated(entity, span));
        for (cue, end) in negation::cues(self.tokens) {
            if claimed.contains(&cue) || inside(cue) {
                continue;
            }
            let span = cue.joined(end);
            let mut doubts = doubt::of_words(self.transcript, span);
            doubts.push(Doubt::at_least(DoubtReason::UnreadNegation));
            self.push(Danger::Negation, span, (doubt::gravest(doubts), None), (None, None));
        }
    }

    fn sides(&mut self, entities: &[Entity]) {
        for (index, token) in self.tokens.iter().enumerate() {
            let next = self.tokens.get(index + 1).map_or("", |next| next.word.as_str());
            let before = index.checked_sub(1).and_then(|place| self.tokens.get(place));
            let of_speech = before.is_some_and(|before| before.word == "all") || NO_SIDE.contains(&next);
            if !SIDES.contains(&token.word.as_str()) || of_speech {
                continue;
            }
            let doubts = doubt::of_words(self.transcript, token.span);
            let reach = Span::new(token.span.begin.saturating_sub(AROUND), token.span.end + AROUND);
            let near = entities.iter().filter(|entity| entity.span().overlaps(reach));
            let resource = near.min_by_key(|entity| entity.begin.abs_diff(token.span.begin));
            let resource = resource.and_then(|entity| self.touched_by(entity));
            self.push(Danger::Side, token.span, (doubt::gravest(doubts), None), (resource, None));
        }
    }

    fn add(&mut self, danger: Danger, span: Span, reading: (Doubt, Option<String>), entity: &Entity) {
        let suggestion = entity.suggestion.clone().filter(|_| danger == Danger::Drug);
        self.push(danger, span, reading, (self.touched_by(entity), suggestion));
    }

    fn push(
        &mut self,
        danger: Danger,
        span: Span,
        (doubt, drafted): (Doubt, Option<String>),
        (resource, suggestion): (Option<String>, Option<Suggestion>),
    ) {
        let text = &self.transcript.text;
        let id = format!("{}-{}-{}", danger.code(), span.begin, span.end);
        if self.stops.iter().any(|stop| stop.id == id) {
            return;
        }
        self.stops.push(Stop {
            id,
            danger,
            text: span.text_in(text),
            drafted,
            span,
            times: self.transcript.times(span.begin, span.end),
            doubt,
            before: before(text, span),
            after: after(text, span),
            suggestion,
            resource,
        });
    }

    /// The resource that was drafted from an entity: its evidence is the entity's place, or holds it.
    fn touched_by(&self, entity: &Entity) -> Option<String> {
        let exact = self.touched.iter().find(|touched| touched.span == entity.span());
        let holds = |touched: &&Touched| touched.span.begin <= entity.begin && touched.span.end >= entity.end;
        Some(exact.or_else(|| self.touched.iter().find(holds))?.resource.clone())
    }
}

/// The words before a stop, whole ones.
fn before(text: &str, span: Span) -> String {
    let near = Span::new(span.begin.saturating_sub(AROUND), span.begin).text_in(text);
    if span.begin <= AROUND {
        return near;
    }
    near.split_once(' ').map_or(near.clone(), |(_, whole)| format!("… {whole}"))
}

/// The words after a stop, whole ones.
fn after(text: &str, span: Span) -> String {
    let near = Span::new(span.end, span.end + AROUND).text_in(text);
    if near.chars().count() < AROUND {
        return near;
    }
    near.rsplit_once(' ').map_or(near.clone(), |(whole, _)| format!("{whole} …"))
}

/// "No known allergies" names no substance: it is a negation.
fn is_none_known(entity: &Entity) -> bool {
    entity.category == Category::Allergy && entity.has(Trait::Negation) && entity.codings.is_empty()
}

#[cfg(test)]
mod tests;
