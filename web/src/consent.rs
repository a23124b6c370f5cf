//! The patient's consent to record (FHIR R4 Consent, <https://hl7.org/fhir/R4/consent.html>): shown, recorded as it was
//! spoken, and withdrawn.

use bytes::Bytes;
use chrono::SecondsFormat;
use poem::Response;
use poem::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::answers::{Message, see, value};
use crate::asker::Asker;
use crate::client::ApiRequest;
use crate::consultation;
use crate::once;
use crate::records::{resources, text};
use crate::routes::{Fields, Pages};

const ASKED_BY: &str = "https://seva-arogya.org/fhir/StructureDefinition/asked-by";

/// An active consent.
#[derive(Serialize)]
pub(crate) struct ConsentView {
    pub(crate) id: String,
    /// When it was given.
    pub(crate) at: String,
}

/// The patient's active consent, the newest where there are several.
pub(crate) async fn active(pages: &Pages, asker: &Asker, patient: &str) -> poem::Result<Option<ConsentView>> {
    let found = pages.get(asker, &format!("/fhir/Consent?patient={patient}&status=active")).await?;
    // What does not say that it permits is no consent to record: a new one is asked for.
    let permits = resources(&found, "Consent").filter(|consent| text(consent, "/provision/type") == "permit");
    let views = permits.map(|consent| ConsentView { id: text(consent, "/id"), at: text(consent, "/dateTime") });
    Ok(views.max_by(|one, other| one.at.cmp(&other.at)))
}

/// Records that the patient has just said yes; who asked is who is logged in.
pub(crate) async fn record(
    pages: &Pages,
    asker: &Asker,
    (encounter, fields): (&str, &Fields),
) -> poem::Result<Response> {
    let patient = consultation::patient_of(pages, asker, encounter).await?;
    let session = pages.get(asker, "/v1/session").await?;
    let now = asker.now.with_timezone(&pages.zone()).to_rfc3339_opts(SecondsFormat::Secs, false);
    let consent = consent((&patient, &text(&session, "/user/practitioner")), &now);
    match once::create(pages, asker, (consent, fields)).await? {
        Ok(_) => Ok(see(&format!("/consultations/{encounter}"))),
        Err(refusal) => Ok(refusal),
    }
}

/// Ends every consent that permits the recording, in the version that was read; recordings that hang on it end with it.
pub(crate) async fn withdraw(pages: &Pages, asker: &Asker, encounter: &str) -> poem::Result<Response> {
    let patient = consultation::patient_of(pages, asker, encounter).await?;
    let found = pages.get(asker, &format!("/fhir/Consent?patient={patient}&status=active")).await?;
    for consent in resources(&found, "Consent").filter(|consent| text(consent, "/provision/type") == "permit") {
        let ended = pages.call_api(asker, ended(consent)).await?;
        if ended.status >= 300 {
            let detail = text(&value(&ended), "/issue/0/diagnostics");
            return Ok(pages.message(
                asker,
                Message { status: StatusCode::CONFLICT, key: "error-not-withdrawn", detail: &detail },
            ));
        }
    }
    Ok(see(&format!("/consultations/{encounter}")))
}

/// The request that makes a consent inactive.
fn ended(consent: &Value) -> ApiRequest {
    let mut ended = consent.clone();
    if let Some(members) = ended.as_object_mut() {
        members.insert("status".to_owned(), "inactive".into());
    }
    let version = format!("W/\"{}\"", text(consent, "/meta/versionId"));
    ApiRequest {
        method: "PUT".to_owned(),
        path: format!("/fhir/Consent/{}", text(consent, "/id")),
        headers: vec![
            ("content-type".to_owned(), "application/fhir+json".to_owned()),
            ("if-match".to_owned(), version),
        ],
        body: Bytes::from(ended.to_string()),
        token: None,
    }
}

fn consent((patient, practitioner): (&str, &str), now: &str) -> Value {
    let concept = |system: &str, code: &str, display: &str| json!({ "coding": [{ "system": system, "code": code, "display": display }] });
    let mut consent = json!({
        "resourceType": "Consent",
        "status": "active",
        "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy", "Privacy Consent"),
        "category": [concept("http://loinc.org", "59284-0", "Consent Document")],
        "patient": { "reference": format!("Patient/{patient}") },
        "dateTime": now,
        "performer": [{ "reference": format!("Patient/{patient}") }],
        "policyRule": { "text": "Consent to record the consultation, spoken" },
        "verification": [{
            "verified": true,
            "verifiedWith": { "reference": format!("Patient/{patient}") },
            "verificationDate": now,
        }],
        "provision": { "type": "permit" },
    });
    if let (false, Some(members)) = (practitioner.is_empty(), consent.as_object_mut()) {
        // R4 has no element for the one who asked: `performer` is the one who agrees.
        let asked = json!([{ "url": ASKED_BY, "valueReference": { "reference": practitioner } }]);
        members.insert("extension".to_owned(), asked);
    }
    consent
}

#[cfg(test)]
mod tests {
    use super::consent;
    use crate::records::text;

    #[test]
    fn a_spoken_consent_names_who_agreed_who_asked_and_when() {
        let made = consent(("rane", "Practitioner/kelkar"), "2026-07-14T11:33:00+05:30");
        assert_eq!(text(&made, "/performer/0/reference"), "Patient/rane");
        assert_eq!(text(&made, "/extension/0/valueReference/reference"), "Practitioner/kelkar");
        assert_eq!(text(&made, "/dateTime"), text(&made, "/verification/0/verificationDate"));
        assert!(consent(("rane", ""), "2026-07-14").get("extension").is_none());
    }
}
