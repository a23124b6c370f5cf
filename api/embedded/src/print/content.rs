//! What the paper of a MedicationRequest says, block by block (<https://hl7.org/fhir/R4/medicationrequest.html>).

use seva_clinic::printing::{HandoutLanguage, PrintedMedicine, PrintedPrescription, PrintedState};

use super::page::{Block, Frame, TEXT_WIDTH};
use super::text::{Shaper, Weight};

/// The times of day in English and in the patient's language.
fn slots(language: HandoutLanguage) -> [&'static str; 4] {
    match language {
        HandoutLanguage::English => ["Morning", "Noon", "Evening", "Night"],
        HandoutLanguage::Hindi => ["Morning सुबह", "Noon दोपहर", "Evening शाम", "Night रात"],
        HandoutLanguage::Marathi => ["Morning सकाळी", "Noon दुपारी", "Evening संध्याकाळी", "Night रात्री"],
    }
}

pub(super) fn blocks(shaper: &mut Shaper, document: &PrintedPrescription) -> Vec<Block> {
    use Weight::{Bold, Regular};
    let mut blocks = head(shaper, document);
    if !document.allergies.is_empty() {
        let text = format!("ALLERGY: {}", document.allergies.join(", "));
        blocks.push(block(shaper, Frame::Heavy, &[(text, 12.0, Bold)]));
    }
    if !document.diagnosis.is_empty() {
        let text = format!("Diagnosis: {}", document.diagnosis);
        blocks.push(block(shaper, Frame::None, &[(text, 11.0, Regular)]));
    }
    for (index, medicine) in document.medicines.iter().enumerate() {
        blocks.push(medicine_block(shaper, index + 1, medicine, document.language));
    }
    for (title, text) in &document.instructions {
        let lines = [(title.clone(), 11.0, Bold), (text.clone(), 10.5, Regular)];
        blocks.push(block(shaper, Frame::None, &lines));
    }
    let signature = match &document.state {
        PrintedState::Draft => "Draft, not signed".to_owned(),
        PrintedState::Signed { by, at } => format!("Signed by {by}, {at}"),
    };
    blocks.push(block(shaper, Frame::None, &[(signature, 11.0, Bold)]));
    blocks
}

/// The foot stands on every page, so that no loose draft page passes for a signed one.
pub(super) fn foot(document: &PrintedPrescription) -> String {
    let patient = &document.patient;
    let mut parts = vec![format!("{} {}", patient.name, patient.identifier)];
    if matches!(document.state, PrintedState::Draft) {
        parts.push("Draft, not signed".to_owned());
    }
    if let Some(hash) = &document.hash {
        parts.push(hash.clone());
    }
    parts.join("  ·  ")
}

fn head(shaper: &mut Shaper, document: &PrintedPrescription) -> Vec<Block> {
    use Weight::{Bold, Regular};
    let (hospital, doctor, patient) = (&document.hospital, &document.doctor, &document.patient);
    let place = joined(&[&hospital.address, &hospital.phone]);
    let doctor = joined(&[&doctor.name, &doctor.qualification, &doctor.registration]);
    let person = joined(&[&patient.name, &patient.sex_age, &patient.identifier]);
    let hospital = [(hospital.name.clone(), 16.0, Bold), (place, 9.5, Regular)];
    let people = [(doctor, 10.5, Regular), (person, 11.0, Bold), (format!("Date: {}", document.date), 10.5, Regular)];
    vec![block(shaper, Frame::None, &hospital), block(shaper, Frame::None, &people)]
}

fn medicine_block(shaper: &mut Shaper, number: usize, medicine: &PrintedMedicine, language: HandoutLanguage) -> Block {
    use Weight::{Bold, Regular};
    let name = [&medicine.name, &medicine.strength, &medicine.form]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    let mut lines = vec![
        (format!("{number}. {name}"), 12.0, Bold),
        (medicine.line_en.clone(), 10.5, Regular),
        (medicine.line_patient.clone(), 11.5, Regular),
    ];
    if let Some(amounts) = &medicine.slots {
        let amounts = slots(language).into_iter().zip(amounts);
        let cells = amounts.map(|(slot, amount)| format!("{slot}: {amount}"));
        lines.push((cells.collect::<Vec<_>>().join("   |   "), 10.5, Regular));
    }
    block(shaper, Frame::Light, &lines)
}

fn joined(parts: &[&String]) -> String {
    let filled = parts.iter().filter(|part| !part.is_empty());
    filled.map(|part| part.as_str()).collect::<Vec<_>>().join(", ")
}

fn block(shaper: &mut Shaper, frame: Frame, lines: &[(String, f32, Weight)]) -> Block {
    let width = TEXT_WIDTH - 2.0 * frame.inset();
    let filled = lines.iter().filter(|(text, _, _)| !text.is_empty());
    let texts = filled.map(|(text, size, weight)| shaper.shape(text.clone(), *size, *weight, width));
    Block { texts: texts.collect(), frame }
}
