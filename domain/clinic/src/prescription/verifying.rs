//! What a clinician's act makes of what a machine asserted: its labels
//! (<https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html>, as AI Transparency on FHIR 1.0.0-ballot uses them), and
//! the end of what was rejected, which stays in the record as entered in error.

use std::collections::HashSet;

use seva_fhir::json::{Json, JsonObject, object};
use seva_models::{ExtensionValue, Provenance};

use crate::drafting::documents::participant;
use crate::drafting::elements::{MACHINE, VALUES, extension_value, set_extension, written};
use crate::drafting::{section_state, section_text};
use crate::encounter_record::{EncounterRecord, Held};

/// A clinician asserts what a machine reported.
const ACCEPTED: &str = "CLINAST_AIRPT";
/// A clinician asserts it, in words of the clinician's own.
const ASSERTED: &str = "CLINAST";

/// The words are the clinician's now.
pub(super) fn edited(resource: &mut JsonObject) {
    label(resource, ASSERTED);
    set_extension(resource, "edited", ExtensionValue::Boolean(true));
}

/// The words of the machine are the clinician's too.
pub(super) fn accepted(resource: &mut JsonObject) {
    label(resource, ACCEPTED);
}

/// Puts a label in place of the machine's; others, such as confidentiality, stay.
fn label(resource: &mut JsonObject, code: &str) {
    let labels = resource.get_mut("meta").and_then(|meta| meta.get_mut("security")).and_then(Json::as_array_mut);
    let machine = |one: &&mut Json| one.get_str("system") == Some(VALUES) && one.get_str("code") == Some(MACHINE);
    if let Some(own) = labels.and_then(|labels| labels.iter_mut().find(machine)) {
        *own = object([("system", VALUES.into()), ("code", code.into())]);
    }
}

/// Who changed the words of a resource, and when.
pub(super) fn act(target: &Held, author: &str, now: &str) -> Json {
    let agents = vec![participant("author", "Author", author)];
    let (targets, recorded) = (vec![target.key.to_string()], now.to_owned());
    written(&Provenance { targets, recorded, agents, ..Provenance::default() }.to_json()).into()
}

/// What the sections that were rejected refer to.
pub(super) fn rejected(record: &EncounterRecord) -> HashSet<String> {
    let sections = record.composition.as_ref().and_then(|held| held.body.get("section")).map_or(&[][..], Json::items);
    let refused = sections.iter().filter(|section| section_state(section) == "rejected");
    let entries = refused.flat_map(|section| section.get("entry").map_or(&[][..], Json::items));
    entries.filter_map(|entry| entry.get_str("reference").map(str::to_owned)).collect()
}

/// The tests that a note asks for.
#[derive(Default)]
pub(super) struct Orders<'a> {
    /// Those that it names.
    pub standing: Vec<&'a Held>,
    /// Those whose section was rejected, or rewritten without them: nobody orders what the clinician took out.
    pub struck: Vec<&'a Held>,
}

/// The tests to which the sections of a note refer; those that another program asked for are its own.
pub(super) fn orders(record: &EncounterRecord) -> Orders<'_> {
    let sections = record.composition.as_ref().and_then(|held| held.body.get("section")).map_or(&[][..], Json::items);
    let mut orders = Orders::default();
    for section in sections {
        let text = section_text(section).to_lowercase();
        let edited = extension_value(section, "edited", "valueBoolean").is_some();
        let is_struck = |held: &Held| section_state(section) == "rejected" || (edited && !names(&text, &held.body));
        for entry in section.get("entry").map_or(&[][..], Json::items) {
            let reference = entry.get_str("reference").unwrap_or_default();
            let in_error = |held: &Held| held.body.get_str("status") == Some("entered-in-error");
            let asked = record.requests.iter().find(|held| held.key.to_string() == reference && !in_error(held));
            let Some(held) = asked else { continue };
            if is_struck(held) { orders.struck.push(held) } else { orders.standing.push(held) }
        }
    }
    orders
}

/// Whether a text in lower case has a name of what a resource is about.
fn names(text: &str, body: &Json) -> bool {
    let Some(code) = body.get("code") else { return false };
    let displays = code.get("coding").map_or(&[][..], Json::items).iter().filter_map(|one| one.get_str("display"));
    displays.chain(code.get_str("text")).any(|name| !name.is_empty() && text.contains(&name.to_lowercase()))
}

/// A finding that was rejected: it stays, and says that it was an error.
pub(super) fn in_error(held: &Held) -> Json {
    let mut resource = held.body.as_object().cloned().unwrap_or_default();
    if resource.contains("verificationStatus") {
        let system = match held.key.resource_type().as_str() {
            "AllergyIntolerance" => "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
            _ => "http://terminology.hl7.org/CodeSystem/condition-ver-status",
        };
        let coding = object([("system", system.into()), ("code", "entered-in-error".into())]);
        resource.insert("verificationStatus", object([("coding", vec![coding].into())]));
        // R4 con-5 and ait-2: what was entered in error has no clinical status.
        resource.remove("clinicalStatus");
    } else {
        resource.insert("status", "entered-in-error");
    }
    resource.into()
}

#[cfg(test)]
mod tests {
    use seva_fhir::json::{Limits, parse};

    use super::*;

    fn held(text: &str) -> Held {
        let body = parse(text.as_bytes(), &Limits::default()).expect("a resource");
        let key = format!("{}/x", body.get_str("resourceType").unwrap_or_default()).parse().expect("a key");
        Held { key, version: 1, body }
    }

    #[test]
    fn only_the_machine_s_label_gives_way() {
        let labelled = format!(
            r#"{{"resourceType": "Observation", "meta": {{"security": [{{"system": "c", "code": "R"}},
            {{"system": "{VALUES}", "code": "{MACHINE}", "display": "x"}}]}}}}"#
        );
        let observation = held(&labelled);
        let mut members = observation.body.as_object().cloned().expect("an object");
        accepted(&mut members);
        let text = Json::Object(members.clone()).to_string();
        assert!(text.contains(r#""code":"R""#) && text.contains(ACCEPTED) && !text.contains(MACHINE), "{text}");
        edited(&mut members);
        assert!(!Json::Object(members).to_string().contains(r#""CLINAST""#), "accepted words stay accepted");
    }

    #[test]
    fn what_was_rejected_keeps_the_rules_of_its_type() {
        let condition =
            r#"{"resourceType": "Condition", "clinicalStatus": {"text": "active"}, "verificationStatus": {}}"#;
        let wrong = in_error(&held(condition));
        assert!(wrong.get("clinicalStatus").is_none(), "con-5");
        assert!(wrong.to_string().contains("condition-ver-status"), "{wrong}");
        let wrong = in_error(&held(r#"{"resourceType": "Observation", "status": "preliminary"}"#));
        assert_eq!(wrong.get_str("status"), Some("entered-in-error"));
    }
}
