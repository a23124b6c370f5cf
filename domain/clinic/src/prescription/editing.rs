//! Edits of a draft; every edit is one transaction that also makes a new version of the Composition, so that its
//! version guards the whole prescription (R4: <https://hl7.org/fhir/R4/http.html#concurrency>).

use serde::Deserialize;
use seva_fhir::access::{Caller, Refusal};
use seva_fhir::json::{Json, JsonObject, array};
use seva_fhir::service::FhirError;
use seva_fhir::types::ResourceKey;
use seva_models::{Concept, ExtensionValue, MedicationRequest, Origin};

use super::line::TypedLine;
use super::{Prescription, PrescriptionService, learning, verifying, view};
use crate::dosage::{self, Dosage};
use crate::drafting::elements::{extension_value, heard, remove_extension, set_extension, written};
use crate::drafting::{
    SectionContent, SectionKind, dispensed, empty_composition, post, put, section_code, section_text, set_section,
    transaction,
};
use crate::encounter_record::{EncounterRecord, Held};
use crate::failure::ClinicError;
use crate::formulary::Product;

const STATES: [&str; 3] = ["pending", "approved", "rejected"];

/// A change of a section.
#[derive(Default, Deserialize)]
pub struct SectionChange {
    /// The new text.
    pub text: Option<String>,
    /// The new state.
    pub state: Option<String>,
}

/// A change of a medicine.
#[derive(Default, Deserialize)]
pub struct MedicineChange {
    /// The new line.
    pub text: Option<String>,
    /// The new state.
    pub state: Option<String>,
    /// What was meant where the engine doubted the name: `as-heard` or `as-suggested`.
    pub verification: Option<String>,
}

impl PrescriptionService {
    /// Changes a section; new text without a state returns it to pending.
    pub async fn update_section(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        (version, kind): (i32, SectionKind),
        change: SectionChange,
    ) -> Result<Prescription, ClinicError> {
        check_state(change.state.as_deref())?;
        let record = self.record(caller, encounter).await?;
        let held = self.draft(&record, version)?;
        let mut entries = vec![put(held, with_section(&held.body, kind, &change))];
        if change.text.is_some() {
            entries.extend(self.act(caller, held));
        }
        self.write(caller, encounter, entries).await
    }

    /// Adds a typed medicine; the first one begins the prescription.
    pub async fn add_medicine(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        text: &str,
    ) -> Result<Prescription, ClinicError> {
        let author = author(caller)?;
        let line =
            TypedLine::read(text).ok_or_else(|| ClinicError::Invalid("the line names no medicine".to_owned()))?;
        let record = self.record(caller, encounter).await?;
        let now = self.parts.clock.now().to_milliseconds();
        let origin = Origin {
            subject: record.patient.clone(),
            encounter: Some(encounter.to_string()),
            date: now.to_string(),
            ..Origin::default()
        };
        let requester = Some(author.clone());
        let request = MedicationRequest { origin, requester, ..prescribed(medication(&line), &line.steps) };
        let mut request = written(&request.to_json());
        note_form(&mut request, &line);
        set_extension(&mut request, "review-state", ExtensionValue::Code("pending".to_owned()));
        let url = format!("urn:uuid:{}", self.parts.ids.new_uuid());
        let mut entries = vec![post(&url, request.into())];
        let change = |before: &Json| with_medicine(before, text, &url);
        match &record.composition {
            Some(held) => {
                let held = self.draft(&record, held.version)?;
                entries.push(put(held, change(&held.body)));
            }
            None => {
                let place = format!("urn:uuid:{}", self.parts.ids.new_uuid());
                let begun = empty_composition(&record, &author, now);
                entries.push(post(&place, change(&written(&begun.to_json()).into())));
            }
        }
        self.write(caller, encounter, entries).await
    }

    /// Changes a medicine; a new line without a state returns it to pending.
    pub async fn update_medicine(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        (version, medicine): (i32, &str),
        change: MedicineChange,
    ) -> Result<Prescription, ClinicError> {
        check_state(change.state.as_deref())?;
        let record = self.record(caller, encounter).await?;
        let held = self.draft(&record, version)?;
        let target = find_medicine(&record, medicine)?;
        let mut request = target.body.as_object().cloned().unwrap_or_default();
        if let Some(text) = &change.text {
            let line =
                TypedLine::read(text).ok_or_else(|| ClinicError::Invalid("the line names no medicine".to_owned()))?;
            write_line(&mut request, &line);
            verifying::edited(&mut request);
        }
        if let Some(verification) = &change.verification {
            verify(&mut request, verification)?;
        }
        let misheard = learning::misheard(target, &request);
        let before = view::review_state(&target.body).to_owned();
        let state = match (change.state, &change.text, change.verification.as_deref()) {
            (Some(state), _, _) => state,
            (None, Some(_), _) | (None, None, Some("as-suggested")) => "pending".to_owned(),
            (None, None, _) => before,
        };
        set_extension(&mut request, "review-state", ExtensionValue::Code(state));
        let mut entries = vec![put(target, request.into()), put(held, held.body.clone())];
        if change.text.is_some() {
            entries.extend(self.act(caller, target));
        }
        let written = self.write(caller, encounter, entries).await?;
        if let Some(name) = misheard {
            self.learn(caller, &name).await;
        }
        Ok(written)
    }

    /// The Provenance of an edit, where a practitioner made it.
    pub(super) fn act(&self, caller: &Caller, target: &Held) -> Option<Json> {
        let author = caller.practitioner_reference()?;
        let now = self.parts.clock.now().to_milliseconds().to_string();
        Some(post(&self.url(), verifying::act(target, &author, &now)))
    }

