//! Writes a dosage as R4 Dosage and reads it back (<https://hl7.org/fhir/R4/dosage.html>).
//!
//! Where pieces are counted, the ordered `doseAndRate` holds the count and the calculated one the substance, by
//! <http://terminology.hl7.org/CodeSystem/dose-rate-type>; the strength is their quotient.

use seva_fhir::json::Json;
use seva_models::{self as models, Coding, Concept};

use super::{AsNeeded, DayTime, Dosage, DoseUnit, Duration, Food, Quantity, Route, Start, TimeUnit, Timing};
use crate::lexicon::decimal::Decimal;

const SNOMED: &str = "http://snomed.info/sct";
const RATE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/dose-rate-type";
const IMMEDIATELY: &str = "Give the first dose immediately";

/// Says that a Dosage holds what this model cannot state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dosage element {element} cannot be read")]
pub struct DosageFormatError {
    /// The path of the element.
    pub element: &'static str,
}

/// Writes the steps of a regimen as `dosageInstruction`.
#[must_use]
pub fn regimen_to_fhir(steps: &[Dosage]) -> Vec<models::Dosage> {
    steps.iter().map(to_fhir).collect()
}

/// Reads the steps of a `dosageInstruction`.
pub fn regimen_from_fhir(json: &Json) -> Result<Vec<Dosage>, DosageFormatError> {
    json.items().iter().map(from_fhir).collect()
}

/// Writes one dosage.
#[must_use]
pub fn to_fhir(dosage: &Dosage) -> models::Dosage {
    let route = |route: Route| Concept {
        codings: vec![Coding::named(SNOMED, route.code(), route.display())],
        text: Some(route.display().to_owned()),
    };
    models::Dosage {
        sequence: dosage.sequence.and_then(|sequence| i32::try_from(sequence).ok()),
        text: dosage.text.clone(),
        instructions: instructions(dosage),
        timing: timing(dosage),
        as_needed: match &dosage.timing.as_needed {
            AsNeeded::No => None,
            AsNeeded::Yes => Some(models::AsNeeded::Always),
            AsNeeded::For(reason) => Some(models::AsNeeded::For(Concept::worded(reason))),
        },
        route: dosage.route.map(route),
        doses: doses(dosage),
        most_per_day: dosage.max_per_day.map(quantity_to_fhir),
    }
}

fn instructions(dosage: &Dosage) -> Vec<Concept> {
    let at_once = (dosage.timing.start == Start::Immediate).then_some(IMMEDIATELY);
    let food = dosage.food.filter(|_| !dosage.timing.when.is_empty()).map(food_text);
    at_once.into_iter().chain(food).map(Concept::worded).collect()
}

fn food_text(food: Food) -> &'static str {
    match food {
        Food::Before => "Before food",
        Food::With => "With food",
        Food::After => "After food",
    }
}

/// Writes an amount.
#[must_use]
pub fn quantity_to_fhir(quantity: Quantity) -> models::Quantity {
    models::Quantity {
        value: quantity.value.to_string(),
        unit: quantity.unit.display().to_owned(),
        code: quantity.unit.code().to_owned(),
    }
}

fn timing(dosage: &Dosage) -> models::Timing {
    let timing = &dosage.timing;
    let mut when: Vec<String> = timing.when.iter().map(|time| time.code().to_owned()).collect();
    if when.is_empty() {
        when.extend(dosage.food.map(|food| food.code().to_owned()));
    }
    let length = |value: Decimal, unit: TimeUnit| (value.to_string(), unit.code().to_owned());
    models::Timing {
        bounds: dosage.duration.map(|Duration { value, unit }| length(value, unit)),
        count: timing.count,
        frequency: timing.frequency,
        period: timing.period.zip(timing.period_unit).map(|(value, unit)| length(value, unit)),
        period_max: timing.period_max.map(|most| most.to_string()),
        when,
    }
}

fn doses(dosage: &Dosage) -> Vec<models::Dose> {
    let ordered = dosage.dose.or(dosage.strength).map(|dose| rate("ordered", "Ordered", dose));
    // A volume says nothing about the substance, so only counted pieces have a calculated dose.
    let counted = dosage.dose.is_some_and(|dose| dose.unit.is_countable()) && dosage.strength.is_some();
    let substance = if counted { dosage.substance() } else { None };
    ordered.into_iter().chain(substance.map(|substance| rate("calculated", "Calculated", substance))).collect()
}

fn rate(code: &str, display: &str, quantity: Quantity) -> models::Dose {
    let kind = Concept::coded(Coding::named(RATE_TYPE, code, display));
    models::Dose { kind, quantity: quantity_to_fhir(quantity) }
}

