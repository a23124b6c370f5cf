//! Vital signs and bedside values: names, LOINC codes (<https://loinc.org>) and UCUM units (<https://ucum.org>)
//! as in the R4 vital signs profiles (<https://hl7.org/fhir/R4/observation-vitalsigns.html>).

use crate::lexicon::decimal::Decimal;

/// Names a vital sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VitalKind {
    /// Body temperature.
    Temperature,
    /// Systolic and diastolic blood pressure.
    BloodPressure,
    /// Heart rate.
    HeartRate,
    /// Respiratory rate.
    RespiratoryRate,
    /// Oxygen saturation by pulse oximetry.
    OxygenSaturation,
    /// Body weight.
    Weight,
    /// Body height.
    Height,
    /// Glucose by glucometer.
    Glucose,
    /// Body mass index.
    BodyMassIndex,
    /// The circumference of the head.
    HeadCircumference,
    /// The total of the Glasgow coma scale.
    ComaScore,
}

impl VitalKind {
    /// Lists all vital signs.
    pub const ALL: [Self; 11] = [
        Self::Temperature,
        Self::BloodPressure,
        Self::HeartRate,
        Self::RespiratoryRate,
        Self::OxygenSaturation,
        Self::Weight,
        Self::Height,
        Self::Glucose,
        Self::BodyMassIndex,
        Self::HeadCircumference,
        Self::ComaScore,
    ];

    /// Returns the LOINC code and its name.
    #[must_use]
    pub const fn loinc(self) -> (&'static str, &'static str) {
        match self {
            Self::Temperature => ("8310-5", "Body temperature"),
            Self::BloodPressure => ("85354-9", "Blood pressure panel with all children optional"),
            Self::HeartRate => ("8867-4", "Heart rate"),
            Self::RespiratoryRate => ("9279-1", "Respiratory rate"),
            Self::OxygenSaturation => ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
            Self::Weight => ("29463-7", "Body weight"),
            Self::Height => ("8302-2", "Body height"),
            Self::Glucose => ("2339-0", "Glucose [Mass/volume] in Blood"),
            Self::BodyMassIndex => ("39156-5", "Body mass index (BMI) [Ratio]"),
            Self::HeadCircumference => ("9843-4", "Head Occipital-frontal circumference"),
            Self::ComaScore => ("9269-2", "Glasgow coma score total"),
        }
    }

    /// Returns the phrases that name it, in lower case.
    #[must_use]
    pub const fn phrases(self) -> &'static [&'static str] {
        match self {
            Self::Temperature => {
                &["temperature", "temp", "body temperature", "body temp", "fever of", "fever is", "fever"]
            }
            Self::BloodPressure => &["blood pressure", "bp", "b p", "b.p", "pressure", "bp reading"],
            Self::HeartRate => &["pulse", "pulse rate", "heart rate", "hr", "pr", "p.r"],
            Self::RespiratoryRate => {
                &["respiratory rate", "respiration rate", "respirations", "rr", "r.r", "breathing rate", "resp rate"]
            }
            Self::OxygenSaturation => &[
                "spo2",
                "spo 2",
                "sp o2",
                "sp o 2",
                "oxygen saturation",
                "saturation",
                "oxygen",
                "o2 saturation",
                "sats",
                "oxygen level",
                "saturating",
                "sao2",
                "sao 2",
                "o2 sat",
                "o 2 sat",
                "oxygen sat",
                "pulse ox",
                "pulse oximetry",
            ],
            Self::Weight => &["weight", "wt", "body weight", "weighs", "weighing"],
            Self::Height => &["height", "ht"],
            Self::Glucose => &[
                "sugar",
                "blood sugar",
                "random sugar",
                "rbs",
                "random blood sugar",
                "grbs",
                "blood glucose",
                "glucometer reading",
                "sugar random",
                "capillary sugar",
                "cbg",
            ],
            Self::BodyMassIndex => &["bmi", "body mass index"],
            Self::HeadCircumference => &["head circumference", "ofc"],
            Self::ComaScore => &["gcs", "glasgow coma scale", "glasgow coma score", "coma scale"],
        }
    }

    /// Finds the UCUM unit that words name for this sign.
    #[must_use]
    pub fn unit_named(self, words: &str) -> Option<&'static str> {
        let units = match self {
            Self::Temperature => TEMPERATURE_UNITS,
            Self::BloodPressure => PRESSURE_UNITS,
            Self::HeartRate | Self::RespiratoryRate => RATE_UNITS,
            Self::OxygenSaturation => SATURATION_UNITS,
            Self::Weight => WEIGHT_UNITS,
            Self::Height => HEIGHT_UNITS,
            Self::Glucose => GLUCOSE_UNITS,
            Self::BodyMassIndex => INDEX_UNITS,
            Self::HeadCircumference => CENTIMETRES,
            Self::ComaScore => SCORE_UNITS,
        };
        units.iter().find(|(_, names)| names.contains(&words)).map(|(unit, _)| *unit)
    }

    /// Returns the unit that a bare number must have, where the number leaves no doubt.
    ///
    /// Temperature: 30 to 45 can only be degrees Celsius and 90 to 113 only degrees Fahrenheit in a living person; between them nothing is said.
    /// The others are recorded in one unit in Indian outpatient care; a number outside its range stays without a unit.
    #[must_use]
    pub fn implied_unit(self, value: Decimal) -> Option<&'static str> {
        let between = |low: u32, high: u32| value >= Decimal::whole(low) && value <= Decimal::whole(high);
        match self {
            Self::Temperature if between(30, 45) => Some("Cel"),
            Self::Temperature if between(90, 113) => Some("[degF]"),
            Self::BloodPressure => Some("mm[Hg]"),
            Self::HeartRate | Self::RespiratoryRate => Some("/min"),
            Self::OxygenSaturation => Some("%"),
            Self::Weight if between(1, 400) => Some("kg"),
            Self::Height if between(30, 250) => Some("cm"),
            Self::Glucose if between(20, 1000) => Some("mg/dL"),
            Self::BodyMassIndex if between(8, 90) => Some("kg/m2"),
            Self::HeadCircumference if between(20, 70) => Some("cm"),
            Self::ComaScore if between(3, 15) => Some("{score}"),
            _ => None,
        }
    }

    /// Tells whether a living person can have the value; others are kept and marked doubtful.
    #[must_use]
    pub fn is_plausible(self, value: Decimal, unit: &str) -> bool {
        let (low, high) = match (self, unit) {
            (Self::Temperature, "Cel") => (30, 45),
            (Self::Temperature, _) => (86, 113),
            (Self::BloodPressure, _) => (30, 300),
            (Self::HeartRate, _) => (20, 300),
            (Self::RespiratoryRate, _) => (4, 100),
            (Self::OxygenSaturation, _) => (30, 100),
            (Self::Weight, "g") => (300, 10_000),
            (Self::Weight, _) => (1, 400),
            (Self::Height, "m") => (0, 3),
            (Self::Height, _) => (20, 250),
            (Self::Glucose, "mmol/L") => (1, 60),
            (Self::Glucose, _) => (10, 1500),
            (Self::BodyMassIndex, _) => (8, 90),
            (Self::HeadCircumference, _) => (20, 70),
            (Self::ComaScore, _) => (3, 15),
        };
        value >= Decimal::whole(low) && value <= Decimal::whole(high)
    }
}

