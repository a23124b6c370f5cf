//! Allergies and their stated absence: "no known allergies", "allergic to penicillin", "sulfa allergy".

use seva_clinic::{
    dosage::Cursor,
    entities::{Category, Coding, EntityType, Trait},
    lexicon::{Span, tokens::TokenKind},
};

use super::{
    document::Document,
    matcher::{Hit, Term},
    scores::{Evidence, Found},
};

/// Statements that there is none which do not begin with "no".
const NONE_KNOWN: [&str; 12] = [
    "not allergic to anything",
    "not allergic to any medicine",
    "not allergic to any medicines",
    "not allergic to any medication",
    "not allergic to any drug",
    "not allergic to any drugs",
    "not allergic to any food",
    "nkda",
    "nka",
    "allergies nil",
    "allergies none",
    "allergy nil",
];

/// Words between "no" and "allergies".
const OF_ALLERGIES: [&str; 14] = [
    "known",
    "history",
    "of",
    "h/o",
    "any",
    "drug",
    "food",
    "or",
    "and",
    "medicine",
    "medication",
    "past",
    "significant",
    "other",
];

const RELATIVES: [&str; 11] = [
    "mother",
    "father",
    "brother",
    "sister",
    "son",
    "daughter",
    "wife",
    "husband",
    "grandmother",
    "grandfather",
    "family",
];

/// What "no known allergies" may be followed by without naming a substance.
const GENERAL: [&str; 9] = [
    "to any medicine",
    "to any medicines",
    "to any drug",
    "to any drugs",
    "to medicines",
    "to drugs",
    "to medication",
    "to any medication",
    "to anything",
];

/// Substances outside the formulary to which people are allergic.
const SUBSTANCES: [&str; 26] = [
    "penicillin",
    "penicillins",
    "sulfa",
    "sulfa drugs",
    "sulpha",
    "sulpha drugs",
    "cephalosporins",
    "nsaids",
    "painkillers",
    "peanuts",
    "peanut",
    "eggs",
    "egg",
    "milk",
    "fish",
    "shellfish",
    "prawns",
    "dust",
    "pollen",
    "latex",
    "iodine",
    "contrast",
    "bee stings",
    "wheat",
    "soya",
    "nuts",
];

/// Finds statements about allergies.
pub fn find(document: &Document, hits: &[Hit]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < document.tokens().len() {
        let mut cursor = Cursor::new(document.tokens());
        cursor.advance(at);
        let next = none_known(document, &mut cursor, &mut found)
            .or_else(|| allergic_to(document, hits, &mut cursor, &mut found))
            .or_else(|| substance_allergy(document, hits, &mut cursor, &mut found));
        at = next.filter(|next| *next > at).unwrap_or(at + 1);
    }
    found
}

fn none_known(document: &Document, cursor: &mut Cursor<'_>, found: &mut Vec<Found>) -> Option<usize> {
    let from = cursor.place();
    if !cursor.take_any(&NONE_KNOWN) && !take_none(cursor) {
        return None;
    }
    // "no allergies to penicillin" denies one substance, which the next rule reads.
    let general = cursor.take_any(&GENERAL);
    if cursor.word(0) == "to" && !general {
        return None;
    }
    let mut entity = document.entity(cursor.span_from(from)?, Category::Allergy, EntityType::Substance);
    entity.traits.push(Trait::Negation);
    found.push(Found { entity, evidence: Evidence::AllergyStatement });
    Some(cursor.place())
}

/// Takes "no known drug allergies", "no h/o any allergy", "denies any allergies".
fn take_none(cursor: &mut Cursor<'_>) -> bool {
    let mut attempt = *cursor;
    if !attempt.take_any(&["no", "nil", "denies", "denied", "without"]) {
        return false;
    }
    for _ in 0..6 {
        if !OF_ALLERGIES.contains(&attempt.word(0)) {
            break;
        }
        attempt.advance(1);
    }
    let said = attempt.take_any(&["allergy", "allergies", "allergic history"]);
    if said {
        attempt.take_any(&["known", "history"]);
        *cursor = attempt;
    }
    said
}

