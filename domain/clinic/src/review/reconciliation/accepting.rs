//! What accepting a proposal changes: the held resource, with the new evidence beside the old, and the line of its section.

use seva_fhir::json::{Json, JsonObject};
use seva_models::ExtensionValue;

use super::comparing::{held_steps, overlaid, said_steps, told};
use crate::dosage::{self, Dosage};
use crate::drafting::elements::{set_extension, written};
use crate::drafting::{self, Draft, SectionContent, SectionKind, section_text, set_section};
use crate::encounter_record::Held;
use crate::entities::{Category, Entity, Trait};
use crate::prescription::edit_section;
use seva_models::MedicationRequest;

/// The elements in which a statement stands, by which it is told from another about the same.
const STATEMENTS: [&str; 5] =
    ["valueQuantity", "valueCodeableConcept", "component", "verificationStatus", "clinicalStatus"];

/// A held resource as a proposal changes it.
pub(super) fn changed(draft: &Draft<'_>, held: &Held, entity: &Entity, transcript: &str) -> Option<Json> {
    let mut body = held.body.as_object().cloned()?;
    let evidence = drafting::elements::entity_extensions(draft, transcript, entity);
    // How sure the first engine was is said of the first words only.
    let evidence = evidence.into_iter().filter(|each| !each.url.ends_with("/confidence")).collect();
    let mut list = body.remove("extension").map(|list| list.items().to_vec()).unwrap_or_default();
    list.extend(drafting::elements::extension_members(evidence));
    body.insert("extension", list);
    if entity.category == Category::Medication {
        change_medicine(&mut body, &held.body, entity);
    } else {
        let mut said = drafting::statement(draft, entity, transcript)?;
        for name in STATEMENTS {
            match said.remove(name) {
                Some(value) => drop(body.insert(name, value)),
                None => drop(body.remove(name)),
            }
        }
    }
    Some(body.into())
}

/// A denied medicine is rejected; another dose takes the place of what was said again, and the rest stays.
fn change_medicine(body: &mut JsonObject, held: &Json, entity: &Entity) {
    if entity.has(Trait::Negation) {
        set_extension(body, "review-state", ExtensionValue::Code("rejected".to_owned()));
        return;
    }
    let steps = merged(&held_steps(held), &said_steps(entity));
    let request = MedicationRequest {
        dosages: dosage::regimen_to_fhir(&steps),
        dispensed: drafting::dispensed(&steps),
        ..MedicationRequest::default()
    };
    let mut request = written(&request.to_json());
    for name in ["dosageInstruction", "dispenseRequest"] {
        match request.remove(name) {
            Some(value) => drop(body.insert(name, value)),
            None => drop(body.remove(name)),
        }
    }
    if let Some(strength) = steps.first().and_then(|step| step.strength) {
        let text = format!("{} {}", strength.value, strength.unit.display());
        set_extension(body, "strength", ExtensionValue::Text(text));
    }
    set_extension(body, "review-state", ExtensionValue::Code("pending".to_owned()));
    if matches!(held.get_str("status"), Some("cancelled" | "stopped")) {
        body.insert("status", "draft");
    }
}

fn merged(held: &[Dosage], said: &[Dosage]) -> Vec<Dosage> {
    match (held, said) {
        ([], said) => said.to_vec(),
        ([before], [said]) => {
            let mut step = overlaid(before, said);
            step.text = Some(told::step(&Dosage { text: said.text.clone(), ..step.clone() }));
            vec![step]
        }
        (_, said) => said.to_vec(),
    }
}

/// A note in which the line about an entity says what was said now; its section waits for approval again.
pub(super) fn rewritten(composition: &Json, entity: &Entity, after: &Json) -> Json {
    let Some(kind) = section_of(entity) else { return composition.clone() };
    let names = [entity.text.to_lowercase(), told::measured(entity).to_lowercase()];
    // Of a dose only a part may have been said again: the line says the whole of it.
    let whole = entity.category == Category::Medication && !entity.has(Trait::Negation);
    let said = if whole { told::held(after) } else { told::said(entity) };
    edit_section(composition, kind, |section| {
        let text = section_text(&Json::Object(section.clone()));
        let about = |line: &&str| names.iter().any(|name| !name.is_empty() && line.to_lowercase().contains(name));
        let old = text.lines().find(about);
        let lines: Vec<&str> = text.lines().filter(|line| Some(*line) != old).collect();
        let place = text.lines().position(|line| Some(line) == old).unwrap_or(lines.len());
        let (above, below) = lines.split_at(place.min(lines.len()));
        let text = [above, &[said.as_str()], below].concat().join("\n");
        set_section(section, kind, SectionContent { text: &text, state: "pending", entries: Vec::new() });
    })
}

fn section_of(entity: &Entity) -> Option<SectionKind> {
    match entity.category {
        Category::Medication => Some(SectionKind::Medications),
        Category::MedicalCondition if entity.has(Trait::Diagnosis) => Some(SectionKind::Diagnosis),
        Category::MedicalCondition => Some(SectionKind::Complaint),
        Category::Vital => Some(SectionKind::Vitals),
        Category::TestTreatmentProcedure => Some(SectionKind::of_request(entity)),
        _ => None,
    }
}
