//! Vital signs, symptoms, diagnoses, allergies and tests (R4: <https://hl7.org/fhir/R4/observation.html>,
//! <https://hl7.org/fhir/R4/condition.html>, <https://hl7.org/fhir/R4/allergyintolerance.html>).

use seva_fhir::json::{Json, JsonObject, array, object};

use super::elements::{coding, concept, entity_extensions, heard, machine_made, reference};
use super::{Draft, Drafted, SectionKind};
use crate::entities::{AttributeType, Entity, Trait};

const SNOMED: &str = "http://snomed.info/sct";
const UCUM: &str = "http://unitsofmeasure.org";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

fn start(draft: &Draft<'_>, kind: &str, entity: &Entity, transcript: &str) -> JsonObject {
    let mut resource = JsonObject::new();
    resource.insert("resourceType", kind);
    resource.insert("meta", machine_made());
    resource.insert("extension", entity_extensions(draft, transcript, entity));
    resource
}

fn drafted(draft: &Draft<'_>, resource: JsonObject, entity: &Entity, place: (Option<SectionKind>, String)) -> Drafted {
    let (section, line) = place;
    Drafted { url: draft.url(), resource, section, line, evidence: Some((entity.begin, entity.end)) }
}

fn observation(draft: &Draft<'_>, entity: &Entity, transcript: &str, category: &str) -> JsonObject {
    let mut resource = start(draft, "Observation", entity, transcript);
    resource.insert("status", "preliminary");
    resource.insert(
        "category",
        array([object([("coding", array([object([("system", CATEGORY.into()), ("code", category.into())])]))])]),
    );
    resource.insert("code", heard(&entity.text, &entity.codings));
    resource.insert("subject", draft.subject());
    resource.insert("encounter", draft.encounter());
    resource.insert("effectiveDateTime", draft.now.to_string());
    resource.insert("derivedFrom", array([reference(transcript)]));
    resource
}

pub(super) fn symptom(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Drafted {
    let mut resource = observation(draft, entity, transcript, "exam");
    let absent = entity.has(Trait::Negation);
    let (code, display) = if absent { ("2667000", "Absent") } else { ("52101004", "Present") };
    resource.insert("valueCodeableConcept", concept(SNOMED, code, display));
    let length = entity.attributes_of(AttributeType::Duration).next().map(|length| format!(", {}", length.text));
    let words = format!("{}{}", entity.text, length.unwrap_or_default());
    let line = if absent { format!("Absent: {words}") } else { words };
    drafted(draft, resource, entity, (Some(SectionKind::Complaint), line))
}

pub(super) fn condition(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Drafted {
    let mut resource = start(draft, "Condition", entity, transcript);
    let absent = entity.has(Trait::Negation);
    let past = entity.has(Trait::PastHistory);
    // R4 con-3 and con-5: a refuted condition may still name its clinical status; only entered-in-error may not.
    let clinical = if past || absent { "inactive" } else { "active" };
    let verification = if absent { "refuted" } else { "provisional" };
    let status = |kind: &str, code: &str| {
        let system = format!("http://terminology.hl7.org/CodeSystem/condition-{kind}");
        object([("coding", array([object([("system", system.into()), ("code", code.into())])]))])
    };
    resource.insert("clinicalStatus", status("clinical", clinical));
    resource.insert("verificationStatus", status("ver-status", verification));
    let category = "http://terminology.hl7.org/CodeSystem/condition-category";
    resource.insert("category", array([concept(category, "encounter-diagnosis", "Encounter Diagnosis")]));
    resource.insert("code", heard(&entity.text, &entity.codings));
    resource.insert("subject", draft.subject());
    resource.insert("encounter", draft.encounter());
    resource.insert("recordedDate", draft.now.to_string());
    let line = match (absent, past) {
        (true, _) => format!("Ruled out: {}", entity.text),
        (false, true) => format!("Past: {}", entity.text),
        (false, false) => entity.text.clone(),
    };
    drafted(draft, resource, entity, (Some(SectionKind::Diagnosis), line))
}

/// A value without a unit is no measurement: it stays in the transcript, marked doubtful there.
pub(super) fn vital(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Option<Drafted> {
    let values: Vec<&str> =
        entity.attributes_of(AttributeType::TestValue).filter_map(|value| value.value.as_deref()).collect();
    let unit = entity.attributes_of(AttributeType::TestUnit).find_map(|unit| unit.value.as_deref())?;
    let (first, components) = entity.codings.split_first()?;
    let quantity = |value: &str| {
        object([
            ("value", Json::Number(value.into())),
            ("unit", unit.into()),
            ("system", UCUM.into()),
            ("code", unit.into()),
        ])
    };
    let mut resource = observation(draft, entity, transcript, "vital-signs");
    resource.insert("code", heard(&entity.text, std::slice::from_ref(first)));
    if let [value] = values.as_slice() {
        resource.insert("valueQuantity", quantity(value));
    } else if values.len() == components.len() {
        let parts = components.iter().zip(&values).map(|(code, value)| {
            object([
                ("code", object([("coding", array([coding(&code.system, &code.code, &code.display)]))])),
                ("valueQuantity", quantity(value)),
            ])
        });
        resource.insert("component", array(parts));
    } else {
        return None;
    }
    let name = first.display.split(" panel").next().unwrap_or(&first.display);
    let line = format!("{name}: {} {unit}", values.join("/"));
    Some(drafted(draft, resource, entity, (Some(SectionKind::Vitals), line)))
}

/// SNOMED CT's code for having asked and found none.
pub(crate) const NO_KNOWN_ALLERGY: &str = "716186003";

pub(super) fn allergy(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Drafted {
    let mut resource = start(draft, "AllergyIntolerance", entity, transcript);
    let absent = entity.has(Trait::Negation);
    let status = |kind: &str, code: &str| {
        let system = format!("http://terminology.hl7.org/CodeSystem/allergyintolerance-{kind}");
        object([("coding", array([object([("system", system.into()), ("code", code.into())])]))])
    };
    // "No known allergies" is a statement of its own, not the refutation of one substance.
    let none_known = absent && entity.codings.is_empty();
    let refuted = absent && !none_known;
    resource.insert("clinicalStatus", status("clinical", if refuted { "inactive" } else { "active" }));
    resource.insert("verificationStatus", status("verification", if refuted { "refuted" } else { "unconfirmed" }));
    let code = if none_known {
        let known = coding("http://snomed.info/sct", NO_KNOWN_ALLERGY, "No known allergy");
        object([("coding", array([known])), ("text", "No known allergies".into())])
    } else {
        heard(&entity.text, &entity.codings)
    };
    resource.insert("code", code);
    resource.insert("patient", draft.subject());
    resource.insert("encounter", draft.encounter());
    resource.insert("recordedDate", draft.now.to_string());
    drafted(draft, resource, entity, (None, entity.text.clone()))
}

pub(super) fn test(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Drafted {
    let mut resource = start(draft, "ServiceRequest", entity, transcript);
    resource.insert("status", "draft");
    resource.insert("intent", "proposal");
    resource.insert("code", heard(&entity.text, &entity.codings));
    resource.insert("subject", draft.subject());
    resource.insert("encounter", draft.encounter());
    resource.insert("authoredOn", draft.now.to_string());
    if let Some(requester) = &draft.dictation.settings.practitioner {
        resource.insert("requester", reference(requester));
    }
    drafted(draft, resource, entity, (Some(SectionKind::Tests), entity.text.clone()))
}
