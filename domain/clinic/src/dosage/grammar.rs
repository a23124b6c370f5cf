//! Reads a dosage from words: strength, dose, form, route, frequency, meals, duration, maximum, tapering.
//!
//! The grammar takes what it knows and steps over the rest, so words that a speech engine invented do not stop it.
//! Target: R4 Dosage (<https://hl7.org/fhir/R4/dosage.html>).

use super::{
    Dosage, Quantity, Timing,
    needed::take_as_needed,
    parts::Cursor,
    steps::{Draft, contradictions, finish},
    timing_words::{take_day_time, take_food, take_frequency, take_meals, take_start},
    units::{DoseUnit, Route, form_named, unit_named},
};
use crate::{
    entities::AttributeType,
    lexicon::{
        Span,
        decimal::Decimal,
        tokens::{Token, TokenKind, tokenize},
    },
};

/// Is a piece of text that the grammar understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it says.
    pub kind: AttributeType,
    /// Its place in the text.
    pub span: Span,
    /// The value in canonical form.
    pub value: Option<String>,
}

/// Is what the grammar made of some tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The steps, more than one for unequal doses and tapering.
    pub steps: Vec<Dosage>,
    /// The pieces that were understood, in order.
    pub parts: Vec<Part>,
    /// The form of the product, when it was named.
    pub form: Option<&'static str>,
    /// How many words contradict each other or change the dose in a way that the model cannot state; such a reading is doubtful.
    pub conflicts: usize,
}

/// Words that change a dose in ways that this model cannot state.
const UNSTATABLE: [&str; 24] = [
    "except",
    "per kg",
    "/ kg",
    "per kilo",
    "per kilogram",
    "skip",
    "increase",
    "increased",
    "decrease",
    "reduce",
    "titrate",
    "as directed",
    "sliding scale",
    "or",
    "per hour",
    "with meals except",
    "unless",
    "repeat after",
    "repeat in",
    "repeat once",
    "repeat the dose",
    "may repeat",
    "to be repeated",
    "and repeated after",
];

/// Reads a dosage from a text; the steps keep the text.
#[must_use]
pub fn parse(text: &str) -> Vec<Dosage> {
    let mut steps = read(&tokenize(text)).steps;
    for step in &mut steps {
        step.text = Some(text.to_owned());
    }
    steps
}

/// Reads a dosage from tokens.
#[must_use]
pub fn read(tokens: &[Token]) -> Reading {
    let mut reading = Reading::default();
    let mut cursor = Cursor::new(tokens);
    let mut drafts = vec![Draft::default()];
    while cursor.peek(0).is_some() {
        let from = cursor.place();
        if is_next_step(&mut cursor, drafts.last()) {
            drafts.push(Draft::default());
            // The word is kept as a part, so that the parts alone still read as a taper.
            if let Some(span) = cursor.span_from(from) {
                reading.parts.push(Part { kind: AttributeType::Frequency, span, value: None });
            }
            continue;
        }
        if is_other_amount(&cursor, drafts.last()) {
            drafts.push(Draft { beside: true, ..Draft::default() });
        }
        let Some(draft) = drafts.last_mut() else {
            break;
        };
        match take_part(&mut cursor, draft, &mut reading) {
            Some((kind, value)) => {
                if let Some(span) = cursor.span_from(from) {
                    reading.parts.push(Part { kind, span, value });
                }
            }
            None => {
                // "5 to 10 mg" is a range; "to be started" is not.
                let range = cursor.word(0) == "to" && cursor.number(1).is_some();
                reading.conflicts += usize::from(range || cursor.take_any(&UNSTATABLE));
                cursor.advance(usize::from(cursor.place() == from));
            }
        }
    }
    reading.conflicts += drafts.iter().map(contradictions).sum::<usize>();
    reading.steps = finish(drafts, &mut reading.parts, reading.form);
    reading
}

/// Takes the word between two steps of a taper; "then" needs a whole step before it.
fn is_next_step(cursor: &mut Cursor<'_>, draft: Option<&Draft>) -> bool {
    let whole = draft.is_some_and(|draft| draft.step.duration.is_some() || draft.step.timing.count.is_some());
    whole
        && cursor.take_any(&[
            "then",
            "followed by",
            "and then",
            "after that",
            "thereafter",
            "then increase to",
            "then reduce to",
            "then decrease to",
            "then continue",
            "increase to",
            "reduce to",
            "tapered to",
            "taper to",
        ])
}

