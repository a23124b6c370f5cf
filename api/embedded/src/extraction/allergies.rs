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

const NONE_KNOWN: [&str; 20] = [
    "no known allergies",
    "no known allergy",
    "no known drug allergies",
    "no known drug allergy",
    "no known food or drug allergies",
    "no allergies",
    "no allergy",
    "no drug allergies",
    "no drug allergy",
    "no history of allergies",
    "no history of allergy",
    "no history of drug allergy",
    "no history of any allergy",
    "not allergic to anything",
    "not allergic to any medicine",
    "not allergic to any drug",
    "not allergic to any drugs",
    "nkda",
    "nka",
    "denies any allergies",
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
    if !cursor.take_any(&NONE_KNOWN) {
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

fn allergic_to(document: &Document, hits: &[Hit], cursor: &mut Cursor<'_>, found: &mut Vec<Found>) -> Option<usize> {
    let from = cursor.place();
    if !cursor.take_any(&[
        "allergic to",
        "allergy to",
        "allergies to",
        "allergic reaction to",
        "known allergy to",
        "reacts to",
    ]) {
        return None;
    }
    let denied = from
        .checked_sub(1)
        .is_some_and(|previous| matches!(document.word(previous), "not" | "no" | "never" | "denies"));
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
    if !cursor.take_any(&["allergy", "allergic"]) {
        return None;
    }
    let denied = at.checked_sub(1).is_some_and(|previous| matches!(document.word(previous), "no" | "not" | "denies"));
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
        if let Term::Medicine(medicine) = hit.term {
            return Some((document.covering(hit.span).end, medicine.codings()));
        }
    }
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    cursor.take_any(&SUBSTANCES).then(|| (cursor.place(), Vec::new()))
}
