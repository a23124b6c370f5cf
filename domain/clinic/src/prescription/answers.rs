//! Answers to safety findings: a coded reason, kept as DetectedIssue with its mitigation
//! (R4: <https://hl7.org/fhir/R4/detectedissue.html>).

use serde::Serialize;
use seva_fhir::access::Caller;
use seva_fhir::json::Json;
use seva_fhir::types::ResourceKey;
use seva_models::{Coding, Concept, DetectedIssue, Identifier};

use super::checks::{self, Finding};
use super::editing::author;
use super::{Prescription, PrescriptionService};
use crate::drafting::elements::written;
use crate::drafting::{post, put};
use crate::encounter_record::EncounterRecord;
use crate::failure::ClinicError;

/// The identifier system of answered findings.
const FINDING_SYSTEM: &str = "https://seva-arogya.org/fhir/finding";
/// HL7's codes for what was done about an issue.
const ACTIONS: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// The reasons that can be given: the codes of `detectedissue-mitigation-action` that a prescriber uses.
pub const REASONS: &[(&str, &str)] = &[
    ("1", "Therapy Appropriate"),
    ("2", "Assessed Patient"),
    ("23", "prior therapy documented"),
    ("7", "Interacting Therapy No Longer Active/Planned"),
    ("9", "Instituted Ongoing Monitoring Program"),
    ("8", "Other Action Taken"),
];

/// The answer to a finding.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The code of the reason.
    pub reason: String,
    /// The reason in words.
    pub display: String,
    /// What was added in free text.
    pub text: Option<String>,
    /// The practitioner.
    pub by: String,
    /// When.
    pub at: String,
}

/// What a prescriber answers.
pub struct FindingAnswer {
    /// A code of [`REASONS`].
    pub reason: String,
    /// Free text beside it; needed with the code for other actions.
    pub text: Option<String>,
}

impl PrescriptionService {
    /// Keeps the reason for which a finding is accepted.
    pub async fn answer_finding(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        (version, finding): (i32, &str),
        answer: FindingAnswer,
    ) -> Result<Prescription, ClinicError> {
        let author = author(caller)?;
        let record = self.record(caller, encounter).await?;
        let held = self.draft(&record, version)?;
        let findings = checks::findings(&record);
        let found = findings.iter().find(|one| one.id == finding).ok_or(ClinicError::NotFound("the finding"))?;
        if found.tier != checks::Tier::Reason {
            return Err(ClinicError::Conflict("only a finding that asks for a reason takes one".to_owned()));
        }
        let reason = REASONS.iter().find(|(code, _)| *code == answer.reason).ok_or_else(|| {
            let codes: Vec<&str> = REASONS.iter().map(|(code, _)| *code).collect();
            ClinicError::Invalid(format!("the reason is one of {}", codes.join(", ")))
        })?;
        let text = answer.text.filter(|text| !text.trim().is_empty());
        if reason.0 == "8" && text.is_none() {
            return Err(ClinicError::Invalid("another reason is said in words".to_owned()));
        }
        let now = self.parts.clock.now().to_milliseconds().to_string();
        let issue = issue(&record, found, &Given { reason, text, author: &author, now: &now });
        let entries = vec![post(&self.url(), issue), put(held, held.body.clone())];
        self.write(caller, encounter, entries).await
    }
}

struct Given<'a> {
    reason: &'a (&'a str, &'a str),
    text: Option<String>,
    author: &'a str,
    now: &'a str,
}

fn issue(record: &EncounterRecord, finding: &Finding, given: &Given<'_>) -> Json {
    let (code, display) = *given.reason;
    let issue = DetectedIssue {
        identifier: Identifier { system: FINDING_SYSTEM.to_owned(), value: finding.id.clone() },
        code: Concept::worded(finding.rule),
        severity: "moderate".to_owned(),
        patient: record.patient.clone(),
        date: given.now.to_owned(),
        implicated: vec![format!("MedicationRequest/{}", finding.medicine)],
        detail: finding.text.clone(),
        action: Concept { codings: vec![Coding::named(ACTIONS, code, display)], text: given.text.clone() },
        author: given.author.to_owned(),
    };
    written(&issue.to_json()).into()
}

/// The newest answer to a finding.
pub(super) fn answer_to(record: &EncounterRecord, finding: &str) -> Option<Answer> {
    let issues = record.issues.iter().filter(|held| {
        let identifiers = held.body.get("identifier").map_or(&[][..], Json::items);
        let named = |one: &Json| one.get_str("system") == Some(FINDING_SYSTEM) && one.get_str("value") == Some(finding);
        held.body.get_str("status") != Some("entered-in-error") && identifiers.iter().any(named)
    });
    let newest = issues.max_by_key(|held| held.body.get_str("identifiedDateTime").map(str::to_owned))?;
    let mitigation = newest.body.get("mitigation")?.get_index(0)?;
    let action = mitigation.get("action")?;
    let code = action.get("coding")?.get_index(0)?;
    Some(Answer {
        reason: code.get_str("code")?.to_owned(),
        display: code.get_str("display").unwrap_or_default().to_owned(),
        text: action.get_str("text").map(str::to_owned),
        by: mitigation.get("author")?.get_str("reference")?.to_owned(),
        at: mitigation.get_str("date")?.to_owned(),
    })
}
