//! FHIR R4 dates and times (<https://hl7.org/fhir/R4/datatypes.html#dateTime>) as people say them, in the hospital's zone.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::language::Language;

const DAYS_OF_A_MONTH: i64 = 30;
const MONTHS_OF_AN_INFANT: i32 = 24;

/// A point in time, as exact as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A year.
    Year(i32),
    /// A month of a year.
    Month(i32, u32),
    /// A day.
    Day(NaiveDate),
    /// A day and a time of day in the hospital's zone.
    Time(NaiveDate, NaiveTime),
}

impl Moment {
    /// Reads a FHIR date, dateTime or instant.
    pub(crate) fn of(text: &str, zone: Tz) -> Option<Self> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            let local = time.with_timezone(&zone);
            return Some(Self::Time(local.date_naive(), local.time()));
        }
        let mut parts = text.splitn(3, '-');
        let year: i32 = parts.next()?.parse().ok()?;
        match (parts.next(), parts.next()) {
            (None, _) => Some(Self::Year(year)),
            (Some(month), None) => Some(Self::Month(year, month.parse().ok().filter(|m| (1..=12).contains(m))?)),
            (Some(_), Some(_)) => Some(Self::Day(text.parse().ok()?)),
        }
    }

    /// The day, where it is known.
    pub(crate) const fn date(self) -> Option<NaiveDate> {
        match self {
            Self::Day(date) | Self::Time(date, _) => Some(date),
            Self::Year(_) | Self::Month(..) => None,
        }
    }

    /// 14 July 2026.
    pub(crate) fn day(self, language: Language) -> String {
        self.said(language, "month")
    }

    /// 14 Jul 2026.
    pub(crate) fn short_day(self, language: Language) -> String {
        self.said(language, "month-short")
    }

    fn said(self, language: Language, names: &str) -> String {
        let name = |month: u32| language.text(&format!("{names}-{month}")).unwrap_or_default();
        match self {
            Self::Year(year) => year.to_string(),
            Self::Month(year, month) => format!("{} {year}", name(month)),
            Self::Day(date) | Self::Time(date, _) => {
                format!("{}\u{a0}{} {}", date.day(), name(date.month()), date.year())
            }
        }
    }

    /// 11:52; empty where no time is known.
    pub(crate) fn clock(self) -> String {
        match self {
            Self::Time(_, time) => time.format("%H:%M").to_string(),
            _ => String::new(),
        }
    }
}

/// The key of an age's words and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Age {
    /// age-years, age-months or age-days.
    pub(crate) key: &'static str,
    /// How many.
    pub(crate) count: i64,
}

/// The age on a day: years, below two years months, below one month days.
pub(crate) fn age(born: Moment, today: NaiveDate) -> Option<Age> {
    let born = match born {
        Moment::Year(year) => return Some(Age { key: "age-years", count: i64::from(today.year() - year) }),
        Moment::Month(year, month) => NaiveDate::from_ymd_opt(year, month, 1)?,
        Moment::Day(date) | Moment::Time(date, _) => date,
    };
    let before = i32::from(today.day() < born.day());
    let months = (today.year() - born.year()) * 12 + i32::try_from(today.month()).ok()?
        - i32::try_from(born.month()).ok()?
        - before;
    let days = (today - born).num_days();
    Some(match (days, months) {
        (..0, _) => return None,
        (..DAYS_OF_A_MONTH, _) => Age { key: "age-days", count: days },
        (_, ..MONTHS_OF_AN_INFANT) => Age { key: "age-months", count: i64::from(months) },
        _ => Age { key: "age-years", count: i64::from(months / 12) },
    })
}

/// The UTC instants at which a local day begins and ends, for searches.
pub(crate) fn bounds(day: NaiveDate, zone: Tz) -> Option<(String, String)> {
    let start = |day: NaiveDate| {
        let local = zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest()?;
        Some(local.with_timezone(&Utc).format("%Y-%m-%dT%H:%M:%SZ").to_string())
    };
    Some((start(day)?, start(day.succ_opt()?)?))
}

/// Milliseconds of a recording as minutes and seconds.
pub(crate) fn minutes(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Kolkata;

    use super::{Age, Moment, age, bounds, minutes};
    use crate::language::Language;

    fn said(text: &str) -> String {
        Moment::of(text, Kolkata).expect("a date").day(Language::English)
    }

    #[test]
    fn dates_are_said_in_the_zone_and_as_exactly_as_they_are_known() {
        assert_eq!(said("2026-07-14T06:22:00Z"), "14\u{a0}July 2026");
        assert_eq!(said("2026-07-14T20:22:00Z"), "15\u{a0}July 2026");
        assert_eq!((said("2026-07").as_str(), said("2026").as_str()), ("July 2026", "2026"));
        let time = Moment::of("2026-07-14T06:22:00Z", Kolkata).expect("a time");
        assert_eq!((time.clock().as_str(), time.short_day(Language::Hindi).as_str()), ("11:52", "14\u{a0}जुल॰ 2026"));
        assert!(Moment::of("soon", Kolkata).is_none() && Moment::of("2026-13", Kolkata).is_none());
    }

    #[test]
    fn an_age_is_years_months_or_days() {
        let today = "2026-07-14".parse().expect("a day");
        let of = |born: &str| age(Moment::of(born, Kolkata).expect("a date"), today);
        assert_eq!(of("1974-03-15"), Some(Age { key: "age-years", count: 52 }));
        assert_eq!(of("2001-07-15"), Some(Age { key: "age-years", count: 24 }));
        assert_eq!(of("2025-07-14"), Some(Age { key: "age-months", count: 12 }));
        assert_eq!(of("2026-07-01"), Some(Age { key: "age-days", count: 13 }));
        assert_eq!(of("1980"), Some(Age { key: "age-years", count: 46 }));
        assert_eq!(of("2026-07-15"), None);
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_hospital() {
        let (from, to) = bounds("2026-07-14".parse().expect("a day"), Kolkata).expect("bounds");
        assert_eq!((from.as_str(), to.as_str()), ("2026-07-13T18:30:00Z", "2026-07-14T18:30:00Z"));
        assert_eq!(minutes(134_000), "02:14");
    }
}
