//! Vital signs with their values and UCUM units (R4 vital signs, <https://hl7.org/fhir/R4/observation-vitalsigns.html>).

use seva_clinic::{
    dosage::Cursor,
    entities::{AttributeType, Category, Coding, Entity, EntityType, Trait},
    lexicon::{
        Span,
        decimal::Decimal,
        tokens::{Token, TokenKind},
    },
    vitals::{PRESSURE_COMPONENTS, VitalKind},
};

use super::{
    document::Document,
    scores::{Evidence, Found},
};

const FILLERS: [&str; 38] = [
    "is",
    "of",
    "was",
    "at",
    "recorded",
    "-",
    ":",
    "=",
    "about",
    "around",
    "rate",
    "reading",
    "today",
    "measured",
    "comes",
    "to",
    "shows",
    "level",
    "in",
    "room",
    "air",
    "on",
    "his",
    "her",
    "lying",
    "sitting",
    "standing",
    "supine",
    "erect",
    "right",
    "left",
    "arm",
    "the",
    "systolic",
    "maintained",
    "maintaining",
    "reads",
    "noted",
];

/// How the same is said to be measured again.
const AGAIN: [&str; 12] = [
    "repeat",
    "repeated",
    "on repeat",
    "rechecked",
    "recheck",
    "again",
    "standing",
    "sitting",
    "supine",
    "lying",
    "left arm",
    "right arm",
];

struct Value {
    amount: Decimal,
    place: usize,
}

/// Finds the vital signs that nothing else has claimed.
pub fn find(document: &Document, claimed: &[Span]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < document.tokens().len() {
        match vital_at(document, at) {
            Some((each, end)) if !claimed.iter().any(|span| span.overlaps(each.entity.span())) => {
                let is_pressure = each.entity.attributes_of(AttributeType::TestValue).nth(1).is_some();
                let again = pressure_again(document, end).filter(|_| is_pressure);
                at = again.as_ref().map_or(end, |(_, end)| *end);
                found.push(each);
                found.extend(again.map(|(again, _)| again));
            }
            _ => at += 1,
        }
    }
    found
}

/// "150 by 100, repeat 148 by 98": another blood pressure right behind one.
fn pressure_again(document: &Document, at: usize) -> Option<(Found, usize)> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    cursor.take_any(&[",", "and", ", and", "then", ", then"]);
    let from = cursor.place();
    cursor.take_any(&AGAIN).then_some(())?;
    skip_fillers(&mut cursor);
    let values = values(VitalKind::BloodPressure, &mut cursor)?;
    build(document, VitalKind::BloodPressure, from, &values, cursor)
}

fn skip_fillers(cursor: &mut Cursor<'_>) {
    for _ in 0..5 {
        if !FILLERS.contains(&cursor.word(0)) {
            break;
        }
        cursor.advance(1);
    }
}

/// What nothing else may read: of "fever 102" the number, for the fever is a complaint all the same.
pub fn claimed(entity: &Entity) -> Span {
    let fever = entity.kind == EntityType::VitalSign && entity.text.to_lowercase().starts_with("fever");
    Span::new(if fever { entity.begin + "fever".len() } else { entity.begin }, entity.end)
}

