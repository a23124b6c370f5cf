//! What the record holds of one encounter (R4: <https://hl7.org/fhir/R4/encounter.html>), found by reference, never by time.

use seva_fhir::FhirService;
use seva_fhir::access::Caller;
use seva_fhir::json::{Json, Limits, parse};
use seva_fhir::ports::Stored;
use seva_fhir::types::ResourceKey;
use uuid::Uuid;

use crate::failure::ClinicError;

/// The identifier system of dictations.
pub const DICTATION_SYSTEM: &str = "urn:ietf:rfc:3986";
/// More resources of one kind are not read for one encounter.
const MOST: &str = "200";

/// A stored resource, parsed.
pub struct Held {
    /// Type and id.
    pub key: ResourceKey,
    /// Its version.
    pub version: i32,
    /// The resource.
    pub body: Json,
}

impl Held {
    /// Reads a stored version.
    pub fn of(stored: &Stored) -> Result<Self, ClinicError> {
        let body =
            parse(&stored.body, &Limits::default()).map_err(|error| ClinicError::Unavailable(error.to_string()))?;
        Ok(Self { key: stored.key.clone(), version: stored.version.get(), body })
    }
}

/// The encounter with what was written in it.
pub struct EncounterRecord {
    /// The encounter.
    pub encounter: Held,
    /// The patient, `Patient/x`.
    pub patient: String,
    /// The prescription.
    pub composition: Option<Held>,
    /// The medicines, withdrawn ones too.
    pub medicines: Vec<Held>,
    /// Findings and vital signs.
    pub observations: Vec<Held>,
    /// Diagnoses.
    pub conditions: Vec<Held>,
    /// Tests that are asked for.
    pub requests: Vec<Held>,
    /// The patient's allergies, of every encounter.
    pub allergies: Vec<Held>,
    /// Audio, transcripts and signed documents.
    pub documents: Vec<Held>,
    /// Answers to safety findings about the medicines.
    pub issues: Vec<Held>,
}

impl EncounterRecord {
    /// Reads everything of an encounter that the caller may see.
    pub async fn load(fhir: &FhirService, caller: &Caller, encounter: &ResourceKey) -> Result<Self, ClinicError> {
        let encounter = Held::of(&fhir.read(caller, encounter).await?)?;
        let patient = encounter.body.get("subject").and_then(|subject| subject.get_str("reference"));
        let patient = patient.ok_or(ClinicError::NotFound("the encounter's patient"))?.to_owned();
        let place = encounter.key.to_string();
        let find = |kind: &'static str, name: &'static str, value: String| search(fhir, caller, kind, name, value);
        let compositions = find("Composition", "encounter", place.clone()).await?;
        let composition = (compositions.into_iter())
            .filter(|held| held.body.get_str("status") != Some("entered-in-error"))
            .max_by_key(|held| held.body.get_str("date").map(str::to_owned));
        let medicines = find("MedicationRequest", "encounter", place.clone()).await?;
        let implicated: Vec<String> = medicines.iter().map(|held| held.key.to_string()).collect();
        let issues = match implicated.as_slice() {
            [] => Vec::new(),
            keys => find("DetectedIssue", "implicated", keys.join(",")).await?,
        };
        Ok(Self {
            composition,
            medicines,
            issues,
            observations: find("Observation", "encounter", place.clone()).await?,
            conditions: find("Condition", "encounter", place.clone()).await?,
            requests: find("ServiceRequest", "encounter", place.clone()).await?,
            allergies: find("AllergyIntolerance", "patient", patient.clone()).await?,
            documents: find("DocumentReference", "encounter", place).await?,
            encounter,
            patient,
        })
    }

    /// The reference of the transcript that a dictation left, if its draft was written.
    #[must_use]
    pub fn draft_of(&self, dictation: Uuid) -> Option<String> {
        let value = transcript_identifier(dictation);
        let found = self.documents.iter().find(|held| {
            let identifiers = held.body.get("identifier").map_or(&[][..], Json::items);
            identifiers.iter().any(|identifier| identifier.get_str("value") == Some(&value))
        })?;
        Some(found.key.to_string())
    }

    /// The prescription's reference.
    #[must_use]
    pub fn composition_reference(&self) -> Option<String> {
        self.composition.as_ref().map(|held| held.key.to_string())
    }
}

/// The identifier of a dictation's transcript.
#[must_use]
pub fn transcript_identifier(dictation: Uuid) -> String {
    format!("urn:uuid:{dictation}")
}

async fn search(
    fhir: &FhirService,
    caller: &Caller,
    kind: &str,
    name: &str,
    value: String,
) -> Result<Vec<Held>, ClinicError> {
    let resource_type = kind.parse().map_err(|_| ClinicError::NotFound("the resource type"))?;
    let pairs = vec![(name.to_owned(), value), ("_count".to_owned(), MOST.to_owned())];
    let query = fhir.strict_search(caller, resource_type, &pairs)?;
    fhir.search(caller, query).await?.matches.iter().map(Held::of).collect()
}
