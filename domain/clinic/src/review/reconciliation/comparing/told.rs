//! Both sides of a difference in words: as the record has it, and as it was said.

use seva_fhir::json::Json;

use super::{ABSENT, code_of, held_steps, value_code};
use crate::dosage::Dosage;
use crate::entities::{AttributeType, Category, Entity, Trait};
use crate::laboratory::TestFinding;
use crate::phrases;

/// What a resource says.
pub(in super::super) fn held(body: &Json) -> String {
    let concept = body.get("medicationCodeableConcept").or_else(|| body.get("code"));
    let display = |concept: &Json| concept.get("coding")?.get_index(0)?.get_str("display").map(str::to_owned);
    let name = concept.and_then(|concept| concept.get_str("text").map(str::to_owned).or_else(|| display(concept)));
    let name = name.unwrap_or_default();
    let steps: Vec<String> = held_steps(body).iter().map(step).collect();
    let components = body.get("component").map_or(&[][..], Json::items);
    let quantities = std::iter::once(body).chain(components).filter_map(|part| part.get("valueQuantity"));
    let (mut values, mut unit) = (Vec::new(), "");
    for quantity in quantities {
        values.extend(quantity.get("value").and_then(Json::as_number));
        unit = quantity.get_str("unit").unwrap_or_default();
    }
    let refuted = code_of(body, "verificationStatus") == Some("refuted");
    if !steps.is_empty() {
        format!("{name} {}", steps.join("; "))
    } else if !values.is_empty() {
        format!("{name}: {} {unit}", values.join("/")).trim().to_owned()
    } else if let Some(finding) = stated(body) {
        format!("{name}: {finding}")
    } else if refuted || value_code(body) == Some(ABSENT) {
        format!("Absent: {name}")
    } else {
        name
    }
}

/// The result of a test in a word.
fn stated(body: &Json) -> Option<&'static str> {
    let code = value_code(body)?;
    TestFinding::ALL.into_iter().find(|finding| finding.snomed().0 == code).map(TestFinding::word)
}

/// What an entity says.
pub(in super::super) fn said(entity: &Entity) -> String {
    let values: Vec<&str> =
        entity.attributes_of(AttributeType::TestValue).filter_map(|value| value.value.as_deref()).collect();
    let unit = entity.attributes_of(AttributeType::TestUnit).find_map(|unit| unit.value.as_deref());
    match entity.category {
        Category::Vital | Category::TestTreatmentProcedure if !values.is_empty() => {
            format!("{}: {} {}", measured(entity), values.join("/"), unit.unwrap_or_default()).trim().to_owned()
        }
        _ if entity.has(Trait::Negation) => format!("Absent: {}", entity.text),
        Category::Medication => format!("{} {}", entity.text, entity.dosage_text()).trim().to_owned(),
        _ => entity.text.clone(),
    }
}

/// The name under which a value stands in its section.
pub(in super::super) fn measured(entity: &Entity) -> &str {
    let display = entity.codings.first().map(|coding| coding.display.as_str());
    display.map_or(entity.text.as_str(), |display| display.split(" panel").next().unwrap_or(display))
}

/// A step in English, or in the words in which it was said.
pub(in super::super) fn step(step: &Dosage) -> String {
    let rendered = phrases::render(step, "en").ok().map(|line| line.text);
    rendered.or_else(|| step.text.clone()).unwrap_or_default()
}
