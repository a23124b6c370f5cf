//! Dosage and its Timing (R4: <https://hl7.org/fhir/R4/dosage.html>, <https://hl7.org/fhir/R4/datatypes.html#Timing>).

use fhirbolt::model::r4::types;

use crate::elements::{Concept, Quantity, UCUM, code, concepts, decimal, text, uri};

/// Whether a medicine is taken only when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AsNeeded {
    /// When needed, whatever for.
    Always,
    /// When needed for this.
    For(Concept),
}

/// How much is taken each time, and how that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dose {
    /// Ordered or calculated.
    pub kind: Concept,
    /// How much.
    pub quantity: Quantity,
}

/// When it is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// For how long: digits, and a unit of R4's `units-of-time`.
    pub bounds: Option<(String, String)>,
    /// How many times in all.
    pub count: Option<u32>,
    /// How many times in a period.
    pub frequency: Option<u32>,
    /// The period: digits, and a unit of R4's `units-of-time`.
    pub period: Option<(String, String)>,
    /// How long the period is at most, in the same unit: digits.
    pub period_max: Option<String>,
    /// Times of day, by R4's `event-timing`.
    pub when: Vec<String>,
}

/// How a medicine is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dosage {
    /// Its place in the order of steps.
    pub sequence: Option<i32>,
    /// In words.
    pub text: Option<String>,
    /// What else the patient is told.
    pub instructions: Vec<Concept>,
    /// When.
    pub timing: Timing,
    /// Only when needed.
    pub as_needed: Option<AsNeeded>,
    /// By which way.
    pub route: Option<Concept>,
    /// How much.
    pub doses: Vec<Dose>,
    /// The most in a day.
    pub most_per_day: Option<Quantity>,
}

impl Dosage {
    pub(crate) fn build(&self) -> types::Dosage {
        let doses = self.doses.iter().map(|dose| types::DosageDoseAndRate {
            r#type: Some(dose.kind.boxed()),
            dose: Some(types::DosageDoseAndRateDose::Quantity(dose.quantity.build())),
            ..types::DosageDoseAndRate::default()
        });
        types::Dosage {
            sequence: self.sequence.map(|value| types::Integer { value: Some(value), ..types::Integer::default() }),
            text: self.text.as_deref().map(text),
            additional_instruction: concepts(&self.instructions),
            timing: self.timing.build(),
            as_needed: self.as_needed.as_ref().map(|needed| match needed {
                AsNeeded::Always => {
                    types::DosageAsNeeded::Boolean(types::Boolean { value: Some(true), ..types::Boolean::default() })
                }
                AsNeeded::For(reason) => types::DosageAsNeeded::CodeableConcept(reason.boxed()),
            }),
            route: self.route.as_ref().map(Concept::boxed),
            dose_and_rate: doses.collect(),
            max_dose_per_period: self.most_per_day.as_ref().map(|most| {
                let day = Quantity { value: "1".to_owned(), unit: "day".to_owned(), code: "d".to_owned() };
                Box::new(types::Ratio {
                    numerator: Some(most.build()),
                    denominator: Some(day.build()),
                    ..types::Ratio::default()
                })
            }),
            ..types::Dosage::default()
        }
    }
}

impl Timing {
    fn build(&self) -> Option<Box<types::Timing>> {
        if *self == Self::default() {
            return None;
        }
        let bounds = self.bounds.as_ref().map(|(value, unit)| {
            types::TimingRepeatBounds::Duration(Box::new(types::Duration {
                value: Some(decimal(value)),
                unit: Some(text(unit)),
                system: Some(uri(UCUM)),
                code: Some(code(unit)),
                ..types::Duration::default()
            }))
        });
        let repeat = types::TimingRepeat {
            bounds,
            count: self.count.map(positive),
            frequency: self.frequency.map(positive),
            period: self.period.as_ref().map(|(value, _)| decimal(value)),
            period_max: self.period_max.as_deref().map(decimal),
            period_unit: self.period.as_ref().map(|(_, unit)| code(unit)),
            when: self.when.iter().map(|event| code(event)).collect(),
            ..types::TimingRepeat::default()
        };
        Some(Box::new(types::Timing { repeat: Some(repeat), ..types::Timing::default() }))
    }
}

fn positive(value: u32) -> types::PositiveInt {
    types::PositiveInt { value: Some(value), ..types::PositiveInt::default() }
}
