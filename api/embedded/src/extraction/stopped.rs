//! Medicines that are not ordered: stopped, replaced, taken back while speaking, or taken before.

use std::ops::Range;

use seva_clinic::{
    dosage::{form_named, unit_named},
    entities::{AttributeType, Category, Entity, Trait},
    lexicon::Span,
};

use super::{
    context::{cue_begins_at, cue_ends_at},
    document::Document,
    scores::Found,
};

const STOPPED: [&str; 36] = [
    "stop",
    "avoid",
    "discontinue",
    "do not take",
    "don't take",
    "do not give",
    "don't give",
    "do not start",
    "don't start",
    "do not use",
    "don't use",
    "do not prescribe",
    "never give",
    "not to give",
    "not to take",
    "not taking",
    "not take",
    "not give",
    "hold",
    "no",
    "not",
    "not on",
    "stop taking",
    "withhold",
    "omit",
    "replace",
    "replaced",
    "instead of",
    "in place of",
    "switch from",
    "switched from",
    "change from",
    "shift from",
    "shifted from",
    "no need of",
    "no need for",
];

/// Cues that deny only what follows them at once: "no alcohol with metronidazole" stops no medicine.
const NEAR: [&str; 2] = ["no", "not"];

const PAST: [&str; 31] = [
    "was on",
    "was taking",
    "previously on",
    "used to take",
    "had taken",
    "has taken",
    "have taken",
    "already taken",
    "already took",
    "taken",
    "took",
    "had",
    "tried",
    "received",
    "was given",
    "were given",
    "was prescribed",
    "treated with",
    "relief with",
    "relief from",
    "improvement with",
    "response with",
    "relieved with",
    "relieved by",
    "responding to",
    "response to",
    "responded to",
    "despite",
    "in spite of",
    "relief after",
    "reaction after",
];

/// Cues behind a medicine or what is said of it.
const STOPPED_AFTER: [&str; 30] = [
    "stopped",
    "is stopped",
    "was stopped",
    "has been stopped",
    "to be stopped",
    "discontinued",
    "is discontinued",
    "was discontinued",
    "has been discontinued",
    "to be discontinued",
    "withheld",
    "to be withheld",
    "not needed",
    "not required",
    "is not needed",
    "is not required",
    "not advised",
    "not indicated",
    "not to be given",
    "not to be taken",
    "not to be used",
    "contraindicated",
    "is contraindicated",
    "ruled out",
    "to be avoided",
    "is to be avoided",
    "should be avoided",
    "must be avoided",
    "nahi lena",
    "band karo",
];

const PAST_AFTER: [&str; 12] = [
    "was advised",
    "was given",
    "was taken",
    "was prescribed",
    "was tried",
    "was used",
    "taken at home",
    "taken yesterday",
    "taken earlier",
    "given outside",
    "given earlier",
    "taken outside",
];

/// Words with which another order begins, or the other one of two medicines.
const OTHERS: [&str; 13] =
    ["start", "give", "prescribe", "add", "and", "take", ",", "with", "to", "by", "then", "but", "continue"];

/// Adds the traits that say that a medicine is not ordered.
pub fn add_traits(document: &Document, range: &Range<usize>, sentence: &Range<usize>, entity: &mut Entity) {
    let name = name(document, range.start, sentence.start);
    let floor = sentence.start.max(name.saturating_sub(3));
    for end in (floor + 1..=range.start).rev() {
        let cue = cue_ends_at(document, end, sentence.start, &STOPPED);
        let far = end < name && NEAR.contains(&document.word(end - 1));
        if let Some(length) = cue.filter(|_| !far)
            && !is_kept(document, end - length, sentence.start)
        {
            entity.traits.push(Trait::Negation);
        }
        let past = cue_ends_at(document, end, sentence.start, &PAST);
        if past.is_some_and(|length| !is_to_be(document, end - length, sentence.start)) {
            entity.traits.push(Trait::PastHistory);
        }
        if OTHERS.contains(&document.word(end - 1)) {
            break;
        }
    }
    if !entity.has(Trait::PastHistory) {
        after(document, range, sentence, entity);
    }
}

/// Goes back over "tab", "one tablet of", "any" before a name.
fn name(document: &Document, start: usize, floor: usize) -> usize {
    let mut at = start;
    while at > floor && start - at < 6 {
        let word = document.word(at - 1);
        let fills = matches!(word, "of" | "the" | "any" | "his" | "her" | "some" | "a" | "." | "dose");
        let counts = document.tokens().get(at - 1).is_some_and(|token| token.number().is_some());
        if !fills && !counts && form_named(word).is_none() && unit_named(word).is_none() {
            break;
        }
        at -= 1;
    }
    at
}

