//! How far the words of an order reach: what stands before a name, and what follows it until another thought begins.

use seva_clinic::{
    dosage::{Cursor, form_named, read, unit_named},
    lexicon::{
        Span,
        concepts::ConceptKind,
        tokens::{Token, TokenKind},
    },
};

use super::{
    document::Document,
    matcher::{Hit, Term},
};

const BOUNDARIES: [&str; 25] = [
    "temperature",
    "allergic",
    "allergies",
    "allergy",
    "advise",
    "advised",
    "review",
    "follow",
    "prescribe",
    "prescribed",
    "start",
    "give",
    "add",
    "patient",
    "he",
    "she",
    "stop",
    "avoid",
    "come",
    "continue",
    "bp",
    "pulse",
    "diagnosis",
    "complains",
    "investigations",
];

/// Words with which an order begins.
pub const ORDERS: [&str; 14] = [
    "prescribe",
    "prescribed",
    "give",
    "given",
    "start",
    "started",
    "add",
    "take",
    "tab",
    "tablet",
    "cap",
    "capsule",
    "syrup",
    "inj",
];

/// Words that open an order whose dosage may stand before its name.
const OPENERS: [&str; 5] = ["give", "start", "add", "prescribe", "prescribed"];

/// Tests and measurements end what a medicine owns, and findings that a comma tells apart from it: "500 mg BD, seizure free for
/// one year".
pub fn barriers(document: &Document, hits: &[Hit], claimed: &[Span]) -> Vec<usize> {
    let ends = |hit: &&Hit| match hit.term {
        Term::Concept(concept) => match concept.kind {
            ConceptKind::Test | ConceptKind::Procedure => true,
            ConceptKind::Condition | ConceptKind::Symptom => is_told_apart(document, document.covering(hit.span).start),
            ConceptKind::Anatomy => false,
        },
        Term::Product(_) => false,
    };
    let ended = hits.iter().filter(ends).map(|hit| hit.span).chain(claimed.iter().copied());
    ended.map(|span| document.covering(span).start).collect()
}

/// A finding right behind a comma, unless it is what a dose is taken for: "SOS for pain, fever".
fn is_told_apart(document: &Document, at: usize) -> bool {
    let sentence = document.sentence(at).start;
    let reasons = ["for", "if", "when", "whenever", "case", "sos", "prn", "needed", "required", "or"];
    let asked = |at: usize| reasons.contains(&document.word(at));
    let behind = at.checked_sub(1).is_some_and(|comma| document.word(comma) == ",");
    behind && !(at.saturating_sub(5).max(sentence)..at).any(asked)
}

/// Goes back to where an order begins that says its dosage before its name: "three times a day one tablet of".
pub fn leading(document: &Document, name: usize, floor: usize) -> usize {
    let near = timed_prefix(document, name, floor).unwrap_or_else(|| prefix(document, name, floor));
    let sentence = document.sentence(name).start;
    let opener = (sentence.max(floor)..name).rev().find(|at| OPENERS.contains(&document.word(*at)));
    let Some(start) = opener.map(|at| at + 1).or((sentence >= floor).then_some(sentence)) else { return near };
    let words = document.tokens().get(start..name).unwrap_or_default();
    let leads = (1..=12).contains(&words.len())
        && is_only(words, &["of", "with", "for", "only", "put", "instil", "instill", "and"]);
    if leads { start.min(near) } else { near }
}

/// Goes back over "night" of "metformin 500 mg in the morning, at night glimepiride".
fn timed_prefix(document: &Document, name: usize, floor: usize) -> Option<usize> {
    let comma = (floor.max(name.saturating_sub(4))..name).rev().find(|at| document.word(*at) == ",")?;
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(comma + 1);
    let times =
        ["morning", "in the morning", "afternoon", "evening", "in the evening", "night", "at night", "at bedtime"];
    (cursor.take_any(&times) && cursor.place() == name).then_some(comma + 1)
}

