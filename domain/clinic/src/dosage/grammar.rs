//! Reads a dosage from words: strength, dose, form, route, frequency, meals, duration, maximum, tapering.
//!
//! The grammar takes what it knows and steps over the rest, so words that a speech engine invented do not stop it.
//! Target: R4 Dosage (<https://hl7.org/fhir/R4/dosage.html>).

use super::{
    Dosage, Quantity, Timing,
    parts::Cursor,
    timing_words::{take_as_needed, take_day_time, take_food, take_frequency, take_start},
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
}

#[derive(Default)]
struct Draft {
    step: Dosage,
    quantities: Vec<(Quantity, usize)>,
    slots: Option<Vec<Decimal>>,
}

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
            continue;
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
            None => cursor.advance(1),
        }
    }
    reading.steps = finish(drafts, &mut reading.parts);
    reading
}

/// Takes the word between two steps of a taper; "then" needs a whole step before it.
fn is_next_step(cursor: &mut Cursor<'_>, draft: Option<&Draft>) -> bool {
    let whole = draft.is_some_and(|draft| draft.step.duration.is_some());
    whole
        && cursor.take_any(&[
            "then",
            "followed by",
            "and then",
            "after that",
            "thereafter",
        ])
}

type Taken = (AttributeType, Option<String>);

fn take_part(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    take_maximum(cursor, draft)
        .or_else(|| take_duration(cursor, draft))
        .or_else(|| take_schedule(cursor, draft))
        .or_else(|| take_quantity(cursor, draft, reading))
        .or_else(|| take_route(cursor, draft))
        .or_else(|| {
            let form = form_named(cursor.word(0))?;
            cursor.advance(1);
            reading.form.get_or_insert(form);
            Some((AttributeType::Form, None))
        })
}

