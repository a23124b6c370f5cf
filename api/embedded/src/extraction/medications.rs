//! Medicines with their attributes: a medicine owns the dosage words that follow it, until the next medicine or another thought.

use std::ops::Range;

use seva_clinic::{
    dosage::{Cursor, form_named, read, unit_named},
    entities::{AttributeType, Category, EntityType, Suggestion, Trait},
    formulary::{Formulary, Medicine},
    lexicon::{
        Span,
        concepts::{Concept, ConceptKind},
        tokens::{Token, TokenKind},
    },
};

use super::{
    document::Document,
    matcher::{Hit, Term},
    scores::{Evidence, Found},
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

const ORDERS: [&str; 14] = [
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

struct Mention {
    tokens: Range<usize>,
    span: Span,
    medicine: &'static Medicine,
    suggestion: Option<Suggestion>,
}

/// Finds the medicines that nothing else has claimed, each with the token that ends what it owns.
pub fn find(formulary: &'static Formulary, document: &Document, hits: &[Hit], claimed: &[Span]) -> Vec<(Found, usize)> {
    let free = |span: Span| !claimed.iter().any(|other| other.overlaps(span));
    let mut mentions: Vec<Mention> = Vec::new();
    for hit in hits {
        if let Term::Medicine(medicine) = hit.term
            && free(hit.span)
        {
            mentions.push(Mention { tokens: document.covering(hit.span), span: hit.span, medicine, suggestion: None });
        }
    }
    let taken: Vec<Span> = hits.iter().map(|hit| hit.span).chain(claimed.iter().copied()).collect();
    mentions.extend(repairs(formulary, document, &taken));
    mentions.sort_by_key(|mention| mention.tokens.start);
    let stops = barriers(document, hits, claimed);
    let mut found = Vec::new();
    for (index, mention) in mentions.iter().enumerate() {
        let before =
            index.checked_sub(1).and_then(|previous| mentions.get(previous)).map_or(0, |previous| previous.tokens.end);
        let next = mentions
            .get(index + 1)
            .map_or(document.tokens().len(), |next| prefix(document, next.tokens.start, mention.tokens.end));
        let end = region_end(document, mention.tokens.end, next, &stops);
        found.push((medication(document, mention, prefix(document, mention.tokens.start, before), end), end));
    }
    found
}

/// Proposes names for words that nothing explains and that stand where a medicine stands.
fn repairs(formulary: &'static Formulary, document: &Document, taken: &[Span]) -> Vec<Mention> {
    let mut mentions = Vec::new();
    for (index, token) in document.tokens().iter().enumerate() {
        if token.kind != TokenKind::Word
            || taken.iter().any(|span| span.overlaps(token.span))
            || !stands_as_medicine(document, index)
        {
            continue;
        }
        let Some(repair) = formulary.repair(&token.word) else {
            continue;
        };
        let suggestion = Suggestion {
            heard: document.slice(token.span),
            suggested: repair.suggested.to_owned(),
            distance: repair.distance,
        };
        mentions.push(Mention {
            tokens: index..index + 1,
            span: token.span,
            medicine: repair.medicine,
            suggestion: Some(suggestion),
        });
    }
    mentions
}

fn stands_as_medicine(document: &Document, index: usize) -> bool {
    let ordered =
        (1..=2).any(|back| index.checked_sub(back).is_some_and(|place| ORDERS.contains(&document.word(place))));
    let dosed = (1..=3).any(|ahead| {
        let number = document
            .tokens()
            .get(index + ahead)
            .is_some_and(|token| token.number().is_some() || matches!(token.kind, TokenKind::Slots(_)));
        number || form_named(document.word(index + ahead)).is_some()
    });
    ordered || dosed
}

/// Tests and measurements end what a medicine owns.
fn barriers(document: &Document, hits: &[Hit], claimed: &[Span]) -> Vec<usize> {
    let is_test = |concept: &Concept| matches!(concept.kind, ConceptKind::Test | ConceptKind::Procedure);
    let tests = hits.iter().filter(|hit| matches!(hit.term, Term::Concept(concept) if is_test(concept)));
    tests.map(|hit| hit.span).chain(claimed.iter().copied()).map(|span| document.covering(span).start).collect()
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

fn region_end(document: &Document, from: usize, limit: usize, barriers: &[usize]) -> usize {
    let mut at = from;
    while at < limit {
        if barriers.contains(&at) || (BOUNDARIES.contains(&document.word(at)) && !is_lengthened(document, at)) {
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

/// "continue for six months" belongs to the order before it; "continue metformin" is another one.
fn is_lengthened(document: &Document, at: usize) -> bool {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    let said = cursor.take("continue") && {
        if cursor.take_any(&["lifelong", "life long", "indefinitely"]) {
            return true;
        }
        cursor.take_any(&["it", "the same", "this"]);
        cursor.take_any(&["for", "for another", "for the next", "for at least"])
    };
    said && (cursor.take_fraction().is_some() || cursor.take_length().is_some())
}

fn is_only_dosage(tokens: &[Token]) -> bool {
    let parts = read(tokens).parts;
    let understood = |token: &Token| parts.iter().any(|part| part.span.overlaps(token.span));
    let filler = |token: &Token| {
        token.kind == TokenKind::Mark
            || ["take", "and", "it", "to", "be", "taken", "the", "this", "same", "continue"]
                .contains(&token.word.as_str())
    };
    !parts.is_empty() && tokens.iter().all(|token| understood(token) || filler(token))
}

fn medication(document: &Document, mention: &Mention, start: usize, end: usize) -> Found {
    let mut entity = document.entity(mention.span, Category::Medication, EntityType::GenericName);
    entity.codings = mention.medicine.codings();
    entity.suggestion.clone_from(&mention.suggestion);
    let tokens = document.tokens();
    let owned: Vec<Token> = tokens
        .get(start..mention.tokens.start)
        .unwrap_or_default()
        .iter()
        .chain(tokens.get(mention.tokens.end..end).unwrap_or_default())
        .cloned()
        .collect();
    let reading = read(&owned);
    for part in &reading.parts {
        // A dose counted before the name ("two puffs of") does not reach over the name.
        if !part.span.overlaps(mention.span) {
            entity.attributes.push(document.attribute(part.span, part.kind, part.value.clone()));
        }
    }
    bare_strength(document, mention, end, &mut entity);
    if mention.suggestion.is_some() || reading.conflicts > 0 {
        entity.traits.push(Trait::LowConfidence);
    }
    entity.attributes.sort_by_key(|attribute| attribute.begin);
    let evidence = if mention.suggestion.is_some() { Evidence::SoundAlike } else { Evidence::MedicineName };
    Found { entity, evidence }
}

/// "paracetamol six fifty": the unit of a bare number comes from the formulary, when only one strength has that number.
fn bare_strength(document: &Document, mention: &Mention, end: usize, entity: &mut seva_clinic::entities::Entity) {
    let amounts = [AttributeType::Strength, AttributeType::Dosage];
    let at = mention.tokens.end;
    let Some(token) = document.tokens().get(at).filter(|_| at < end) else {
        return;
    };
    let Some(value) = token.number() else { return };
    let understood =
        entity.attributes.iter().any(|attribute| token.span.overlaps(Span::new(attribute.begin, attribute.end)));
    if understood || entity.attributes.iter().any(|attribute| attribute.kind == AttributeType::Strength) {
        return;
    }
    let counted = entity.attributes.iter().any(|attribute| amounts.contains(&attribute.kind));
    let unit = mention.medicine.unit_of(value);
    let kind = if counted { AttributeType::Strength } else { AttributeType::Dosage };
    let canonical = unit.map(|unit| format!("{value} {}", unit.display()));
    if canonical.is_none() {
        entity.traits.push(Trait::LowConfidence);
    }
    entity.attributes.push(document.attribute(token.span, kind, canonical));
}
