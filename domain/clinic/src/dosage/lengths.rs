//! For how long an order goes on, and the days that are no length.

use super::{Duration, TimeUnit, Timing, amounts::Taken, grammar::Reading, parts::Cursor, steps::Draft};
use crate::{entities::AttributeType, lexicon::decimal::Decimal};

/// Takes for how long.
pub fn take_duration(cursor: &mut Cursor<'_>, draft: &mut Draft, reading: &mut Reading) -> Option<Taken> {
    let mut attempt = *cursor;
    // "to be started after two weeks" and "on it since two years" say when, not for how long.
    if attempt.take_any(&["after", "since", "since last", "for the last", "for the past"])
        && attempt.take_length().is_some()
    {
        *cursor = attempt;
        return None;
    }
    attempt = *cursor;
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
    let short = if introduced { attempt.take_fraction().or_else(|| take_days(&mut attempt)) } else { None };
    let length = short.or_else(|| attempt.take_length())?;
    if matches!(attempt.word(0), "baad" | "back" | "ago" | "earlier") {
        *cursor = attempt;
        return None;
    }
    attempt.take_any(&["ke liye", "tak"]);
    // "every 8 hours" never comes here; a bare "5 days" counts, a bare "2 hours" does not.
    if !introduced && matches!(length.unit, TimeUnit::Hour | TimeUnit::Minute) {
        return None;
    }
    *cursor = attempt;
    reading.conflicts += usize::from(draft.step.duration.is_some_and(|other| other != length));
    draft.step.duration = Some(length);
    Some((AttributeType::Duration, Some(format!("{} {}", length.value, length.unit.code()))))
}

/// Takes "5 d".
fn take_days(cursor: &mut Cursor<'_>) -> Option<Duration> {
    let value = cursor.number(0).filter(|_| cursor.word(1) == "d")?;
    cursor.advance(2);
    Some(Duration { value, unit: TimeUnit::Day })
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
        draft.step.timing.set_rate(&Timing::every(days, Decimal::ONE, TimeUnit::Week));
        *cursor = attempt;
    }
    said
}

/// Steps over "from day 1": when a course begins, and no amount.
pub fn skip_first_day(cursor: &mut Cursor<'_>) -> bool {
    let mut after = *cursor;
    let skipped = after.take_any(&["from day", "starting on day", "starting day"]) && after.number(0).is_some();
    if skipped {
        after.advance(1);
        *cursor = after;
    }
    skipped
}
