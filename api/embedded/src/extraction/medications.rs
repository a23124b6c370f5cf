//! Medicines with their attributes: a medicine owns the dosage words that follow it, until the next medicine or another thought.

use std::ops::Range;

use seva_clinic::{
    dosage::{Cursor, Dosage, Part, Reading, corrected, form_named, parse, read, skip_vehicle, time_unit},
    entities::{AttributeType, Category, EntityType, Suggestion, Trait},
    formulary::{Formulary, Medicine, Product},
    lexicon::{
        Span,
        decimal::Decimal,
        tokens::{Token, TokenKind},
    },
};

use super::{
    document::Document,
    matcher::{Hit, Term},
    regions::{ORDERS, barriers, leading, region_end},
    scores::{Evidence, Found},
    sharing, stopped,
};

/// Brands of no more letters are read only where a medicine stands.
const SHORT: usize = 4;

/// Is a name of a medicine at a place.
pub struct Mention {
    /// Its tokens.
    pub tokens: Range<usize>,
    span: Span,
    product: Product,
    suggestion: Option<Suggestion>,
}

/// Finds the medicines that nothing else has claimed, each with the token that ends what it owns.
pub fn find(formulary: &'static Formulary, document: &Document, hits: &[Hit], claimed: &[Span]) -> Vec<(Found, usize)> {
    let free = |span: Span| !claimed.iter().any(|other| other.overlaps(span));
    let mut mentions: Vec<Mention> = Vec::new();
    for hit in hits {
        let Some(product) = product(document, hit) else { continue };
        if free(hit.span) && !is_told_of(document, hit.span) {
            mentions.push(Mention { tokens: document.covering(hit.span), span: hit.span, product, suggestion: None });
        }
    }
    let taken: Vec<Span> = hits.iter().map(|hit| hit.span).chain(claimed.iter().copied()).collect();
    mentions.extend(repairs(formulary, document, &taken));
    mentions.sort_by_key(|mention| mention.tokens.start);
    let stops = barriers(document, hits, claimed);
    let reaches: Vec<Range<usize>> =
        (0..mentions.len()).map(|index| reach(document, &mentions, index, &stops)).collect();
    let shared = sharing::tails(document, &mentions, &reaches);
    let mut found = Vec::new();
    for (index, ((mention, reach), shared)) in mentions.iter().zip(reaches).zip(shared).enumerate() {
        let mut each = medication(document, mention, &reach, &shared);
        if mentions.get(index + 1).is_some_and(|next| {
            let same = next.product == mention.product;
            stopped::is_taken_back(document, mention.tokens.end..next.tokens.start, same)
                || stopped::is_replaced(document, &mention.tokens, next.tokens.start)
        }) {
            each.entity.traits.push(Trait::Negation);
        }
        found.push((each, reach.end));
    }
    found
}

/// What a name that was found stands for, if it is that of a product.
fn product(document: &Document, hit: &Hit) -> Option<Product> {
    let Term::Product(product) = hit.term else { return None };
    let counts = match product {
        Product::Medicine(medicine) => !is_vehicle(document, hit.span, medicine),
        // "Pan", "Mox": short brands are other words as well.
        Product::Brand(brand) => {
            brand.name.len() > SHORT || stands_as_medicine(document, document.covering(hit.span).start)
        }
    };
    counts.then_some(product)
}

