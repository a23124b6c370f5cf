//! The prescription as pages and programs see it, made from Composition, MedicationRequest, Observation and
//! AllergyIntolerance (R4: <https://hl7.org/fhir/R4/composition.html>).

use serde::Serialize;
use seva_fhir::json::Json;

use super::checks::{self, Blocker, Finding};
use super::contradictions::Contradicted;
use crate::dosage::{AsNeeded, Dosage, regimen_from_fhir};
use crate::drafting::NO_KNOWN_ALLERGY;
use crate::drafting::elements::extension_value;
use crate::drafting::{SECTIONS, SectionKind, section_code, section_state, section_text};
use crate::encounter_record::{EncounterRecord, Held};
use crate::evidence::{self, Span};
use crate::phrases;

/// The prescription of an encounter.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prescription {
    /// The encounter.
    pub encounter: String,
    /// The patient.
    pub patient: String,
    /// empty, draft, reviewed, signed or amended.
    pub state: &'static str,
    /// The Composition.
    pub composition: Option<String>,
    /// Its version; 0 when there is none.
    pub version: i32,
    /// All eight sections.
    pub sections: Vec<SectionView>,
    /// The medicines.
    pub medicines: Vec<MedicineView>,
    /// Vital signs.
    pub vitals: Vec<Vital>,
    /// Allergies.
    pub allergies: Vec<Allergy>,
    /// known, none-known or not-asked.
    pub allergy_status: &'static str,
    /// Safety findings.
    pub findings: Vec<Finding>,
    /// What hinders signing.
    pub blockers: Vec<Blocker>,
    /// Who signed, and when.
    pub signature: Option<Signature>,
}

/// Where a statement comes from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The dictation.
    pub dictation: Option<String>,
    /// Where it starts in the recording.
    pub start_ms: Option<i64>,
    /// Where it ends.
    pub end_ms: Option<i64>,
    /// The first code point of the transcript.
    pub begin: i64,
    /// The code point after the last.
    pub end: i64,
}

/// A section.
#[derive(Serialize)]
pub struct SectionView {
    /// Its code.
    pub code: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Whether nothing is signed without it.
    pub required: bool,
    /// pending, approved or rejected.
    pub state: String,
    /// Its text.
    pub text: String,
    /// Whether a person changed the text.
    pub edited: bool,
    /// Where it comes from.
    pub evidence: Vec<Evidence>,
}

/// A dosage line in the languages of the paper; a language without the phrase is absent, never guessed.
#[derive(Serialize)]
pub struct LineView {
    /// English.
    pub en: Option<String>,
    /// Hindi.
    pub hi: Option<String>,
    /// Marathi.
    pub mr: Option<String>,
}

/// What was heard and what may have been meant.
#[derive(Serialize)]
pub struct SuggestionView {
    /// The words of the transcript.
    pub heard: String,
    /// The proposed name.
    pub suggested: String,
}

/// A dosage.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DosageView {
    text: Option<String>,
    morning: Option<String>,
    noon: Option<String>,
    evening: Option<String>,
    night: Option<String>,
    frequency: Option<u32>,
    period: Option<String>,
    period_max: Option<String>,
    period_unit: Option<&'static str>,
    duration_value: Option<String>,
    duration_unit: Option<&'static str>,
    route: Option<&'static str>,
    food: Option<&'static str>,
    as_needed: bool,
    maximum_per_day: Option<String>,
}

/// A medicine.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MedicineView {
    /// The MedicationRequest's id.
    pub id: String,
    /// pending, approved or rejected.
    pub state: String,
    /// The name.
    pub name: String,
    /// The strength.
    pub strength: Option<String>,
    /// The form.
    pub form: Option<String>,
    /// As it was said or typed.
    pub text: String,
    /// The first step of the dosage.
    pub dosage: Option<DosageView>,
    /// The dosage in words.
    pub line: LineView,
    /// How much is dispensed.
    pub quantity: Option<String>,
    /// The engine's score.
    pub score: Option<f64>,
    /// A proposed repair of the name.
    pub suggestion: Option<SuggestionView>,
    /// Where it comes from.
    pub evidence: Vec<Evidence>,
}

/// A vital sign.
#[derive(Serialize)]
pub struct Vital {
    /// The LOINC code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// The unit.
    pub unit: String,
    /// Where it comes from.
    pub evidence: Vec<Evidence>,
}

/// An allergy, or its stated absence.
#[derive(Serialize)]
pub struct Allergy {
    /// The substance.
    pub text: String,
    /// none or present.
    pub status: &'static str,
}

