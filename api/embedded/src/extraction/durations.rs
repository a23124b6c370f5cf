//! For how long a complaint has lasted: "fever and cough for three days", "since yesterday", "two weeks history of".

use seva_clinic::{
    dosage::Cursor,
    entities::{AttributeType, Category},
    lexicon::Span,
};

use super::{document::Document, scores::Found};

const LINKS: [&str; 26] = [
    "and",
    ",",
    "with",
    "also",
    "associated",
    "along",
    "mild",
    "moderate",
    "severe",
    "dry",
    "high",
    "grade",
    "low",
    "of",
    "a",
    "on",
    "off",
    "or",
    "some",
    "the",
    "is",
    "there",
    "been",
    "having",
    "&",
    "continuous",
];

struct Length {
    span: Span,
    tokens: std::ops::Range<usize>,
    value: String,
    looks_ahead: bool,
}

/// Attaches each duration to the complaints that it closes or opens.
pub fn attach(document: &Document, found: &mut [Found], claimed: &[Span]) {
    for length in lengths(document, claimed) {
        let sentence = document.sentence(length.tokens.start);
        let mut owners =
            if length.looks_ahead { Vec::new() } else { chain_before(document, found, &length, sentence.start) };
        if owners.is_empty() {
            owners = chain_after(document, found, &length, sentence.end);
        }
        for owner in owners {
            if let Some(each) = found.get_mut(owner) {
                each.entity.attributes.push(document.attribute(
                    length.span,
                    AttributeType::Duration,
                    Some(length.value.clone()),
                ));
            }
        }
    }
}

fn lengths(document: &Document, claimed: &[Span]) -> Vec<Length> {
    let mut lengths = Vec::new();
    let mut at = 0;
    while at < document.tokens().len() {
        let mut cursor = Cursor::new(document.tokens());
        cursor.advance(at);
        let introduced = cursor.take_any(&[
            "for",
            "since",
            "since last",
            "since the last",
            "since past",
            "for the last",
            "for the past",
            "for past",
            "for last",
            "from",
            "from last",
            "from past",
            "over the last",
            "x",
            "last",
            "past",
        ]);
        let from = cursor.place();
        let value = if introduced && cursor.take("yesterday") {
            Some("1 d".to_owned())
        } else {
            cursor.take_length().map(|length| format!("{} {}", length.value, length.unit.code()))
        };
        let end = cursor.place();
        let mut looks_ahead = false;
        let opens = cursor.take_any(&["history of", "h/o", "of", "' history of"]);
        looks_ahead |= opens;
        let span = document.span(&(from..end));
        match (value, span) {
            (Some(value), Some(span)) if (introduced || opens) && !claimed.iter().any(|other| other.overlaps(span)) => {
                lengths.push(Length { span, tokens: from..end, value, looks_ahead });
                at = end;
            }
            _ => at += 1,
        }
    }
    lengths
}

fn is_complaint(each: &Found) -> bool {
    each.entity.category == Category::MedicalCondition
}

fn linked(document: &Document, from: usize, to: usize) -> bool {
    from <= to && to - from <= 5 && (from..to).all(|index| LINKS.contains(&document.word(index)))
}

fn chain_before(document: &Document, found: &[Found], length: &Length, floor: usize) -> Vec<usize> {
    let mut owners = Vec::new();
    // The words "for the last" stand between the complaint and the number.
    let mut edge = length.tokens.start;
    while edge > floor
        && ["for", "since", "from", "last", "past", "the", "over", "x"].contains(&document.word(edge - 1))
    {
        edge -= 1;
    }
    for (index, each) in found.iter().enumerate().rev() {
        let range = document.covering(each.entity.span());
        let near = linked(document, range.end, edge);
        if !is_complaint(each) || range.start < floor || range.end > edge || !near {
            continue;
        }
        if each.entity.attributes_of(AttributeType::Duration).next().is_some() {
            break;
        }
        owners.push(index);
        edge = range.start;
    }
    owners
}

fn chain_after(document: &Document, found: &[Found], length: &Length, ceiling: usize) -> Vec<usize> {
    let mut owners = Vec::new();
    let mut edge = length.tokens.end;
    while edge < ceiling && ["history", "of", "h/o", "'"].contains(&document.word(edge)) {
        edge += 1;
    }
    for (index, each) in found.iter().enumerate() {
        let range = document.covering(each.entity.span());
        if is_complaint(each) && range.start >= edge && range.end <= ceiling && linked(document, edge, range.start) {
            owners.push(index);
            edge = range.end;
        }
    }
    owners
}
