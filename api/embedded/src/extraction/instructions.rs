//! The words of an order that its grammar does not read: "while awake", "dissolved in water". They are kept as they were said.

use std::ops::Range;

use seva_clinic::{
    dosage::TOLD,
    entities::{AttributeType, Category, Entity},
    lexicon::{Span, tokens::TokenKind},
};

use super::{document::Document, scores::Found};

/// Longer than this no instruction is: without a full stop the words after an order may be about anything.
const MOST: usize = 12;

/// Words with which something else begins.
const OTHERS: [&str; 28] = [
    "i",
    "we",
    "will",
    "refer",
    "referred",
    "send",
    "get",
    "order",
    "check",
    "next",
    "thank",
    "thanks",
    "okay",
    "ok",
    "so",
    "now",
    "also",
    "then",
    "impression",
    "examination",
    "was",
    "were",
    "had",
    "has",
    "his",
    "her",
    "no",
    "same",
];

/// Words with which a condition begins: what it names is no statement of its own.
const CONDITIONS: [&str; 7] = ["if", "when", "whenever", "unless", "until", "till", "while"];

/// Words that say nothing at the end of an instruction; nothing else, they are none.
const FILLERS: [&str; 20] = [
    "a", "and", "as", "at", "be", "dose", "for", "in", "is", "it", "of", "on", "take", "taken", "the", "this", "to",
    "with", "or", "there",
];

/// Words with which no instruction begins.
const OPENERS: [&str; 9] = ["a", "and", "is", "it", "dose", "or", "the", "this", "there"];

/// Adds to each medicine the words that follow what was read of it, up to the end of what it owns or the next statement.
pub fn attach(document: &Document, found: &mut [Found], ends: &[(Span, usize)]) {
    let others: Vec<Span> = found.iter().map(|each| each.entity.span()).collect();
    for each in found.iter_mut().filter(|each| each.entity.category == Category::Medication) {
        let Some((_, end)) = ends.iter().find(|(span, _)| *span == each.entity.span()) else { continue };
        let words = tail(document, &each.entity, *end, &others);
        if let Some(span) = document.span(&words).filter(|_| !words.is_empty()) {
            each.entity.attributes.push(document.attribute(span, AttributeType::Instruction, None));
        }
    }
}

/// The words behind the last one that was read.
fn tail(document: &Document, order: &Entity, end: usize, others: &[Span]) -> Range<usize> {
    let last = order.attributes.iter().map(|part| part.end).fold(order.end, usize::max);
    let from = document.covering(Span::new(order.begin, last)).end;
    let mut at = from;
    let mut condition = None;
    while at < end {
        let Some(token) = document.tokens().get(at).filter(|token| token.kind != TokenKind::Stop) else { break };
        let word = token.word.as_str();
        let stated = condition.is_none() && others.iter().any(|other| other.overlaps(token.span));
        if stated || OTHERS.contains(&word) {
            break;
        }
        // "If fever persists, come back" is advice.
        if TOLD.contains(&word) {
            at = condition.unwrap_or(at);
            break;
        }
        if CONDITIONS.contains(&word) {
            condition = condition.or(Some(at));
        }
        at += 1;
    }
    if at == end && at < document.tokens().len() && !is_stop(document, at) {
        at = condition.unwrap_or(at);
    }
    trimmed(document, from..at)
}

fn is_stop(document: &Document, at: usize) -> bool {
    document.tokens().get(at).is_some_and(|token| token.kind == TokenKind::Stop)
}

/// Without marks and fillers around it; what is too long ends at its first comma.
fn trimmed(document: &Document, words: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = words;
    let is_one_of = |at: usize, list: &[&str]| {
        let mark = document.tokens().get(at).is_none_or(|token| token.kind == TokenKind::Mark);
        mark || list.contains(&document.word(at))
    };
    while start < end && is_one_of(start, &OPENERS) {
        start += 1;
    }
    if end - start > MOST {
        end = (start..end).find(|at| document.word(*at) == ",").filter(|comma| comma - start <= MOST).unwrap_or(start);
    }
    while start < end && is_one_of(end - 1, &FILLERS) {
        end -= 1;
    }
    start..end
}
