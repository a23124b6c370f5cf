//! What each page shows, read from FHIR R4 resources (<https://hl7.org/fhir/R4/resourcelist.html>).

use serde::Serialize;
use serde_json::Value;

/// The log-in page.
#[derive(Serialize)]
pub(crate) struct LogInPage {
    pub(crate) title: &'static str,
    pub(crate) problem: String,
}

/// A page that only says something.
#[derive(Serialize)]
pub(crate) struct MessagePage {
    pub(crate) title: &'static str,
    pub(crate) message: String,
}

/// One visit of the worklist.
#[derive(Serialize)]
pub(crate) struct Visit {
    pub(crate) id: String,
    pub(crate) patient: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) begin: String,
}

/// The worklist.
#[derive(Serialize)]
pub(crate) struct WorklistPage {
    pub(crate) title: &'static str,
    pub(crate) visits: Vec<Visit>,
}

/// The head of a patient's pages.
#[derive(Serialize)]
pub(crate) struct Banner {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) gender: String,
    pub(crate) born: String,
    pub(crate) allergies: Vec<String>,
    /// "None known" was asked and recorded, which is another state than "not asked".
    pub(crate) none_known: bool,
}

/// A patient's page.
#[derive(Serialize)]
pub(crate) struct PatientPage {
    pub(crate) title: &'static str,
    pub(crate) patient: Banner,
    pub(crate) problems: Vec<String>,
    pub(crate) medicines: Vec<Medicine>,
    pub(crate) observations: Vec<String>,
}

/// One medicine.
#[derive(Serialize)]
pub(crate) struct Medicine {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) dosage: String,
}

/// A consultation.
#[derive(Serialize)]
pub(crate) struct ConsultationPage {
    pub(crate) title: &'static str,
    pub(crate) encounter: String,
    pub(crate) patient: Banner,
    pub(crate) consent: bool,
    pub(crate) working: bool,
    pub(crate) dictations: Vec<DictationView>,
    /// As `/v1/encounters/{id}/prescription` has it.
    pub(crate) prescription: Value,
    pub(crate) signed: bool,
    /// What the forms send back as `If-Match`.
    pub(crate) version: i64,
}

/// One dictation's transcript.
#[derive(Serialize)]
pub(crate) struct DictationView {
    pub(crate) state: String,
    pub(crate) saved: String,
    pub(crate) problem: String,
    pub(crate) segments: Vec<Line>,
}

/// One line of a transcript.
#[derive(Serialize)]
pub(crate) struct Line {
    pub(crate) at: String,
    pub(crate) text: String,
}

/// The text at a JSON pointer, empty when there is none.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The resources of a type in a bundle.
pub(crate) fn resources<'a>(bundle: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let entries = bundle.get("entry").and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|entry| entry.get("resource")).filter(move |resource| text(resource, "/resourceType") == kind)
}

/// The words of a CodeableConcept.
pub(crate) fn concept(value: &Value, member: &str) -> String {
    let said = text(value, &format!("/{member}/text"));
    if said.is_empty() { text(value, &format!("/{member}/coding/0/display")) } else { said }
}

/// A patient's name, family name first.
pub(crate) fn name(patient: &Value) -> String {
    let given: Vec<&str> = patient
        .pointer("/name/0/given")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let family = text(patient, "/name/0/family");
    match (family.is_empty(), given.is_empty()) {
        (true, true) => text(patient, "/name/0/text"),
        (true, false) => given.join(" "),
        (false, true) => family,
        (false, false) => format!("{family}, {}", given.join(" ")),
    }
}

/// Milliseconds as minutes and seconds.
pub(crate) fn clock(value: &Value, pointer: &str) -> String {
    let seconds = value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default() / 1000;
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// The medicines of a bundle.
pub(crate) fn medicines(bundle: &Value) -> Vec<Medicine> {
    resources(bundle, "MedicationRequest")
        .map(|request| Medicine {
            name: concept(request, "medicationCodeableConcept"),
            status: text(request, "/status"),
            dosage: text(request, "/dosageInstruction/0/text"),
        })
        .collect()
}

/// An observation in one line.
pub(crate) fn observation(resource: &Value) -> String {
    let quantity = resource.pointer("/valueQuantity/value").map(Value::to_string).unwrap_or_default();
    let unit = text(resource, "/valueQuantity/unit");
    format!("{} {quantity} {unit}{}", concept(resource, "code"), text(resource, "/valueString"))
}

/// A transcript and its state.
pub(crate) fn dictation(value: &Value) -> DictationView {
    let segments = value.get("segments").and_then(Value::as_array).into_iter().flatten();
    DictationView {
        state: text(value, "/state"),
        saved: clock(value, "/savedMilliseconds"),
        problem: text(value, "/problem"),
        segments: segments.map(|s| Line { at: clock(s, "/startMs"), text: text(s, "/text") }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{clock, name};

    #[test]
    fn names_and_times_are_said_plainly() {
        assert_eq!(name(&json!({"name": [{"family": "Rane", "given": ["Meenakshi"]}]})), "Rane, Meenakshi");
        assert_eq!(clock(&json!({"at": 134_000}), "/at"), "02:14");
    }
}
