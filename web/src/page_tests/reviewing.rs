//! What the API answers to the pages that help the reviewing doctor.

use serde_json::{Value, json};

/// A walk with a stop of each kind and state.
pub(super) fn walk() -> Value {
    let stop = |id: &str, danger: &str, reason: &str, more: Value| {
        let mut stop = json!({"id": id, "danger": danger, "text": "fif<b>ty", "drafted": null, "before": "Tab ", "after": " mg",
            "begin": 4, "end": 9, "startMs": 91_000, "endMs": 92_000, "weight": 0.9, "doubt": 0.9, "reason": reason,
            "suggested": null, "resource": null, "mark": null});
        let members = more.as_object().expect("members").clone();
        stop.as_object_mut().expect("an object").extend(members);
        stop
    };
    let mark = |act: &str, applied: bool| json!({"act": act, "meant": "fifteen", "applied": applied, "learnt": applied, "at": "x"});
    let plain = [("unit", "unknown"), ("number", "sound-alike"), ("side", "words"), ("name", "score")];
    let mut stops = vec![
        stop("s1", "drug", "repaired", json!({"suggested": "amlodipine", "resource": "MedicationRequest/m1"})),
        stop("s2", "dose", "not-made", json!({"drafted": "50 mg", "mark": mark("corrected", true)})),
        stop(
            "s3",
            "negation",
            "unread-negation",
            json!({"startMs": null, "endMs": null, "mark": mark("heard", false)}),
        ),
        stop("s4", "drug", "doubted", json!({"mark": mark("corrected", false)})),
    ];
    stops.extend(plain.map(|(danger, reason)| stop(danger, danger, reason, json!({}))));
    json!({"dictation": "d1", "encounter": "Encounter/e1", "patient": "Patient/rane", "left": 5, "stops": stops})
}

/// Meters with something missing of every kind.
pub(super) fn omissions() -> Value {
    let missing = |reason: &str| {
        json!({"text": "dia<b>etes", "category": "MEDICAL_CONDITION", "kind": "DX_NAME", "traits": ["NEGATION"], "reason": reason,
            "dictation": "d1", "begin": 1, "end": 2, "startMs": 3000, "endMs": 4000})
    };
    let of_medicine = ["dose", "route", "frequency", "duration", "maximum", "reason"];
    let mut unsaid: Vec<Value> = of_medicine
        .iter()
        .map(|need| json!({"code": format!("medicine-{need}"), "target": "m1", "name": "amlodipine"}))
        .collect();
    for (code, target) in [("section", "follow-up"), ("section", "medications"), ("allergies", "")] {
        unsaid.push(json!({"code": code, "target": target, "name": null}));
    }
    let reasons = ["never-drafted", "rejected", "removed", "edited-out", "contradicted"].map(missing);
    json!({"encounter": "Encounter/e1", "patient": "Patient/rane", "said": {"total": 9, "held": 5, "missing": reasons},
        "required": {"total": 12, "met": 3, "unsaid": unsaid}})
}

/// A proposal of every kind and state.
pub(super) fn proposals() -> Value {
    let one = |number: usize, (difference, state): (&str, &str)| {
        let before = (difference != "new").then_some("paracetamol <b> twice a day");
        json!({"dictation": "d1", "number": number, "difference": difference, "state": state, "resource": null, "before": before,
            "after": "paracetamol 650 mg", "begin": 0, "end": 4, "startMs": 5000, "endMs": 6000, "decided": null})
    };
    let kinds = [
        ("new", "settled"),
        ("same", "settled"),
        ("changed", "pending"),
        ("contradicting", "accepted"),
        ("changed", "rejected"),
    ];
    let all: Vec<Value> = kinds.into_iter().enumerate().map(|(number, kind)| one(number, kind)).collect();
    json!({"encounter": "Encounter/e1", "patient": "Patient/rane", "pending": 1, "proposals": all})
}

/// A lexicon with a name.
pub(super) fn lexicon() -> Value {
    json!({"names": [{"heard": "met <b> men", "meant": "metformin", "times": 2, "updated": "2026-07-14T06:03:00Z"}]})
}
