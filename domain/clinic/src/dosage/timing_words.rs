//! The words and abbreviations of schedules: Latin, English and the habits of Indian prescriptions.
//!
//! Meanings follow R4 `GTSAbbreviation` (<https://hl7.org/fhir/R4/valueset-timing-abbreviation.html>) and common Indian usage (OD, TDS, SOS).

use super::{DayTime, Start, TimeUnit, Timing, parts::Cursor, parts::time_unit};
use crate::lexicon::{decimal::Decimal, tokens::TokenKind};

const PER_DAY: [(u32, &[&str]); 4] = [
    (
        1,
        &[
            "od",
            "o.d",
            "qd",
            "once a day",
            "once daily",
            "once per day",
            "daily once",
            "one time a day",
            "daily",
            "every day",
            "once in a day",
            "each day",
            "per day",
            "a day",
            "roz",
            "rozana",
            "din mein ek baar",
        ],
    ),
    (
        2,
        &[
            "bd",
            "b.d",
            "bid",
            "b.i.d",
            "bds",
            "twice a day",
            "twice daily",
            "twice in a day",
            "twice per day",
            "daily twice",
        ],
    ),
    (3, &["tds", "t.d.s", "tid", "t.i.d", "thrice a day", "thrice daily", "thrice in a day", "daily thrice", "td"]),
    (4, &["qds", "q.d.s", "qid", "q.i.d"]),
];

const TIMES: [(DayTime, &[&str]); 5] = [
    (
        DayTime::Morning,
        &["in the morning", "in the mornings", "every morning", "each morning", "morning", "mane", "subah", "subah ko"],
    ),
    (
        DayTime::Noon,
        &[
            "at noon",
            "in the afternoon",
            "every afternoon",
            "afternoon",
            "noon",
            "midday",
            "at midday",
            "dopahar",
            "dopahar ko",
        ],
    ),
    (
        DayTime::Evening,
        &["in the evening", "every evening", "each evening", "evening", "shaam", "sham", "shaam ko", "sham ko"],
    ),
    (
        DayTime::Night,
        &[
            "at night",
            "in the night",
            "every night",
            "each night",
            "nightly",
            "night",
            "nocte",
            "raat",
            "raat ko",
            "raat mein",
        ],
    ),
    (
        DayTime::Bedtime,
        &[
            "at bedtime",
            "at bed time",
            "bedtime",
            "before sleep",
            "before sleeping",
            "before going to bed",
            "sone se pehle",
            "hs",
            "h.s",
            "qhs",
        ],
    ),
];

/// Takes how often in a period.
pub fn take_frequency(cursor: &mut Cursor<'_>) -> Option<Timing> {
    if let Some(TokenKind::Slots(_)) = cursor.peek(0).map(|token| &token.kind) {
        return None;
    }
    take_every(cursor).or_else(|| take_times(cursor)).or_else(|| take_hours(cursor)).or_else(|| {
        let (times, _) = PER_DAY.iter().find(|(_, phrases)| cursor.take_any(phrases))?;
        Some(Timing::every(*times, Decimal::ONE, TimeUnit::Day))
    })
}

/// Takes "three times a day", "two times in a week", "once a week", "once weekly", "once in two weeks", "twice for".
fn take_times(cursor: &mut Cursor<'_>) -> Option<Timing> {
    let mut attempt = *cursor;
    if attempt.take("din mein") {
        let times = attempt.number(0).filter(|_| attempt.word(1) == "baar")?.as_whole()?;
        cursor.advance(4);
        return (1..=24).contains(&times).then(|| Timing::every(times, Decimal::ONE, TimeUnit::Day));
    }
    if matches!(attempt.word(1), "x/day" | "times/day") {
        let times = attempt.number(0)?.as_whole()?;
        cursor.advance(2);
        return (1..=24).contains(&times).then(|| Timing::every(times, Decimal::ONE, TimeUnit::Day));
    }
    let times = match attempt.word(0) {
        "once" => 1,
        "twice" => 2,
        "thrice" => 3,
        _ => {
            let times = attempt.number(0)?.as_whole()?;
            if !matches!(attempt.word(1), "times" | "time" | "x") {
                return None;
            }
            attempt.advance(1);
            times
        }
    };
    attempt.advance(1);
    if attempt.word(0) == "in"
        && let (Some(period), Some(unit)) = (attempt.number(1), time_unit(attempt.word(2)))
    {
        attempt.advance(3);
        *cursor = attempt;
        return (times == 1 && period > Decimal::ZERO).then(|| Timing::every(times, period, unit));
    }
    // "one tablet twice for five days" leaves the day unsaid; once may be the only time.
    if (2..=4).contains(&times) && matches!(attempt.word(0), "" | "," | "for" | "after" | "before" | "with") {
        *cursor = attempt;
        return Some(Timing::every(times, Decimal::ONE, TimeUnit::Day));
    }
    let filler = attempt.take_any(&["a", "per", "in a", "each", "every", "/"]);
    let unit = match attempt.word(0) {
        "daily" => TimeUnit::Day,
        "weekly" => TimeUnit::Week,
        "monthly" => TimeUnit::Month,
        word if filler => time_unit(word)?,
        _ => return None,
    };
    attempt.advance(1);
    *cursor = attempt;
    (1..=24).contains(&times).then(|| Timing::every(times, Decimal::ONE, unit))
}

