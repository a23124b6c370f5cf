//! Reads a dosage from words: strength, dose, form, route, frequency, meals, duration, maximum, tapering.
//!
//! The grammar takes what it knows and steps over the rest, so words that a speech engine invented do not stop it.
//! Target: R4 Dosage (<https://hl7.org/fhir/R4/dosage.html>).

use super::{
    DayTime, Dosage, DoseUnit, Quantity, Start,
    amounts::{
        Taken, is_lower_step, quantity_unit, skip_former, skip_vehicle, take_change, take_concentration, take_maximum,
        take_quantity,
    },
    corrections::corrected,
    lengths::{skip_first_day, take_duration},
    meals::{take_food, take_meals},
    needed::{begins_need, take_as_needed},
    parts::{Cursor, time_unit},
    steps::{Draft, contradictions, finish},
    timing_words::{take_day_time, take_frequency, take_number_of_doses, take_start},
    units::{Route, form_named, unit_named},
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
const UNSTATABLE: [&str; 46] = [
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
    "second dose",
    "next dose",
    "booster",
    "divided dose",
    "divided doses",
    "double dose",
    "weekends",
    "on weekdays",
    "mg/kg",
    "mcg/kg",
    "units/kg",
    "ml/kg",
    "mg/kg/day",
    "mg/kg/dose",
    "sorry",
    "i mean",
    "i meant",
    "correction",
    "dose to be adjusted",
    "as advised",
    "on day",
    "on days",
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

/// Reads a dosage from tokens, of which what was said again is left out.
#[must_use]
pub fn read(tokens: &[Token]) -> Reading {
    read_as_said(&corrected(tokens))
}

/// Reads a dosage from tokens as they stand.
pub fn read_as_said(tokens: &[Token]) -> Reading {
    let mut reading = Reading::default();
    let mut cursor = Cursor::new(tokens);
    let mut drafts = vec![Draft::default()];
    while cursor.peek(0).is_some() {
        let from = cursor.place();
        if is_next_step(&mut cursor, drafts.last()) {
            drafts.push(Draft::after(drafts.last()));
            // The word is kept as a part, so that the parts alone still read as a taper.
            if let Some(span) = cursor.span_from(from) {
                reading.parts.push(Part { kind: AttributeType::Frequency, span, value: None });
            }
            continue;
        }
        if drafts.last().is_some_and(|draft| draft.step.duration.is_some() && begins_need(&cursor)) {
            drafts.push(Draft::after(drafts.last()));
        }
        if is_other_amount(&cursor, drafts.last()) {
            drafts.push(Draft::beside(drafts.last()));
        }
        if drafts.last().is_some_and(|draft| is_lower_step(&cursor, draft)) {
            drafts.push(Draft::after(drafts.last()));
        }
        if skip_vehicle(&mut cursor) || skip_former(&mut cursor) || skip_first_day(&mut cursor) {
            continue;
        }
        let amount = drafts.last().is_some_and(|draft| !draft.quantities.is_empty());
        let timed = drafts.last().is_some_and(|draft| !draft.step.timing.when.is_empty());
        let later = drafts.len() > 1 || drafts.last().is_some_and(|draft| draft.step.duration.is_some());
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
                // A number behind a whole step that nobody reads may be the dose of the next one.
                let unread = later && cursor.number(0).is_some() && cursor.place() == from;
                // "one tablet in the morning and one tablet at 4 pm": the model has no times of the clock.
                let clock = cursor.number(0).is_some() && matches!(cursor.word(1), "am" | "pm" | "o'clock");
                // "2 mg after each loose stool"
                let each = cursor.word(0) == "after" && matches!(cursor.word(1), "each" | "every") && amount && later;
                let unread = unread || (clock && timed) || each;
                reading.conflicts += usize::from(is_range(&cursor) || unread || cursor.take_any(&UNSTATABLE));
                cursor.advance(usize::from(cursor.place() == from));
            }
        }
    }
    reading.conflicts += drafts.iter().map(contradictions).sum::<usize>();
    reading.steps = finish(drafts, &mut reading.parts, reading.form);
    reading
}

/// "5 to 10 mg" and "1-2 tablets" are ranges; "to be started", "increase to 10 mg" and "650 - 1 twice a day" are none.
fn is_range(cursor: &Cursor<'_>) -> bool {
    let (before, after) = (cursor.number_before(), cursor.number(1));
    match cursor.word(0) {
        "to" => after.is_some() && (before.is_some() || unit_named(cursor.word_before()).is_some()),
        "-" | "–" => before.zip(after).is_some_and(|(low, high)| low < high),
        _ => false,
    }
}

