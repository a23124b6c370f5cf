//! The head of a patient's pages: Patient, AllergyIntolerance, weight and eGFR Observations, Consent
//! (FHIR R4, <https://hl7.org/fhir/R4/patient.html>).

use serde::Serialize;
use serde_json::Value;

use crate::asker::Asker;
use crate::consent::{self, ConsentView};
use crate::moment::{Moment, age};
use crate::records::{code, concept, items, measured, name, resources, text};
use crate::routes::Pages;

/// SNOMED CT's "no known allergy".
const NO_KNOWN_ALLERGY: &str = "716186003";
/// LOINC's body weight.
const WEIGHT: &str = "29463-7";
/// LOINC's estimated glomerular filtration rates: CKD-EPI 2021, CKD-EPI 2009, MDRD.
const KIDNEY: &[&str] = &["98979-8", "62238-1", "33914-3"];
const ADULT: i64 = 18;

/// A patient as the banner shows them.
#[derive(Serialize)]
pub(crate) struct Banner {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) gender: String,
    pub(crate) born: String,
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) phone: String,
    /// The language that the patient speaks, as a tag; empty where nobody recorded it.
    pub(crate) speaks: String,
    pub(crate) allergies: Vec<AllergyView>,
    /// "None known" was asked and recorded, which is another state than "not asked".
    pub(crate) none_known: bool,
    pub(crate) weight: Option<Measured>,
    pub(crate) kidney: Option<Measured>,
    pub(crate) consent: Option<ConsentView>,
    /// A child is dosed by weight: without today's weight the banner asks for it.
    pub(crate) is_child: bool,
}

/// A number of the patient.
#[derive(Serialize)]
pub(crate) struct Identifier {
    /// MRN, ABHA, or what the record calls it.
    pub(crate) kind: String,
    pub(crate) value: String,
}

/// An allergy that was not refuted.
#[derive(Serialize)]
pub(crate) struct AllergyView {
    pub(crate) substance: String,
    pub(crate) reaction: String,
    pub(crate) since: String,
    /// high, low or unable-to-assess.
    pub(crate) criticality: String,
    /// confirmed or unconfirmed.
    pub(crate) verification: String,
}

/// A measurement with its time.
#[derive(Serialize)]
pub(crate) struct Measured {
    pub(crate) value: String,
    pub(crate) unit: String,
    pub(crate) at: String,
}

/// Loads the banner of a patient.
pub(crate) async fn load(pages: &Pages, asker: &Asker, id: &str) -> poem::Result<Banner> {
    let patient = pages.get(asker, &format!("/fhir/Patient/{id}")).await?;
    let allergies = pages.get(asker, &format!("/fhir/AllergyIntolerance?patient={id}&_count=100")).await?;
    let codes = KIDNEY.iter().fold(WEIGHT.to_owned(), |codes, code| format!("{codes},{code}"));
    let path = format!("/fhir/Observation?patient={id}&code={codes}&_sort=-_lastUpdated&_count=50");
    let observations = pages.get(asker, &path).await?;
    let consent = consent::active(pages, asker, id).await?;
    let today = asker.today(pages.zone());
    let born = Moment::of(&text(&patient, "/birthDate"), pages.zone()).and_then(|born| age(born, today));
    let (known, none_known) = known_allergies(&allergies);
    Ok(Banner {
        id: id.to_owned(),
        name: name(&patient),
        gender: text(&patient, "/gender"),
        born: text(&patient, "/birthDate"),
        identifiers: items(&patient, "/identifier").map(identifier).collect(),
        phone: phone(&patient),
        speaks: text(&patient, "/communication/0/language/coding/0/code"),
        allergies: known,
        none_known,
        weight: newest(&observations, &[WEIGHT]),
        kidney: newest(&observations, KIDNEY),
        consent,
        is_child: born.is_some_and(|age| age.key != "age-years" || age.count < ADULT),
    })
}

/// The allergies of a bundle, and whether it was recorded that there are none.
pub(crate) fn known_allergies(bundle: &Value) -> (Vec<AllergyView>, bool) {
    let mut none_known = false;
    let mut known = Vec::new();
    for allergy in resources(bundle, "AllergyIntolerance") {
        let verification = code(allergy, "verificationStatus");
        if code(allergy, "code") == NO_KNOWN_ALLERGY {
            none_known = true;
        } else if !matches!(verification.as_str(), "refuted" | "entered-in-error") {
            known.push(AllergyView {
                substance: concept(allergy, "code"),
                reaction: items(allergy, "/reaction/0/manifestation")
                    .map(|one| text(one, "/text"))
                    .collect::<Vec<_>>()
                    .join(", "),
                since: text(allergy, "/recordedDate"),
                criticality: text(allergy, "/criticality"),
                verification,
            });
        }
    }
    let none_known = none_known && known.is_empty();
    (known, none_known)
}

fn identifier(value: &Value) -> Identifier {
    let said = text(value, "/type/text");
    let kind = match text(value, "/type/coding/0/code").as_str() {
        _ if !said.is_empty() => said,
        "MR" => "MRN".to_owned(),
        _ if text(value, "/system").contains("abdm.gov.in") => "ABHA".to_owned(),
        code => code.to_owned(),
    };
    Identifier { kind, value: text(value, "/value") }
}

fn phone(patient: &Value) -> String {
    items(patient, "/telecom")
        .find(|contact| text(contact, "/system") == "phone")
        .map(|contact| text(contact, "/value"))
        .unwrap_or_default()
}

fn newest(bundle: &Value, codes: &[&str]) -> Option<Measured> {
    let found = resources(bundle, "Observation")
        .filter(|observation| text(observation, "/status") != "entered-in-error")
        .filter(|observation| {
            items(observation, "/code/coding").any(|coding| codes.contains(&text(coding, "/code").as_str()))
        });
    let measured = found.filter_map(|observation| {
        let (value, unit) = measured(observation)?;
        Some(Measured { value, unit, at: text(observation, "/effectiveDateTime") })
    });
    measured.max_by(|one, other| one.at.cmp(&other.at))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::known_allergies;

    #[test]
    fn no_known_allergies_is_said_only_when_nothing_contradicts_it() {
        let entry = |code: &str, status: &str| {
            json!({"resource": {"resourceType": "AllergyIntolerance", "code": {"text": code, "coding": [{"code": code}]},
                "verificationStatus": {"coding": [{"code": status}]}}})
        };
        let none = entry("716186003", "unconfirmed");
        let (known, none_known) = known_allergies(&json!({"entry": [none]}));
        assert!(known.is_empty() && none_known);
        let (known, none_known) = known_allergies(&json!({"entry": [none, entry("penicillin", "confirmed")]}));
        assert!(known.len() == 1 && !none_known);
        let (known, none_known) = known_allergies(&json!({"entry": [entry("penicillin", "refuted")]}));
        assert!(known.is_empty() && !none_known);
    }
}
