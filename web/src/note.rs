//! The prescription of an encounter, as `/v1/encounters/{id}/prescription` of the contract has it, and as pages show it.

use serde::{Deserialize, Serialize};

use crate::wording;

/// The prescription as the contract has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Prescription {
    pub(crate) state: String,
    pub(crate) composition: Option<String>,
    pub(crate) version: i64,
    pub(crate) sections: Vec<Section>,
    pub(crate) medicines: Vec<Medicine>,
    pub(crate) vitals: Vec<Vital>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) blockers: Vec<Blocker>,
    pub(crate) signature: Option<Signature>,
}

/// Where a statement comes from.
#[derive(Deserialize, Serialize, Clone)]
#[serde(rename_all(deserialize = "camelCase"))]
pub(crate) struct Evidence {
    dictation: Option<String>,
    start_ms: Option<i64>,
    end_ms: Option<i64>,
}

/// A section of the note.
#[derive(Deserialize, Serialize)]
pub(crate) struct Section {
    pub(crate) code: String,
    required: bool,
    pub(crate) state: String,
    pub(crate) text: String,
    edited: bool,
    evidence: Vec<Evidence>,
}

/// A dosage line in two languages.
#[derive(Deserialize, Serialize, Default)]
pub(crate) struct Line {
    en: Option<String>,
    hi: Option<String>,
    mr: Option<String>,
}

/// What was heard and what may have been meant.
#[derive(Deserialize, Serialize)]
pub(crate) struct Suggestion {
    heard: String,
    suggested: String,
}

/// A dosage.
#[derive(Deserialize, Serialize)]
#[serde(rename_all(deserialize = "camelCase"))]
pub(crate) struct Dosage {
    morning: Option<String>,
    noon: Option<String>,
    evening: Option<String>,
    night: Option<String>,
    frequency: Option<u32>,
    period: Option<String>,
    #[serde(default)]
    period_max: Option<String>,
    period_unit: Option<String>,
    duration_value: Option<String>,
    duration_unit: Option<String>,
    route: Option<String>,
    food: Option<String>,
    as_needed: bool,
    maximum_per_day: Option<String>,
}

/// A medicine.
#[derive(Deserialize, Serialize)]
pub(crate) struct Medicine {
    pub(crate) id: String,
    state: String,
    pub(crate) name: String,
    strength: Option<String>,
    form: Option<String>,
    text: String,
    dosage: Option<Dosage>,
    line: Line,
    quantity: Option<String>,
    suggestion: Option<Suggestion>,
    evidence: Vec<Evidence>,
}

/// A vital sign.
#[derive(Deserialize, Serialize)]
pub(crate) struct Vital {
    name: String,
    value: String,
    unit: String,
    evidence: Vec<Evidence>,
}

/// The reason for which a finding is accepted.
#[derive(Deserialize, Serialize)]
pub(crate) struct Answer {
    reason: String,
    text: Option<String>,
    at: String,
}

/// A safety finding.
#[derive(Deserialize, Serialize)]
pub(crate) struct Finding {
    id: String,
    answer: Option<Answer>,
    tier: String,
    rule: String,
    text: String,
    source: String,
    medicine: String,
}

/// Something to be done before signing.
#[derive(Deserialize, Serialize)]
pub(crate) struct Blocker {
    code: String,
    text: String,
    target: String,
}

/// A signature.
#[derive(Deserialize, Serialize)]
pub(crate) struct Signature {
    by: String,
    at: String,
    hash: String,
}

/// A note as the templates see it.
#[derive(Serialize)]
pub(crate) struct NoteView {
    pub(crate) state: String,
    pub(crate) signed: bool,
    /// Whether there is anything to print.
    pub(crate) exists: bool,
    /// What the forms send back as `If-Match`.
    pub(crate) version: i64,
    sections: Vec<Section>,
    approved: usize,
    medicines: Vec<Medicine>,
    vitals: Vec<Vital>,
    findings: Vec<Finding>,
    /// Findings about the prescription as a whole.
    general: Vec<Finding>,
    pub(crate) blockers: Vec<BlockerView>,
    signature: Option<Signature>,
    /// The first section that waits for a decision: the one solid button of its pane.
    next: String,
    /// The same for the medicines.
    next_medicine: String,
}

/// A blocker with the name of what it is about.
#[derive(Serialize)]
pub(crate) struct BlockerView {
    code: String,
    /// As the API says it, in English.
    text: String,
    /// The section's code or the medicine's id.
    target: String,
    /// The medicine's name; empty for a section.
    medicine: String,
}

impl From<Prescription> for NoteView {
    fn from(found: Prescription) -> Self {
        let waits = |section: &&Section| {
            section.state == "pending" && !(section.text.is_empty() && section.code != "medications")
        };
        let undecided = found.medicines.iter().find(|medicine| medicine.state == "pending");
        let blockers = found.blockers.iter().map(|blocker| named(blocker, &found)).collect();
        let concerns = |finding: &Finding| found.medicines.iter().any(|medicine| medicine.id == finding.medicine);
        let (findings, general) = found.findings.into_iter().partition(concerns);
        Self {
            next: found.sections.iter().find(waits).map(|section| section.code.clone()).unwrap_or_default(),
            next_medicine: undecided.map(|medicine| medicine.id.clone()).unwrap_or_default(),
            signed: matches!(found.state.as_str(), "signed" | "amended"),
            state: found.state,
            exists: found.composition.is_some(),
            version: found.version,
            approved: found.sections.iter().filter(|section| section.state == "approved").count(),
            sections: found.sections,
            medicines: found.medicines,
            vitals: found.vitals,
            signature: found.signature,
            blockers,
            findings,
            general,
        }
    }
}

impl NoteView {
    /// The text of a section; empty when there is no such section.
    pub(crate) fn text_of(&self, code: &str) -> String {
        let found = self.sections.iter().find(|section| section.code == code);
        found.map(|section| section.text.clone()).unwrap_or_default()
    }
}

/// A missing reason names its finding, everything else the medicine itself.
fn named(blocker: &Blocker, found: &Prescription) -> BlockerView {
    let finding = found.findings.iter().find(|finding| finding.id == blocker.target);
    let about = finding.map_or(&blocker.target, |finding| &finding.medicine);
    let medicine = found.medicines.iter().find(|medicine| medicine.id == *about);
    BlockerView {
        medicine: medicine.map(|medicine| wording::tall_man(&medicine.name)).unwrap_or_default(),
        code: blocker.code.clone(),
        text: blocker.text.clone(),
        target: blocker.target.clone(),
    }
}
