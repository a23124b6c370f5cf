//! Context in the manner of NegEx and ConText: cues before and after an entity, ended by words that begin another thought.

use std::ops::Range;

use seva_clinic::{
    dosage::Cursor,
    entities::{AttributeType, Category, Entity, EntityType, Trait},
    lexicon::tokens::TokenKind,
};

use super::{document::Document, scores::Found, stopped};

mod cues;

pub use cues::EARLIER;
use cues::{AFTER, BEFORE, CEASED, DENIED_BEHIND, DENIED_INSTEAD, DONE, LAST, OVER_BEHIND, TELLING, TERMINATORS};

/// How many words a cue reaches; the commas and conjunctions of a list are none.
const WINDOW: usize = 9;

/// Adds the traits that the context of an entity gives.
pub fn add_traits(document: &Document, entity: &mut Entity) {
    let range = document.covering(entity.span());
    let sentence = document.sentence(range.start);
    match entity.category {
        Category::MedicalCondition | Category::TestTreatmentProcedure => {
            before(document, &range, &sentence, entity);
            let close = |cues: &[&str]| cue_ends_at(document, range.start, sentence.start, cues).is_some();
            let is_past = match entity.kind {
                EntityType::TestName => close(&EARLIER) || close(&LAST),
                _ => close(&DONE) && is_operated(document, &range),
            };
            if is_past {
                entity.traits.push(Trait::PastHistory);
            }
            if is_asked(document, &range) && entity.category == Category::MedicalCondition {
                entity.traits.push(Trait::LowConfidence);
            }
            if is_stated_anew(document, &range, &sentence, entity) {
                entity.traits.retain(|each| *each != Trait::Negation);
            }
            after(document, &range, &sentence, entity);
        }
        Category::Medication => stopped::add_traits(document, &range, &sentence, entity),
        _ => {}
    }
    entity.traits.sort_unstable();
    entity.traits.dedup();
}

/// Returns how many words the longest cue has that ends at a place.
pub fn cue_ends_at(document: &Document, end: usize, floor: usize, cues: &[&str]) -> Option<usize> {
    let matches = |cue: &&str| {
        let mut begin = end;
        for word in cue.rsplit(' ') {
            begin = begin.checked_sub(1).filter(|begin| *begin >= floor && document.word(*begin) == word)?;
        }
        Some(end - begin)
    };
    cues.iter().filter_map(matches).max()
}

/// Tells whether one of the cues begins at a place.
pub fn cue_begins_at(document: &Document, begin: usize, ceiling: usize, cues: &[&str]) -> bool {
    let matches = |cue: &&str| {
        let mut end = begin;
        cue.split(' ').all(|word| {
            end += 1;
            end <= ceiling && document.word(end - 1) == word
        })
    };
    cues.iter().any(matches)
}

fn before(document: &Document, range: &Range<usize>, sentence: &Range<usize>, entity: &mut Entity) {
    let mut end = range.start;
    let floor = reach(document, range.start, sentence.start);
    let mut family = false;
    let mut relative = false;
    if entity.category == Category::MedicalCondition && is_non(document, range) {
        entity.traits.push(Trait::Negation);
    }
    while end > floor {
        let mut step = 1;
        if is_affirmed(document, end - 1, sentence.start) {
            break;
        }
        // "h/o smoking, no h/o stroke": what stands before a denial and its comma is another statement.
        if document.word(end - 1) == "," && entity.has(Trait::Negation) {
            break;
        }
        for (found, cues) in BEFORE {
            let Some(length) = cue_ends_at(document, end, sentence.start, cues) else {
                continue;
            };
            if is_pseudo(document, found, end, length)
                || (found == Trait::PastHistory && (family || longer_denial(document, end, sentence.start)))
            {
                continue;
            }
            // A test is not denied by a "no" that belongs to a complaint before it.
            let distant = range.start.saturating_sub(end) > 1;
            if found == Trait::Negation && distant && entity.category == Category::TestTreatmentProcedure {
                continue;
            }
            // "History of diabetes, HbA1c 8.2" tells of a result of today.
            if found == Trait::PastHistory && end < range.start && entity.kind == EntityType::TestName {
                continue;
            }
            if found == Trait::LowConfidence && entity.category != Category::MedicalCondition {
                continue;
            }
            family |= found == Trait::FamilyHistory;
            relative |= found == Trait::FamilyHistory && length == 1;
            step = step.max(length);
            entity.traits.push(found);
        }
        if TERMINATORS.contains(&document.word(end - 1)) && !follows_relative(document, end, sentence.start) {
            break;
        }
        // A relative opens a statement of its own: "no diabetes, mother hypertensive".
        if relative {
            break;
        }
        end = end.saturating_sub(step);
    }
}