/// Reads one dosage.
pub fn from_fhir(json: &Json) -> Result<Dosage, DosageFormatError> {
    let mut dosage = Dosage {
        sequence: whole(json.get("sequence"), "sequence")?,
        text: json.get_str("text").map(str::to_owned),
        ..Dosage::default()
    };
    read_timing(json, &mut dosage)?;
    for instruction in json.get("additionalInstruction").map(Json::items).unwrap_or_default() {
        let text = instruction.get_str("text").unwrap_or_default();
        if text == IMMEDIATELY {
            dosage.timing.start = Start::Immediate;
        }
        dosage.food = Food::ALL.into_iter().find(|food| food_text(*food) == text).or(dosage.food);
    }
    dosage.timing.as_needed = as_needed(json);
    if let Some(route) = json.get("route") {
        let code = first_coding(route, SNOMED).ok_or(DosageFormatError { element: "route" })?;
        dosage.route = Some(Route::from_code(code).ok_or(DosageFormatError { element: "route" })?);
    }
    read_rates(json, &mut dosage)?;
    if let Some(maximum) = json.get("maxDosePerPeriod").and_then(|ratio| ratio.get("numerator")) {
        dosage.max_per_day = Some(quantity(maximum, "maxDosePerPeriod.numerator")?);
    }
    Ok(dosage)
}

fn as_needed(json: &Json) -> AsNeeded {
    let reason = json.get("asNeededCodeableConcept").and_then(|concept| concept.get_str("text"));
    match (reason, json.get("asNeededBoolean").and_then(Json::as_bool)) {
        (Some(reason), _) => AsNeeded::For(reason.to_owned()),
        (None, Some(true)) => AsNeeded::Yes,
        _ => AsNeeded::No,
    }
}

fn first_coding<'a>(concept: &'a Json, system: &str) -> Option<&'a str> {
    let codings = concept.get("coding").map(Json::items).unwrap_or_default();
    codings.iter().find(|coding| coding.get_str("system") == Some(system)).and_then(|coding| coding.get_str("code"))
}

fn decimal(json: Option<&Json>, element: &'static str) -> Result<Option<Decimal>, DosageFormatError> {
    let Some(json) = json else { return Ok(None) };
    let text = json.as_number().ok_or(DosageFormatError { element })?;
    text.parse().map(Some).map_err(|_| DosageFormatError { element })
}

fn whole(json: Option<&Json>, element: &'static str) -> Result<Option<u32>, DosageFormatError> {
    match decimal(json, element)? {
        Some(value) => value.as_whole().map(Some).ok_or(DosageFormatError { element }),
        None => Ok(None),
    }
}

fn quantity(json: &Json, element: &'static str) -> Result<Quantity, DosageFormatError> {
    let value = decimal(json.get("value"), element)?.ok_or(DosageFormatError { element })?;
    let unit = json.get_str("code").and_then(DoseUnit::from_code).ok_or(DosageFormatError { element })?;
    Ok(Quantity { value, unit })
}

fn time_unit(json: &Json, name: &str, element: &'static str) -> Result<Option<TimeUnit>, DosageFormatError> {
    let Some(code) = json.get_str(name) else {
        return Ok(None);
    };
    TimeUnit::from_code(code).map(Some).ok_or(DosageFormatError { element })
}

fn read_timing(json: &Json, dosage: &mut Dosage) -> Result<(), DosageFormatError> {
    let Some(repeat) = json.get("timing").and_then(|timing| timing.get("repeat")) else {
        return Ok(());
    };
    dosage.timing = Timing {
        frequency: whole(repeat.get("frequency"), "timing.repeat.frequency")?,
        period: decimal(repeat.get("period"), "timing.repeat.period")?,
        period_max: decimal(repeat.get("periodMax"), "timing.repeat.periodMax")?,
        period_unit: time_unit(repeat, "periodUnit", "timing.repeat.periodUnit")?,
        count: whole(repeat.get("count"), "timing.repeat.count")?,
        ..Timing::default()
    };
    if let Some(bounds) = repeat.get("boundsDuration") {
        const ELEMENT: &str = "timing.repeat.boundsDuration";
        let value = decimal(bounds.get("value"), ELEMENT)?.ok_or(DosageFormatError { element: ELEMENT })?;
        let unit = time_unit(bounds, "code", ELEMENT)?.ok_or(DosageFormatError { element: ELEMENT })?;
        dosage.duration = Some(Duration { value, unit });
    }
    for event in repeat.get("when").map(Json::items).unwrap_or_default() {
        let code = event.as_str().unwrap_or_default();
        if let Some(time) = DayTime::ALL.into_iter().find(|time| time.code() == code) {
            dosage.timing.when.push(time);
        } else if let Some(food) = Food::ALL.into_iter().find(|food| food.code() == code) {
            dosage.food = Some(food);
        } else {
            return Err(DosageFormatError { element: "timing.repeat.when" });
        }
    }
    Ok(())
}

fn read_rates(json: &Json, dosage: &mut Dosage) -> Result<(), DosageFormatError> {
    let mut substance = None;
    for rate in json.get("doseAndRate").map(Json::items).unwrap_or_default() {
        let Some(dose) = rate.get("doseQuantity") else {
            return Err(DosageFormatError { element: "doseAndRate" });
        };
        let dose = quantity(dose, "doseAndRate.doseQuantity")?;
        if rate.get("type").and_then(|kind| first_coding(kind, RATE_TYPE)) == Some("calculated") {
            substance = Some(dose);
        } else {
            dosage.dose = Some(dose);
        }
    }
    if let (Some(dose), Some(substance)) = (dosage.dose, substance) {
        let value =
            substance.value.divided_by(dose.value).ok_or(DosageFormatError { element: "doseAndRate.doseQuantity" })?;
        dosage.strength = Some(Quantity { value, unit: substance.unit });
    }
    Ok(())
}