/// Tells whether another count begins after the times of the first one: "one tablet in the morning and half at night".
fn is_other_amount(cursor: &Cursor<'_>, draft: Option<&Draft>) -> bool {
    let timed = |draft: &&Draft| {
        let step = &draft.step;
        step.duration.is_none() && !step.timing.when.is_empty() && step.timing.frequency.is_none()
    };
    let (Some(value), Some((unit, used))) = (cursor.number(0), quantity_unit(cursor, 1)) else {
        return false;
    };
    let mut after = *cursor;
    after.advance(used + usize::from(cursor.word(used) == ","));
    draft.filter(timed).is_some_and(|draft| {
        draft.quantities.iter().any(|(held, _)| held.unit.is_countable() && held.unit == unit && held.value != value)
    }) && take_day_time(&mut after).is_some()
}

type Taken = (AttributeType, Option<String>);

fn take_part(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    take_maximum(cursor, draft, reading)
        .or_else(|| take_duration(cursor, draft, reading))
        .or_else(|| take_schedule(cursor, draft, reading))
        .or_else(|| take_quantity(cursor, draft, reading))
        .or_else(|| take_route(cursor, draft))
        .or_else(|| {
            let form = form_named(cursor.word(0))?;
            cursor.advance(1);
            reading.form.get_or_insert(form);
            Some((AttributeType::Form, None))
        })
}

fn take_maximum(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &Reading) -> Option<Taken> {
    let mut attempt = *cursor;
    if !attempt.take_any(&[
        "maximum",
        "max",
        "not more than",
        "no more than",
        "maximum of",
        "up to a maximum of",
        "do not exceed",
        "not exceeding",
        "not to exceed",
        "at most",
        "up to",
        "upto",
    ]) {
        return None;
    }
    let value = attempt.number(0)?;
    let named = unit_named(attempt.word(1));
    attempt.advance(1 + usize::from(named.is_some()));
    let unit = named.or_else(|| piece(draft, reading))?;
    if !attempt.take_any(&["a day", "per day", "in a day", "daily", "in 24 hours", "/ day"]) {
        return None;
    }
    *cursor = attempt;
    draft.step.max_per_day = Some(Quantity { value, unit });
    Some((AttributeType::Dosage, None))
}

/// What is counted where only a number is said: "not more than four a day".
fn piece(draft: &Draft, reading: &Reading) -> Option<DoseUnit> {
    let counted = draft.quantities.iter().map(|(quantity, _)| quantity.unit).find(|unit| unit.is_countable());
    let measured = draft.quantities.iter().any(|(quantity, _)| quantity.unit == DoseUnit::Millilitre);
    counted.or(match reading.form {
        Some("capsule") => Some(DoseUnit::Capsule),
        Some("tablet") => Some(DoseUnit::Tablet),
        None if !measured => Some(DoseUnit::Tablet),
        _ => None,
    })
}

fn take_duration(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    let mut attempt = *cursor;
    // "to be started after two weeks" says when, not for how long.
    if attempt.take("after") && attempt.take_length().is_some() {
        *cursor = attempt;
        return None;
    }
    if take_days_a_week(cursor, draft) {
        return Some((AttributeType::Frequency, None));
    }
    let introduced = attempt.take_any(&[
        "for",
        "total",
        "x",
        "×",
        "for the next",
        "for next",
        "for another",
        "for a total of",
        "for at least",
        "for about",
        "for the following",
        "till",
        "upto",
        "up to",
    ]);
    // "one tablet a day" says how often.
    if !introduced && matches!(attempt.word(0), "a" | "an") {
        return None;
    }
    let short = if introduced { attempt.take_fraction() } else { None };
    let length = short.or_else(|| attempt.take_length())?;
    // "every 8 hours" never comes here; a bare "5 days" counts, a bare "2 hours" does not.
    if !introduced && matches!(length.unit, super::TimeUnit::Hour | super::TimeUnit::Minute) {
        return None;
    }
    *cursor = attempt;
    reading.conflicts += usize::from(draft.step.duration.is_some_and(|other| other != length));
    draft.step.duration = Some(length);
    Some((AttributeType::Duration, Some(format!("{} {}", length.value, length.unit.code()))))
}

