//! Dictations with their labels, a JSON object a line.

use anyhow::Context as _;
use serde_json::Value;
use seva_clinic::formulary::Product;

const HAND_WRITTEN: &str = include_str!("../../data/quality/hand.jsonl");

/// Says what a dictation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// The rules may be written with it in sight.
    Develop,
    /// It only measures; nobody looks at its items one by one.
    Report,
}

impl Half {
    /// Reads the name of a half.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        match name {
            "develop" => Ok(Self::Develop),
            "report" => Ok(Self::Report),
            other => anyhow::bail!("there is no half {other}"),
        }
    }
}

/// Is what a dictation says, each statement as a short label.
///
/// Marks before a label: `!` absent or stopped, `past-`, `family-`, `if-` for what may happen. A medicine is its name, then a
/// bar and its dosage steps, told apart by ` > `; `?` stands for a dosage that cannot be stated. Measurements are a LOINC code,
/// value and UCUM unit. `!*` is the statement that there is no allergy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Medicines with their dosage.
    pub medications: Vec<String>,
    /// Complaints, signs and diagnoses.
    pub problems: Vec<String>,
    /// Vital signs.
    pub vitals: Vec<String>,
    /// Laboratory results.
    pub labs: Vec<String>,
    /// Tests and procedures without a result.
    pub tests: Vec<String>,
    /// Allergies.
    pub allergies: Vec<String>,
    /// What the patient is to do or to avoid.
    pub advice: Vec<String>,
    /// When the patient comes again.
    pub follow_up: Vec<String>,
}

/// Is a dictation.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name.
    pub id: String,
    /// Its half.
    pub half: Half,
    /// Whether a person wrote it, rather than the generator.
    pub by_hand: bool,
    /// What was said.
    pub text: String,
    /// What it says.
    pub labels: Labels,
}

/// Reads the dictations that were written by hand.
pub fn hand_written() -> anyhow::Result<Vec<Item>> {
    HAND_WRITTEN.lines().map(item).collect()
}

fn item(line: &str) -> anyhow::Result<Item> {
    let value: Value = serde_json::from_str(line).context("a line of hand.jsonl is no JSON")?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).with_context(|| format!("{name} is missing"));
    let list = |name: &str| -> Vec<String> {
        let list = value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let medicines = value.get("medications").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(Item {
        id: text("id")?.to_owned(),
        half: Half::named(text("half")?)?,
        by_hand: true,
        text: text("text")?.to_owned(),
        labels: Labels {
            medications: medicines.iter().map(medicine).collect::<anyhow::Result<_>>()?,
            problems: list("problems"),
            vitals: list("vitals"),
            labs: list("labs"),
            tests: list("tests"),
            allergies: list("allergies"),
            advice: list("advice"),
            follow_up: list("follow_up"),
        },
    })
}

fn medicine(value: &Value) -> anyhow::Result<String> {
    let name = value.get("name").and_then(Value::as_str).context("a medicine without a name")?;
    if let Some(flag) = value.get("flag").and_then(Value::as_str) {
        return Ok(format!("{flag}{}", generic(name)));
    }
    let steps = value.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let steps: Vec<&str> = steps.iter().filter_map(Value::as_str).collect();
    Ok(format!("{}|{}", generic(name), steps.join(" > ")))
}

/// Returns the generic name of a medicine, so that synonyms are one; of a brand the names of all that it holds.
pub fn generic(name: &str) -> String {
    let ingredients = Product::named(name).map(Product::ingredients).unwrap_or_default();
    let names: Vec<&str> = ingredients.iter().map(|medicine| medicine.generic).collect();
    if names.is_empty() { name.to_lowercase() } else { names.join(" + ") }
}
