//! The doctor's own lexicon at work: what was corrected before is proposed the next time, beside what was heard; and what an
//! engine proposes itself.
//!
//! The extractor reads the text with those names in their places, whichever engine it is; its answer is then placed
//! in the text as it was heard, and every name that was put in is a suggestion (never silent).

use super::ports::LearntName;
use crate::dictation::Segment;
use crate::entities::{Category, Entity, Suggestion, Trait};
use crate::formulary::{Product, edit_distance};
use crate::lexicon::Span;
use crate::lexicon::tokens::{Token, tokenize};

/// Shorter words are too common to be a name that was misheard.
const SHORTEST: usize = 4;
/// A name that was misheard has no more words.
const MOST_WORDS: usize = 4;

/// A name that is read in place of what was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instead {
    /// What was heard, in lower case, as the tokens of a text are written.
    pub heard: String,
    /// The medicine's name.
    pub meant: String,
}

impl From<&LearntName> for Instead {
    fn from(name: &LearntName) -> Self {
        Self { heard: name.heard.clone(), meant: name.meant.clone() }
    }
}

impl Instead {
    /// Lists what the engine proposes beside its words, as far as it may be learnt at all.
    #[must_use]
    pub fn proposed(segments: &[Segment]) -> Vec<Self> {
        let words = segments.iter().flat_map(|segment| &segment.words);
        words.filter_map(|word| Self::of(&word.text, word.suggested.as_deref()?)).collect()
    }

    /// A name for what was heard, as it stands in a transcript.
    #[must_use]
    pub fn of(heard: &str, meant: &str) -> Option<Self> {
        let words = tokenize(heard).into_iter().map(|token| token.word);
        // A mark behind the last word is none of it.
        let words: Vec<String> = words.filter(|word| word.contains(char::is_alphanumeric)).collect();
        let heard = words.join(" ");
        is_learnable(&heard, meant).then(|| Self { heard, meant: meant.to_owned() })
    }
}

/// Where such a name was put in.
struct Place<'a> {
    /// In the text as it was heard.
    heard: Span,
    /// In the text that is read.
    read: Span,
    name: &'a Instead,
}

/// A text with names in the places of what was heard.
pub struct Substituted<'a> {
    /// The text for the extractor.
    pub text: String,
    places: Vec<Place<'a>>,
}

/// Tells whether a correction may be learnt: it says another name, and what was heard is no medicine itself.
///
/// A medicine that was heard for another one is corrected where it happens; learning it would doubt every later mention.
#[must_use]
pub fn is_learnable(heard: &str, meant: &str) -> bool {
    let words = heard.split_whitespace().count();
    let differs = !heard.trim().eq_ignore_ascii_case(meant.trim());
    // Only such words come out of the tokens of a later text as they are kept.
    let plain = heard.chars().all(|letter| letter.is_alphabetic() || matches!(letter, ' ' | '-' | '\''));
    let long = heard.trim().chars().count() >= SHORTEST && (1..=MOST_WORDS).contains(&words);
    differs && plain && long && Product::named(heard).is_none() && Product::named(meant).is_some()
}

/// Puts names in the places of what was heard; of two for the same words the first one counts.
#[must_use]
pub fn substituted<'a>(text: &str, names: &'a [Instead]) -> Substituted<'a> {
    let tokens = tokenize(text);
    let letters: Vec<char> = text.chars().collect();
    let mut read = String::new();
    let (mut length, mut copied, mut at) = (0, 0, 0);
    let mut places = Vec::new();
    let copy = |read: &mut String, length: &mut usize, from: usize, to: usize| {
        let part = letters.get(from..to).unwrap_or_default();
        read.extend(part);
        *length += part.len();
    };
    while at < tokens.len() {
        let Some((name, used, heard)) = heard_at(tokens.get(at..).unwrap_or_default(), names) else {
            at += 1;
            continue;
        };
        copy(&mut read, &mut length, copied, heard.begin);
        let begin = length;
        read.push_str(&name.meant);
        length += name.meant.chars().count();
        places.push(Place { heard, read: Span::new(begin, length), name });
        copied = heard.end;
        at += used;
    }
    copy(&mut read, &mut length, copied, letters.len());
    Substituted { text: read, places }
}

/// The name for the most words that were heard at the beginning of some tokens.
fn heard_at<'a>(tokens: &[Token], names: &'a [Instead]) -> Option<(&'a Instead, usize, Span)> {
    let fits = |name: &&Instead| {
        let mut words = name.heard.split_whitespace();
        let mut own = tokens.iter();
        words.all(|word| own.next().is_some_and(|token| token.word == word))
    };
    let longest = names.iter().rev().filter(fits).max_by_key(|name| name.heard.split_whitespace().count())?;
    let used = longest.heard.split_whitespace().count();
    Some((longest, used, tokens.first()?.span.joined(tokens.get(used.checked_sub(1)?)?.span)))
}