fn reach(document: &Document, start: usize, floor: usize) -> usize {
    let (mut at, mut words) = (start, 0);
    while at > floor && words < WINDOW {
        at -= 1;
        words += usize::from(!matches!(document.word(at), "," | "or" | "and"));
    }
    at
}

/// "non-diabetic"; a cough that is not productive is one all the same.
fn is_non(document: &Document, range: &Range<usize>) -> bool {
    let productive = |at: usize| document.word(at).ends_with("productive");
    let joined = document.word(range.start).strip_prefix("non-").is_some_and(|rest| !rest.starts_with("productive"));
    let apart =
        range.start.checked_sub(1).is_some_and(|before| document.word(before) == "non") && !productive(range.start);
    joined || apart
}

/// "no fever, headache present", "not diabetic, loose stools since yesterday": behind a comma something is said of it alone.
fn is_stated_anew(document: &Document, range: &Range<usize>, sentence: &Range<usize>, entity: &Entity) -> bool {
    let joined = |at: usize| matches!(document.word(at), "or" | "nor");
    let comma = (sentence.start..range.start).rev().find(|at| document.word(*at) == ",");
    // "no pallor, mild icterus"
    let slight = ["mild", "minimal", "slight", "occasional"];
    if comma.is_some_and(|comma| comma + 2 == range.start && slight.contains(&document.word(comma + 1))) {
        return true;
    }
    if comma.is_none_or(|comma| (comma..range.start).any(|at| is_denial(document.word(at)))) {
        return false;
    }
    let listed = (sentence.start..range.start).any(joined) || joined(range.end);
    let present = [
        "present",
        "is present",
        "positive",
        "is positive",
        "noted",
        "persists",
        "persisting",
        "is there",
        "minimal",
        "mild",
        "moderate",
        "severe",
        "occasional",
        "reduced",
        "increased",
        "improving",
        "improved",
        "persistent",
        "continues",
        "better",
        "worse",
        "worsening",
    ];
    let lasting = entity.attributes_of(AttributeType::Duration).any(|length| {
        let mut since = Cursor::new(document.tokens());
        since.advance(range.end);
        length.begin > entity.begin && since.take_any(&["since", "for", "from", "x"])
    });
    cue_begins_at(document, range.end, sentence.end, &present) || (lasting && !listed)
}

/// "no polyuria, thirst present, weight loss": behind a comma "present" ends the reach of what stands before it.
fn is_affirmed(document: &Document, at: usize, floor: usize) -> bool {
    let word = |back: usize| at.checked_sub(back).filter(|at| *at >= floor).map_or("", |at| document.word(at));
    if document.word(at) != "present" || matches!(word(1), "at" | "not" | "no") {
        return false;
    }
    let comma = (floor..at).rev().find(|at| document.word(*at) == ",");
    comma.is_some_and(|comma| !(comma..at).any(|at| is_denial(document.word(at))))
}

/// "post cataract surgery"; a cough after a viral fever is one of today.
fn is_operated(document: &Document, range: &Range<usize>) -> bool {
    ["surgery", "operation", "repair", "removal", "extraction"].contains(&document.word(range.end))
}

/// "? dengue": the mark before a name asks whether it is that.
fn is_asked(document: &Document, range: &Range<usize>) -> bool {
    let span = |at: usize| document.tokens().get(at).map(|token| token.span);
    let Some(mark) = range.start.checked_sub(1).filter(|mark| document.word(*mark) == "?") else { return false };
    // The mark of "any fever?" stands at its word.
    let before = mark.checked_sub(1).and_then(span);
    span(mark).is_some_and(|mark| before.is_none_or(|before| before.end < mark.begin))
}

/// "malaria and dengue ruled out", "vomiting or pain absent": what is said behind two findings is said of both.
pub fn share_denial(document: &Document, found: &mut [Found]) {
    let findings = |each: &Found| each.entity.category == Category::MedicalCondition;
    let places: Vec<usize> = (0..found.len()).filter(|at| found.get(*at).is_some_and(findings)).collect();
    for pair in places.windows(2).rev() {
        let [first, second] = pair else { continue };
        let (Some(one), Some(other)) = (found.get(*first), found.get(*second)) else { continue };
        let (one, other) = (document.covering(one.entity.span()), document.covering(other.entity.span()));
        let sentence = document.sentence(one.start);
        let joined = other.start == one.end + 1 && matches!(document.word(one.end), "and" | "or" | "&");
        let behind = |cues: &[&str]| (0..2).any(|skip| cue_begins_at(document, other.end + skip, sentence.end, cues));
        let said = match (behind(&DENIED_BEHIND), behind(&OVER_BEHIND)) {
            (true, _) => Trait::Negation,
            (_, true) => Trait::PastHistory,
            _ => continue,
        };
        // "Has fever and vomiting absent" says two things.
        let opens = one.start == sentence.start || document.word(one.start - 1) == ",";
        if let Some(each) = found.get_mut(*first).filter(|_| joined && opens) {
            each.entity.traits.push(said);
            each.entity.traits.sort_unstable();
            each.entity.traits.dedup();
        }
    }
}

