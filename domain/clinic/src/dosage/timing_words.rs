//! The words and abbreviations of schedules: Latin, English and the habits of Indian prescriptions.
//!
//! Meanings follow R4 `GTSAbbreviation` (<https://hl7.org/fhir/R4/valueset-timing-abbreviation.html>) and common Indian usage (OD, TDS, SOS).

use super::{AsNeeded, DayTime, Food, Start, TimeUnit, Timing, parts::Cursor, parts::time_unit};
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
    (DayTime::Morning, &["in the morning", "every morning", "morning", "mane"]),
    (DayTime::Noon, &["at noon", "in the afternoon", "afternoon", "noon"]),
    (DayTime::Evening, &["in the evening", "every evening", "evening"]),
    (DayTime::Night, &["at night", "in the night", "every night", "night", "nocte"]),
    (
        DayTime::Bedtime,
        &[
            "at bedtime",
            "at bed time",
            "bedtime",
            "before sleep",
            "before sleeping",
            "before going to bed",
            "hs",
            "h.s",
            "qhs",
        ],
    ),
];

const ADVICE: [&str; 16] = [
    "persists",
    "persist",
    "continues",
    "continue",
    "does",
    "do",
    "not",
    "doesn't",
    "recurs",
    "returns",
    "increases",
    "worsens",
    "is",
    "come",
    "gets",
    "comes",
];

const FOOD: [(Food, &[&str]); 3] = [
    (
        Food::Before,
        &[
            "before food",
            "before meals",
            "before meal",
            "before eating",
            "before breakfast",
            "before lunch",
            "before dinner",
            "before each meal",
            "empty stomach",
            "on empty stomach",
            "on an empty stomach",
            "ac",
            "a.c",
        ],
    ),
    (
        Food::After,
        &[
            "after food",
            "after meals",
            "after meal",
            "after eating",
            "after breakfast",
            "after lunch",
            "after dinner",
            "after each meal",
            "pc",
            "p.c",
        ],
    ),
    (Food::With, &["with food", "with meals", "with meal", "with a meal"]),
];

/// Takes how often in a period.
pub fn take_frequency(cursor: &mut Cursor<'_>) -> Option<Timing> {
    if let Some(TokenKind::Slots(_)) = cursor.peek(0).map(|token| &token.kind) {
        return None;
    }
    take_every(cursor).or_else(|| take_times(cursor)).or_else(|| {
        let (times, _) = PER_DAY.iter().find(|(_, phrases)| cursor.take_any(phrases))?;
        Some(Timing::every(*times, Decimal::ONE, TimeUnit::Day))
    })
}

/// Takes "three times a day", "two times in a week", "once a week", "once weekly".
fn take_times(cursor: &mut Cursor<'_>) -> Option<Timing> {
    let mut attempt = *cursor;
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

/// Takes "every 8 hours", "8 hourly", "q8h", "every other day", "alternate days", "weekly".
fn take_every(cursor: &mut Cursor<'_>) -> Option<Timing> {
    if cursor.take_any(&["every other day", "alternate days", "alternate day", "on alternate days", "qod", "eod"]) {
        return Some(Timing::every(1, Decimal::whole(2), TimeUnit::Day));
    }
    if cursor.take_any(&["weekly", "every week"]) {
        return Some(Timing::every(1, Decimal::ONE, TimeUnit::Week));
    }
    let mut attempt = *cursor;
    let every = attempt.take_any(&["every", "each", "q"]);
    let value = attempt.number(0)?;
    let unit = match (attempt.word(1), every) {
        ("hourly" | "hrly", _) | ("h", true) => TimeUnit::Hour,
        (word, true) => time_unit(word)?,
        _ => return None,
    };
    attempt.advance(2);
    *cursor = attempt;
    (value > Decimal::ZERO).then(|| Timing::every(1, value, unit))
}

/// Takes a time of day.
pub fn take_day_time(cursor: &mut Cursor<'_>) -> Option<DayTime> {
    TIMES.iter().find(|(_, phrases)| cursor.take_any(phrases)).map(|(time, _)| *time)
}

/// Takes a relation to meals.
pub fn take_food(cursor: &mut Cursor<'_>) -> Option<Food> {
    FOOD.iter().find(|(_, phrases)| cursor.take_any(phrases)).map(|(food, _)| *food)
}

/// Takes "at once".
pub fn take_start(cursor: &mut Cursor<'_>) -> Option<Start> {
    cursor.take_any(&["stat", "immediately", "right now", "at once"]).then_some(Start::Immediate)
}

/// For what a dose may be taken when needed.
const REASONS: [&str; 28] = [
    "chest pain",
    "abdominal pain",
    "stomach pain",
    "body ache",
    "severe pain",
    "high fever",
    "anxiety",
    "constipation",
    "cramps",
    "dizziness",
    "migraine",
    "palpitations",
    "wheeze",
    "spasm",
    "fever",
    "pain",
    "headache",
    "vomiting",
    "nausea",
    "cough",
    "itching",
    "breathlessness",
    "wheezing",
    "acidity",
    "loose motions",
    "giddiness",
    "sleep",
    "cold",
];

/// Takes "as needed" with its reason.
pub fn take_as_needed(cursor: &mut Cursor<'_>) -> Option<AsNeeded> {
    let needed = cursor.take_any(&[
        "sos",
        "s.o.s",
        "prn",
        "p.r.n",
        "as needed",
        "when needed",
        "if needed",
        "as required",
        "when required",
        "if required",
        "whenever required",
    ]);
    let mut attempt = *cursor;
    let linked = if needed {
        attempt.take_any(&["for", "if", "in case of", "when"])
    } else {
        attempt.take_any(&["if", "in case of", "only for", "only if"])
    };
    if linked {
        attempt.take_any(&["there is", "you have", "having"]);
        // "if fever persists, come back" is advice and must not turn a regular dose into one that is taken when needed.
        let reason = REASONS.iter().find(|reason| attempt.take(reason));
        let advice = ADVICE.contains(&attempt.word(0));
        if let Some(reason) = reason.filter(|_| !advice) {
            *cursor = attempt;
            return Some(AsNeeded::For((*reason).to_owned()));
        }
    }
    needed.then_some(AsNeeded::Yes)
}
