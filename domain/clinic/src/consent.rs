//! Whether a Consent permits to record its patient (R4: <https://hl7.org/fhir/R4/consent.html>).
//!
//! Silence is no permission: a recording needs a rule that says `permit`, or a policy that is coded as opt-in. What a rule
//! leaves open is read against the recording.

use seva_fhir::date::DateText;
use seva_fhir::json::Json;
use seva_fhir::types::Instant;

/// HL7's codes of what a base policy is (R4: <https://terminology.hl7.org/CodeSystem-v3-ActCode.html>).
const ACTS: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// HL7's codes of what is done with data (R4: <https://hl7.org/fhir/R4/codesystem-consent-action.html>).
const ACTIONS: &str = "http://terminology.hl7.org/CodeSystem/consentaction";
/// HL7's codes of what something is done for (R4: <https://terminology.hl7.org/CodeSystem-v3-ActReason.html>).
const REASONS: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
/// Limits of a rule that say nothing of a recording which has not begun.
const OTHER_LIMITS: [&str; 6] = ["actor", "class", "code", "data", "dataPeriod", "securityLabel"];

/// Returns why a Consent does not permit a recording; nothing when it does.
#[must_use]
pub fn refusal(consent: &Json, patient: &str, now: Instant) -> Option<&'static str> {
    if consent.get_str("status") != Some("active") {
        return Some("the consent is not active");
    }
    if consent.get("patient").and_then(|subject| subject.get_str("reference")) != Some(patient) {
        return Some("the consent belongs to another patient");
    }
    let root = consent.get("provision");
    if let Some(reason) = root.and_then(|root| outside_period(root, now)) {
        return Some(reason);
    }
    let nested = root.and_then(|root| root.get("provision")).map_or(&[][..], Json::items);
    let meant: Vec<&Json> = nested.iter().filter(|rule| outside_period(rule, now).is_none()).collect();
    // A rule with limits that a recording can't be held against forbids, and never permits.
    if meant.iter().any(|rule| is(rule, "deny") && of_recording(rule)) {
        return Some("the consent denies the recording");
    }
    let permitted = |rule: &Json| is(rule, "permit") && of_recording(rule) && !has_other_limits(rule);
    if meant.iter().any(|rule| permitted(rule)) {
        return None;
    }
    match root.and_then(|root| root.get_str("type")) {
        Some("permit") if root.is_some_and(permitted) => None,
        Some("permit") => Some("the consent permits something else than the recording of a treatment"),
        Some(_) => Some("the consent denies the recording"),
        None if opts_in(consent) && root.is_none_or(permits_by_limits) => None,
        None => Some("the consent does not say that it permits the recording"),
    }
}

fn is(rule: &Json, kind: &str) -> bool {
    rule.get_str("type") == Some(kind)
}

fn outside_period(rule: &Json, now: Instant) -> Option<&'static str> {
    let bound = |name| rule.get("period").and_then(|period| period.get_str(name)).and_then(DateText::parse);
    if bound("start").is_some_and(|start| start.low() > now.micros()) {
        return Some("the consent's period has not begun");
    }
    if bound("end").is_some_and(|end| end.high() <= now.micros()) {
        return Some("the consent's period has ended");
    }
    None
}

/// Whether a rule speaks of collecting data for a treatment, which a recording is; one without limits speaks of everything.
fn of_recording(rule: &Json) -> bool {
    let actions = rule.get("action").map_or(&[][..], Json::items);
    let purposes = rule.get("purpose").map_or(&[][..], Json::items);
    let collects = |action: &Json| codings(action).any(|coding| is_code(coding, ACTIONS, &["collect"]));
    // Treatment and what lies within it or around it.
    let treats = |purpose: &Json| is_code(purpose, REASONS, &["TREAT", "CAREMGT", "PurposeOfUse"]);
    (actions.is_empty() || actions.iter().any(collects)) && (purposes.is_empty() || purposes.iter().any(treats))
}

fn has_other_limits(rule: &Json) -> bool {
    OTHER_LIMITS.iter().any(|limit| rule.get(limit).is_some())
}

fn permits_by_limits(rule: &Json) -> bool {
    of_recording(rule) && !has_other_limits(rule)
}

fn opts_in(consent: &Json) -> bool {
    let rule = consent.get("policyRule");
    rule.is_some_and(|rule| codings(rule).any(|coding| is_code(coding, ACTS, &["OPTIN", "OPTINR"])))
}

