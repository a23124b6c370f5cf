//! Puts a dosage into phrases, in a fixed order, joined by commas.

use super::{Catalogue, MissingPhrase, PhraseLine, ReviewStatus};
use crate::{
    dosage::{AsNeeded, DayTime, Dosage, DoseUnit, Food, Quantity, Route, Start, TimeUnit, Timing},
    lexicon::decimal::Decimal,
};

/// The mark between phrases; no phrase contains it.
pub const SEPARATOR: &str = ", ";

struct Line<'a> {
    catalogue: &'a Catalogue,
    segments: Vec<String>,
    status: ReviewStatus,
}

/// Renders a dosage without checking that it reads back.
pub fn render(dosage: &Dosage, catalogue: &Catalogue) -> Result<PhraseLine, MissingPhrase> {
    let mut line = Line { catalogue, segments: Vec::new(), status: ReviewStatus::Reviewed };
    if let Some(sequence) = dosage.sequence {
        line.say("sequence", &[("{n}", sequence.to_string())])?;
    }
    say_amount(&mut line, dosage)?;
    say_frequency(&mut line, &dosage.timing)?;
    if let Some(food) = dosage.food {
        line.say(food_key(food), &[])?;
    }
    match &dosage.timing.as_needed {
        AsNeeded::No => {}
        AsNeeded::Yes => line.say("needed", &[])?,
        AsNeeded::For(reason) => line.say(&format!("reason.{}", reason.replace(' ', "-")), &[])?,
    }
    if dosage.timing.start == Start::Immediate {
        line.say("immediately", &[])?;
    }
    if let Some(count) = dosage.timing.count {
        line.counted("count", Decimal::whole(count))?;
    }
    if let Some(duration) = dosage.duration {
        line.counted(&format!("duration.{}", time_key(duration.unit)), duration.value)?;
    }
    if let Some(route) = dosage.route {
        line.say(&route_key(route), &[])?;
    }
    for (key, quantity) in [("strength", dosage.strength), ("maximum", dosage.max_per_day)] {
        if let Some(quantity) = quantity {
            let dose = line.quantity(quantity)?;
            line.say(key, &[("{dose}", dose)])?;
        }
    }
    // Where nothing is said nobody has reviewed anything.
    let status = if line.segments.is_empty() { ReviewStatus::Draft } else { line.status };
    Ok(PhraseLine { language: catalogue.language, text: line.segments.join(SEPARATOR), status })
}

fn say_amount(line: &mut Line<'_>, dosage: &Dosage) -> Result<(), MissingPhrase> {
    let dose = dosage.dose.map(|dose| line.quantity(dose)).transpose()?;
    if dosage.timing.when.is_empty() {
        line.segments.extend(dose);
        return Ok(());
    }
    for time in &dosage.timing.when {
        let time = line.text(day_key(*time))?;
        match &dose {
            Some(dose) => line.say("slot", &[("{dose}", dose.clone()), ("{time}", time)])?,
            None => line.segments.push(time),
        }
    }
    Ok(())
}

/// The frequency is left unsaid where the times of day already say it.
pub fn is_said_by_times(timing: &Timing) -> bool {
    let times = u32::try_from(timing.when.len()).ok();
    times.is_some_and(|times| times > 0 && timing.frequency == Some(times))
        && (timing.period, timing.period_max) == (Some(Decimal::ONE), None)
        && timing.period_unit == Some(TimeUnit::Day)
}

fn say_frequency(line: &mut Line<'_>, timing: &Timing) -> Result<(), MissingPhrase> {
    if is_said_by_times(timing) {
        return Ok(());
    }
    let (Some(frequency), Some(period), Some(unit)) = (timing.frequency, timing.period, timing.period_unit) else {
        return Ok(());
    };
    let missing = |key| Err(MissingPhrase::Phrase { language: line.catalogue.language, key });
    if let Some(most) = timing.period_max {
        let key = format!("range.{}", time_key(unit));
        if frequency != 1 {
            return missing(format!("{frequency} times, {key}"));
        }
        return line.say(&key, &[("{n}", period.to_string()), ("{most}", most.to_string())]);
    }
    match (period == Decimal::ONE, unit, frequency) {
        (true, TimeUnit::Day | TimeUnit::Week | TimeUnit::Month, _) => {
            line.counted(&format!("times.{}", time_key(unit)), Decimal::whole(frequency))
        }
        (_, _, 1) => line.counted(&format!("every.{}", time_key(unit)), period),
        _ => missing(format!("{frequency} times every {period} {}", time_key(unit))),
    }
}

impl Line<'_> {
    fn text(&mut self, key: &str) -> Result<String, MissingPhrase> {
        let phrase = self.catalogue.phrase(key)?;
        self.status = self.status.min(phrase.status);
        Ok(phrase.text.to_owned())
    }

    fn say(&mut self, key: &str, values: &[(&str, String)]) -> Result<(), MissingPhrase> {
        let mut text = self.text(key)?;
        for (name, value) in values {
            text = text.replace(name, value);
        }
        self.segments.push(text);
        Ok(())
    }

    fn counted(&mut self, key: &str, number: Decimal) -> Result<(), MissingPhrase> {
        let plural = plural(self.catalogue.language, number);
        self.say(&format!("{key}.{plural}"), &[("{n}", number.to_string())])
    }

    fn quantity(&mut self, quantity: Quantity) -> Result<String, MissingPhrase> {
        let plural = plural(self.catalogue.language, quantity.value);
        let unit = self.text(&format!("unit.{}.{plural}", unit_key(quantity.unit)))?;
        Ok(format!("{} {unit}", quantity.value))
    }
}

/// Chooses the plural category: in Hindi everything from zero to one is singular, in English and Marathi only one.
pub fn plural(language: &str, number: Decimal) -> &'static str {
    let singular =
        if language == "hi" { number >= Decimal::ZERO && number <= Decimal::ONE } else { number == Decimal::ONE };
    if singular { "one" } else { "other" }
}

/// Returns the key of a time of day.
pub const fn day_key(time: DayTime) -> &'static str {
    match time {
        DayTime::Morning => "time.morning",
        DayTime::Noon => "time.noon",
        DayTime::Evening => "time.evening",
        DayTime::Night => "time.night",
        DayTime::Bedtime => "time.bedtime",
    }
}

/// Returns the key of a relation to meals.
pub const fn food_key(food: Food) -> &'static str {
    match food {
        Food::Before => "food.before",
        Food::With => "food.with",
        Food::After => "food.after",
    }
}

/// Returns the last part of the key of a unit of time.
pub const fn time_key(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Minute => "minute",
        TimeUnit::Hour => "hour",
        TimeUnit::Day => "day",
        TimeUnit::Week => "week",
        TimeUnit::Month => "month",
        TimeUnit::Year => "year",
    }
}

/// Returns the key of a route.
pub fn route_key(route: Route) -> String {
    let name = match route {
        Route::Inhalation => "inhalation".to_owned(),
        other => other.display().trim_end_matches(" route").to_lowercase(),
    };
    format!("route.{name}")
}

/// Returns the middle part of the key of a dose unit.
pub const fn unit_key(unit: DoseUnit) -> &'static str {
    match unit {
        DoseUnit::Milligram => "milligram",
        DoseUnit::Microgram => "microgram",
        DoseUnit::Gram => "gram",
        DoseUnit::Millilitre => "millilitre",
        DoseUnit::InternationalUnit => "international-unit",
        DoseUnit::Milliequivalent => "milliequivalent",
        DoseUnit::Percent => "percent",
        other => other.display(),
    }
}
