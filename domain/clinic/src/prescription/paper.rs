//! The prescription as it is printed: what is signed, and nothing that was rejected.

use seva_fhir::access::Caller;
use seva_fhir::json::Json;
use seva_fhir::types::ResourceKey;

use super::PrescriptionService;
use super::contradictions::Contradicted;
use super::view::{self, MedicineView, Prescription, SectionView};
use crate::encounter_record::{EncounterRecord, Held};
use crate::failure::ClinicError;
use crate::printing::{
    HandoutLanguage, PrintedDoctor, PrintedHospital, PrintedMedicine, PrintedPatient, PrintedPrescription, PrintedState,
};

impl PrescriptionService {
    /// Gathers what the paper shows; a draft says that it is one.
    pub(super) async fn paper(
        &self,
        caller: &Caller,
        record: &EncounterRecord,
        language: HandoutLanguage,
    ) -> Result<PrintedPrescription, ClinicError> {
        let seen = view::of(record, &Contradicted::new());
        if record.composition.is_none() {
            return Err(ClinicError::NotFound("the prescription"));
        }
        let visit = &record.encounter.body;
        let patient = self.referred(caller, Some(&record.patient)).await?;
        let provider = visit.get("serviceProvider").and_then(|provider| provider.get_str("reference"));
        let hospital = self.referred(caller, provider).await?;
        let participant = visit.get("participant").and_then(|list| list.get_index(0));
        let individual = participant.and_then(|one| one.get("individual")?.get_str("reference"));
        let practitioner = self.referred(caller, individual).await?;
        let doctor = doctor(&practitioner);
        let state = match &seen.signature {
            Some(signature) => PrintedState::Signed { by: doctor.name.clone(), at: signature.at.clone() },
            None => PrintedState::Draft,
        };
        Ok(PrintedPrescription {
            hospital: hospital_of(&hospital),
            doctor,
            patient: patient_of(&patient),
            date: visit.get("period").and_then(|period| period.get_str("start")).map(day).unwrap_or_default(),
            allergies: allergies(&seen),
            diagnosis: section(&seen, "diagnosis"),
            instructions: advice(&seen),
            medicines: printed(&seen.medicines, language),
            language,
            hash: seen.signature.map(|signature| signature.hash),
            state,
        })
    }

    /// Reads what a reference names; an absent reference prints as nothing.
    async fn referred(&self, caller: &Caller, reference: Option<&str>) -> Result<Json, ClinicError> {
        let Some(key) = reference.and_then(|text| text.parse::<ResourceKey>().ok()) else { return Ok(Json::Null) };
        Ok(Held::of(&self.parts.fhir.read(caller, &key).await?)?.body)
    }
}

fn first<'j>(resource: &'j Json, list: &str, member: &str) -> &'j str {
    let value = resource.get(list).and_then(|list| list.get_index(0)).and_then(|one| one.get_str(member));
    value.unwrap_or_default()
}

fn hospital_of(organization: &Json) -> PrintedHospital {
    let address = organization.get("address").and_then(|list| list.get_index(0));
    let lines = address.and_then(|address| address.get("line")).map(Json::items).unwrap_or_default();
    let places = ["city", "postalCode"].iter().filter_map(|name| address?.get_str(name));
    let parts: Vec<&str> = lines.iter().filter_map(Json::as_str).chain(places).collect();
    PrintedHospital {
        name: organization.get_str("name").unwrap_or_default().to_owned(),
        address: parts.join(", "),
        phone: first(organization, "telecom", "value").to_owned(),
    }
}

fn doctor(practitioner: &Json) -> PrintedDoctor {
    let qualification =
        practitioner.get("qualification").and_then(|list| list.get_index(0)?.get("code")?.get_str("text"));
    PrintedDoctor {
        name: first(practitioner, "name", "text").to_owned(),
        qualification: qualification.unwrap_or_default().to_owned(),
        registration: first(practitioner, "identifier", "value").to_owned(),
    }
}

fn patient_of(patient: &Json) -> PrintedPatient {
    let born = patient.get_str("birthDate").map(|date| format!("born {date}"));
    let parts = [patient.get_str("gender").map(str::to_owned), born];
    PrintedPatient {
        name: first(patient, "name", "text").to_owned(),
        sex_age: parts.into_iter().flatten().collect::<Vec<String>>().join(", "),
        identifier: first(patient, "identifier", "value").to_owned(),
    }
}

/// The day of a FHIR time, which carries the zone that it was written in.
fn day(time: &str) -> String {
    time.chars().take(10).collect()
}

/// The allergies; "no known allergies" only where that was recorded and nothing contradicts it.
fn allergies(seen: &Prescription) -> Vec<String> {
    let present: Vec<String> =
        seen.allergies.iter().filter(|one| one.status == "present").map(|one| one.text.clone()).collect();
    let none = seen.allergies.iter().find(|one| one.status == "none" && one.text.starts_with("No known"));
    if present.is_empty() { none.map(|one| vec![one.text.clone()]).unwrap_or_default() } else { present }
}

fn section(seen: &Prescription, code: &str) -> String {
    let found = seen.sections.iter().find(|section| section.code == code && section.state != "rejected");
    found.map(|section| section.text.clone()).unwrap_or_default()
}

fn advice(seen: &Prescription) -> Vec<(String, String)> {
    const PRINTED: &[&str] = &["instructions", "follow-up", "tests", "referral"];
    let stands = |section: &&SectionView| section.state != "rejected" && !section.text.is_empty();
    let printed = seen.sections.iter().filter(|section| PRINTED.contains(&section.code)).filter(stands);
    printed.map(|section| (section.title.to_owned(), section.text.clone())).collect()
}

fn printed(medicines: &[MedicineView], language: HandoutLanguage) -> Vec<PrintedMedicine> {
    let kept = medicines.iter().filter(|medicine| medicine.state != "rejected");
    kept.map(|one| medicine(one, language)).collect()
}

fn medicine(medicine: &MedicineView, language: HandoutLanguage) -> PrintedMedicine {
    let line = match language {
        HandoutLanguage::English => None,
        HandoutLanguage::Hindi => medicine.line.hi.clone(),
        HandoutLanguage::Marathi => medicine.line.mr.clone(),
    };
    PrintedMedicine {
        name: medicine.name.clone(),
        strength: medicine.strength.clone().unwrap_or_default(),
        form: medicine.form.clone().unwrap_or_default(),
        // What no phrase says is printed as it was said: a dose line is never empty and never invented.
        line_en: medicine.line.en.clone().unwrap_or_else(|| medicine.text.clone()),
        line_patient: line.unwrap_or_default(),
        slots: medicine.dosage.as_ref().and_then(view::DosageView::slots),
    }
}