/// The tokens of an order, its name among them.
fn reach(document: &Document, mentions: &[Mention], index: usize, stops: &[usize]) -> Range<usize> {
    let Some(mention) = mentions.get(index) else { return 0..0 };
    let before = index.checked_sub(1).and_then(|previous| mentions.get(previous));
    let start = leading(document, mention.tokens.start, before.map_or(0, |previous| previous.tokens.end));
    let next = mentions.get(index + 1);
    let limit = next.map_or(document.tokens().len(), |next| leading(document, next.tokens.start, mention.tokens.end));
    start..region_end(document, mention.tokens.end, limit, stops)
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
            product: Product::Medicine(repair.medicine),
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

/// "in 100 ml normal saline": what another medicine is given in.
fn is_vehicle(document: &Document, span: Span, medicine: &Medicine) -> bool {
    let start = document.covering(span).start;
    let before = start.checked_sub(1).map_or("", |at| document.word(at));
    let measured = (1..=8).filter_map(|back| start.checked_sub(back)).any(|from| {
        let mut cursor = Cursor::new(document.tokens());
        cursor.advance(from);
        skip_vehicle(&mut cursor) && cursor.place() == start
    });
    measured || (medicine.generic == "sodium chloride" && matches!(before, "in" | "with" | "into" | "plus"))
}

/// "rifampicin sensitive", "paracetamol overdose", "lithium level": what is told of a medicine that nobody orders.
fn is_told_of(document: &Document, span: Span) -> bool {
    let next = document.word(document.covering(span).end);
    ["sensitive", "resistant", "sensitivity", "resistance", "level", "levels", "overdose", "poisoning", "toxicity"]
        .contains(&next)
}

fn medication(document: &Document, mention: &Mention, reach: &Range<usize>, shared: &Range<usize>) -> Found {
    let kind = match mention.product {
        Product::Medicine(_) => EntityType::GenericName,
        Product::Brand(_) => EntityType::BrandName,
    };
    let mut entity = document.entity(mention.span, Category::Medication, kind);
    entity.codings = mention.product.codings();
    entity.suggestion.clone_from(&mention.suggestion);
    let tokens = document.tokens();
    let before = tokens.get(reach.start..mention.tokens.start).unwrap_or_default();
    let after = corrected(tokens.get(mention.tokens.end..reach.end).unwrap_or_default());
    let mut owned: Vec<Token> = before.iter().chain(&after).cloned().collect();
    let (known, mut reading) = bare_strength(&mut owned, before.len(), mention.product);
    if let Some(shared) = tokens.get(shared.clone()).filter(|shared| !shared.is_empty()) {
        owned.extend_from_slice(shared);
        let together = read(&owned);
        // What contradicts an order's own words is not said of it.
        if together.conflicts <= reading.conflicts {
            reading = together;
        }
    }
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

fn is_digits(token: &Token) -> bool {
    token.word.starts_with(|letter: char| letter.is_ascii_digit())
}

/// "one daily", "one at night": one goes without saying.
fn is_once(owned: &[Token], at: usize, value: Decimal) -> bool {
    let mut parts = read(owned.get(at + 1..).unwrap_or_default()).parts.into_iter();
    let next = owned.get(at + 1).map(|next| next.span.begin);
    let told = [AttributeType::Frequency, AttributeType::RouteOrMode];
    let often = |part: Part| told.contains(&part.kind) && Some(part.span.begin) == next;
    value == Decimal::ONE && parts.next().is_some_and(often)
}

/// What became of a number without a unit behind a name.
enum BareNumber {
    /// There is none, or it has its unit now.
    Settled,
    /// Nobody knows what it counts.
    Unknown(Span),
}

/// "paracetamol six fifty": the unit of a bare number comes from the formulary, when only one strength has that number.
fn bare_strength(owned: &mut Vec<Token>, name: usize, product: Product) -> (BareNumber, Reading) {
    let reading = read(owned);
    let mut at = name;
    let steps_over = |token: &Token| {
        form_named(&token.word).is_some()
            || matches!(token.word.as_str(), "," | "-" | ":" | "taper" | "tapering" | "dose")
    };
    while at < name + 3 && owned.get(at).is_some_and(steps_over) {
        at += 1;
    }
    let Some((token, value)) = owned.get(at).and_then(|token| Some((token.clone(), token.number()?))) else {
        return (BareNumber::Settled, reading);
    };
    // "one hour before sleep"
    if owned.get(at + 1).is_some_and(|next| time_unit(&next.word).is_some()) {
        return (BareNumber::Settled, reading);
    }
    let part = reading.parts.iter().find(|part| part.span.overlaps(token.span));
    // "glimepiride 2 at night" is a strength before it is a count, "two at night" a count.
    let counted = part.is_some_and(|part| part.span == token.span && is_digits(&token));
    if (part.is_some() && !counted) || reading.parts.iter().any(|part| part.kind == AttributeType::Strength) {
        return (BareNumber::Settled, reading);
    }
    match product.unit_of(value).and_then(|unit| unit.words().first()) {
        Some(unit) => {
            owned.insert(at + 1, Token { kind: TokenKind::Word, word: (*unit).to_owned(), span: token.span });
            (BareNumber::Settled, read(owned))
        }
        // "Telma H 40": what a number behind a combination counts is not known.
        None if at == name && product.only().is_none() && is_digits(&token) => {
            (BareNumber::Unknown(token.span), reading)
        }
        None if at != name || counted || is_once(owned, at, value) => (BareNumber::Settled, reading),
        None => (BareNumber::Unknown(token.span), reading),
    }
}
