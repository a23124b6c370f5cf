//! The patient and the consultation, from FHIR R4 (<https://hl7.org/fhir/R4/encounter.html>) and `/v1/dictations`.

use bytes::Bytes;
use poem::Response;
use poem::http::StatusCode;
use serde_json::{Value, json};

use crate::client::ApiRequest;
use crate::routes::{Pages, message, page, see, value};
use crate::views::{
    Banner, ConsultationPage, PatientPage, concept, dictation, medicines, name, observation, resources, text,
};

/// SNOMED CT's "no known allergy".
const NONE_KNOWN: (&str, &str) = ("/code/coding/0/code", "716186003");
const DEMO: &[u8] = include_bytes!("../static/demo/dictation.flac");

/// Shows a patient.
pub(crate) async fn patient(pages: &Pages, token: &str, id: &str) -> poem::Result<Response> {
    let problems = pages.get(token, &format!("/fhir/Condition?patient={id}")).await?;
    let requests = pages.get(token, &format!("/fhir/MedicationRequest?patient={id}")).await?;
    let observations = pages.get(token, &format!("/fhir/Observation?patient={id}")).await?;
    let context = PatientPage {
        title: "Patient",
        patient: banner(pages, token, id).await?,
        problems: resources(&problems, "Condition").map(|condition| concept(condition, "code")).collect(),
        medicines: medicines(&requests),
        observations: resources(&observations, "Observation").map(observation).collect(),
    };
    page("patient.html", &context)
}

/// Shows a consultation.
pub(crate) async fn show(pages: &Pages, token: &str, id: &str) -> poem::Result<Response> {
    let patient = patient_of(pages, token, id).await?;
    let listed = pages.get(token, &format!("/v1/encounters/{id}/dictations")).await?;
    let prescription = pages.get(token, &format!("/v1/encounters/{id}/prescription")).await?;
    let list = listed.get("dictations").and_then(Value::as_array);
    let dictations: Vec<_> = list.into_iter().flatten().map(dictation).collect();
    let context = ConsultationPage {
        title: "Consultation",
        encounter: id.to_owned(),
        patient: banner(pages, token, &patient).await?,
        consent: consent(pages, token, &patient).await?.is_some(),
        working: dictations.iter().any(|dictation| dictation.state == "finishing"),
        dictations,
        signed: text(&prescription, "/state") == "signed",
        version: prescription.get("version").and_then(Value::as_i64).unwrap_or_default(),
        prescription,
    };
    page("consultation.html", &context)
}

/// Sends the demo recording the way that any recording goes.
pub(crate) async fn play_demo(pages: &Pages, token: &str, id: &str) -> poem::Result<Response> {
    let patient = patient_of(pages, token, id).await?;
    let Some(consent) = consent(pages, token, &patient).await? else {
        return Ok(message(StatusCode::UNPROCESSABLE_ENTITY, "The patient's consent to record is not there yet."));
    };
    let new = json!({ "patient": format!("Patient/{patient}"), "encounter": format!("Encounter/{id}"),
        "consent": format!("Consent/{consent}"), "language": "en", "mode": "upload" });
    let made = pages.send("POST", "/v1/dictations", Some(token), &new).await?;
    if made.status != 201 {
        return Ok(message(StatusCode::UNPROCESSABLE_ENTITY, "The recording was not permitted."));
    }
    let upload = ApiRequest {
        method: "PUT".to_owned(),
        path: format!("/v1/dictations/{}/recording", text(&value(&made), "/id")),
        headers: vec![("content-type".to_owned(), "audio/flac".to_owned())],
        body: Bytes::from_static(DEMO),
        token: Some(token.to_owned()),
    };
    if pages.call_api(upload).await?.status != 202 {
        return Ok(message(StatusCode::BAD_GATEWAY, "The recording was not taken. Try again."));
    }
    Ok(see(&format!("/consultations/{id}")))
}

async fn patient_of(pages: &Pages, token: &str, encounter: &str) -> poem::Result<String> {
    let encounter = pages.get(token, &format!("/fhir/Encounter/{encounter}")).await?;
    Ok(text(&encounter, "/subject/reference").trim_start_matches("Patient/").to_owned())
}

async fn banner(pages: &Pages, token: &str, id: &str) -> poem::Result<Banner> {
    let patient = pages.get(token, &format!("/fhir/Patient/{id}")).await?;
    let allergies = pages.get(token, &format!("/fhir/AllergyIntolerance?patient={id}")).await?;
    let (none, known): (Vec<&Value>, Vec<&Value>) =
        resources(&allergies, "AllergyIntolerance").partition(|allergy| text(allergy, NONE_KNOWN.0) == NONE_KNOWN.1);
    let refuted = |allergy: &&Value| text(allergy, "/verificationStatus/coding/0/code") == "refuted";
    let known: Vec<&Value> = known.into_iter().filter(|allergy| !refuted(allergy)).collect();
    Ok(Banner {
        id: id.to_owned(),
        name: name(&patient),
        gender: text(&patient, "/gender"),
        born: text(&patient, "/birthDate"),
        none_known: known.is_empty() && !none.is_empty(),
        allergies: known.into_iter().map(|allergy| concept(allergy, "code")).collect(),
    })
}

async fn consent(pages: &Pages, token: &str, patient: &str) -> poem::Result<Option<String>> {
    let found = pages.get(token, &format!("/fhir/Consent?patient={patient}&status=active")).await?;
    Ok(resources(&found, "Consent").next().map(|consent| text(consent, "/id")))
}
