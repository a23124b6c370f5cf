//! Writes a dosage as R4 Dosage and reads it back (<https://hl7.org/fhir/R4/dosage.html>).
//!
//! Where pieces are counted, the ordered `doseAndRate` holds the count and the calculated one the substance, by
//! <http://terminology.hl7.org/CodeSystem/dose-rate-type>; the strength is their quotient.

use seva_fhir::json::{Json, JsonObject, array, object};

use super::{AsNeeded, DayTime, Dosage, DoseUnit, Duration, Food, Quantity, Route, Start, TimeUnit, Timing};
use crate::lexicon::decimal::Decimal;

const UCUM: &str = "http://unitsofmeasure.org";
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
pub fn regimen_to_fhir(steps: &[Dosage]) -> Json {
    array(steps.iter().map(to_fhir))
}

/// Reads the steps of a `dosageInstruction`.
pub fn regimen_from_fhir(json: &Json) -> Result<Vec<Dosage>, DosageFormatError> {
    json.items().iter().map(from_fhir).collect()
}

/// Writes one dosage.
#[must_use]
pub fn to_fhir(dosage: &Dosage) -> Json {
    let mut result = JsonObject::new();
    if let Some(sequence) = dosage.sequence {
        result.insert("sequence", Json::Number(sequence.to_string().into()));
    }
    if let Some(text) = &dosage.text {
        result.insert("text", text.as_str());
    }
    let instructions = instructions_json(dosage);
    if !instructions.is_empty() {
        result.insert("additionalInstruction", instructions);
    }
    if let Some(timing) = timing_json(dosage) {
        result.insert("timing", timing);
    }
    match &dosage.timing.as_needed {
        AsNeeded::No => {}
        AsNeeded::Yes => drop(result.insert("asNeededBoolean", true)),
        AsNeeded::For(reason) => {
            result.insert("asNeededCodeableConcept", object([("text", reason.as_str().into())]));
        }
    }
    if let Some(route) = dosage.route {
        let coding =
            object([("system", SNOMED.into()), ("code", route.code().into()), ("display", route.display().into())]);
        result.insert("route", object([("coding", array([coding])), ("text", route.display().into())]));
    }
    let rates = rates_json(dosage);
    if !rates.is_empty() {
        result.insert("doseAndRate", rates);
    }
    if let Some(maximum) = dosage.max_per_day {
        let day = object([
            ("value", number(Decimal::ONE)),
            ("unit", "day".into()),
            ("system", UCUM.into()),
            ("code", "d".into()),
        ]);
        result.insert("maxDosePerPeriod", object([("numerator", quantity_json(maximum)), ("denominator", day)]));
    }
    Json::Object(result)
}

fn instructions_json(dosage: &Dosage) -> Vec<Json> {
    let mut instructions = Vec::new();
    if dosage.timing.start == Start::Immediate {
        instructions.push(object([("text", IMMEDIATELY.into())]));
    }
    if let Some(food) = dosage.food.filter(|_| !dosage.timing.when.is_empty()) {
        instructions.push(object([("text", food_text(food).into())]));
    }
    instructions
}

fn food_text(food: Food) -> &'static str {
    match food {
        Food::Before => "Before food",
        Food::With => "With food",
        Food::After => "After food",
    }
}

fn number(value: Decimal) -> Json {
    Json::Number(value.to_string().into())
}

fn quantity_json(quantity: Quantity) -> Json {
    object([
        ("value", number(quantity.value)),
        ("unit", quantity.unit.display().into()),
        ("system", UCUM.into()),
        ("code", quantity.unit.code().into()),
    ])
}

fn timing_json(dosage: &Dosage) -> Option<Json> {
    let timing = &dosage.timing;
    let mut repeat = JsonObject::new();
    if let Some(Duration { value, unit }) = dosage.duration {
        let bounds = [
            ("value", number(value)),
            ("unit", unit.code().into()),
            ("system", UCUM.into()),
            ("code", unit.code().into()),
        ];
        repeat.insert("boundsDuration", object(bounds));
    }
    if let Some(count) = timing.count {
        repeat.insert("count", Json::Number(count.to_string().into()));
    }
    if let Some(frequency) = timing.frequency {
        repeat.insert("frequency", Json::Number(frequency.to_string().into()));
    }
    if let (Some(period), Some(unit)) = (timing.period, timing.period_unit) {
        repeat.insert("period", number(period));
        repeat.insert("periodUnit", unit.code());
    }
    let mut when: Vec<&str> = timing.when.iter().map(|time| time.code()).collect();
    if when.is_empty() {
        when.extend(dosage.food.map(Food::code));
    }
    if !when.is_empty() {
        repeat.insert("when", array(when));
    }
    (!repeat.is_empty()).then(|| object([("repeat", Json::Object(repeat))]))
}

fn rates_json(dosage: &Dosage) -> Vec<Json> {
    let mut rates = Vec::new();
    let ordered = dosage.dose.or(dosage.strength);
    if let Some(dose) = ordered {
        rates.push(rate("ordered", "Ordered", dose));
    }
    // A volume says nothing about the substance, so only counted pieces have a calculated dose.
    if dosage.dose.is_some_and(|dose| dose.unit.is_countable())
        && dosage.strength.is_some()
        && let Some(substance) = dosage.substance()
    {
        rates.push(rate("calculated", "Calculated", substance));
    }
    rates
}

fn rate(code: &str, display: &str, quantity: Quantity) -> Json {
    let coding = object([("system", RATE_TYPE.into()), ("code", code.into()), ("display", display.into())]);
    object([("type", object([("coding", array([coding]))])), ("doseQuantity", quantity_json(quantity))])
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