/// Takes the word between two steps of a taper; "then" needs a whole step before it.
fn is_next_step(cursor: &mut Cursor<'_>, draft: Option<&Draft>) -> bool {
    let whole = draft.is_some_and(|draft| draft.step.duration.is_some() || draft.step.timing.count.is_some());
    // "two tablets stat and one tablet twice a day", "stat and SOS"
    let at_once = draft.is_some_and(|draft| {
        let timing = &draft.step.timing;
        timing.start == Start::Immediate && timing.frequency.is_none() && timing.when.is_empty()
    });
    if at_once && cursor.word(0) == "and" {
        let mut after = *cursor;
        after.advance(1 + usize::from(after.word(1) == ","));
        let counted = after.number(0).is_some() && quantity_unit(&after, 1).is_some();
        if counted || take_as_needed(&mut after.clone()).is_some() || take_frequency(&mut after.clone()).is_some() {
            cursor.advance(1);
            return true;
        }
    }
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
            "increased to",
            "reduce to",
            "reduced to",
            "decreased to",
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
    // A mass beside a count is the strength of a piece, and so is no other amount.
    let other = |held: &[(Quantity, usize)], value, unit: DoseUnit| {
        let same = |(held, _): &(Quantity, usize)| held.unit == unit && held.value != value;
        held.iter().any(same) && (unit.is_countable() || held.len() == 1)
    };
    // "two tablets in the morning, one at night": the second count leaves its unit unsaid.
    let unsaid = || {
        let counted = draft.and_then(Draft::counted).filter(|_| cursor.word_before() != "at");
        counted.map(|unit| (unit, 1))
    };
    let Some((value, (unit, used))) = cursor.number(0).zip(quantity_unit(cursor, 1).or_else(unsaid)) else {
        return false;
    };
    let mut after = *cursor;
    after.advance(used + usize::from(cursor.word(used) == ","));
    draft.filter(timed).is_some_and(|draft| other(&draft.quantities, value, unit))
        && take_day_time(&mut after).is_some()
}

fn take_part(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    take_maximum(cursor, draft, reading)
        .or_else(|| take_change(cursor, draft))
        .or_else(|| take_concentration(cursor))
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

/// "at night, at bedtime" is one time and not two.
fn add_time(times: &mut Vec<DayTime>, time: DayTime) {
    match time {
        DayTime::Night if times.contains(&DayTime::Bedtime) => {}
        DayTime::Bedtime => {
            times.retain(|other| !matches!(other, DayTime::Night | DayTime::Bedtime));
            times.push(time);
        }
        _ if times.contains(&time) => {}
        _ => times.push(time),
    }
}

/// Takes "1 1 1": within an order three small numbers in a row are a pattern of the day.
fn take_pattern(cursor: &mut Cursor<'_>) -> Option<Vec<Decimal>> {
    let small = |ahead: usize| cursor.number(ahead).filter(|value| *value <= Decimal::whole(3));
    let values = [small(0)?, small(1)?, small(2)?];
    // "1 1 1 three days" ends before the length.
    let counted = |ahead: usize| unit_named(cursor.word(ahead)).is_some() || time_unit(cursor.word(ahead)).is_some();
    let alone = !counted(3) && (cursor.number(3).is_none() || counted(4));
    let begins = cursor.number_before().is_none_or(|before| before > Decimal::whole(3));
    if !alone || !begins || values.iter().all(|value| *value == Decimal::ZERO) {
        return None;
    }
    cursor.advance(3);
    Some(values.to_vec())
}

fn take_schedule(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    let step = &mut draft.step;
    if let Some(TokenKind::Slots(values)) = cursor.peek(0).map(|token| &token.kind) {
        cursor.advance(1);
        reading.conflicts += usize::from(draft.slots.is_some());
        draft.slots = Some(values.clone());
    } else if let Some(values) = take_pattern(cursor) {
        reading.conflicts += usize::from(draft.slots.is_some());
        draft.slots = Some(values);
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
        add_time(&mut step.timing.when, time);
    } else if let Some(timing) = take_frequency(cursor) {
        reading.conflicts += usize::from(step.timing.frequency.is_some() && step.timing.rate() != timing.rate());
        step.timing.set_rate(&timing);
    } else if let Some(start) = take_start(cursor) {
        step.timing.start = start;
        step.timing.count = step.timing.count.or(Some(1));
    } else if let Some(count) = take_number_of_doses(cursor) {
        step.timing.count = Some(count);
    } else {
        return None;
    }
    Some((AttributeType::Frequency, None))
}

fn take_route(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Option<Taken> {
    let route = Route::ALL.iter().copied().find(|route| cursor.take_any(route.words()))?;
    draft.step.route = Some(route);
    Some((AttributeType::RouteOrMode, None))
}