fn vital_at(document: &Document, at: usize) -> Option<(Found, usize)> {
    let mut best: Option<(VitalKind, Cursor<'_>)> = None;
    for kind in VitalKind::ALL {
        let mut cursor = Cursor::new(document.tokens());
        cursor.advance(at);
        if cursor.take_any(kind.phrases()) && best.as_ref().is_none_or(|(_, other)| cursor.place() > other.place()) {
            best = Some((kind, cursor));
        }
    }
    let Some((kind, mut cursor)) = best else {
        return weight_of_child(document, at).or_else(|| by_letter(document, at));
    };
    skip_fillers(&mut cursor);
    if is_condition(document, at) || is_of_child(document, at) {
        return None;
    }
    let named = document.word(at) == "fever";
    let values = values(kind, &mut cursor)?;
    if named && !is_degrees(kind, &values, &cursor) {
        return None;
    }
    build(document, kind, at, &values, cursor)
}

/// "T 100.4, P 92, R 18, BP 110/70": beside a blood pressure a letter names its sign.
fn by_letter(document: &Document, at: usize) -> Option<(Found, usize)> {
    let (kind, low, high) = match document.word(at) {
        "t" => (VitalKind::Temperature, 95, 107),
        "p" => (VitalKind::HeartRate, 40, 200),
        "r" => (VitalKind::RespiratoryRate, 10, 70),
        _ => return None,
    };
    let beside = document.sentence(at).any(|near| matches!(document.word(near), "bp" | "pressure"));
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at + 1);
    cursor.take_any(&["-", ":", "="]);
    let values = values(kind, &mut cursor).filter(|_| beside)?;
    let within = |value: &Value| value.amount >= Decimal::whole(low) && value.amount <= Decimal::whole(high);
    values.first().is_some_and(within).then_some(())?;
    build(document, kind, at, &values, cursor)
}

/// "Child 4 years, 15 kg": behind an age a bare weight is the patient's.
fn weight_of_child(document: &Document, at: usize) -> Option<(Found, usize)> {
    let comma = usize::from(at > 0 && document.word(at - 1) == ",");
    let age = at.checked_sub(1 + comma).map_or("", |before| document.word(before));
    let counted = at.checked_sub(2 + comma).and_then(|before| document.tokens().get(before));
    let aged = matches!(age, "old" | "years" | "year" | "yrs" | "months" | "month")
        && counted.is_some_and(|token| age == "old" || token.number().is_some());
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    let values = values(VitalKind::Weight, &mut cursor).filter(|_| aged)?;
    matches!(cursor.word(0), "kg" | "kgs" | "kilo" | "kilos" | "kilogram" | "kilograms").then_some(())?;
    build(document, VitalKind::Weight, at, &values, cursor)
}

/// "Foetal heart rate 144" is none of the mother's.
fn is_of_child(document: &Document, at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |before| document.word(before));
    matches!(before, "foetal" | "fetal" | "foetus" | "fetus" | "baby's")
}

/// "If temp 102", "SOS for fever 101": when something is to be done is nothing that was measured.
fn is_condition(document: &Document, at: usize) -> bool {
    let before = (at.saturating_sub(3)..at).rev().map(|at| document.word(at));
    let joined = |word: &&str| !matches!(*word, "," | "." | "and");
    let mut near = before.take_while(joined);
    near.any(|word| ["if", "when", "whenever", "case", "unless", "until", "till", "sos"].contains(&word))
}

/// "Fever 102" tells a temperature where the number can be nothing else: it has its unit, or a fraction, or is too large for
/// days.
fn is_degrees(kind: VitalKind, values: &[Value], cursor: &Cursor<'_>) -> bool {
    let unit = unit_after(kind, &mut cursor.clone());
    let fever = |value: Decimal| {
        let within = |low: u32, high: u32| value >= Decimal::whole(low) && value <= Decimal::whole(high);
        within(99, 108) || (within(37, 43) && value.as_whole().is_none())
    };
    unit.is_some() || values.first().is_some_and(|value| fever(value.amount))
}

fn amount(token: &Token) -> Option<Decimal> {
    match &token.kind {
        TokenKind::Number(value) => Some(*value),
        // "one oh one" is heard as a pattern of doses, and is a hundred and one here.
        TokenKind::Slots(values) if !token.word.contains('-') => {
            values.iter().map(ToString::to_string).collect::<String>().parse().ok()
        }
        _ => None,
    }
}

fn values(kind: VitalKind, cursor: &mut Cursor<'_>) -> Option<Vec<Value>> {
    let first = Value { amount: amount(cursor.peek(0)?)?, place: cursor.place() };
    cursor.advance(1);
    if kind != VitalKind::BloodPressure {
        return Some(vec![first]);
    }
    if !cursor.take_any(&["over", "/", "by", "-", "upon", "diastolic", "and diastolic", ", diastolic"]) {
        return None;
    }
    let second = Value { amount: amount(cursor.peek(0)?)?, place: cursor.place() };
    cursor.advance(1);
    Some(vec![first, second])
}

