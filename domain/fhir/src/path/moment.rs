//! Dates, dateTimes and times with their precision (N1 <http://hl7.org/fhirpath/N1/#datetime-equality>,
//! <http://hl7.org/fhirpath/N1/#datetime-arithmetic>).

use std::cmp::Ordering;
use std::fmt::Write as _;

use chrono::{Datelike as _, Days, Months, NaiveDate};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Two zones are at most this many microseconds apart.
const ZONE_SPREAD: i64 = 26 * 3_600 * SECOND;

/// A point in time as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Year, month, day, hour, minute, and second in microseconds.
    parts: [i64; 6],
    /// The first part that is known: 3 for a time.
    from: usize,
    /// The number of the first part that isn't known.
    to: usize,
    /// Minutes east of UTC.
    zone: Option<i64>,
    /// Whether it is a dateTime, even if no hour is known.
    is_date_time: bool,
}

impl Moment {
    /// Reads a date or dateTime.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut moment = Self { parts: [1, 1, 1, 0, 0, 0], from: 0, to: 0, zone: None, is_date_time: time.is_some() };
        for (index, part) in date.split('-').enumerate() {
            let width = if index == 0 { 4 } else { 2 };
            *moment.parts.get_mut(index).filter(|_| index < 3)? = digits(part, width)?;
            moment.to = index + 1;
        }
        moment.date()?;
        match time.filter(|time| !time.is_empty()) {
            None => Some(moment),
            Some(time) if moment.to == 3 => moment.with_time(time),
            Some(_) => None,
        }
    }

    /// Reads a time.
    pub(super) fn parse_time(text: &str) -> Option<Self> {
        let moment = Self { parts: [1, 1, 1, 0, 0, 0], from: 3, to: 3, zone: None, is_date_time: false };
        moment.with_time(text).filter(|moment| moment.zone.is_none())
    }

    /// Makes the dateTime of a UTC microsecond since 1970, with seconds.
    pub(super) fn from_micros(micros: i64) -> Option<Self> {
        let date = NaiveDate::from_num_days_from_ce_opt(719_163 + i32::try_from(micros.div_euclid(DAY)).ok()?)?;
        let template = Self { parts: [1, 1, 1, 0, 0, 0], from: 0, to: 6, zone: Some(0), is_date_time: true };
        Some(template.set(date, micros.rem_euclid(DAY)))
    }

    fn with_time(mut self, text: &str) -> Option<Self> {
        let zone_start = text.find(['Z', '+', '-']).unwrap_or(text.len());
        let (time, zone) = text.split_at(zone_start);
        let mut parts = time.split(':');
        for limit in [23, 59, 59] {
            let Some(part) = parts.next() else { break };
            let (whole, fraction) = part.split_once('.').unwrap_or((part, ""));
            let value = digits(whole, 2).filter(|value| *value <= limit)?;
            let is_second = self.to == 5;
            if part.contains('.') && (!is_second || fraction.is_empty()) {
                return None;
            }
            let micros = if fraction.is_empty() { 0 } else { digits(&format!("{fraction:0<6.6}"), 6)? };
            *self.parts.get_mut(self.to)? = if is_second { value * SECOND + micros } else { value };
            self.to += 1;
        }
        self.zone = match zone {
            "" => None,
            "Z" => Some(0),
            signed => {
                let (hours, minutes) = signed.get(1..)?.split_once(':')?;
                let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
                Some(if signed.starts_with('-') { -minutes } else { minutes })
            }
        };
        parts.next().is_none().then_some(self)
    }

    /// Tells whether it is a time of any day.
    pub(super) fn is_time(&self) -> bool {
        self.from == 3
    }

    /// Returns the date part of a dateTime.
    pub(super) fn to_date(self) -> Self {
        Self { to: self.to.min(3), zone: None, is_date_time: false, ..self }
    }

    /// Returns the time part of a dateTime.
    pub(super) fn to_time(self) -> Self {
        Self { from: 3, zone: None, is_date_time: false, ..self }
    }

    /// Returns a date as a dateTime.
    pub(super) fn to_date_time(self) -> Self {
        Self { is_date_time: true, ..self }
    }

    /// Compares part by part; `None` where the parts known don't tell.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        let (own, other) = match (self.zone, other.zone) {
            (Some(_), Some(_)) => (self.in_utc()?, other.in_utc()?),
            (None, None) => (*self, *other),
            _ if self.to > 3 && other.to > 3 => {
                let gap = self.micros()?.checked_sub(other.micros()?)?;
                return (gap.abs() > ZONE_SPREAD).then(|| gap.cmp(&0));
            }
            _ => (*self, *other),
        };
        for (left, right) in own.known().iter().zip(other.known()) {
            if left != right {
                return Some(left.cmp(right));
            }
        }
        (own.to == other.to).then_some(Ordering::Equal)
    }

    fn known(&self) -> &[i64] {
        self.parts.get(self.from..self.to).unwrap_or_default()
    }

    fn date(&self) -> Option<NaiveDate> {
        let [year, month, day, ..] = self.parts;
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
    }

    fn time_micros(&self) -> i64 {
        let [_, _, _, hour, minute, second] = self.parts;
        (hour * 60 + minute) * 60 * SECOND + second
    }

    fn micros(&self) -> Option<i64> {
        Some(i64::from(self.date()?.num_days_from_ce()) * DAY + self.time_micros())
    }

    fn set(self, date: NaiveDate, time: i64) -> Self {
        let parts = [
            i64::from(date.year()),
            i64::from(date.month()),
            i64::from(date.day()),
            time / (3_600 * SECOND),
            time / (60 * SECOND) % 60,
            time % (60 * SECOND),
        ];
        Self { parts, ..self }
    }

    fn shifted(self, micros: i64) -> Option<Self> {
        let total = self.time_micros().checked_add(micros)?;
        let days = i32::try_from(total.div_euclid(DAY)).ok()?;
        // A time goes round the clock.
        let days = if self.is_time() { 0 } else { days };
        let date = NaiveDate::from_num_days_from_ce_opt(self.date()?.num_days_from_ce().checked_add(days)?)?;
        Some(self.set(date, total.rem_euclid(DAY)))
    }

    fn in_utc(self) -> Option<Self> {
        match self.zone {
            Some(zone) if zone != 0 && self.to > 3 => self.shifted(-zone * 60 * SECOND),
            _ => Some(self),
        }
    }

    /// Adds a number of calendar units; a finer unit than is known is rounded down to what is.
    pub(super) fn add(self, value: Decimal, unit: &str) -> Option<Self> {
        let whole = value.trunc().to_i64()?;
        let (micros, months) = match unit {
            "year" => (0, whole.checked_mul(12)?),
            "month" => (0, whole),
            "week" => (whole.checked_mul(7 * DAY)?, 0),
            "day" => (whole.checked_mul(DAY)?, 0),
            "hour" => (whole.checked_mul(3_600 * SECOND)?, 0),
            "minute" => (whole.checked_mul(60 * SECOND)?, 0),
            "second" => (value.checked_mul(SECOND.into())?.to_i64()?, 0),
            "millisecond" => (value.checked_mul(1_000.into())?.to_i64()?, 0),
            _ => return None,
        };
        if months == 0 && micros == 0 {
            return Some(self);
        }
        let unit_months = match self.to {
            1 => Some(12),
            2 => Some(1),
            _ => None,
        };
        if let (Some(unit_months), false) = (unit_months, self.is_time()) {
            // A year has 365 days and a month 30 where days are added to less than a day.
            let days = micros / DAY;
            let months =
                if months == 0 { days / if unit_months == 12 { 365 } else { 30 } * unit_months } else { months };
            return self.months_later(months / unit_months * unit_months);
        }
        if months != 0 {
            return if self.is_time() { None } else { self.months_later(months) };
        }
        if self.to == 3 && !self.is_time() {
            let date = self.date()?;
            let days = micros / DAY;
            let count = Days::new(days.unsigned_abs());
            let moved = if days < 0 { date.checked_sub_days(count) } else { date.checked_add_days(count) };
            return Some(self.set(moved?, 0));
        }
        let unit = match self.to {
            4 => 3_600 * SECOND,
            5 => 60 * SECOND,
            _ => 1,
        };
        self.shifted(micros / unit * unit)
    }

    fn months_later(self, months: i64) -> Option<Self> {
        let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        let date = self.date()?;
        let moved = if months < 0 { date.checked_sub_months(count) } else { date.checked_add_months(count) };
        moved.filter(|date| (1..=9999).contains(&date.year())).map(|date| self.set(date, self.time_micros()))
    }

    /// Names the System type.
    pub(super) fn type_name(&self) -> &'static str {
        match (self.is_time(), self.is_date_time) {
            (true, _) => "Time",
            (_, true) => "DateTime",
            _ => "Date",
        }
    }

    /// Writes it as FHIR does.
    pub(super) fn to_text(self) -> String {
        let mut text = String::new();
        for (index, value) in self.parts.iter().enumerate().take(self.to).skip(self.from) {
            // Writing to a string cannot fail.
            let _ = match index {
                0 => write!(text, "{value:04}"),
                1 | 2 => write!(text, "-{value:02}"),
                3 if self.is_time() => write!(text, "{value:02}"),
                3 => write!(text, "T{value:02}"),
                4 => write!(text, ":{value:02}"),
                _ => write!(text, ":{:02}", value / SECOND),
            };
        }
        let [.., second] = self.parts;
        if self.to == 6 && second % SECOND != 0 {
            let fraction = format!("{:06}", second % SECOND);
            let shown = fraction.trim_end_matches('0');
            // Writing to a string cannot fail.
            let _ = write!(text, ".{shown:0<3}");
        }
        match self.zone.filter(|_| self.to > 3) {
            None => {}
            Some(0) => text.push('Z'),
            Some(zone) => {
                let sign = if zone < 0 { '-' } else { '+' };
                // Writing to a string cannot fail.
                let _ = write!(text, "{sign}{:02}:{:02}", zone.abs() / 60, zone.abs() % 60);
            }
        }
        text
    }
}

fn digits(text: &str, width: usize) -> Option<i64> {
    (text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}