/// "do not stop aspirin", "no need to stop".
fn is_kept(document: &Document, cue: usize, floor: usize) -> bool {
    let kept = ["not", "don't", "never", "not to", "need to", "without"];
    !NEAR.contains(&document.word(cue)) && cue_ends_at(document, cue, floor, &kept).is_some()
}

/// "to be taken".
fn is_to_be(document: &Document, cue: usize, floor: usize) -> bool {
    cue_ends_at(document, cue, floor, &["be", "to be", "can be", "should be"]).is_some()
}

fn after(document: &Document, range: &Range<usize>, sentence: &Range<usize>, entity: &mut Entity) {
    let read = entity.attributes.iter().filter(|part| part.kind != AttributeType::Instruction);
    let last = read.map(|part| part.end).fold(entity.end, usize::max);
    let ends = [range.end, document.covering(Span::new(entity.begin, last)).end];
    for end in ends {
        let mut at = end;
        while matches!(document.word(at), "," | "tablet" | "tablets" | "injection" | "syrup") {
            at += 1;
        }
        if cue_begins_at(document, at, sentence.end, &STOPPED_AFTER) && !is_other(document, at) {
            entity.traits.push(Trait::Negation);
        }
        if cue_begins_at(document, at, sentence.end, &PAST_AFTER) {
            entity.traits.push(Trait::PastHistory);
        }
    }
}

/// "aspirin 75 mg od stopped smoking": something else was stopped.
fn is_other(document: &Document, at: usize) -> bool {
    let habits = ["smoking", "alcohol", "drinking", "tobacco", "all", "taking", "eating", "working", "his", "her"];
    matches!(document.word(at), "stopped" | "discontinued") && habits.contains(&document.word(at + 1))
}

/// "stop aspirin and clopidogrel" stops both, "treated with ceftriaxone and azithromycin" tells of both: a bare name shares what
/// is said of the one before it.
pub fn share(document: &Document, found: &mut [Found]) {
    let doses = [AttributeType::Dosage, AttributeType::Strength, AttributeType::Frequency, AttributeType::Duration];
    let bare = |entity: &Entity| !entity.attributes.iter().any(|part| doses.contains(&part.kind));
    let mut before: Option<(Span, Trait)> = None;
    for each in found.iter_mut().filter(|each| each.entity.category == Category::Medication) {
        let entity = &mut each.entity;
        let range = document.covering(entity.span());
        let joined = before.filter(|_| bare(entity)).filter(|(other, _)| {
            let from = document.covering(*other).end;
            let mut between = from..range.start;
            let listed = between.any(|at| matches!(document.word(at), "and" | "or" | "nor" | ","));
            listed && (from..range.start).all(|at| is_link(document.word(at)))
        });
        let said = [Trait::Negation, Trait::PastHistory].into_iter().find(|said| entity.has(*said));
        if let Some((_, shared)) = joined.filter(|_| said.is_none()) {
            entity.traits.push(shared);
            before = Some((entity.span(), shared));
        } else {
            before = said.filter(|_| bare(entity)).map(|said| (entity.span(), said));
        }
    }
}

fn is_link(word: &str) -> bool {
    matches!(word, "and" | "or" | "nor" | ",") || form_named(word).is_some()
}

/// "change amlodipine 5 mg to telmisartan 40 mg": whether another medicine takes the place of one.
pub fn is_replaced(document: &Document, name: &Range<usize>, next: usize) -> bool {
    let begins = self::name(document, name.start, document.sentence(name.start).start);
    let changed = ["change", "changed", "switch", "switched", "shift", "shifted", "substitute"];
    let cue = (1..=2).filter_map(|back| begins.checked_sub(back)).any(|at| changed.contains(&document.word(at)));
    let other = self::name(document, next, name.end).checked_sub(1).map_or("", |at| document.word(at));
    cue && matches!(other, "to" | "with" | "by") && document.sentence(name.start).contains(&next)
}

/// "ibuprofen, sorry, paracetamol", "alprazolam, no, not alprazolam": whether the words between two names take the first back.
pub fn is_taken_back(document: &Document, between: Range<usize>, same: bool) -> bool {
    let words: Vec<&str> = between.map(|at| document.word(at)).filter(|word| !matches!(*word, "," | ".")).collect();
    let cue = |word: &&str| matches!(*word, "sorry" | "mean" | "meant" | "correction" | "rather");
    let fills = |word: &&str| matches!(*word, "no" | "not" | "i" | "or" | "it" | "is") || form_named(word).is_some();
    words.iter().all(|word| cue(word) || fills(word))
        && (words.iter().any(cue) || (same && words.windows(2).any(|pair| pair == ["no", "not"])))
}