/// Goes back over "tab", "two puffs of", "650 mg of" to the first token that belongs to the medicine.
fn prefix(document: &Document, name: usize, floor: usize) -> usize {
    let word = |index: usize| document.word(index);
    let mut at = name;
    while at > floor && matches!(word(at - 1), "." | ":") {
        at -= 1;
    }
    let of = at > floor && word(at - 1) == "of";
    let mut start = if of { at - 1 } else { at };
    while start > floor && name - start < 5 {
        let token = document.tokens().get(start - 1);
        let fits = form_named(word(start - 1)).is_some()
            || unit_named(word(start - 1)).is_some()
            || matches!(word(start - 1), "oral" | "topical" | "iv" | "intravenous" | "nebulised" | "nebulized")
            || token.is_some_and(|token| (of || start < at) && token.number().is_some());
        if !fits {
            break;
        }
        start -= 1;
    }
    // A form between two medicines belongs to the first, unless the words say otherwise.
    let opens = start == 0
        || start == floor
        || matches!(word(start - 1), "," | "and" | "." | "then" | "-" | ")")
        || ORDERS.contains(&word(start - 1))
        || is_stop(document, start - 1);
    if start < at && (of || (opens && start > floor) || (opens && floor == 0)) { start } else { name }
}

fn is_stop(document: &Document, index: usize) -> bool {
    document.tokens().get(index).is_some_and(|token| token.kind == TokenKind::Stop)
}

/// Returns the token that ends what a medicine owns.
pub fn region_end(document: &Document, from: usize, limit: usize, barriers: &[usize]) -> usize {
    let mut at = from;
    while at < limit {
        let other = BOUNDARIES.contains(&document.word(at))
            && !is_lengthened(document, at)
            && !is_condition(document, at)
            && !is_first_dose(document, at);
        if barriers.contains(&at) || other {
            break;
        }
        if is_stop(document, at) {
            let next = document.sentence(at + 1);
            // A speech engine may put a full stop inside an order: a sentence that is nothing but dosage goes on.
            if next.end > limit
                || next.is_empty()
                || !is_only_dosage(document.tokens().get(next.clone()).unwrap_or_default())
            {
                break;
            }
            at = next.end;
            continue;
        }
        at += 1;
    }
    at.min(limit)
}

/// "prednisolone, start with 40 mg"
fn is_first_dose(document: &Document, at: usize) -> bool {
    let counted = document.tokens().get(at + 2).is_some_and(|token| token.number().is_some());
    document.word(at) == "start" && matches!(document.word(at + 1), "with" | "at" | "from") && counted
}

/// "only if temperature is above 101" belongs to the order before it.
fn is_condition(document: &Document, at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |before| document.word(before));
    matches!(before, "if" | "when" | "whenever")
        && matches!(document.word(at), "temperature" | "he" | "she" | "patient")
}

/// "continue for six months" belongs to the order before it; "continue metformin" is another one.
fn is_lengthened(document: &Document, at: usize) -> bool {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    let said = cursor.take("continue") && {
        if cursor.take_any(&["lifelong", "life long", "indefinitely"]) {
            return true;
        }
        cursor.take_any(&[
            "it",
            "same",
            "the same",
            "this",
            "same dose",
            "the same dose",
            "this dose",
            "same treatment",
        ]);
        cursor.take_any(&["for", "for another", "for the next", "for at least"])
    };
    said && (cursor.take_fraction().is_some() || cursor.take_length().is_some())
}

fn is_only_dosage(tokens: &[Token]) -> bool {
    is_only(
        tokens,
        &[
            "take",
            "and",
            "it",
            "to",
            "be",
            "taken",
            "the",
            "this",
            "same",
            "continue",
            "then",
            "thereafter",
            "followed",
            "by",
            "both",
            "all",
        ],
    )
}

fn is_only(tokens: &[Token], fillers: &[&str]) -> bool {
    let parts = read(tokens).parts;
    let understood = |token: &Token| parts.iter().any(|part| part.span.overlaps(token.span));
    let filler = |token: &Token| token.kind == TokenKind::Mark || fillers.contains(&token.word.as_str());
    !parts.is_empty() && tokens.iter().all(|token| understood(token) || filler(token))
}
