//! The Provenance of a merge (R4 <https://hl7.org/fhir/R4/provenance.html>): who did it, what was changed, and which versions
//! tell what there was before.

use crate::access::Caller;
use crate::json::{Json, JsonObject, array, object};
use crate::ports::Stored;
use crate::types::Instant;

const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const OPERATION: &str = "http://terminology.hl7.org/CodeSystem/v3-DataOperation";

/// Describes a merge of the first record into the second one, and what refers to the second one since.
pub(super) fn provenance(
    caller: &Caller,
    recorded: Instant,
    (source, target): (&Stored, &Stored),
    referring: &[Stored],
) -> Json {
    let all = [target, source].into_iter().chain(referring);
    let before = |role: &str, stored: &Stored| {
        let version = format!("{}/_history/{}", stored.key, stored.version);
        object([("role", role.into()), ("what", object([("reference", version.into())]))])
    };
    let author = concept(PARTICIPANT, "author", "Author");
    object([
        ("resourceType", "Provenance".into()),
        ("target", array(all.map(|stored| object([("reference", stored.key.to_string().into())])))),
        ("recorded", recorded.to_string().into()),
        ("activity", concept(OPERATION, "UPDATE", "revise")),
        ("reason", array([concept(ACT_REASON, "MDATA", "merge data")])),
        ("agent", array([object([("type", author), ("who", who(caller))])])),
        ("entity", array([before("removal", source), before("revision", target)])),
    ])
}

fn concept(system: &str, code: &str, display: &str) -> Json {
    let coding = object([("system", system.into()), ("code", code.into()), ("display", display.into())]);
    object([("coding", array([coding]))])
}

/// The caller's Practitioner, and the account.
fn who(caller: &Caller) -> Json {
    let mut who = JsonObject::new();
    if let Some(practitioner) = caller.practitioner_reference() {
        who.insert("reference", practitioner);
    }
    who.insert("identifier", object([("value", caller.account.clone().into())]));
    if !caller.display.is_empty() {
        who.insert("display", caller.display.as_ref());
    }
    who.into()
}
