//! What is to happen next: the next visit ("review after five days") and advice ("plenty of fluids", "low salt diet").

use seva_clinic::{
    dosage::{Cursor, TimeUnit},
    entities::{Attribute, AttributeType, Category, EntityType},
    lexicon::{Span, decimal::Decimal, tokens::TokenKind},
};

use super::{
    document::Document,
    scores::{Evidence, Found},
};

const VISITS: [&str; 22] = [
    "review",
    "review with report",
    "follow up",
    "follow-up",
    "followup",
    "come back",
    "come again",
    "come",
    "come on",
    "see me",
    "see me again",
    "see again",
    "next visit",
    "next visit is",
    "revisit",
    "recheck",
    "recheck bp",
    "return",
    "next appointment",
    "call back",
    "report back",
    "to come",
];

const DIETS: [&str; 21] = [
    "low",
    "high",
    "salt",
    "soft",
    "fibre",
    "fiber",
    "diabetic",
    "bland",
    "liquid",
    "light",
    "balanced",
    "fat",
    "protein",
    "potassium",
    "carbohydrate",
    "renal",
    "restricted",
    "free",
    "gluten",
    "sugar",
    "healthy",
];

const PHRASES: [&str; 34] = [
    "plenty of fluids",
    "plenty of oral fluids",
    "plenty of water",
    "plenty of liquids",
    "bed rest",
    "fluid restriction",
    "salt restriction",
    "restrict salt",
    "reduce salt",
    "less salt",
    "reduce weight",
    "weight reduction",
    "weight loss advised",
    "regular exercise",
    "daily exercise",
    "hand washing",
    "wash hands",
    "salt water gargles",
    "saline gargles",
    "warm water gargles",
    "warm saline gargles",
    "sitz bath",
    "hot fomentation",
    "cold compress",
    "ice packs",
    "limb elevation",
    "adequate rest",
    "take rest",
    "sleep hygiene",
    "stop smoking",
    "quit smoking",
    "stop alcohol",
    "brisk walking",
    "sun exposure",
];

/// Finds visits and advice that nothing else has claimed.
pub fn find(document: &Document, claimed: &[Span]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < document.tokens().len() {
        match visit(document, at).or_else(|| advice(document, at, claimed)) {
            Some((each, end)) if !claimed.iter().any(|span| span.overlaps(each.entity.span())) => {
                found.push(each);
                at = end.max(at + 1);
            }
            _ => at += 1,
        }
    }
    found
}

fn visit(document: &Document, at: usize) -> Option<(Found, usize)> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    if !cursor.take_any(&VISITS) {
        return None;
    }
    cursor.take_any(&["after", "in", "on", "within", "every", "after about", "again after", "again in", "after next"]);
    let from = cursor.place();
    let value = when(&mut cursor)?;
    let mut entity = document.entity(cursor.span_from(at)?, Category::CarePlan, EntityType::FollowUp);
    let place = document.span(&(from..cursor.place()))?;
    entity.attributes.push(document.attribute(place, AttributeType::Duration, Some(value)));
    Some((Found { entity, evidence: Evidence::Plan }, cursor.place()))
}

/// Reads for when a test or procedure is planned: "after one week", "at the next visit".
pub fn planned(document: &Document, at: usize) -> Option<Attribute> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    cursor.advance(usize::from(cursor.word(0) == ","));
    let from = cursor.place();
    let introduced =
        cursor.take_any(&["after", "in", "within", "after about", "again after", "again in", "to be done after"]);
    let value = if introduced {
        let length = cursor.take_length()?;
        format!("{} {}", length.value, length.unit.code())
    } else if cursor.take_any(&["tomorrow", "tomorrow morning"]) {
        format!("{} {}", Decimal::ONE, TimeUnit::Day.code())
    } else if cursor.take_any(&["next week", "after a week"]) {
        format!("{} {}", Decimal::ONE, TimeUnit::Week.code())
    } else if cursor.take_any(&[
        "next visit",
        "on next visit",
        "on the next visit",
        "at the next visit",
        "at next visit",
    ]) {
        "visit".to_owned()
    } else {
        return None;
    };
    Some(document.attribute(document.span(&(from..cursor.place()))?, AttributeType::Duration, Some(value)))
}

/// Reads when a visit is: a length of time in UCUM, or the condition for it.
fn when(cursor: &mut Cursor<'_>) -> Option<String> {
    if let Some(length) = cursor.take_length() {
        return Some(format!("{} {}", length.value, length.unit.code()));
    }
    let unit = |unit: TimeUnit| format!("{} {}", Decimal::ONE, unit.code());
    if cursor.take_any(&["tomorrow", "tomorrow morning", "next day"]) {
        return Some(unit(TimeUnit::Day));
    }
    if cursor.take_any(&["next week", "one week", "a week"]) {
        return Some(unit(TimeUnit::Week));
    }
    if cursor.take_any(&["next month", "a month"]) {
        return Some(unit(TimeUnit::Month));
    }
    if cursor.take_any(&["sos", "if needed", "if required", "as needed"]) {
        return Some("sos".to_owned());
    }
    if cursor.take_any(&["with report", "with reports", "with the report", "with the reports", "with results"]) {
        return Some("report".to_owned());
    }
    if cursor.word(0) == "day"
        && let Some(day) = cursor.number(1)
    {
        cursor.advance(2);
        return Some(format!("{day} {}", TimeUnit::Day.code()));
    }
    None
}

fn advice(document: &Document, at: usize, claimed: &[Span]) -> Option<(Found, usize)> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    if cursor.take_any(&PHRASES) || diet(&mut cursor) || avoided(document, &mut cursor, claimed) {
        let entity = document.entity(cursor.span_from(at)?, Category::CarePlan, EntityType::Advice);
        return Some((Found { entity, evidence: Evidence::Plan }, cursor.place()));
    }
    None
}

/// Takes "low salt diet".
fn diet(cursor: &mut Cursor<'_>) -> bool {
    let words = (0..4).take_while(|ahead| DIETS.contains(&cursor.word(*ahead))).count();
    let named = words > 0 && cursor.word(words) == "diet";
    if named {
        cursor.advance(words + 1);
    }
    named
}

/// Takes "avoid spicy food", but not a medicine that is to be avoided: that is a stopped medicine.
fn avoided(document: &Document, cursor: &mut Cursor<'_>, claimed: &[Span]) -> bool {
    if cursor.word(0) != "avoid" {
        return false;
    }
    let from = cursor.place() + 1;
    let free = |ahead: &usize| {
        let token = document.tokens().get(from + ahead);
        token.is_some_and(|token| {
            token.kind == TokenKind::Word
                && !matches!(token.word.as_str(), "and" | "with" | "in" | "for" | "if" | "till" | "until")
                && !claimed.iter().any(|span| span.overlaps(token.span))
        })
    };
    let words = (0..3).take_while(free).count();
    if words > 0 {
        cursor.advance(words + 1);
    }
    words > 0
}