/// A signature.
#[derive(Serialize)]
pub struct Signature {
    /// The Practitioner.
    pub by: String,
    /// When.
    pub at: String,
    /// The SHA-256 of what was signed.
    pub hash: String,
}

impl DosageView {
    /// The amounts for morning, noon, evening and night, when the dosage names times of day.
    #[must_use]
    pub fn slots(&self) -> Option<[String; 4]> {
        let slots = [&self.morning, &self.noon, &self.evening, &self.night];
        let named = slots.iter().any(|slot| slot.is_some());
        named.then(|| slots.map(|slot| slot.clone().unwrap_or_else(|| "0".to_owned())))
    }
}

impl MedicineView {
    /// Tells whether dose times or length are missing; what is taken as needed has no fixed length.
    #[must_use]
    pub fn lacks_dose(&self) -> bool {
        self.dosage.as_ref().is_none_or(|dosage| {
            let timed = dosage.frequency.is_some() || dosage.morning.is_some() || dosage.as_needed;
            !timed || (dosage.duration_value.is_none() && !dosage.as_needed)
        })
    }
}

pub(super) fn of(record: &EncounterRecord, contradicted: &Contradicted) -> Prescription {
    let composition = record.composition.as_ref();
    let sections: Vec<SectionView> = SECTIONS.into_iter().map(|kind| section(composition, kind)).collect();
    let medicines: Vec<MedicineView> = record.medicines.iter().filter(|held| is_listed(held)).map(medicine).collect();
    let findings = checks::findings(record);
    let blockers = checks::blockers(&sections, (&medicines, contradicted), &findings);
    let state = match composition.and_then(|held| held.body.get_str("status")) {
        None => "empty",
        Some("final") => "signed",
        Some("amended") => "amended",
        Some(_) if blockers.is_empty() => "reviewed",
        Some(_) => "draft",
    };
    let allergies: Vec<Allergy> = record.allergies.iter().map(|held| allergy(&held.body)).collect();
    Prescription {
        encounter: record.encounter.key.to_string(),
        patient: record.patient.clone(),
        state,
        composition: record.composition_reference(),
        version: composition.map_or(0, |held| held.version),
        vitals: record.observations.iter().filter_map(|held| vital(&held.body)).collect(),
        allergy_status: allergy_status(&allergies),
        allergies,
        signature: composition.and_then(signature),
        sections,
        medicines,
        findings,
        blockers,
    }
}

/// What was entered in error is not shown, but for what was rejected: that it was proposed never vanishes.
pub(crate) fn is_listed(held: &Held) -> bool {
    held.body.get_str("status") != Some("entered-in-error") || review_state(&held.body) == "rejected"
}

pub(crate) fn review_state(body: &Json) -> &str {
    extension_value(body, "review-state", "valueCode").and_then(Json::as_str).unwrap_or("pending")
}

fn section(composition: Option<&Held>, kind: SectionKind) -> SectionView {
    let list = composition.and_then(|held| held.body.get("section")).map_or(&[][..], Json::items);
    let found = list.iter().find(|section| section_code(section) == Some(kind));
    SectionView {
        code: kind.code(),
        title: kind.title(),
        required: kind.is_required(),
        state: found.map_or("pending", section_state).to_owned(),
        text: found.map(section_text).unwrap_or_default(),
        edited: found.is_some_and(|section| extension_value(section, "edited", "valueBoolean").is_some()),
        evidence: found.map(evidence).unwrap_or_default(),
    }
}

pub(super) fn medicine(held: &Held) -> MedicineView {
    let body = &held.body;
    let concept = body.get("medicationCodeableConcept");
    let name = concept.and_then(|concept| concept.get_str("text")).unwrap_or_default().to_owned();
    let steps = body.get("dosageInstruction").and_then(|list| regimen_from_fhir(list).ok()).unwrap_or_default();
    let text_of = |name| extension_value(body, name, "valueString").and_then(Json::as_str).map(str::to_owned);
    let quantity = body.get("dispenseRequest").and_then(|request| request.get("quantity"));
    let typed = steps.first().and_then(|step| step.text.clone()).unwrap_or_default();
    MedicineView {
        id: held.key.id().to_string(),
        state: review_state(body).to_owned(),
        strength: text_of("strength"),
        form: text_of("form"),
        text: format!("{name} {typed}").trim().to_owned(),
        dosage: steps.first().map(dosage),
        line: LineView { en: said(&steps, "en"), hi: said(&steps, "hi"), mr: said(&steps, "mr") },
        quantity: quantity.and_then(|quantity| {
            Some(format!("{} {}", quantity.get("value")?.as_number()?, quantity.get_str("unit")?))
        }),
        score: extension_value(body, "confidence", "valueDecimal").and_then(Json::as_f64),
        suggestion: text_of("suggested-name").map(|suggested| SuggestionView { heard: name.clone(), suggested }),
        evidence: evidence(body),
        name,
    }
}