impl Substituted<'_> {
    /// Places what was found in the text as it was heard; names that were put in become suggestions.
    #[must_use]
    pub fn restored(&self, mut entities: Vec<Entity>, heard: &str) -> Vec<Entity> {
        if self.places.is_empty() {
            return entities;
        }
        for entity in &mut entities {
            let place = self.places.iter().find(|place| place.read.overlaps(entity.span()));
            let span = self.back(entity.span());
            (entity.begin, entity.end) = (span.begin, span.end);
            entity.text = span.text_in(heard);
            for attribute in &mut entity.attributes {
                let span = self.back(Span::new(attribute.begin, attribute.end));
                (attribute.begin, attribute.end) = (span.begin, span.end);
                attribute.text = span.text_in(heard);
            }
            let named = matches!(entity.category, Category::Medication | Category::Allergy);
            if let Some(place) = place.filter(|_| named) {
                let heard = place.heard.text_in(heard);
                let distance = edit_distance(&heard.to_lowercase(), &place.name.meant);
                entity.suggestion = Some(Suggestion { heard, suggested: place.name.meant.clone(), distance });
                // How often what was learnt is right, nobody has measured.
                entity.score = None;
                if !entity.has(Trait::LowConfidence) {
                    entity.traits.push(Trait::LowConfidence);
                }
            }
        }
        entities
    }

    fn back(&self, span: Span) -> Span {
        let begin = self.shifted(span.begin, |place| place.begin);
        // The end belongs to the last character, which may lie in a name that was put in.
        let end = self.shifted(span.end.saturating_sub(1), |place| place.end.saturating_sub(1)) + 1;
        Span::new(begin, end.max(begin))
    }

    /// Where a character of the text that was read stands in the text that was heard.
    fn shifted(&self, at: usize, within: impl Fn(Span) -> usize) -> usize {
        let (mut heard, mut read) = (0, 0);
        for place in &self.places {
            if at < place.read.begin {
                break;
            }
            if at < place.read.end {
                return within(place.heard);
            }
            (heard, read) = (place.heard.end, place.read.end);
        }
        heard + (at - read)
    }
}

#[cfg(test)]
mod tests {
    use seva_fhir::types::Instant;

    use super::*;
    use crate::dictation::SegmentWord;
    use crate::drafting::tests::{attribute, entity};
    use crate::entities::{AttributeType, EntityType};

    fn learnt(heard: &str, meant: &str) -> Instead {
        let name = LearntName { heard: heard.into(), meant: meant.into(), times: 1, updated: Instant::from_micros(0) };
        Instead::from(&name)
    }

    #[test]
    fn what_the_engine_proposes_is_read_unless_it_heard_a_medicine() {
        let word = |text: &str, suggested: Option<&str>| SegmentWord {
            text: text.to_owned(),
            start_ms: 0,
            end_ms: 1,
            confidence: Some(0.4),
            suggested: suggested.map(str::to_owned),
        };
        let words = vec![
            word("Add", None),
            word("Suma tripton,", Some("sumatriptan")),
            word("prednisolone", Some("methylprednisolone")),
        ];
        let segment = Segment { words, ..Segment::default() };
        let proposed = Instead::proposed(&[segment]);
        assert_eq!(proposed, [learnt("suma tripton", "sumatriptan")]);
        let read = substituted("Add Suma tripton, prednisolone", &proposed);
        assert_eq!(read.text, "Add sumatriptan, prednisolone");
    }

    #[test]
    fn a_learnt_name_is_read_and_stays_a_suggestion_beside_what_was_heard() {
        let names = [learnt("met for men", "metformin"), learnt("met", "metolazone")];
        let heard = "बुखार. Tab Met for men 500 mg daily.";
        let read = substituted(heard, &names);
        assert_eq!(read.text, "बुखार. Tab metformin 500 mg daily.");
        let begin = read.text.chars().position(|letter| letter == 'm').unwrap_or_default();
        let place = |text: &str, at: usize| (at, at + text.chars().count());
        let mut medicine = entity("metformin", "metformin", Category::Medication, EntityType::GenericName);
        (medicine.begin, medicine.end) = place("metformin", begin);
        let mut strength = attribute(AttributeType::Strength, "500 mg", Some("500 mg"));
        (strength.begin, strength.end) = place("500 mg", begin + 10);
        medicine.attributes = vec![strength];
        let found = read.restored(vec![medicine], heard);
        assert_eq!(found.len(), 1);
        let found = found.first().expect("one medicine");
        assert_eq!((found.text.as_str(), found.span().text_in(heard).as_str()), ("Met for men", "Met for men"));
        let strength = found.attributes.first().map(|each| Span::new(each.begin, each.end).text_in(heard));
        assert_eq!(strength.as_deref(), Some("500 mg"));
        let suggestion = found.suggestion.as_ref().map(|each| (each.heard.as_str(), each.suggested.as_str()));
        assert_eq!(suggestion, Some(("Met for men", "metformin")));
        assert!(found.has(Trait::LowConfidence) && found.score.is_none());
    }

    #[test]
    fn a_text_without_learnt_names_is_read_as_it_is() {
        let names = [learnt("met for men", "metformin")];
        let heard = "He met for tea.";
        assert_eq!(substituted(heard, &names).text, heard);
        let tea = entity("tea", heard, Category::Medication, EntityType::GenericName);
        assert_eq!(substituted(heard, &names).restored(vec![tea.clone()], heard), [tea]);
    }

    #[test]
    fn only_what_is_no_medicine_itself_is_learnt_as_a_medicine() {
        assert!(is_learnable("Met for men", "metformin"));
        for (heard, meant) in [
            ("amlodipine", "azithromycin"),
            ("metformin", "Metformin"),
            ("met", "metformin"),
            ("met, formin", "metformin"),
            ("met for men", "unheard of"),
            ("one two three four five", "metformin"),
        ] {
            assert!(!is_learnable(heard, meant), "{heard} as {meant}");
        }
    }
}