/// Tells whether a word denies what follows.
pub fn is_denial(word: &str) -> bool {
    ["no", "not", "denies", "denied", "without", "never", "nil", "neither"].contains(&word)
}

/// "no history of" denies; it does not also say that there was something.
fn longer_denial(document: &Document, end: usize, floor: usize) -> bool {
    cue_ends_at(document, end, floor, &["no history of", "no past history of", "no h/o", "denies history of"]).is_some()
}

/// "mother has diabetes": the verb does not end the reach of the relative.
fn follows_relative(document: &Document, end: usize, floor: usize) -> bool {
    let has = matches!(document.word(end - 1), "has" | "with");
    has && cue_ends_at(document, end - 1, floor, BEFORE.first().map_or(&[][..], |(_, cues)| cues)).is_some()
}

/// Tells whether a cue means something else here: "no change in", "three days history of", "not only", "no relief".
fn is_pseudo(document: &Document, found: Trait, end: usize, length: usize) -> bool {
    let begin = end - length;
    match found {
        Trait::Negation => {
            let next = document.word(end);
            // "Diabetes: no, hypertension: yes": an answer belongs to what stands before it.
            let answers = matches!(document.word(begin), "no" | "nil") && length == 1 && ends_item(document, end);
            let any = usize::from(next == "any");
            DENIED_INSTEAD.contains(&document.word(end + any)) || answers
        }
        Trait::FamilyHistory => TELLING.contains(&document.word(end)),
        Trait::PastHistory => {
            let previous = begin.checked_sub(1).map_or("", |index| document.word(index));
            let lasting =
                ["day", "days", "day's", "days'", "week", "weeks", "month", "months", "year", "years", "hours"];
            let counted = document.tokens().get(end).is_some_and(|token| token.number().is_some());
            lasting.contains(&previous)
                || (document.word(begin) == "past" && counted)
                || matches!(previous, "the" if document.word(begin) == "past")
        }
        _ => false,
    }
}

/// Tells whether the item of a list ends at a place.
fn ends_item(document: &Document, at: usize) -> bool {
    let token = document.tokens().get(at);
    token.is_none_or(|token| token.kind == TokenKind::Stop || token.word == ",")
}

/// "Rash: no", "cough -, fever +".
fn is_answered(document: &Document, end: usize) -> bool {
    let at = end + usize::from(matches!(document.word(end), ":" | "("));
    let open = usize::from(document.word(end) == "(");
    match document.word(at) {
        "no" => ends_item(document, at + 1),
        "-" | "–" => ends_item(document, at + 1 + open),
        _ => false,
    }
}

/// "jaundice in 2015"
fn is_dated(document: &Document, end: usize) -> bool {
    let year = document.tokens().get(end + 1).and_then(|token| token.number()?.as_whole());
    document.word(end) == "in" && year.is_some_and(|year| (1940..2100).contains(&year))
}

fn after(document: &Document, range: &Range<usize>, sentence: &Range<usize>, entity: &mut Entity) {
    if entity.category == Category::MedicalCondition && is_answered(document, range.end) {
        entity.traits.push(Trait::Negation);
    }
    if entity.has(Trait::Symptom) && cue_begins_at(document, range.end, sentence.end, &CEASED) {
        entity.traits.push(Trait::PastHistory);
    }
    if is_dated(document, range.end) {
        entity.traits.push(Trait::PastHistory);
    }
    for (found, cues) in AFTER {
        for skip in 0..3 {
            let from = range.end + skip;
            if skip > 0
                && !matches!(
                    document.word(from - 1),
                    "is" | "are"
                        | "was"
                        | "were"
                        | "has"
                        | "have"
                        | "been"
                        | "three"
                        | "two"
                        | "few"
                        | "some"
                        | ":"
                        | "-"
                )
                && document.tokens().get(from - 1).is_none_or(|token| token.number().is_none())
            {
                break;
            }
            if cue_begins_at(document, from, sentence.end, cues) {
                entity.traits.push(found);
            }
        }
    }
}