fn codings(concept: &Json) -> impl Iterator<Item = &Json> {
    concept.get("coding").map_or(&[][..], Json::items).iter()
}

fn is_code(coding: &Json, system: &str, codes: &[&str]) -> bool {
    coding.get_str("system") == Some(system) && coding.get_str("code").is_some_and(|code| codes.contains(&code))
}

#[cfg(test)]
mod tests {
    use seva_fhir::json::{Limits, parse};

    use super::*;

    const NOW: i64 = 1_790_000_000_000_000;

    /// An active consent of `Patient/a` with these members beside.
    fn judge(members: &str) -> Option<&'static str> {
        let text = format!(r#"{{"status": "active", "patient": {{"reference": "Patient/a"}}{members}}}"#);
        let consent = parse(text.as_bytes(), &Limits::default()).expect("a consent");
        refusal(&consent, "Patient/a", Instant::from_micros(NOW))
    }

    #[test]
    fn silence_is_no_permission() {
        assert!(judge("").is_some());
        assert!(judge(r#", "provision": {}"#).is_some());
        assert!(judge(r#", "policyRule": {"text": "opt-in"}"#).is_some());
        assert_eq!(judge(r#", "provision": {"type": "permit"}"#), None);
        let rule = |code: &str| format!(r#", "policyRule": {{"coding": [{{"system": "{ACTS}", "code": "{code}"}}]}}"#);
        assert_eq!(judge(&rule("OPTIN")), None);
        assert!(judge(&rule("OPTOUT")).is_some());
    }

    #[test]
    fn only_an_active_consent_of_the_same_patient_in_its_period_permits() {
        let period = |period: &str| format!(r#", "provision": {{"type": "permit", "period": {period}}}"#);
        assert_eq!(judge(&period(r#"{"start": "2020-01-01", "end": "2100-01-01"}"#)), None);
        assert!(judge(&period(r#"{"end": "2021-01-01"}"#)).is_some());
        assert!(judge(&period(r#"{"start": "2100-01-01"}"#)).is_some());
        let other = parse(br#"{"status": "active", "patient": {"reference": "Patient/b"}}"#, &Limits::default());
        assert!(
            refusal(&other.expect("a consent"), "Patient/a", Instant::from_micros(NOW))
                .is_some_and(|why| why.contains("another"))
        );
        let inactive = parse(br#"{"status": "inactive", "provision": {"type": "permit"}}"#, &Limits::default());
        assert!(
            refusal(&inactive.expect("a consent"), "Patient/a", Instant::from_micros(NOW))
                .is_some_and(|why| why.contains("active"))
        );
    }

    #[test]
    fn exceptions_are_held_against_a_recording() {
        let nested = |root: &str, rule: &str| judge(&format!(r#", "provision": {{{root} "provision": [{rule}]}}"#));
        let action = |code: &str| format!(r#""action": [{{"coding": [{{"system": "{ACTIONS}", "code": "{code}"}}]}}]"#);
        let purpose = |code: &str| format!(r#""purpose": [{{"system": "{REASONS}", "code": "{code}"}}]"#);
        let permit = r#""type": "permit","#;
        assert!(nested(permit, r#"{"type": "deny"}"#).is_some());
        assert!(nested(permit, &format!(r#"{{"type": "deny", {}}}"#, action("collect"))).is_some());
        assert_eq!(nested(permit, &format!(r#"{{"type": "deny", {}}}"#, action("disclose"))), None);
        assert_eq!(nested(permit, &format!(r#"{{"type": "deny", {}}}"#, purpose("HRESCH"))), None);
        assert!(nested(permit, &format!(r#"{{"type": "deny", {}}}"#, purpose("TREAT"))).is_some());
        // Who must not record can't be told: it forbids.
        assert!(nested(permit, r#"{"type": "deny", "actor": [{}]}"#).is_some());
        assert_eq!(nested(permit, r#"{"type": "deny", "period": {"end": "2021-01-01"}}"#), None);
        let deny = r#""type": "deny","#;
        assert_eq!(nested(deny, &format!(r#"{{"type": "permit", {}}}"#, action("collect"))), None);
        assert!(nested(deny, r#"{"type": "permit", "actor": [{}]}"#).is_some());
        assert!(nested(deny, &format!(r#"{{"type": "permit", {}}}"#, action("access"))).is_some());
        let limited = format!(r#", "provision": {{"type": "permit", {}}}"#, action("access"));
        assert!(judge(&limited).is_some_and(|why| why.contains("something else")));
    }
}