    pub(super) async fn write(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        entries: Vec<Json>,
    ) -> Result<Prescription, ClinicError> {
        self.parts.fhir.transaction(caller, transaction(entries)).await?;
        self.load(caller, encounter).await
    }
}

/// The Practitioner that the caller acts as.
pub(super) fn author(caller: &Caller) -> Result<String, ClinicError> {
    let refusal = FhirError::Refused(Refusal::NoPractitioner { action: "prescribing" });
    caller.practitioner_reference().ok_or_else(|| refusal.into())
}

fn check_state(state: Option<&str>) -> Result<(), ClinicError> {
    match state {
        Some(state) if !STATES.contains(&state) => {
            Err(ClinicError::Invalid("a state is pending, approved or rejected".to_owned()))
        }
        _ => Ok(()),
    }
}

pub(super) fn find_medicine<'a>(record: &'a EncounterRecord, id: &str) -> Result<&'a Held, ClinicError> {
    let found = record.medicines.iter().find(|held| held.key.id().as_str() == id && view::is_listed(held));
    found.ok_or(ClinicError::NotFound("the medicine"))
}

/// Settles a doubted name: the heard words stay as they are, or give way to the proposed medicine.
pub(super) fn verify(request: &mut JsonObject, verification: &str) -> Result<(), ClinicError> {
    let body = Json::Object(request.clone());
    let suggested = extension_value(&body, "suggested-name", "valueString").and_then(Json::as_str);
    let suggested = suggested.ok_or_else(|| ClinicError::Conflict("the name is not in doubt".to_owned()))?;
    match verification {
        "as-heard" => verifying::accepted(request),
        "as-suggested" => {
            let suggested = suggested.to_owned();
            name(request, &suggested);
            verifying::edited(request);
        }
        _ => return Err(ClinicError::Invalid("a verification is as-heard or as-suggested".to_owned())),
    }
    remove_extension(request, "suggested-name");
    Ok(())
}

/// Gives a medicine another name, which is in no doubt; its dosage stays.
pub(super) fn name(request: &mut JsonObject, meant: &str) {
    let codings = Product::named(meant).map(Product::codings);
    let named = prescribed(heard(meant, &codings.unwrap_or_default()), &[]);
    take(request, written(&named.to_json()), &["medicationCodeableConcept"]);
    remove_extension(request, "suggested-name");
}

/// Rewrites medicine and dosage from a typed line.
pub(super) fn write_line(request: &mut JsonObject, line: &TypedLine) {
    // A typed name is no longer in doubt.
    remove_extension(request, "suggested-name");
    let typed = written(&prescribed(medication(line), &line.steps).to_json());
    take(request, typed, &["medicationCodeableConcept", "dosageInstruction", "dispenseRequest"]);
    note_form(request, line);
}

fn medication(line: &TypedLine) -> Concept {
    heard(&line.name, &line.medicine.map(|medicine| medicine.codings()).unwrap_or_default())
}

fn prescribed(medication: Concept, steps: &[Dosage]) -> MedicationRequest {
    let dosages = dosage::regimen_to_fhir(steps);
    MedicationRequest { medication, dosages, dispensed: dispensed(steps), ..MedicationRequest::default() }
}

/// Takes elements from what a typed model wrote; what it lacks is taken away.
fn take(request: &mut JsonObject, mut typed: JsonObject, names: &[&'static str]) {
    for name in names {
        match typed.remove(name) {
            Some(value) => drop(request.insert(*name, value)),
            None => drop(request.remove(name)),
        }
    }
}

fn note_form(request: &mut JsonObject, line: &TypedLine) {
    if let Some(form) = line.form {
        set_extension(request, "form", ExtensionValue::Text(form.to_owned()));
    }
    if let Some(strength) = line.steps.first().and_then(|step| step.strength) {
        let text = format!("{} {}", strength.value, strength.unit.display());
        set_extension(request, "strength", ExtensionValue::Text(text));
    }
}

pub(super) fn with_section(composition: &Json, kind: SectionKind, change: &SectionChange) -> Json {
    edit(composition, kind, |section| {
        let before = Json::Object(section.clone());
        let text = change.text.clone().unwrap_or_else(|| section_text(&before));
        let state = match (&change.state, &change.text) {
            (Some(state), _) => state.as_str(),
            (None, Some(_)) => "pending",
            (None, None) => crate::drafting::section_state(&before),
        };
        set_section(section, kind, SectionContent { text: &text, state, entries: Vec::new() });
        if change.text.is_some() {
            set_extension(section, "edited", ExtensionValue::Boolean(true));
        }
    })
}

fn with_medicine(composition: &Json, line: &str, url: &str) -> Json {
    edit(composition, SectionKind::Medications, |section| {
        let before = section_text(&Json::Object(section.clone()));
        let text = if before.is_empty() { line.to_owned() } else { format!("{before}\n{line}") };
        let content = SectionContent { text: &text, state: "pending", entries: vec![url.to_owned()] };
        set_section(section, SectionKind::Medications, content);
    })
}

/// Edits a section of a note; one that is not there yet is begun.
pub(crate) fn edit(composition: &Json, kind: SectionKind, change: impl FnOnce(&mut JsonObject)) -> Json {
    let mut composition = composition.clone();
    let Some(members) = composition.as_object_mut() else { return composition };
    if !members.contains("section") {
        members.insert("section", array(Vec::<Json>::new()));
    }
    if let Some(sections) = members.get_mut("section").and_then(Json::as_array_mut) {
        let place = sections.iter().position(|section| section_code(section) == Some(kind));
        match place.and_then(|place| sections.get_mut(place)).and_then(Json::as_object_mut) {
            Some(section) => change(section),
            None => {
                let mut section = JsonObject::new();
                change(&mut section);
                sections.push(section.into());
            }
        }
    }
    composition
}