fn said(steps: &[Dosage], language: &str) -> Option<String> {
    let lines: Option<Vec<String>> =
        steps.iter().map(|step| phrases::render(step, language).ok().map(|line| line.text)).collect();
    // Of an order in words alone no phrase says anything.
    lines.map(|lines| lines.join("; ")).filter(|line| !line.is_empty())
}

fn dosage(step: &Dosage) -> DosageView {
    let [morning, noon, evening, night] =
        step.slots().map_or([None, None, None, None], |slots| slots.map(|value| Some(value.to_string())));
    DosageView {
        text: step.text.clone(),
        morning,
        noon,
        evening,
        night,
        frequency: step.timing.frequency,
        period: step.timing.period.map(|period| period.to_string()),
        period_max: step.timing.period_max.map(|most| most.to_string()),
        period_unit: step.timing.period_unit.map(|unit| unit.code()),
        duration_value: step.duration.map(|length| length.value.to_string()),
        duration_unit: step.duration.map(|length| length.unit.code()),
        route: step.route.map(|route| route.display()),
        food: step.food.map(|food| match food {
            crate::dosage::Food::Before => "before",
            crate::dosage::Food::With => "with",
            crate::dosage::Food::After => "after",
        }),
        as_needed: step.timing.as_needed != AsNeeded::No,
        maximum_per_day: step.max_per_day.map(|most| format!("{} {}", most.value, most.unit.display())),
    }
}

fn vital(body: &Json) -> Option<Vital> {
    let category = body.get("category")?.get_index(0)?.get("coding")?.get_index(0)?.get_str("code")?;
    let coding = body.get("code")?.get("coding")?.get_index(0)?;
    if category != "vital-signs" || body.get_str("status") == Some("entered-in-error") {
        return None;
    }
    let mut values = Vec::new();
    let mut unit = "";
    let components = body.get("component").map_or(&[][..], Json::items);
    for quantity in std::iter::once(body).chain(components).filter_map(|each| each.get("valueQuantity")) {
        values.push(quantity.get("value")?.as_number()?);
        unit = quantity.get_str("unit").unwrap_or_default();
    }
    Some(Vital {
        code: coding.get_str("code")?.to_owned(),
        name: coding.get_str("display").unwrap_or_default().to_owned(),
        value: values.join("/"),
        unit: unit.to_owned(),
        evidence: evidence(body),
    })
}

fn allergy(body: &Json) -> Allergy {
    let text = body
        .get("code")
        .and_then(|code| code.get_str("text").or_else(|| code.get("coding")?.get_index(0)?.get_str("display")));
    let status = body.get("verificationStatus").and_then(|status| status.get("coding")?.get_index(0)?.get_str("code"));
    let code = body.get("code").and_then(|code| code.get("coding")?.get_index(0)?.get_str("code"));
    let none = status == Some("refuted") || code == Some(NO_KNOWN_ALLERGY);
    let status = if none { "none" } else { "present" };
    Allergy { text: text.unwrap_or_default().to_owned(), status }
}

/// Not to have asked is another thing than to have heard of none.
fn allergy_status(allergies: &[Allergy]) -> &'static str {
    if allergies.iter().any(|one| one.status == "present") {
        "known"
    } else if allergies.is_empty() {
        "not-asked"
    } else {
        "none-known"
    }
}

fn signature(held: &Held) -> Option<Signature> {
    let value = |name| extension_value(&held.body, name, "valueString").and_then(Json::as_str).map(str::to_owned);
    let by = held.body.get("attester")?.get_index(0)?;
    Some(Signature {
        by: by.get("party")?.get_str("reference")?.to_owned(),
        at: by.get_str("time")?.to_owned(),
        hash: value("content-hash")?,
    })
}

/// Where an element comes from.
pub(crate) fn evidence(element: &Json) -> Vec<Evidence> {
    let shown = |span: Span| Evidence {
        dictation: span.audio.map(|audio| audio.dictation.to_string()),
        start_ms: span.audio.map(|audio| audio.start_ms),
        end_ms: span.audio.map(|audio| audio.end_ms),
        begin: span.offset,
        end: span.offset + span.length,
    };
    evidence::of_element(element, "").into_iter().map(shown).collect()
}
