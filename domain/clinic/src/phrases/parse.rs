//! Reads a rendered dosage back from its phrases.

use super::{
    Catalogue, MissingPhrase,
    render::{SEPARATOR, day_key, food_key, is_said_by_times, plural, route_key, time_key, unit_key},
};
use crate::{
    dosage::{AsNeeded, DayTime, Dosage, DoseUnit, Duration, Food, Quantity, Route, Start, TimeUnit, Timing},
    lexicon::decimal::Decimal,
};

/// Reads the words of a dosage in a language; nothing when they are not of the catalogue.
pub fn parse(text: &str, language: &str) -> Result<Option<Dosage>, MissingPhrase> {
    Ok(parse_with(text, Catalogue::find(language)?))
}

/// Reads the words with a catalogue.
pub fn parse_with(text: &str, catalogue: &Catalogue) -> Option<Dosage> {
    let mut dosage = Dosage::default();
    for segment in text.split(SEPARATOR).filter(|segment| !segment.is_empty()) {
        let reader = Reader { catalogue, segment };
        let known = reader.fixed(&mut dosage)
            || reader.timed(&mut dosage)
            || reader.counted(&mut dosage)
            || reader.quantities(&mut dosage);
        if !known {
            return None;
        }
    }
    if dosage.timing.frequency.is_none() && !dosage.timing.when.is_empty() {
        let times = u32::try_from(dosage.timing.when.len()).ok()?;
        let every = Timing::every(times, Decimal::ONE, TimeUnit::Day);
        dosage.timing.set_rate(&every);
        debug_assert!(is_said_by_times(&dosage.timing), "the times of day say how often");
    }
    Some(dosage)
}

struct Reader<'a> {
    catalogue: &'a Catalogue,
    segment: &'a str,
}

impl Reader<'_> {
    fn text(&self, key: &str) -> Option<&'static str> {
        self.catalogue.phrase(key).ok().map(|phrase| phrase.text)
    }

    fn is(&self, key: &str) -> bool {
        self.text(key) == Some(self.segment)
    }

    /// Reads phrases without a number.
    fn fixed(&self, dosage: &mut Dosage) -> bool {
        if let Some(food) = Food::ALL.into_iter().find(|food| self.is(food_key(*food))) {
            dosage.food = Some(food);
        } else if let Some(route) = Route::ALL.iter().copied().find(|route| self.is(&route_key(*route))) {
            dosage.route = Some(route);
        } else if self.is("needed") {
            dosage.timing.as_needed = AsNeeded::Yes;
        } else if self.is("immediately") {
            dosage.timing.start = Start::Immediate;
        } else if let Some(reason) = self.reason() {
            dosage.timing.as_needed = AsNeeded::For(reason);
        } else {
            return false;
        }
        true
    }

    fn reason(&self) -> Option<String> {
        let phrases = self.catalogue.phrases.iter();
        let mut reasons =
            phrases.filter_map(|(key, phrase)| key.strip_prefix("reason.").filter(|_| phrase.text == self.segment));
        let reason = reasons.next()?;
        reasons.next().is_none().then(|| reason.replace('-', " "))
    }

    /// Reads a time of day, alone or with its dose.
    fn timed(&self, dosage: &mut Dosage) -> bool {
        for time in DayTime::ALL {
            let Some(words) = self.text(day_key(time)) else {
                continue;
            };
            if self.segment == words {
                dosage.timing.when.push(time);
                return true;
            }
            let Some(template) = self.text("slot").map(|slot| slot.replace("{time}", words)) else {
                continue;
            };
            let Some(dose) = between(self.segment, &template, "{dose}").and_then(|text| self.quantity(text)) else {
                continue;
            };
            if dosage.dose.is_some_and(|other| other != dose) {
                return false;
            }
            dosage.dose = Some(dose);
            dosage.timing.when.push(time);
            return true;
        }
        false
    }

    /// Reads the number of a phrase in its right plural.
    fn number(&self, key: &str) -> Option<Decimal> {
        ["one", "other"].into_iter().find_map(|form| {
            let number: Decimal = between(self.segment, self.text(&format!("{key}.{form}"))?, "{n}")?.parse().ok()?;
            (plural(self.catalogue.language, number) == form).then_some(number)
        })
    }

    /// Reads both numbers of a phrase.
    fn range(&self, key: &str) -> Option<(Decimal, Decimal)> {
        let (before, rest) = self.text(key)?.split_once("{n}")?;
        let (middle, after) = rest.split_once("{most}")?;
        let numbers = self.segment.strip_prefix(before)?.strip_suffix(after)?;
        let (least, most) = numbers.split_once(middle)?;
        Some((least.parse().ok()?, most.parse().ok()?))
    }

    fn counted(&self, dosage: &mut Dosage) -> bool {
        for unit in TimeUnit::ALL {
            let name = time_key(unit);
            if let Some(value) = self.number(&format!("duration.{name}")) {
                dosage.duration = Some(Duration { value, unit });
                return true;
            }
            if let Some((least, most)) = self.range(&format!("range.{name}")) {
                dosage.timing.set_rate(&Timing { period_max: Some(most), ..Timing::every(1, least, unit) });
                return true;
            }
            let times =
                self.number(&format!("times.{name}")).and_then(Decimal::as_whole).map(|times| (times, Decimal::ONE));
            let every = || self.number(&format!("every.{name}")).map(|period| (1, period));
            if let Some((frequency, period)) = times.or_else(every) {
                dosage.timing.frequency = Some(frequency);
                dosage.timing.period = Some(period);
                dosage.timing.period_unit = Some(unit);
                return true;
            }
        }
        if let Some(count) = self.number("count").and_then(Decimal::as_whole) {
            dosage.timing.count = Some(count);
            return true;
        }
        let sequence = self
            .text("sequence")
            .and_then(|template| between(self.segment, template, "{n}"))
            .and_then(|text| text.parse().ok());
        dosage.sequence = sequence.or(dosage.sequence);
        sequence.is_some()
    }

    fn quantities(&self, dosage: &mut Dosage) -> bool {
        let inside = |key: &str| {
            self.text(key)
                .and_then(|template| between(self.segment, template, "{dose}"))
                .and_then(|text| self.quantity(text))
        };
        if let Some(strength) = inside("strength") {
            dosage.strength = Some(strength);
        } else if let Some(maximum) = inside("maximum") {
            dosage.max_per_day = Some(maximum);
        } else if let Some(dose) = self.quantity(self.segment) {
            dosage.dose = Some(dose);
        } else {
            return false;
        }
        true
    }

    fn quantity(&self, text: &str) -> Option<Quantity> {
        let (number, words) = text.split_once(' ')?;
        let value: Decimal = number.parse().ok()?;
        let form = plural(self.catalogue.language, value);
        let named = |unit: &DoseUnit| self.text(&format!("unit.{}.{form}", unit_key(*unit))) == Some(words);
        let unit = DoseUnit::ALL.iter().copied().find(|unit| named(unit))?;
        Some(Quantity { value, unit })
    }
}

/// Returns what stands in a text where a template has a placeholder.
fn between<'a>(text: &'a str, template: &str, placeholder: &str) -> Option<&'a str> {
    let (before, after) = template.split_once(placeholder)?;
    text.strip_prefix(before)?.strip_suffix(after).filter(|inner| !inner.is_empty())
}