fn unit_after(kind: VitalKind, cursor: &mut Cursor<'_>) -> Option<(&'static str, usize)> {
    for length in (1..=4).rev() {
        let words: Vec<&str> = (0..length).map(|ahead| cursor.word(ahead)).collect();
        if let Some(unit) = kind.unit_named(&words.join(" ")) {
            let from = cursor.place();
            cursor.advance(length);
            return Some((unit, from));
        }
    }
    None
}

fn build(
    document: &Document,
    kind: VitalKind,
    from: usize,
    values: &[Value],
    mut cursor: Cursor<'_>,
) -> Option<(Found, usize)> {
    let named = unit_after(kind, &mut cursor);
    // A temperature without a unit and outside both ranges says nothing; guessing would be inventing.
    let unit = match named {
        Some((unit, _)) => Some(unit),
        None => kind.implied_unit(values.first()?.amount),
    };
    if is_dose_or_length(&cursor) || is_of_another_day(&cursor) || is_range(&cursor) {
        return None;
    }
    // "98% RA" is breathed room air, and no rheumatoid arthritis.
    if kind == VitalKind::OxygenSaturation {
        cursor.take_any(&["ra", "on ra", "at ra"]);
    }
    let mut entity = document.entity(cursor.span_from(from)?, Category::Vital, EntityType::VitalSign);
    for value in values {
        let place = document.span(&(value.place..value.place + 1))?;
        entity.attributes.push(document.attribute(place, AttributeType::TestValue, Some(value.amount.to_string())));
    }
    if let Some(unit) = unit {
        // An implied unit has no words of its own, so it points at the number that implies it.
        let place = match named {
            Some((_, begin)) => document.span(&(begin..cursor.place()))?,
            None => document.span(&(values.first()?.place..values.first()?.place + 1))?,
        };
        entity.attributes.push(document.attribute(place, AttributeType::TestUnit, Some(unit.to_owned())));
    }
    if unit.is_none_or(|unit| values.iter().any(|value| !kind.is_plausible(value.amount, unit))) {
        entity.traits.push(Trait::LowConfidence);
    }
    entity.codings = codings(kind);
    Some((Found { entity, evidence: Evidence::Measurement }, cursor.place()))
}

fn codings(kind: VitalKind) -> Vec<Coding> {
    let mut codings = Vec::new();
    let (code, display) = kind.loinc();
    let components = if kind == VitalKind::BloodPressure { &PRESSURE_COMPONENTS[..] } else { &[] };
    for (code, display) in [(code, display)].iter().chain(components) {
        codings.push(Coding {
            system: "http://loinc.org".to_owned(),
            code: (*code).to_owned(),
            display: (*display).to_owned(),
            score: None,
        });
    }
    codings
}

/// What was measured yesterday has a date that nobody said.
fn is_of_another_day(cursor: &Cursor<'_>) -> bool {
    let told = matches!(cursor.word(0), "yesterday" | "previously" | "earlier");
    let night = matches!((cursor.word(0), cursor.word(1)), ("last", "night" | "week" | "month") | ("at", "home"));
    let ago = cursor.number(0).is_some() && matches!(cursor.word(2), "ago" | "back");
    told || night || ago
}

/// "Fever 100 to 102", "pulse 80 or 90": neither end was measured now.
fn is_range(cursor: &Cursor<'_>) -> bool {
    matches!(cursor.word(0), "to" | "-" | "–" | "or") && cursor.number(1).is_some()
}

/// "fever of 3 days", "weight 5 mg" and "oxygen 2 litres" are no measurements.
fn is_dose_or_length(cursor: &Cursor<'_>) -> bool {
    [
        "days", "day", "weeks", "week", "months", "month", "years", "hours", "mg", "ml", "times", "tablet", "litre",
        "litres", "liter", "liters", "l", "lpm",
    ]
    .contains(&cursor.word(0))
}