/// Tells whether a statement about an allergy is denied: "no history of allergy to penicillin".
fn is_denied(document: &Document, at: usize) -> bool {
    let mut at = at;
    while let Some(previous) = at.checked_sub(1) {
        if !OF_ALLERGIES.contains(&document.word(previous)) {
            return matches!(document.word(previous), "not" | "no" | "never" | "denies" | "denied" | "without" | "nil");
        }
        at = previous;
    }
    false
}

/// Tells whether somebody else has it: "father has dust allergy".
fn is_of_relative(document: &Document, at: usize) -> bool {
    let sentence = document.sentence(at);
    (1..=3).filter_map(|back| at.checked_sub(back)).filter(|place| *place >= sentence.start).any(|place| {
        RELATIVES.contains(&document.word(place))
            && (place + 1..at)
                .all(|between| matches!(document.word(between), "has" | "had" | "is" | "with" | "of" | "history"))
    })
}

fn allergic_to(document: &Document, hits: &[Hit], cursor: &mut Cursor<'_>, found: &mut Vec<Found>) -> Option<usize> {
    let from = cursor.place();
    if !cursor.take_any(&[
        "allergic to",
        "allergy to",
        "allergies to",
        "allergic reaction to",
        "known allergy to",
        "reacts to",
        "reaction to",
        "reactions to",
        "reacted to",
        "hypersensitive to",
        "hypersensitivity to",
        "anaphylaxis to",
        "intolerant to",
        "intolerance to",
    ]) || is_of_relative(document, from)
    {
        return None;
    }
    let denied = is_denied(document, from);
    let mut last = None;
    loop {
        cursor.take_any(&["the", "any", "drug", "medicine"]);
        let at = cursor.place();
        let Some((end, codings)) = substance(document, hits, at) else {
            break;
        };
        if let Some(span) = document.span(&(at..end)) {
            found.push(allergy(document, span, codings, denied));
        }
        cursor.advance(end - at);
        last = Some(end);
        if !cursor.take_any(&["and", "or", ",", ", and"]) {
            break;
        }
    }
    last.or_else(|| unknown_substance(document, cursor, denied, found))
}

/// Keeps a substance that no list knows: losing an allergy is worse than keeping an odd word, so it is marked doubtful.
fn unknown_substance(document: &Document, cursor: &Cursor<'_>, denied: bool, found: &mut Vec<Found>) -> Option<usize> {
    let at = cursor.place();
    let token = cursor.peek(0).filter(|token| token.kind == TokenKind::Word)?;
    let mut each = allergy(document, token.span, Vec::new(), denied);
    each.entity.traits.push(Trait::LowConfidence);
    found.push(each);
    Some(at + 1)
}

fn substance_allergy(
    document: &Document,
    hits: &[Hit],
    cursor: &mut Cursor<'_>,
    found: &mut Vec<Found>,
) -> Option<usize> {
    let at = cursor.place();
    let (end, codings) = substance(document, hits, at)?;
    cursor.advance(end - at);
    if !cursor.take_any(&["allergy", "allergic"]) || is_of_relative(document, at) {
        return None;
    }
    let denied = is_denied(document, at);
    found.push(allergy(document, document.span(&(at..end))?, codings, denied));
    Some(cursor.place())
}

fn allergy(document: &Document, span: Span, codings: Vec<Coding>, denied: bool) -> Found {
    let mut entity = document.entity(span, Category::Allergy, EntityType::Substance);
    entity.codings = codings;
    if denied {
        entity.traits.push(Trait::Negation);
    }
    Found { entity, evidence: Evidence::AllergyStatement }
}

fn substance(document: &Document, hits: &[Hit], at: usize) -> Option<(usize, Vec<Coding>)> {
    let token = document.tokens().get(at)?;
    for hit in hits.iter().filter(|hit| hit.span.begin == token.span.begin) {
        if let Term::Product(product) = hit.term {
            return Some((document.covering(hit.span).end, product.codings()));
        }
    }
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    cursor.take_any(&SUBSTANCES).then(|| (cursor.place(), Vec::new()))
}
