//! Vital signs, symptoms, diagnoses, allergies and tests (R4: <https://hl7.org/fhir/R4/observation.html>,
//! <https://hl7.org/fhir/R4/condition.html>, <https://hl7.org/fhir/R4/allergyintolerance.html>).

use seva_models::{self as models, Coding, Concept, Origin, Quantity, Value};

use super::elements::{entity_extensions, further_evidence, heard, machine_made};
use super::{Draft, Drafted, Mention, SectionKind, Statement};
use crate::entities::{AttributeType, Entity, Trait};
use crate::laboratory::TestFinding;
use crate::lexicon::Span;

const SNOMED: &str = "http://snomed.info/sct";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
const DIAGNOSIS: &str = "http://terminology.hl7.org/CodeSystem/condition-category";

fn origin(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Origin {
    Origin { labels: machine_made(), ..draft.origin(entity_extensions(draft, transcript, entity)) }
}

fn drafted(draft: &Draft<'_>, statement: Statement, entity: &Entity, place: (Option<SectionKind>, String)) -> Drafted {
    let (section, line) = place;
    Drafted { url: draft.url(), statement, section, line, evidence: vec![(entity.begin, entity.end)] }
}

fn observation(draft: &Draft<'_>, entity: &Entity, transcript: &str, category: &str) -> models::Observation {
    models::Observation {
        origin: origin(draft, entity, transcript),
        category: Concept::coded(Coding::bare(CATEGORY, category)),
        code: heard(&entity.text, &entity.codings),
        derived_from: vec![transcript.to_owned()],
        ..models::Observation::default()
    }
}

pub(super) fn symptom(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Drafted {
    let mut observation = observation(draft, entity, transcript, "exam");
    let absent = entity.has(Trait::Negation);
    let (code, display) = if absent { ("2667000", "Absent") } else { ("52101004", "Present") };
    observation.value = Value::Concept(Concept::coded(Coding::named(SNOMED, code, display)));
    let length = entity.attributes_of(AttributeType::Duration).next().map(|length| format!(", {}", length.text));
    let words = format!("{}{}", entity.text, length.unwrap_or_default());
    let line = if absent { format!("Absent: {words}") } else { words };
    drafted(draft, Statement::Observation(observation), entity, (Some(SectionKind::Complaint), line))
}

pub(super) fn condition(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Drafted {
    let absent = entity.has(Trait::Negation);
    let past = entity.has(Trait::PastHistory);
    let condition = models::Condition {
        origin: origin(draft, entity, transcript),
        // R4 con-3 and con-5: a refuted condition may still name its clinical status; only entered-in-error may not.
        clinical: if past || absent { "inactive" } else { "active" }.to_owned(),
        verification: if absent { "refuted" } else { PROVISIONAL }.to_owned(),
        categories: vec![Concept::coded(Coding::named(DIAGNOSIS, "encounter-diagnosis", "Encounter Diagnosis"))],
        code: heard(&entity.text, &entity.codings),
    };
    let line = match (absent, past) {
        (true, _) => format!("Ruled out: {}", entity.text),
        (false, true) => format!("Past: {}", entity.text),
        (false, false) => entity.text.clone(),
    };
    drafted(draft, Statement::Condition(condition), entity, (Some(SectionKind::Diagnosis), line))
}

/// A diagnosis that nobody has confirmed yet.
pub(super) const PROVISIONAL: &str = "provisional";

pub(super) fn vital(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Option<Drafted> {
    measured(draft, entity, transcript, ("vital-signs", SectionKind::Vitals))
}

pub(super) fn laboratory(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Option<Drafted> {
    match entity.finding() {
        Some(finding) => Some(stated(draft, entity, transcript, finding)),
        None => measured(draft, entity, transcript, ("laboratory", SectionKind::Tests)),
    }
}

/// A result in a word: its evidence is the test's name with the word.
fn stated(draft: &Draft<'_>, entity: &Entity, transcript: &str, finding: TestFinding) -> Drafted {
    let span = entity.attributes.iter().fold(entity.span(), |span, each| span.joined(Span::new(each.begin, each.end)));
    let whole = Entity { begin: span.begin, end: span.end, ..entity.clone() };
    let (code, display) = finding.snomed();
    let mut observation = observation(draft, &whole, transcript, "laboratory");
    observation.value = Value::Concept(Concept::coded(Coding::named(SNOMED, code, display)));
    let line = format!("{}: {}", entity.text, finding.word());
    drafted(draft, Statement::Observation(observation), &whole, (Some(SectionKind::Tests), line))
}

/// A value without a unit is no measurement: it stays in the transcript, marked doubtful there.
fn measured(
    draft: &Draft<'_>,
    entity: &Entity,
    transcript: &str,
    (category, section): (&str, SectionKind),
) -> Option<Drafted> {
    let values: Vec<&str> =
        entity.attributes_of(AttributeType::TestValue).filter_map(|value| value.value.as_deref()).collect();
    let unit = entity.attributes_of(AttributeType::TestUnit).find_map(|unit| unit.value.as_deref())?;
    let (first, components) = entity.codings.split_first()?;
    let quantity = |value: &str| Quantity { value: value.to_owned(), unit: unit.to_owned(), code: unit.to_owned() };
    let mut observation = observation(draft, entity, transcript, category);
    observation.code = heard(&entity.text, std::slice::from_ref(first));
    if let [value] = values.as_slice() {
        observation.value = Value::Quantity(quantity(value));
    } else if values.len() == components.len() {
        let part = |code: &crate::entities::Coding| Coding::named(&code.system, &code.code, &code.display);
        let parts = components.iter().zip(&values);
        observation.components = parts.map(|(code, value)| (Concept::coded(part(code)), quantity(value))).collect();
    } else {
        return None;
    }
    let name = first.display.split(" panel").next().unwrap_or(&first.display);
    let line = format!("{name}: {} {unit}", values.join("/"));
    Some(drafted(draft, Statement::Observation(observation), entity, (Some(section), line)))
}

/// SNOMED CT's code for having asked and found none.
pub(crate) const NO_KNOWN_ALLERGY: &str = "716186003";

pub(super) fn allergy(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Drafted {
    let absent = entity.has(Trait::Negation);
    // "No known allergies" is a statement of its own, not the refutation of one substance.
    let none_known = absent && entity.codings.is_empty();
    let refuted = absent && !none_known;
    let code = if none_known {
        let known = Coding::named(SNOMED, NO_KNOWN_ALLERGY, "No known allergy");
        Concept { codings: vec![known], text: Some("No known allergies".to_owned()) }
    } else {
        heard(&entity.text, &entity.codings)
    };
    let allergy = models::AllergyIntolerance {
        origin: origin(draft, entity, transcript),
        clinical: if refuted { "inactive" } else { "active" }.to_owned(),
        verification: if refuted { "refuted" } else { "unconfirmed" }.to_owned(),
        code,
    };
    drafted(draft, Statement::Allergy(allergy), entity, (None, entity.text.clone()))
}

pub(super) fn test(draft: &Draft<'_>, mention: Mention<'_>, transcript: &str) -> Drafted {
    let Mention { entity, again, .. } = mention;
    let mut origin = origin(draft, entity, transcript);
    origin.extensions.extend(further_evidence(draft, transcript, again));
    let code = heard(&entity.text, &entity.codings);
    let planned = entity.planned().map(str::to_owned);
    let line = planned.as_ref().map_or_else(|| entity.text.clone(), |time| format!("{}, {time}", entity.text));
    let request = models::ServiceRequest { origin, code, planned, requester: draft.author.clone() };
    let place = (Some(SectionKind::of_request(entity)), line);
    let mut drafted = drafted(draft, Statement::Test(request), entity, place);
    drafted.evidence.extend(again.iter().map(|entity| (entity.begin, entity.end)));
    drafted
}
