//! Dates and times: what is stored and what is asked are ranges (R4 search.html#date, #prefix).

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{QUERIES, VALUES, compare, encoded, samples};

const PREFIXES: &[&str] = &["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];
const DAY: i64 = 86_400;

/// A time as it is written, with its first second and the first one behind it.
#[derive(Clone, Debug)]
struct Written {
    text: String,
    from: i64,
    until: i64,
}

/// Days since the year 2000, counted one year and one month after the other.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let is_leap = |year: i64| year % 4 == 0;
    let years: i64 = (2000..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months: i64 = lengths.iter().take(usize::try_from(month - 1).unwrap()).sum();
    years + months + day - 1
}

fn written() -> impl Strategy<Value = Written> + Clone {
    let date = (2019_i64..2022, 1_i64..13, 1_i64..29);
    let time = (0_i64..24, 0_i64..60, 0_i64..60);
    let zone = select(vec![("Z", 0_i64), ("+05:30", 330), ("-08:00", -480)]);
    (0..4_u8, date, time, zone).prop_map(|(precision, (year, month, day), (hour, minute, second), (zone, east))| {
        let (text, from, until) = match precision {
            0 => (format!("{year}"), days(year, 1, 1) * DAY, days(year + 1, 1, 1) * DAY),
            1 => {
                let next = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
                (format!("{year}-{month:02}"), days(year, month, 1) * DAY, next * DAY)
            }
            2 => {
                let first = days(year, month, day);
                (format!("{year}-{month:02}-{day:02}"), first * DAY, (first + 1) * DAY)
            }
            _ => {
                let local = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
                let text = format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}");
                (text, local - east * 60, local - east * 60 + 1)
            }
        };
        Written { text, from, until }
    })
}

/// What is stored: a time, or a period of which one end may be open.
#[derive(Clone, Debug)]
enum Stored {
    Time(Written),
    Period(Option<Written>, Option<Written>),
}

impl Stored {
    fn range(&self) -> (i64, i64) {
        match self {
            Self::Time(time) => (time.from, time.until),
            Self::Period(start, end) => {
                (start.as_ref().map_or(i64::MIN, |start| start.from), end.as_ref().map_or(i64::MAX, |end| end.until))
            }
        }
    }
}

fn observation(stored: &Stored) -> Value {
    let mut observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}});
    match stored {
        Stored::Time(time) => observation["effectiveDateTime"] = json!(time.text),
        Stored::Period(start, end) => {
            for (name, time) in [("start", start), ("end", end)] {
                if let Some(time) = time {
                    observation["effectivePeriod"][name] = json!(time.text);
                }
            }
        }
    }
    observation
}

fn fits(stored: &Stored, (prefix, asked): &(&str, Written)) -> bool {
    let (from, until) = stored.range();
    let within = from >= asked.from && until <= asked.until;
    match *prefix {
        "" | "eq" => within,
        "ne" => !within,
        "gt" => until > asked.until,
        "lt" => from < asked.from,
        "ge" => until > asked.from,
        "le" => from < asked.until,
        "sa" => from >= asked.until,
        "eb" => until <= asked.from,
        // A day around it, which R4 leaves to the server.
        _ => until > asked.from - DAY && from < asked.until + DAY,
    }
}

#[tokio::test]
async fn dates_fit_as_defined() {
    let period = (prop::option::of(written()), prop::option::of(written()))
        .prop_filter("an end is known", |(start, end)| start.is_some() || end.is_some())
        .prop_filter("it begins before it ends", |(start, end)| match (start, end) {
            (Some(start), Some(end)) => start.until <= end.from,
            _ => true,
        });
    let stored = prop_oneof![
        2 => written().prop_map(Stored::Time),
        1 => period.prop_map(|(start, end)| Stored::Period(start, end)),
    ];
    let query = (select(PREFIXES), written());
    compare(
        (observation, samples(&stored, VALUES)),
        (
            |(prefix, asked): &(&str, Written)| format!("Observation?date={prefix}{}", encoded(&asked.text)),
            samples(&query, QUERIES * 2),
        ),
        fits,
    )
    .await;
}
