//! A patient: medicines, visits, problems, measurements (FHIR R4, <https://hl7.org/fhir/R4/patient.html>).

use std::collections::BTreeMap;

use poem::Response;
use serde::Serialize;
use serde_json::Value;

use crate::asker::Asker;
use crate::banner::{self, Banner};
use crate::frame::Frame;
use crate::records::{code, concept, items, measured, number, referred, resources, text};
use crate::routes::Pages;
use crate::wording;

/// The first codes of a day's times, and the column in which they are shown.
const TIMES: [(&str, &str); 4] = [("MORN", "morning"), ("NOON", "noon"), ("EVE", "evening"), ("NIGHT", "night")];

#[derive(Serialize)]
struct PatientPage {
    patient: Banner,
    medicines: Vec<Requested>,
    problems: Vec<Problem>,
    visits: Vec<PastVisit>,
    observations: Vec<Series>,
    /// The visit of today, if there is one.
    open: String,
}

#[derive(Serialize)]
struct Requested {
    name: String,
    strength: String,
    form: String,
    status: String,
    /// Amounts of morning, noon, evening and night, where the dosage names them.
    slots: BTreeMap<&'static str, String>,
    dosage: String,
    reason: String,
    since: String,
}

#[derive(Serialize)]
struct Problem {
    name: String,
    code: String,
    clinical: String,
    verification: String,
    since: String,
}

#[derive(Serialize)]
struct PastVisit {
    id: String,
    begin: String,
    status: String,
    reason: String,
    doctor: String,
    /// preliminary, final, amended; empty without a note.
    note: String,
    written: String,
}

/// All measurements of one kind, the newest first.
#[derive(Serialize)]
struct Series {
    name: String,
    values: Vec<Reading>,
}

#[derive(Serialize)]
struct Reading {
    value: String,
    unit: String,
    at: String,
}

/// Shows a patient.
pub(crate) async fn show(pages: &Pages, asker: &Asker, id: &str) -> poem::Result<Response> {
    let frame = Frame::load(pages, asker).await?;
    let of = |kind: &str| format!("/fhir/{kind}?patient={id}&_sort=-_lastUpdated&_count=100");
    let problems = pages.get(asker, &of("Condition")).await?;
    let requests = pages.get(asker, &of("MedicationRequest")).await?;
    let observations = pages.get(asker, &of("Observation")).await?;
    let encounters = pages.get(asker, &of("Encounter")).await?;
    let notes = pages.get(asker, &of("Composition")).await?;
    let today = frame.visits.iter().find(|visit| visit.patient == id);
    let page = PatientPage {
        patient: banner::load(pages, asker, id).await?,
        medicines: resources(&requests, "MedicationRequest").filter_map(requested).collect(),
        problems: resources(&problems, "Condition").filter_map(problem).collect(),
        visits: visits(&encounters, &notes),
        observations: series(&observations),
        open: today.map(|visit| visit.id.clone()).unwrap_or_default(),
    };
    Ok(pages.page(asker, "pages/patient.html", (&frame, &page)))
}

fn requested(request: &Value) -> Option<Requested> {
    let status = text(request, "/status");
    if status == "entered-in-error" {
        return None;
    }
    let extension = |name: &str| {
        let found = items(request, "/extension").find(|each| text(each, "/url").ends_with(&format!("/{name}")));
        found.map(|each| text(each, "/valueString")).unwrap_or_default()
    };
    Some(Requested {
        name: concept(request, "medicationCodeableConcept"),
        strength: extension("strength"),
        form: extension("form"),
        status,
        slots: slots(request),
        dosage: text(request, "/dosageInstruction/0/text"),
        reason: concept(request, "reasonCode/0"),
        since: text(request, "/authoredOn"),
    })
}

/// The amounts of a dosage that names times of day; a day time that it does not name is not taken.
fn slots(request: &Value) -> BTreeMap<&'static str, String> {
    let mut slots = BTreeMap::new();
    for step in items(request, "/dosageInstruction") {
        let Some(amount) = number(step, "/doseAndRate/0/doseQuantity/value") else { continue };
        let when: Vec<&str> = items(step, "/timing/repeat/when").filter_map(Value::as_str).collect();
        for (code, column) in TIMES {
            if when.iter().any(|time| time.starts_with(code)) {
                slots.insert(column, amount.clone());
            }
        }
    }
    if !slots.is_empty() {
        for (_, column) in TIMES {
            slots.entry(column).or_insert_with(|| "0".to_owned());
        }
    }
    slots
}

fn problem(condition: &Value) -> Option<Problem> {
    let verification = code(condition, "verificationStatus");
    if matches!(verification.as_str(), "entered-in-error" | "refuted") {
        return None;
    }
    let onset = text(condition, "/onsetDateTime");
    Some(Problem {
        name: concept(condition, "code"),
        code: code(condition, "code"),
        clinical: code(condition, "clinicalStatus"),
        verification,
        since: if onset.is_empty() { text(condition, "/recordedDate") } else { onset },
    })
}

fn visits(encounters: &Value, notes: &Value) -> Vec<PastVisit> {
    let mut visits: Vec<PastVisit> = resources(encounters, "Encounter")
        .map(|encounter| {
            let id = text(encounter, "/id");
            let note = resources(notes, "Composition")
                .find(|note| referred(note, "/encounter/reference", "Encounter").as_deref() == Some(&id));
            PastVisit {
                begin: text(encounter, "/period/start"),
                status: text(encounter, "/status"),
                reason: items(encounter, "/reasonCode")
                    .map(|reason| text(reason, "/text"))
                    .collect::<Vec<_>>()
                    .join(", "),
                doctor: text(encounter, "/participant/0/individual/display"),
                note: note.map(|note| text(note, "/status")).unwrap_or_default(),
                written: note.map(|note| text(note, "/date")).unwrap_or_default(),
                id,
            }
        })
        .collect();
    visits.sort_by(|one, other| other.begin.cmp(&one.begin));
    visits
}

fn series(bundle: &Value) -> Vec<Series> {
    let mut kinds: BTreeMap<String, Vec<Reading>> = BTreeMap::new();
    for observation in resources(bundle, "Observation") {
        let (Some((value, unit)), false) = (measured(observation), text(observation, "/status") == "entered-in-error")
        else {
            continue;
        };
        let coded = text(observation, "/code/coding/0/display");
        let name = if coded.is_empty() { concept(observation, "code") } else { coded };
        let unit = wording::unit(&unit).to_owned();
        kinds.entry(name).or_default().push(Reading { value, unit, at: text(observation, "/effectiveDateTime") });
    }
    let mut list: Vec<Series> = kinds.into_iter().map(|(name, values)| Series { name, values }).collect();
    for series in &mut list {
        series.values.sort_by(|one, other| other.at.cmp(&one.at));
    }
    list
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::slots;

    #[test]
    fn a_dose_strip_needs_times_of_day() {
        let step = |when: &[&str]| {
            json!({"dosageInstruction": [{"timing": {"repeat": {"when": when}},
            "doseAndRate": [{"doseQuantity": {"value": 1}}]}]})
        };
        let found = slots(&step(&["MORN", "NIGHT"]));
        assert_eq!(found.values().map(String::as_str).collect::<Vec<_>>(), ["0", "1", "1", "0"]);
        assert_eq!(found["night"], "1");
        assert!(slots(&step(&[])).is_empty());
    }
}
