//! Laboratory results with their values and UCUM units (R4 <https://hl7.org/fhir/R4/observation.html>).

use seva_clinic::{
    dosage::Cursor,
    entities::{AttributeType, Category, Coding, EntityType, Trait},
    laboratory::{LaboratoryTest, amount, laboratory_tests, unit_named},
    lexicon::Span,
};

use super::{
    document::Document,
    scores::{Evidence, Found},
};

const FILLERS: [&str; 16] = [
    "is", "of", "was", "at", "-", ":", "=", "about", "around", "level", "today", "came", "shows", "now", "count", "to",
];

/// Numbers after which a number is no result but a length of time, a dose or a count.
const OTHERS: [&str; 14] =
    ["day", "days", "week", "weeks", "month", "months", "year", "years", "hours", "mg", "mcg", "ml", "times", "tablet"];

/// Finds the results that nothing else has claimed.
pub fn find(document: &Document, claimed: &[Span]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < document.tokens().len() {
        match result_at(document, at) {
            Some((each, end)) if !claimed.iter().any(|span| span.overlaps(each.entity.span())) => {
                found.push(each);
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

fn result_at(document: &Document, at: usize) -> Option<(Found, usize)> {
    let mut best: Option<(&LaboratoryTest, Cursor<'_>)> = None;
    for test in laboratory_tests() {
        let mut cursor = Cursor::new(document.tokens());
        cursor.advance(at);
        if cursor.take_any(&test.phrases) && best.as_ref().is_none_or(|(_, other)| cursor.place() > other.place()) {
            best = Some((test, cursor));
        }
    }
    let (test, mut cursor) = best?;
    // "Urine albumin" is no albumin in serum.
    let fluid = at.checked_sub(1).map_or("", |before| document.word(before));
    if matches!(fluid, "urine" | "urinary" | "ascitic" | "csf" | "pleural" | "stool") {
        return None;
    }
    for _ in 0..3 {
        if !FILLERS.contains(&cursor.word(0)) {
            break;
        }
        cursor.advance(1);
    }
    let number = cursor.place();
    let value = amount(&mut cursor)?;
    let place = document.span(&(number..cursor.place()))?;
    let unit = unit_after(&mut cursor);
    if unit.is_none() && OTHERS.contains(&cursor.word(0)) {
        return None;
    }
    let mut entity = document.entity(cursor.span_from(at)?, Category::TestTreatmentProcedure, EntityType::TestName);
    entity.attributes.push(document.attribute(place, AttributeType::TestValue, Some(value.to_string())));
    // An implied unit has no words of its own, so it points at the number that implies it.
    let implied = || test.implied_unit(value).map(|unit| (unit, place));
    let named = unit.and_then(|(unit, from)| Some((unit, document.span(&(from..cursor.place()))?)));
    match named.or_else(implied) {
        Some((unit, place)) => {
            entity.attributes.push(document.attribute(place, AttributeType::TestUnit, Some(unit.to_owned())));
        }
        None => entity.traits.push(Trait::LowConfidence),
    }
    entity.codings.push(Coding {
        system: "http://loinc.org".to_owned(),
        code: test.code.to_owned(),
        display: test.display.to_owned(),
        score: None,
    });
    Some((Found { entity, evidence: Evidence::LaboratoryResult }, cursor.place()))
}

fn unit_after(cursor: &mut Cursor<'_>) -> Option<(&'static str, usize)> {
    for length in (1..=4).rev() {
        let words: Vec<&str> = (0..length).map(|ahead| cursor.word(ahead)).collect();
        if let Some(unit) = unit_named(&words.join(" ")) {
            let from = cursor.place();
            cursor.advance(length);
            return Some((unit, from));
        }
    }
    None
}
