//! Search for patients by name, number or telephone: FHIR R4 search (<https://hl7.org/fhir/R4/search.html>).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use poem::Response;
use serde::Serialize;

use crate::asker::Asker;
use crate::frame::Frame;
use crate::records::{items, name, resources, text};
use crate::routes::{Fields, Pages};

/// How many patients are shown; who finds more is asked for more of the name.
const MOST: usize = 30;
const LONGEST: usize = 100;

#[derive(Serialize)]
struct PatientsPage {
    query: String,
    patients: Vec<Found>,
    more: bool,
}

#[derive(Serialize)]
struct Found {
    id: String,
    name: String,
    gender: String,
    born: String,
    identifier: String,
    phone: String,
}

/// Shows the search and what it found.
pub(crate) async fn show(pages: &Pages, asker: &Asker, query: &Fields) -> poem::Result<Response> {
    let frame = Frame::load(pages, asker).await?;
    let asked: String = query.get("q").map(|text| text.trim().chars().take(LONGEST).collect()).unwrap_or_default();
    let mut patients: Vec<Found> = Vec::new();
    for search in searches(&asked) {
        let bundle = pages.get(asker, &format!("/fhir/Patient?{search}&_count={}", MOST + 1)).await?;
        for patient in resources(&bundle, "Patient").map(found) {
            if patients.iter().all(|known| known.id != patient.id) {
                patients.push(patient);
            }
        }
    }
    patients.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    let more = patients.len() > MOST;
    patients.truncate(MOST);
    let page = PatientsPage { query: asked, patients, more };
    Ok(pages.page(asker, "pages/patients.html", (&frame, &page)))
}

/// Letters are a name; digits are a number of the patient, and from six digits on perhaps a telephone.
fn searches(asked: &str) -> Vec<String> {
    let encoded = utf8_percent_encode(asked, NON_ALPHANUMERIC);
    let digits = asked.chars().filter(char::is_ascii_digit).count();
    match (asked.is_empty(), digits) {
        (true, _) => vec!["_sort=-_lastUpdated".to_owned()],
        (false, 0) => vec![format!("name={encoded}")],
        (false, 1..6) => vec![format!("identifier={encoded}"), format!("name={encoded}")],
        (false, _) => vec![format!("identifier={encoded}"), format!("phone={encoded}")],
    }
}

fn found(patient: &serde_json::Value) -> Found {
    let phone = items(patient, "/telecom").find(|contact| text(contact, "/system") == "phone");
    Found {
        id: text(patient, "/id"),
        name: name(patient),
        gender: text(patient, "/gender"),
        born: text(patient, "/birthDate"),
        identifier: text(patient, "/identifier/0/value"),
        phone: phone.map(|contact| text(contact, "/value")).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::searches;

    #[test]
    fn what_is_typed_decides_what_is_searched() {
        assert_eq!(searches("Rane & co"), ["name=Rane%20%26%20co"]);
        assert_eq!(searches("0042-7718"), ["identifier=0042%2D7718", "phone=0042%2D7718"]);
        assert_eq!(searches("42"), ["identifier=42", "name=42"]);
        assert_eq!(searches(""), ["_sort=-_lastUpdated"]);
    }
}
