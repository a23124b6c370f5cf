//! A medicine as MedicationRequest, proposed and not yet ordered (R4: <https://hl7.org/fhir/R4/medicationrequest.html>).

use seva_fhir::json::{Json, JsonObject, array, object};

use super::elements::{entity_extensions, extension, heard, machine_made, reference};
use super::{Draft, Drafted, SectionKind};
use crate::dosage::{self, Dosage, Quantity, TimeUnit};
use crate::entities::{AttributeType, Entity};
use crate::lexicon::decimal::Decimal;

pub(super) fn request(draft: &Draft<'_>, entity: &Entity, transcript: &str) -> Drafted {
    let text = entity.dosage_text();
    let steps = if text.is_empty() { Vec::new() } else { dosage::parse(&text) };
    let mut resource = JsonObject::new();
    resource.insert("resourceType", "MedicationRequest");
    resource.insert("meta", machine_made());
    let mut extensions = entity_extensions(draft, transcript, entity);
    extensions.push(extension("review-state", ("valueCode", "pending".into())));
    for (name, kind) in [("strength", AttributeType::Strength), ("form", AttributeType::Form)] {
        if let Some(attribute) = entity.attributes_of(kind).next() {
            extensions.push(extension(name, ("valueString", attribute.text.as_str().into())));
        }
    }
    if let Some(suggestion) = &entity.suggestion {
        extensions.push(extension("suggested-name", ("valueString", suggestion.suggested.as_str().into())));
    }
    resource.insert("extension", extensions);
    resource.insert("status", "draft");
    resource.insert("intent", "proposal");
    resource.insert("medicationCodeableConcept", heard(&entity.text, &entity.codings));
    resource.insert("subject", draft.subject());
    resource.insert("encounter", draft.encounter());
    resource.insert("supportingInformation", array([reference(transcript)]));
    resource.insert("authoredOn", draft.now.to_string());
    if let Some(requester) = &draft.dictation.settings.practitioner {
        resource.insert("requester", reference(requester));
    }
    insert_dosage(&mut resource, &steps);
    let line = format!("{} {text}", entity.text).trim().to_owned();
    let begin = entity.attributes.iter().map(|each| each.begin).fold(entity.begin, usize::min);
    let end = entity.attributes.iter().map(|each| each.end).fold(entity.end, usize::max);
    let section = Some(SectionKind::Medications);
    Drafted { url: draft.url(), resource, section, line, evidence: Some((begin, end)) }
}

/// Writes the dosage, and the quantity where it can be calculated.
pub(crate) fn insert_dosage(resource: &mut JsonObject, steps: &[Dosage]) {
    resource.remove("dosageInstruction");
    resource.remove("dispenseRequest");
    if steps.is_empty() {
        return;
    }
    resource.insert("dosageInstruction", dosage::regimen_to_fhir(steps));
    if let Some(quantity) = dispensed_quantity(steps) {
        let quantity = object([
            ("value", Json::Number(quantity.value.to_string().into())),
            ("unit", quantity.unit.display().into()),
            ("system", "http://unitsofmeasure.org".into()),
            ("code", quantity.unit.code().into()),
        ]);
        resource.insert("dispenseRequest", object([("quantity", quantity)]));
    }
}

/// Calculates how many pieces a regimen takes, where dose, frequency and length are all known.
#[must_use]
pub fn dispensed_quantity(steps: &[Dosage]) -> Option<Quantity> {
    let mut total: Option<Quantity> = None;
    for step in steps {
        let dose = step.dose.filter(|dose| dose.unit.is_countable())?;
        let length = step.duration?;
        let days = match length.unit {
            TimeUnit::Day => length.value,
            TimeUnit::Week => length.value.times(Decimal::whole(7))?,
            TimeUnit::Minute | TimeUnit::Hour | TimeUnit::Month | TimeUnit::Year => return None,
        };
        let pieces = dose.value.times(Decimal::whole(step.timing.per_day()?))?.times(days)?;
        total = Some(match total {
            None => Quantity { value: pieces, unit: dose.unit },
            Some(sum) if sum.unit == dose.unit => Quantity { value: sum.value.plus(pieces)?, unit: sum.unit },
            Some(_) => return None,
        });
    }
    total
}