/// Takes "five days a week", which is no length.
fn take_days_a_week(cursor: &mut Cursor<'_>, draft: &mut Draft) -> bool {
    let Some(days) = cursor.number(0).and_then(|value| value.as_whole()) else {
        return false;
    };
    let mut attempt = *cursor;
    attempt.advance(1);
    let said = attempt.take_any(&["days a week", "days in a week", "days per week"]);
    if said {
        draft.step.timing.set_rate(&Timing::every(days, Decimal::ONE, super::TimeUnit::Week));
        *cursor = attempt;
    }
    said
}

fn take_schedule(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    let step = &mut draft.step;
    if let Some(TokenKind::Slots(values)) = cursor.peek(0).map(|token| &token.kind) {
        cursor.advance(1);
        reading.conflicts += usize::from(draft.slots.is_some());
        draft.slots = Some(values.clone());
    } else if let Some(as_needed) = take_as_needed(cursor) {
        step.timing.as_needed = as_needed;
    } else if let Some((food, timing)) = take_meals(cursor) {
        step.food = Some(food);
        if step.timing.frequency.is_none() && step.timing.when.is_empty() {
            step.timing.set_rate(&timing);
        }
    } else if let Some(food) = take_food(cursor) {
        step.food = Some(food);
    } else if let Some(time) = take_day_time(cursor) {
        if !step.timing.when.contains(&time) {
            step.timing.when.push(time);
        }
    } else if let Some(timing) = take_frequency(cursor) {
        reading.conflicts += usize::from(step.timing.frequency.is_some() && step.timing.rate() != timing.rate());
        step.timing.set_rate(&timing);
    } else if let Some(start) = take_start(cursor) {
        step.timing.start = start;
        step.timing.count = step.timing.count.or(Some(1));
    } else if cursor.take_any(&["single dose", "one dose", "one dose only"]) {
        step.timing.count = Some(1);
    } else {
        return None;
    }
    Some((AttributeType::Frequency, None))
}

fn take_quantity(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    let value = cursor.number(0)?;
    let Some((unit, used)) = quantity_unit(cursor, 1) else {
        return take_bare_count(cursor, draft, reading);
    };
    if unit.is_countable()
        && let Some(form) = form_named(cursor.word(used - 1))
    {
        reading.form.get_or_insert(form);
    }
    // "15 mg per kg" is no dose: the weight is not known here.
    if matches!((cursor.word(used), cursor.word(used + 1)), ("per" | "/", "kg" | "kilo" | "kilogram" | "hour")) {
        return None;
    }
    cursor.advance(used);
    draft.quantities.push((Quantity { value, unit }, reading.parts.len()));
    Some((AttributeType::Dosage, Some(format!("{value} {}", unit.display()))))
}

/// Takes "two" of "two at night"; one goes without saying, and "at two in the afternoon" is a time.
fn take_bare_count(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    let value = cursor.number(0).filter(|value| *value != Decimal::ONE && *value <= Decimal::whole(4))?;
    let mut after = *cursor;
    after.advance(1);
    take_day_time(&mut after).filter(|_| cursor.word_before() != "at")?;
    let unit = piece(draft, reading)?;
    // "one in the morning and two at night" is more than one step of this model says.
    reading.conflicts += usize::from(!draft.step.timing.when.is_empty());
    cursor.advance(1);
    draft.quantities.push((Quantity { value, unit }, reading.parts.len()));
    Some((AttributeType::Dosage, Some(format!("{value} {}", unit.display()))))
}

/// Finds the unit after a number, stepping over "-" and "a": "half a tablet", "500-mg".
fn quantity_unit(cursor: &Cursor<'_>, from: usize) -> Option<(DoseUnit, usize)> {
    let ahead = from + usize::from(matches!(cursor.word(from), "-" | "a" | "of"));
    if cursor.word(ahead) == "per" && cursor.word(ahead + 1) == "cent" {
        return Some((DoseUnit::Percent, ahead + 2));
    }
    unit_named(cursor.word(ahead)).map(|unit| (unit, ahead + 1))
}

fn take_route(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Option<Taken> {
    let route = Route::ALL.iter().copied().find(|route| cursor.take_any(route.words()))?;
    draft.step.route = Some(route);
    Some((AttributeType::RouteOrMode, None))
}