fn take_maximum(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Option<Taken> {
    let mut attempt = *cursor;
    if !attempt.take_any(&[
        "maximum",
        "max",
        "not more than",
        "maximum of",
        "up to a maximum of",
        "do not exceed",
    ]) {
        return None;
    }
    let value = attempt.number(0)?;
    let unit = unit_named(attempt.word(1))?;
    attempt.advance(2);
    if !attempt.take_any(&[
        "a day",
        "per day",
        "in a day",
        "daily",
        "in 24 hours",
        "/ day",
    ]) {
        return None;
    }
    *cursor = attempt;
    draft.step.max_per_day = Some(Quantity { value, unit });
    Some((AttributeType::Dosage, None))
}

fn take_duration(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Option<Taken> {
    let mut attempt = *cursor;
    let introduced = attempt.take_any(&[
        "for",
        "x",
        "×",
        "for the next",
        "for next",
        "for another",
        "for a total of",
        "till",
        "upto",
        "up to",
    ]);
    let length = attempt.take_length()?;
    // "every 8 hours" never comes here; a bare "5 days" counts, a bare "2 hours" does not.
    if !introduced && matches!(length.unit, super::TimeUnit::Hour | super::TimeUnit::Minute) {
        return None;
    }
    *cursor = attempt;
    draft.step.duration = Some(length);
    Some((
        AttributeType::Duration,
        Some(format!("{} {}", length.value, length.unit.code())),
    ))
}

fn take_schedule(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Option<Taken> {
    let step = &mut draft.step;
    if let Some(TokenKind::Slots(values)) = cursor.peek(0).map(|token| &token.kind) {
        cursor.advance(1);
        draft.slots = Some(values.clone());
    } else if let Some(as_needed) = take_as_needed(cursor) {
        step.timing.as_needed = as_needed;
    } else if let Some(food) = take_food(cursor) {
        step.food = Some(food);
    } else if let Some(time) = take_day_time(cursor) {
        if !step.timing.when.contains(&time) {
            step.timing.when.push(time);
        }
    } else if let Some(timing) = take_frequency(cursor) {
        step.timing.frequency = timing.frequency;
        step.timing.period = timing.period;
        step.timing.period_unit = timing.period_unit;
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

fn take_quantity(
    cursor: &mut Cursor<'_>,
    draft: &mut Draft,
    reading: &mut Reading,
) -> Option<Taken> {
    let value = cursor.number(0)?;
    let (unit, used) = quantity_unit(cursor, 1)?;
    if unit.is_countable()
        && let Some(form) = form_named(cursor.word(used - 1))
    {
        reading.form.get_or_insert(form);
    }
    cursor.advance(used);
    draft
        .quantities
        .push((Quantity { value, unit }, reading.parts.len()));
    Some((
        AttributeType::Dosage,
        Some(format!("{value} {}", unit.display())),
    ))
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
    let route = Route::ALL
        .iter()
        .copied()
        .find(|route| cursor.take_any(route.words()))?;
    draft.step.route = Some(route);
    Some((AttributeType::RouteOrMode, None))
}

fn finish(drafts: Vec<Draft>, parts: &mut [Part]) -> Vec<Dosage> {
    let several = drafts.len() > 1;
    let mut steps: Vec<Dosage> = Vec::new();
    for (index, draft) in drafts.into_iter().enumerate() {
        let number = several.then(|| u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1));
        steps.extend(finish_step(
            draft,
            number,
            parts,
            steps.first().cloned().as_ref(),
        ));
    }
    steps.retain(|step| {
        *step
            != Dosage {
                sequence: step.sequence,
                ..Dosage::default()
            }
    });
    steps
}

fn finish_step(
    draft: Draft,
    number: Option<u32>,
    parts: &mut [Part],
    first: Option<&Dosage>,
) -> Vec<Dosage> {
    let Draft {
        mut step,
        quantities,
        slots,
    } = draft;
    step.sequence = number;
    settle_quantities(&mut step, &quantities, parts);
    if let Some(first) = first {
        step.strength = step.strength.or(first.strength);
        step.route = step.route.or(first.route);
        step.food = step.food.or(first.food);
    }
    if let Some(slots) = slots {
        return spread(&step, &slots);
    }
    step.timing.when.sort_unstable();
    if step.timing.frequency.is_none() && !step.timing.when.is_empty() {
        let times = u32::try_from(step.timing.when.len()).unwrap_or(1);
        step.timing = with_frequency(&step.timing, times);
    }
    vec![step]
}

/// A count of pieces is the dose and the mass beside it the strength; a mass alone is the dose.
fn settle_quantities(step: &mut Dosage, quantities: &[(Quantity, usize)], parts: &mut [Part]) {
    let counted = quantities.iter().find(|(quantity, _)| {
        quantity.unit.is_countable() || quantity.unit == DoseUnit::Millilitre
    });
    let measured = quantities.iter().find(|(quantity, _)| {
        !quantity.unit.is_countable()
            && Some(quantity.unit) != counted.map(|(quantity, _)| quantity.unit)
    });
    step.dose = counted.or(measured).map(|(quantity, _)| *quantity);
    if counted.is_some()
        && let Some((strength, part)) = measured
    {
        step.strength = Some(*strength);
        if let Some(part) = parts.get_mut(*part) {
            part.kind = AttributeType::Strength;
        }
    }
}

fn with_frequency(timing: &Timing, times: u32) -> Timing {
    Timing {
        when: timing.when.clone(),
        as_needed: timing.as_needed.clone(),
        count: timing.count,
        start: timing.start,
        ..Timing::every(times, Decimal::ONE, super::TimeUnit::Day)
    }
}

/// Turns 1-0-1 into times of day; slots with unequal amounts become steps that run together.
fn spread(step: &Dosage, slots: &[Decimal]) -> Vec<Dosage> {
    use super::DayTime::{Evening, Morning, Night, Noon};
    let times: &[super::DayTime] = if slots.len() == 4 {
        &[Morning, Noon, Evening, Night]
    } else {
        &[Morning, Noon, Night]
    };
    let mut amounts: Vec<Decimal> = Vec::new();
    for amount in slots
        .iter()
        .copied()
        .filter(|amount| *amount > Decimal::ZERO)
    {
        if !amounts.contains(&amount) {
            amounts.push(amount);
        }
    }
    let several = amounts.len() > 1;
    let mut steps = Vec::new();
    for amount in amounts {
        let mut part = step.clone();
        part.timing.when = times
            .iter()
            .zip(slots)
            .filter(|(_, slot)| **slot == amount)
            .map(|(time, _)| *time)
            .collect();
        let count = u32::try_from(part.timing.when.len()).unwrap_or(1);
        part.timing = with_frequency(&part.timing, count);
        part.sequence = step.sequence.or(several.then_some(1));
        set_amount(&mut part, amount);
        steps.push(part);
    }
    steps
}

/// The digits of 1-0-1 count pieces; a mass that was said is then the strength of a piece.
fn set_amount(step: &mut Dosage, amount: Decimal) {
    let unit = match step.dose {
        Some(dose) if dose.unit.is_countable() || dose.unit == DoseUnit::Millilitre => dose.unit,
        Some(dose) => {
            step.strength = Some(dose);
            DoseUnit::Tablet
        }
        None if amount == Decimal::ONE => return,
        None => DoseUnit::Tablet,
    };
    let value = step
        .dose
        .filter(|dose| dose.unit == unit)
        .map_or(amount, |dose| dose.value.times(amount).unwrap_or(amount));
    step.dose = Some(Quantity { value, unit });
}
