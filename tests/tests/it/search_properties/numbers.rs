//! Numbers, quantities and composites: what is asked is a range by its digits, what is stored counts by its value
//! (R4 search.html#number, #quantity, #composite; decision 0007).

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{QUERIES, VALUES, compare, encoded, samples};

const PREFIXES: &[&str] = &["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];
/// The scale of the whole numbers in which is compared: ten thousandths.
const ONE: i64 = 10_000;

/// A number that is asked for: thousandths, written with so many decimals.
#[derive(Clone, Debug)]
struct Asked {
    prefix: &'static str,
    text: String,
    /// In ten thousandths.
    value: i64,
    half: i64,
}

fn asked(most: i64) -> impl Strategy<Value = Asked> + Clone {
    (select(PREFIXES), 0..most, 0_u32..4).prop_map(|(prefix, thousandths, decimals)| {
        let step = 10_i64.pow(3 - decimals);
        let rounded = thousandths / step * step;
        #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
        let text = format!("{:.*}", decimals as usize, rounded as f64 / 1000.0);
        Asked { prefix, text, value: rounded * 10, half: step * 5 }
    })
}

/// What is stored in thousandths; none lies at the end of a range that can be asked for.
fn stored(most: i64) -> impl Strategy<Value = i64> + Clone {
    (0..most).prop_filter("not between two", |number| number % 10 != 5 && number % 100 != 50 && number % 1000 != 500)
}

/// Compares values of one scale.
fn compares(value: i64, asked: &Asked, scale: i64) -> bool {
    let (wanted, half) = (asked.value * scale, asked.half * scale);
    let near = |half: i64| value >= wanted - half && value < wanted + half;
    match asked.prefix {
        "" | "eq" => near(half),
        "ne" => !near(half),
        "gt" | "sa" => value > wanted,
        "lt" | "eb" => value < wanted,
        "ge" => value >= wanted,
        "le" => value <= wanted,
        // A tenth of what is asked, as R4 recommends.
        _ => 10 * (value - wanted) >= -wanted && 10 * (value - wanted) < wanted,
    }
}

fn decimal(thousandths: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
    let number = thousandths as f64 / 1000.0;
    json!(number)
}

#[tokio::test]
async fn numbers_fit_as_defined() {
    compare(
        (
            |number: &i64| {
                json!({"resourceType": "RiskAssessment", "status": "final", "subject": {"reference": "Patient/x"},
                "prediction": [{"probabilityDecimal": decimal(*number)}]})
            },
            samples(&stored(1000), VALUES),
        ),
        (
            |asked: &Asked| format!("RiskAssessment?probability={}{}", asked.prefix, asked.text),
            samples(&asked(1000), QUERIES * 2),
        ),
        |number, asked| compares(number * 10, asked, 1),
    )
    .await;
}

/// A unit: its system, its code, and how many of the smallest one it is.
type Unit = (&'static str, &'static str, i64);

const UCUM: &str = "http://unitsofmeasure.org";
const UNITS: &[Unit] = &[(UCUM, "mg", 1), (UCUM, "g", 1000), (UCUM, "mL", 0), ("urn:pills", "pill", 0)];

/// How a unit is asked for.
#[derive(Clone, Copy, Debug)]
enum Named {
    Nowhere,
    ByCode(&'static str),
    InSystem(Unit),
}

fn named() -> impl Strategy<Value = Named> + Clone {
    prop_oneof![
        Just(Named::Nowhere),
        select(UNITS).prop_map(|(_, code, _)| Named::ByCode(code)),
        select(UNITS).prop_map(Named::InSystem),
    ]
}

fn written(asked: &Asked, named: Named) -> String {
    let unit = match named {
        Named::Nowhere => String::new(),
        Named::ByCode(code) => format!("||{code}"),
        Named::InSystem((system, code, _)) => format!("|{system}|{code}"),
    };
    format!("{}{}{unit}", asked.prefix, asked.text)
}

fn quantity_fits(number: i64, unit: Unit, asked: &Asked, named: Named) -> bool {
    match named {
        Named::Nowhere => compares(number * 10, asked, 1),
        Named::ByCode(code) => code == unit.1 && compares(number * 10, asked, 1),
        // Masses compare in one unit.
        Named::InSystem((_, _, factor)) if factor > 0 => unit.2 > 0 && compares(number * 10 * unit.2, asked, factor),
        Named::InSystem((system, code, _)) => (system, code) == (unit.0, unit.1) && compares(number * 10, asked, 1),
    }
}

fn quantity(number: i64, (system, code, _): Unit) -> Value {
    json!({"value": decimal(number), "system": system, "code": code, "unit": code})
}

#[tokio::test]
async fn quantities_fit_as_defined() {
    compare(
        (
            |(number, unit): &(i64, Unit)| {
                json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                "valueQuantity": quantity(*number, *unit)})
            },
            samples(&(stored(3 * ONE), select(UNITS)), VALUES),
        ),
        (
            |(asked, named): &(Asked, Named)| {
                format!("Observation?value-quantity={}", encoded(&written(asked, *named)))
            },
            samples(&(asked(3 * ONE), named()), QUERIES * 2),
        ),
        |(number, unit), (asked, named)| quantity_fits(*number, *unit, asked, *named),
    )
    .await;
}

#[tokio::test]
async fn composites_fit_as_defined() {
    let code = || select(vec!["a", "B", "b", "c"]);
    let component = (code(), stored(3 * ONE), select(UNITS));
    compare(
        (
            |components: &Vec<(&str, i64, Unit)>| {
                let component = |(code, number, unit): &(&str, i64, Unit)| {
                    json!({"code": {"coding": [{"system": "urn:c", "code": code}]}, "valueQuantity": quantity(*number, *unit)})
                };
                let components: Vec<Value> = components.iter().map(component).collect();
                json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "component": components})
            },
            samples(&prop::collection::vec(component, 1..4), VALUES),
        ),
        (
            |(code, system, asked, named): &(&str, &str, Asked, Named)| {
                let value = encoded(&format!("{system}{code}${}", written(asked, *named)));
                format!("Observation?component-code-value-quantity={value}")
            },
            samples(&(code(), select(vec!["", "urn:c|", "urn:d|"]), asked(3 * ONE), named()), QUERIES * 2),
        ),
        |components, (wanted, system, asked, named)| {
            *system != "urn:d|"
                && components.iter().any(|(code, number, unit)| {
                    code.eq_ignore_ascii_case(wanted) && quantity_fits(*number, *unit, asked, *named)
                })
        },
    )
    .await;
}
