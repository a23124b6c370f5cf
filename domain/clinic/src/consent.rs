//! Whether a Consent permits to record its patient (R4: <https://hl7.org/fhir/R4/consent.html>).

use seva_fhir::date::DateText;
use seva_fhir::json::Json;
use seva_fhir::types::Instant;

/// Returns why a Consent does not permit a recording; nothing when it does.
#[must_use]
pub fn refusal(consent: &Json, patient: &str, now: Instant) -> Option<&'static str> {
    if consent.get_str("status") != Some("active") {
        return Some("the consent is not active");
    }
    if consent.get("patient").and_then(|subject| subject.get_str("reference")) != Some(patient) {
        return Some("the consent belongs to another patient");
    }
    let provision = consent.get("provision")?;
    if provision.get_str("type") == Some("deny") {
        return Some("the consent denies the recording");
    }
    let bound = |name| provision.get("period").and_then(|period| period.get_str(name)).and_then(DateText::parse);
    if bound("start").is_some_and(|start| start.low() > now.micros()) {
        return Some("the consent's period has not begun");
    }
    if bound("end").is_some_and(|end| end.high() <= now.micros()) {
        return Some("the consent's period has ended");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use seva_fhir::json::object;

    fn consent(status: &str, kind: &str) -> Json {
        object([
            ("status", status.into()),
            ("patient", object([("reference", "Patient/a".into())])),
            ("provision", object([("type", kind.into()), ("period", object([("end", "1970-01-01".into())]))])),
        ])
    }

    #[test]
    fn only_an_active_consent_of_the_same_patient_in_its_period_permits() {
        let (now, later) = (Instant::from_micros(5), Instant::from_micros(90_000_000_000));
        assert_eq!(refusal(&consent("active", "permit"), "Patient/a", now), None);
        assert!(refusal(&consent("active", "permit"), "Patient/a", later).is_some());
        assert!(refusal(&consent("active", "permit"), "Patient/b", now).is_some());
        assert!(refusal(&consent("inactive", "permit"), "Patient/a", now).is_some());
        assert!(refusal(&consent("active", "deny"), "Patient/a", now).is_some());
    }
}