/// How often, in whole periods.
/// Takes "at 8 am and 8 pm": each hour is one time a day.
fn take_hours(cursor: &mut Cursor<'_>) -> Option<Timing> {
    let mut attempt = *cursor;
    attempt.take_any(&["at", "daily at"]);
    let (mut times, mut end) = (0, *cursor);
    while attempt.number(0).is_some_and(|hour| hour <= Decimal::whole(12))
        && matches!(attempt.word(1), "am" | "pm" | "o'clock")
    {
        times += 1;
        attempt.advance(2);
        end = attempt;
        attempt.take_any(&[",", "and", ", and", "and at"]);
    }
    if times < 2 {
        return None;
    }
    *cursor = end;
    Some(Timing::every(times, Decimal::ONE, TimeUnit::Day))
}

const EVERY: [(u32, TimeUnit, &[&str]); 7] = [
    (
        2,
        TimeUnit::Day,
        &[
            "every other day",
            "alternate days",
            "alternate day",
            "on alternate days",
            "every alternate day",
            "on every alternate day",
            "qod",
            "eod",
            "every second day",
            "alternate nights",
            "alternate night",
            "on alternate nights",
            "every alternate night",
        ],
    ),
    (3, TimeUnit::Day, &["every third day", "every 3 rd day", "once in three days"]),
    (4, TimeUnit::Day, &["every fourth day", "every 4 th day"]),
    (1, TimeUnit::Week, &["weekly", "every week"]),
    (2, TimeUnit::Week, &["fortnightly", "every fortnight", "once a fortnight", "once in a fortnight"]),
    (1, TimeUnit::Month, &["monthly", "every month"]),
    (1, TimeUnit::Hour, &["every hour"]),
];

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Takes "every Sunday", "every Monday and Thursday": so many times a week; the words stay those of the dosage.
fn take_weekdays(cursor: &mut Cursor<'_>) -> Option<Timing> {
    let mut attempt = *cursor;
    let introduced = attempt.take_any(&[
        "every",
        "each",
        "on",
        "only on",
        "on every",
        "once a week on",
        "once a week every",
        "once weekly on",
        "weekly on",
    ]);
    let is_day = |word: &str| WEEKDAYS.contains(&word.trim_end_matches('s'));
    let days = attempt.take_series(is_day, &[",", "and", ", and", "and every"]);
    // "Monday to Friday" is more than is said of Monday.
    // A bare "Sunday" may be when the patient comes.
    if days == 0 || (days == 1 && !introduced) || matches!(attempt.word(0), "to" | "till" | "through" | "-") {
        return None;
    }
    *cursor = attempt;
    Some(Timing::every(days, Decimal::ONE, TimeUnit::Week))
}

/// Takes "every 8 hours", "every four to six hours", "8 hourly", "q8h", "every other day", "weekly", "every Sunday".
fn take_every(cursor: &mut Cursor<'_>) -> Option<Timing> {
    if let Some(timing) = take_weekdays(cursor) {
        return Some(timing);
    }
    if let Some((period, unit, _)) = EVERY.iter().find(|(_, _, phrases)| cursor.take_any(phrases)) {
        return Some(Timing::every(1, Decimal::whole(*period), *unit));
    }
    let mut attempt = *cursor;
    let every = attempt.take_any(&["every", "each", "q", "har"]);
    let value = attempt.number(0)?;
    let most = attempt.number(2).filter(|most| matches!(attempt.word(1), "to" | "-" | "–") && *most > value);
    if most.is_some() {
        attempt.advance(2);
    }
    // "6-hourly", "6th hourly"
    attempt.advance(usize::from(attempt.word(1) == "th" && attempt.word(2) == "hourly"));
    attempt.advance(usize::from(attempt.word(1) == "-" && matches!(attempt.word(2), "hourly" | "hrly")));
    let unit = match (attempt.word(1), every) {
        ("hourly" | "hrly", _) | ("h", true) => TimeUnit::Hour,
        (word, true) => time_unit(word)?,
        _ => return None,
    };
    attempt.advance(2);
    *cursor = attempt;
    (value > Decimal::ZERO).then(|| Timing { period_max: most, ..Timing::every(1, value, unit) })
}

/// Takes a time of day.
pub fn take_day_time(cursor: &mut Cursor<'_>) -> Option<DayTime> {
    TIMES.iter().find(|(_, phrases)| cursor.take_any(phrases)).map(|(time, _)| *time)
}

/// Takes "at once".
pub fn take_start(cursor: &mut Cursor<'_>) -> Option<Start> {
    cursor.take_any(&["stat", "immediately", "right now", "at once"]).then_some(Start::Immediate)
}

/// Takes "single dose", "for 5 doses", and "once" where nothing follows: how many doses in all.
pub fn take_number_of_doses(cursor: &mut Cursor<'_>) -> Option<u32> {
    if cursor.take_any(&[
        "single dose",
        "one dose",
        "one dose only",
        "once only",
        "only once",
        "once now",
        "once today",
    ]) {
        return Some(1);
    }
    if cursor.word(0) == "once" && cursor.peek(1).is_none() {
        cursor.advance(1);
        return Some(1);
    }
    let mut attempt = *cursor;
    attempt.take_any(&["for", "total", "for a total of", "total of"]);
    let count = attempt.number(0).filter(|_| attempt.word(1) == "doses")?.as_whole()?;
    let of_a_day = matches!(attempt.word(2), "a" | "per" | "daily" | "in" | "every" | "/");
    if of_a_day || cursor.word_before() == "in" {
        return None;
    }
    attempt.advance(2);
    *cursor = attempt;
    Some(count)
}
