//! Medicines with their attributes: a medicine owns the dosage words that follow it, until the next medicine or another thought.

use std::ops::Range;

use seva_clinic::{
    dosage::{Cursor, Dosage, corrected, form_named, parse, read, time_unit, unit_named},
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
    stopped,
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

/// Words that open an order whose dosage may stand before its name.
const OPENERS: [&str; 5] = ["give", "start", "add", "prescribe", "prescribed"];

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
            && !is_vehicle(document, hit.span, medicine)
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
        let following = mentions.get(index + 1);
        let next =
            following.map_or(document.tokens().len(), |next| leading(document, next.tokens.start, mention.tokens.end));
        let end = region_end(document, mention.tokens.end, next, &stops);
        let mut each = medication(document, mention, leading(document, mention.tokens.start, before), end);
        if following.is_some_and(|next| {
            let same = next.medicine.generic == mention.medicine.generic;
            stopped::is_taken_back(document, mention.tokens.end..next.tokens.start, same)
        }) {
            each.entity.traits.push(Trait::Negation);
        }
        found.push((each, end));
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

/// "in 100 ml normal saline": what another medicine is given in.
fn is_vehicle(document: &Document, span: Span, medicine: &Medicine) -> bool {
    let start = document.covering(span).start;
    let word = |back: usize| start.checked_sub(back).map_or("", |at| document.word(at));
    let of = usize::from(word(1) == "of");
    let given = |word: &str| matches!(word, "in" | "with" | "into" | "plus");
    let counted = start
        .checked_sub(2 + of)
        .and_then(|at| document.tokens().get(at))
        .is_some_and(|token| token.number().is_some());
    let measured = matches!(word(1 + of), "ml" | "mls" | "cc" | "litre" | "l") && counted && given(word(3 + of));
    measured || (medicine.generic == "sodium chloride" && given(word(1)))
}

/// Goes back to where an order begins that says its dosage before its name: "three times a day one tablet of".
fn leading(document: &Document, name: usize, floor: usize) -> usize {
    let near = prefix(document, name, floor);
    let sentence = document.sentence(name).start;
    let opener = (sentence.max(floor)..name).rev().find(|at| OPENERS.contains(&document.word(*at)));
    let Some(start) = opener.map(|at| at + 1).or((sentence >= floor).then_some(sentence)) else { return near };
    let words = document.tokens().get(start..name).unwrap_or_default();
    let leads = (1..=12).contains(&words.len())
        && is_only(words, &["of", "with", "for", "only", "put", "instil", "instill", "and"]);
    if leads { start.min(near) } else { near }
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
        let other =
            BOUNDARIES.contains(&document.word(at)) && !is_lengthened(document, at) && !is_condition(document, at);
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
        ],
    )
}

fn is_only(tokens: &[Token], fillers: &[&str]) -> bool {
    let parts = read(tokens).parts;
    let understood = |token: &Token| parts.iter().any(|part| part.span.overlaps(token.span));
    let filler = |token: &Token| token.kind == TokenKind::Mark || fillers.contains(&token.word.as_str());
    !parts.is_empty() && tokens.iter().all(|token| understood(token) || filler(token))
}

fn medication(document: &Document, mention: &Mention, start: usize, end: usize) -> Found {
    let mut entity = document.entity(mention.span, Category::Medication, EntityType::GenericName);
    entity.codings = mention.medicine.codings();
    entity.suggestion.clone_from(&mention.suggestion);
    let tokens = document.tokens();
    let before = tokens.get(start..mention.tokens.start).unwrap_or_default();
    let after = corrected(tokens.get(mention.tokens.end..end).unwrap_or_default());
    let mut owned: Vec<Token> = before.iter().chain(&after).cloned().collect();
    let known = bare_strength(&mut owned, before.len(), mention.medicine);
    let reading = read(&owned);
    for part in &reading.parts {
        // A dose counted before the name ("two puffs of") does not reach over the name.
        if !part.span.overlaps(mention.span) {
            entity.attributes.push(document.attribute(part.span, part.kind, part.value.clone()));
        }
    }
    if let BareNumber::Unknown(span) = known {
        entity.attributes.push(document.attribute(span, AttributeType::Dosage, None));
    }
    let told = parse(&entity.dosage_text()).into_iter().map(|step| Dosage { text: None, ..step });
    // What is drafted is read from the parts again: where that says something else, something stands between them.
    let differs = !told.eq(reading.steps);
    if mention.suggestion.is_some() || reading.conflicts > 0 || differs || matches!(known, BareNumber::Unknown(_)) {
        entity.traits.push(Trait::LowConfidence);
    }
    entity.attributes.sort_by_key(|attribute| attribute.begin);
    let evidence = if mention.suggestion.is_some() { Evidence::SoundAlike } else { Evidence::MedicineName };
    Found { entity, evidence }
}

/// What became of a number without a unit behind a name.
enum BareNumber {
    /// There is none, or it has its unit now.
    Settled,
    /// Nobody knows what it counts.
    Unknown(Span),
}

/// "paracetamol six fifty": the unit of a bare number comes from the formulary, when only one strength has that number.
fn bare_strength(owned: &mut Vec<Token>, name: usize, medicine: &Medicine) -> BareNumber {
    let mut at = name;
    let steps_over = |token: &Token| {
        form_named(&token.word).is_some()
            || matches!(token.word.as_str(), "," | "-" | ":" | "taper" | "tapering" | "dose")
    };
    while at < name + 3 && owned.get(at).is_some_and(steps_over) {
        at += 1;
    }
    let Some((token, value)) = owned.get(at).and_then(|token| Some((token.clone(), token.number()?))) else {
        return BareNumber::Settled;
    };
    // "one hour before sleep"
    if owned.get(at + 1).is_some_and(|next| time_unit(&next.word).is_some()) {
        return BareNumber::Settled;
    }
    let reading = read(owned);
    let understood = reading.parts.iter().any(|part| part.span.overlaps(token.span));
    if understood || reading.parts.iter().any(|part| part.kind == AttributeType::Strength) {
        return BareNumber::Settled;
    }
    match medicine.unit_of(value).and_then(|unit| unit.words().first()) {
        Some(unit) => {
            owned.insert(at + 1, Token { kind: TokenKind::Word, word: (*unit).to_owned(), span: token.span });
            BareNumber::Settled
        }
        None if at == name => BareNumber::Unknown(token.span),
        None => BareNumber::Settled,
    }
}
