//! Structured dosage: what is taken, how much, when, for how long, by which route.
//!
//! Mirrors the R4 Dosage and Timing datatypes (<https://hl7.org/fhir/R4/dosage.html>,
//! <https://hl7.org/fhir/R4/datatypes.html#Timing>) with units in UCUM (<https://ucum.org>).

use crate::lexicon::decimal::Decimal;

mod agreement;
mod amounts;
mod corrections;
mod fhir;
mod grammar;
mod lengths;
mod meals;
mod needed;
mod parts;
mod steps;
mod timing_words;
mod units;

#[cfg(test)]
mod tests;

pub use agreement::agreed;
pub use amounts::skip_vehicle;
pub use corrections::corrected;
pub use fhir::{DosageFormatError, from_fhir, quantity_to_fhir, regimen_from_fhir, regimen_to_fhir, to_fhir};
pub use grammar::{Part, Reading, parse, read};
pub use needed::TOLD;
pub use parts::{Cursor, time_unit};
pub use units::{DoseUnit, Route, form_named, unit_named};

/// Is an amount with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quantity {
    /// The exact amount.
    pub value: Decimal,
    /// The unit.
    pub unit: DoseUnit,
}

/// Names a length of time as R4 Timing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Minute.
    Minute,
    /// Hour.
    Hour,
    /// Day.
    Day,
    /// Week.
    Week,
    /// Month.
    Month,
    /// Year.
    Year,
}

impl TimeUnit {
    /// Lists all units.
    pub const ALL: [Self; 6] = [Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// Returns the UCUM code, which R4 `UnitsOfTime` shares.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Minute => "min",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Week => "wk",
            Self::Month => "mo",
            Self::Year => "a",
        }
    }

    /// Finds a unit by its UCUM code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.code() == code)
    }
}

/// Is a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Duration {
    /// How many units.
    pub value: Decimal,
    /// The unit.
    pub unit: TimeUnit,
}

/// Names a time of day with the codes of R4 `EventTiming`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DayTime {
    /// Morning.
    Morning,
    /// Noon.
    Noon,
    /// Evening.
    Evening,
    /// Night.
    Night,
    /// Before sleep.
    Bedtime,
}

impl DayTime {
    /// Lists all times in the order of the day.
    pub const ALL: [Self; 5] = [Self::Morning, Self::Noon, Self::Evening, Self::Night, Self::Bedtime];

    /// Returns the code of `EventTiming`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Morning => "MORN",
            Self::Noon => "NOON",
            Self::Evening => "EVE",
            Self::Night => "NIGHT",
            Self::Bedtime => "HS",
        }
    }
}

/// Relates a dose to meals with the codes of R4 `EventTiming`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Food {
    /// Before a meal.
    Before,
    /// With a meal.
    With,
    /// After a meal.
    After,
}

impl Food {
    /// Lists all relations.
    pub const ALL: [Self; 3] = [Self::Before, Self::With, Self::After];

    /// Returns the code of `EventTiming`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Before => "AC",
            Self::With => "C",
            Self::After => "PC",
        }
    }
}

/// Says when a dose is taken without a schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum AsNeeded {
    /// It follows its schedule.
    #[default]
    No,
    /// It is taken when needed.
    Yes,
    /// It is taken for this reason only.
    For(String),
}

/// Says whether the first dose is given at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Start {
    /// With the next regular dose.
    #[default]
    Routine,
    /// Immediately (STAT).
    Immediate,
}

/// How many times in a period, of at least and at most so many units.
type Rate = (Option<u32>, Option<Decimal>, Option<Decimal>, Option<TimeUnit>);

/// Says when doses are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timing {
    /// How many times in a period.
    pub frequency: Option<u32>,
    /// How many units the period lasts, at least where it has a most.
    pub period: Option<Decimal>,
    /// How many it lasts at most: "every four to six hours".
    pub period_max: Option<Decimal>,
    /// The unit of the period.
    pub period_unit: Option<TimeUnit>,
    /// At which times of the day, in order.
    pub when: Vec<DayTime>,
    /// Whether only when needed.
    pub as_needed: AsNeeded,
    /// How many doses in all.
    pub count: Option<u32>,
    /// Whether at once.
    pub start: Start,
}

impl Timing {
    /// Makes the timing of a number of times in a period.
    #[must_use]
    pub fn every(frequency: u32, period: Decimal, unit: TimeUnit) -> Self {
        Self { frequency: Some(frequency), period: Some(period), period_unit: Some(unit), ..Self::default() }
    }

    /// Returns how often in which period.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        (self.frequency, self.period, self.period_max, self.period_unit)
    }

    /// Takes over how often in which period.
    pub const fn set_rate(&mut self, of: &Self) {
        (self.frequency, self.period, self.period_max, self.period_unit) = of.rate();
    }

    /// Returns how many doses fall on a day at most, when that is a whole number.
    #[must_use]
    pub fn per_day(&self) -> Option<u32> {
        let frequency = Decimal::whole(self.frequency?);
        let hours = match self.period_unit? {
            TimeUnit::Hour => 1,
            TimeUnit::Day => 24,
            TimeUnit::Week => 24 * 7,
            TimeUnit::Minute | TimeUnit::Month | TimeUnit::Year => return None,
        };
        let period = self.period?.times(Decimal::whole(hours))?;
        frequency.times(Decimal::whole(24))?.divided_by(period)?.as_whole()
    }
}

/// Is one step of a prescription's dosage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dosage {
    /// The place in a sequence; steps with the same number run together.
    pub sequence: Option<u32>,
    /// The words that were said.
    pub text: Option<String>,
    /// The amount that is taken at a time.
    pub dose: Option<Quantity>,
    /// The strength of one unit of the product, where the dose counts units.
    pub strength: Option<Quantity>,
    /// When it is taken.
    pub timing: Timing,
    /// For how long.
    pub duration: Option<Duration>,
    /// By which way.
    pub route: Option<Route>,
    /// How it relates to meals.
    pub food: Option<Food>,
    /// The most in a day.
    pub max_per_day: Option<Quantity>,
}

impl Dosage {
    /// Returns how much is taken at morning, noon, evening and night, when the times of day are known.
    #[must_use]
    pub fn slots(&self) -> Option<[Decimal; 4]> {
        if self.timing.when.is_empty() {
            return None;
        }
        let amount = self.dose.filter(|dose| dose.unit.is_countable()).map_or(Decimal::ONE, |dose| dose.value);
        let at = |times: &[DayTime]| {
            if self.timing.when.iter().any(|time| times.contains(time)) { amount } else { Decimal::ZERO }
        };
        Some([
            at(&[DayTime::Morning]),
            at(&[DayTime::Noon]),
            at(&[DayTime::Evening]),
            at(&[DayTime::Night, DayTime::Bedtime]),
        ])
    }

    /// Returns the amount of substance in a dose: units times strength, or the dose itself.
    #[must_use]
    pub fn substance(&self) -> Option<Quantity> {
        match (self.dose, self.strength) {
            (Some(dose), Some(strength)) if dose.unit.is_countable() => {
                Some(Quantity { value: dose.value.times(strength.value)?, unit: strength.unit })
            }
            (dose, strength) => dose.or(strength),
        }
    }
}
