//! Amounts: the dose, the strength, the most in a day, and amounts that are neither, such as what a medicine is dissolved in.

use super::{
    DoseUnit, Quantity, Timing,
    grammar::Reading,
    meals::take_food,
    parts::Cursor,
    steps::Draft,
    timing_words::{take_day_time, take_frequency},
    units::{form_named, unit_named},
};
use crate::{entities::AttributeType, lexicon::decimal::Decimal};

/// What was taken, with its value in canonical form.
pub type Taken = (AttributeType, Option<String>);

/// Takes the most in a day.
pub fn take_maximum(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &Reading) -> Option<Taken> {
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

/// Takes an amount with its unit.
pub fn take_quantity(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    let value = cursor.number(0).or_else(|| whole(cursor))?;
    let Some((unit, used)) = quantity_unit(cursor, 1) else {
        return take_carried(cursor, draft, reading).or_else(|| take_bare_count(cursor, draft, reading));
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
    Some(hold(draft, reading, Quantity { value, unit }))
}

/// "half tablet at night for one week, then full tablet"
fn whole(cursor: &Cursor<'_>) -> Option<Decimal> {
    let counted = unit_named(cursor.word(1)).is_some_and(DoseUnit::is_countable);
    (counted && matches!(cursor.word(0), "full" | "whole")).then_some(Decimal::ONE)
}

fn hold(draft: &mut Draft, reading: &Reading, quantity: Quantity) -> Taken {
    draft.quantities.push((quantity, reading.parts.len()));
    (AttributeType::Dosage, Some(format!("{} {}", quantity.value, quantity.unit.display())))
}

/// Takes "two" of "two at night" and "two twice a day"; one goes without saying, and "at two in the afternoon" is a time.
fn take_bare_count(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    let value = cursor.number(0).filter(|value| *value <= Decimal::whole(4))?;
    // "one tablet in the morning and one at night": the same again.
    let again = draft.counted().is_some() && draft.quantities.iter().any(|(held, _)| held.value == value);
    let mut after = *cursor;
    after.advance(1);
    let timed = take_day_time(&mut after).is_some() && cursor.word_before() != "at";
    if value == Decimal::ONE && !(draft.beside && again) && !(timed && is_before_other_count(after)) {
        return None;
    }
    // "two a day" may be two at once or twice; "two weekly" may be every other week.
    let unclear = ["a", "per", "in", "each", "weekly", "monthly", "fortnightly"].contains(&after.word(0));
    let often = !timed && !unclear && draft.counted().is_none() && take_frequency(&mut after).is_some();
    (timed || often).then_some(())?;
    let unit = piece(draft, reading)?;
    // "one in the morning and two at night" is more than one step of this model says.
    reading.conflicts += usize::from(!draft.step.timing.when.is_empty() && !again);
    cursor.advance(1);
    Some(hold(draft, reading, Quantity { value, unit }))
}

/// "one in the morning and half at night": the other count says that the first one is a count too.
fn is_before_other_count(mut after: Cursor<'_>) -> bool {
    after.take_any(&["and", ",", ", and"]);
    let other = after.number(0).is_some_and(|value| value <= Decimal::whole(4) && value != Decimal::ONE);
    after.advance(1);
    other && take_day_time(&mut after).is_some()
}

/// Finds the unit after a number, stepping over "-" and "a": "half a tablet", "500-mg".
pub fn quantity_unit(cursor: &Cursor<'_>, from: usize) -> Option<(DoseUnit, usize)> {
    let ahead = from + usize::from(matches!(cursor.word(from), "-" | "a" | "of"));
    if cursor.word(ahead) == "per" && cursor.word(ahead + 1) == "cent" {
        return Some((DoseUnit::Percent, ahead + 2));
    }
    unit_named(cursor.word(ahead)).map(|unit| (unit, ahead + 1))
}

/// Takes "20" of "40 mg for 3 days then 20 for 3 days": a later step leaves the unit unsaid, not the number.
fn take_carried(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &Reading) -> Option<Taken> {
    let unit = draft.carried.filter(|_| draft.quantities.is_empty())?;
    let value = cursor.number(0)?;
    let mut after = *cursor;
    after.advance(1);
    if !is_followed_by_schedule(after) {
        return None;
    }
    *cursor = after;
    Some(hold(draft, reading, Quantity { value, unit }))
}

fn is_followed_by_schedule(mut after: Cursor<'_>) -> bool {
    after.advance(usize::from(after.word(0) == ","));
    let mut timed = after;
    let length = after.take_any(&["for", "x", "×", "for the next", "for another"]);
    (length && (after.take_fraction().is_some() || after.take_length().is_some()))
        || take_frequency(&mut timed).is_some()
        || take_day_time(&mut timed).is_some()
        || take_food(&mut timed).is_some()
}

/// Tells whether another amount with a length of its own begins: "40 mg for 3 days, 20 mg for 3 days".
pub fn is_lower_step(cursor: &Cursor<'_>, draft: &Draft) -> bool {
    let ([(held, _)], Some(_), Some(value)) = (draft.quantities.as_slice(), draft.step.duration, cursor.number(0))
    else {
        return false;
    };
    let mut after = *cursor;
    match quantity_unit(cursor, 1) {
        Some((unit, used)) if unit == held.unit && value != held.value => after.advance(used),
        Some(_) => return false,
        None => after.advance(1),
    }
    after.advance(usize::from(after.word(0) == ","));
    take_frequency(&mut after);
    take_day_time(&mut after);
    after.advance(usize::from(after.word(0) == ","));
    after.take_any(&["for", "x", "×", "for the next", "for next", "for another"])
        && (after.take_fraction().is_some() || after.take_length().is_some())
}

/// Takes "increased to" before an amount: what was taken before it is no dose any more.
pub fn take_change(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Option<Taken> {
    let mut attempt = *cursor;
    let said = attempt.take_any(&[
        "increased to",
        "increase to",
        "increase dose to",
        "increase the dose to",
        "dose increased to",
        "reduced to",
        "reduce to",
        "dose reduced to",
        "decreased to",
        "decrease to",
        "changed to",
        "stepped up to",
        "stepped down to",
    ]);
    attempt.advance(usize::from(attempt.word(0) == ","));
    let (_, used) = quantity_unit(&attempt, 1).filter(|_| said && attempt.number(0).is_some())?;
    // "100 mg twice daily, increase to 200 mg if needed": both doses are meant, and the grammar reads neither.
    let again = !draft.quantities.is_empty() && draft.step.timing != Timing::default();
    let may = ["can", "may", "could", "might", "be", "gradually", "slowly", "later"].contains(&cursor.word_before());
    let mut later = attempt;
    later.advance(used);
    let depends = (0..8).any(|ahead| match later.word(ahead) {
        "if" | "when" | "unless" => true,
        "after" => later.number(ahead + 1).is_some() || later.word(ahead + 1) == "a",
        _ => false,
    });
    if again && (depends || may) {
        return None;
    }
    *cursor = attempt;
    draft.quantities.clear();
    Some((AttributeType::Frequency, None))
}

/// Takes "250 mg per 5 ml": how strong a liquid is, and no dose.
pub fn take_concentration(cursor: &mut Cursor<'_>) -> Option<Taken> {
    cursor.number(0)?;
    let mut after = *cursor;
    if matches!(cursor.word(1), "mg/ml" | "mcg/ml" | "units/ml" | "iu/ml") {
        after.advance(2);
    } else {
        unit_named(cursor.word(1)).filter(|unit| !unit.is_countable())?;
        after.advance(2);
        after.take_any(&["per", "/", "in each", "in every"]).then_some(())?;
        after.advance(usize::from(after.number(0).is_some()));
        (unit_named(after.word(0))? == DoseUnit::Millilitre).then_some(())?;
        after.advance(1);
    }
    *cursor = after;
    Some((AttributeType::Strength, None))
}

/// Steps over "in 100 ml", "in half a glass of water": what a medicine is given in, and no dose.
pub fn skip_vehicle(cursor: &mut Cursor<'_>) -> bool {
    let mut after = *cursor;
    if !after.take_any(&[
        "in",
        "into",
        "with",
        "plus",
        "dissolved in",
        "diluted in",
        "diluted with",
        "mixed in",
        "mixed with",
    ]) {
        return false;
    }
    let counted = after.number(0).is_some();
    after.advance(usize::from(counted || after.word(0) == "a"));
    after.advance(usize::from(counted && after.word(0) == "a"));
    let liquid =
        ["ml", "mls", "cc", "millilitre", "millilitres", "milliliters", "litre", "litres", "l", "glass", "cup"];
    if !liquid.contains(&after.word(0)) {
        return false;
    }
    after.advance(1);
    after.advance(usize::from(after.word(0) == "of"));
    if after.number(0).is_some()
        && let Some((DoseUnit::Percent, used)) = quantity_unit(&after, 1)
    {
        after.advance(used);
    }
    *cursor = after;
    true
}

/// Steps over "from 5 to" before "10 mg": what was taken until now.
pub fn skip_former(cursor: &mut Cursor<'_>) -> bool {
    let mut after = *cursor;
    if !after.take("from") || after.number(0).is_none() {
        return false;
    }
    let named = quantity_unit(&after, 1).map_or(1, |(_, used)| used);
    after.advance(named);
    let former = after.take("to") && after.number(0).is_some() && quantity_unit(&after, 1).is_some();
    if former {
        *cursor = after;
    }
    former
}