type UnitNames = &'static [(&'static str, &'static [&'static str])];

const TEMPERATURE_UNITS: UnitNames = &[
    (
        "Cel",
        &[
            "celsius",
            "c",
            "° c",
            "degrees celsius",
            "degree celsius",
            "degrees c",
            "degree c",
            "degrees centigrade",
            "centigrade",
        ],
    ),
    (
        "[degF]",
        &[
            "fahrenheit",
            "f",
            "° f",
            "degrees fahrenheit",
            "degree fahrenheit",
            "degrees f",
            "degree f",
            "deg f",
            "deg fahrenheit",
            "farenheit",
        ],
    ),
];
const PRESSURE_UNITS: UnitNames =
    &[("mm[Hg]", &["mmhg", "mm hg", "mm of mercury", "millimetres of mercury", "mm of hg"])];
const RATE_UNITS: UnitNames = &[(
    "/min",
    &["bpm", "per minute", "beats per minute", "breaths per minute", "/ min", "/ minute", "a minute", "cpm"],
)];
const SATURATION_UNITS: UnitNames = &[("%", &["%", "percent", "per cent"])];
const WEIGHT_UNITS: UnitNames =
    &[("kg", &["kg", "kgs", "kilo", "kilos", "kilogram", "kilograms"]), ("g", &["grams", "g", "gm"])];
const CENTIMETRES: UnitNames = &[("cm", &["cm", "cms", "centimetre", "centimetres", "centimeter", "centimeters"])];
const INDEX_UNITS: UnitNames =
    &[("kg/m2", &["kg/m 2", "kg / m 2", "kg/m²", "kg per square metre", "kg per square meter", "kg per metre square"])];
const SCORE_UNITS: UnitNames = &[("{score}", &["/ 15", "out of 15", "by 15"])];
const HEIGHT_UNITS: UnitNames = &[
    ("cm", &["cm", "cms", "centimetre", "centimetres", "centimeter", "centimeters"]),
    ("m", &["metre", "metres", "meter", "meters", "m"]),
];
const GLUCOSE_UNITS: UnitNames = &[
    ("mg/dL", &["mg / dl", "mg/dl", "mg per dl", "mg dl", "milligram per decilitre"]),
    ("mmol/L", &["mmol / l", "mmol/l", "mmol per litre"]),
];

/// The LOINC codes of the two components of a blood pressure.
pub const PRESSURE_COMPONENTS: [(&str, &str); 2] =
    [("8480-6", "Systolic blood pressure"), ("8462-4", "Diastolic blood pressure")];
