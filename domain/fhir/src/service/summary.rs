//! `Patient/$summary` (IPS <https://hl7.org/fhir/uv/ips/OperationDefinition/summary>): the record as a document that another
//! country's clinician can read. The same record gives the same document, byte for byte.

use std::collections::HashSet;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::document::references;
use super::update::stored_json;
use super::{FhirError, FhirService};
use crate::access::{Caller, Interaction, decide};
use crate::json::{Json, JsonObject, array, object};
use crate::ports::Stored;
use crate::summary::{Empty, SECTIONS, SummarySection, is_current, search_of, written};
use crate::types::{ResourceKey, ResourceType};

const PROFILES: &str = "http://hl7.org/fhir/uv/ips/StructureDefinition/";
/// What comes along because an entry refers to it.
const BESIDE: &[&str] = &[
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Medication",
    "Device",
    "Location",
    "Specimen",
    "Observation",
];

/// A section with what was found for it.
struct Filled {
    section: &'static SummarySection,
    found: Vec<(Stored, Json)>,
    empty: Empty,
}

impl FhirService {
    /// Makes the summary of a patient, a Bundle of type document.
    pub async fn patient_summary(&self, caller: &Caller, key: &ResourceKey) -> Result<Json, FhirError> {
        let patient = self.read(caller, key).await?;
        let mut filled = Vec::with_capacity(SECTIONS.len());
        for section in SECTIONS {
            let one = self.fill(caller, key, section).await?;
            if section.required || !one.found.is_empty() {
                filled.push(one);
            }
        }
        let patient_json = stored_json(&patient)?;
        let mut seen: HashSet<ResourceKey> = HashSet::from([key.clone()]);
        let mut resources = vec![(patient, patient_json)];
        for (stored, resource) in filled.iter_mut().flat_map(|one| one.found.iter()) {
            if seen.insert(stored.key.clone()) {
                resources.push((stored.clone(), resource.clone()));
            }
        }
        let mut wanted: Vec<ResourceKey> =
            resources.iter().flat_map(|(_, resource)| references(resource, &mut seen)).collect();
        wanted.retain(|key| BESIDE.contains(&key.resource_type().as_str()));
        for stored in self.readable(caller, &wanted).await? {
            let resource = stored_json(&stored)?;
            resources.push((stored, resource));
        }
        Ok(self.summary_bundle(&filled, resources))
    }

    async fn fill(
        &self,
        caller: &Caller,
        patient: &ResourceKey,
        section: &'static SummarySection,
    ) -> Result<Filled, FhirError> {
        let (mut found, mut empty) = (Vec::new(), Empty::Unavailable);
        for (kind, query) in section.sources {
            let Ok(resource_type) = kind.parse::<ResourceType>() else { continue };
            if decide(caller, Interaction::Search, resource_type).is_err() {
                empty = Empty::Withheld;
                continue;
            }
            let search = self.strict_search(caller, resource_type, &search_of(kind, query, patient.id().as_str()))?;
            let page = match section.newest_only {
                true => self.last_n(caller, search, 1).await?,
                false => self.search(caller, search).await?,
            };
            for stored in page.matches {
                let resource = stored_json(&stored)?;
                if is_current(&resource) {
                    found.push((stored, resource));
                }
            }
        }
        Ok(Filled { section, found, empty })
    }

    fn summary_bundle(&self, filled: &[Filled], resources: Vec<(Stored, Json)>) -> Json {
        let newest = resources.iter().map(|(stored, _)| stored.updated).max().unwrap_or_else(|| self.now()).to_string();
        let mut digest = Sha256::new();
        for (stored, _) in &resources {
            digest.update(format!("{}/{}\n", stored.key, stored.version));
        }
        let digest: [u8; 32] = digest.finalize().into();
        let named = |first: usize| {
            let mut bytes = [0_u8; 16];
            bytes.iter_mut().zip(digest.iter().skip(first)).for_each(|(own, other)| *own = *other);
            uuid::Builder::from_custom_bytes(bytes).into_uuid()
        };
        let (document, device) = (named(0), named(16));
        let entry = |key: String, resource: Json| {
            object([("fullUrl", format!("{}/{key}", self.base_url()).into()), ("resource", resource)])
        };
        let composition = composition(filled, &resources, (document, device, newest.as_str()));
        let mut entries = vec![entry(format!("Composition/{document}"), composition)];
        entries.extend(resources.into_iter().map(|(stored, resource)| entry(stored.key.to_string(), resource)));
        entries.push(entry(format!("Device/{device}"), program(device)));
        let identifier =
            object([("system", "urn:ietf:rfc:3986".into()), ("value", format!("urn:uuid:{document}").into())]);
        object([
            ("resourceType", "Bundle".into()),
            ("meta", profile("Bundle-uv-ips")),
            ("identifier", identifier),
            ("type", "document".into()),
            ("timestamp", newest.into()),
            ("entry", entries.into()),
        ])
    }
}

fn profile(name: &str) -> Json {
    object([("profile", array([format!("{PROFILES}{name}")]))])
}

fn reference(target: String) -> Json {
    object([("reference", target.into())])
}

fn composition(
    filled: &[Filled],
    resources: &[(Stored, Json)],
    (document, device, newest): (Uuid, Uuid, &str),
) -> Json {
    let sections = filled.iter().map(|one| {
        let entries: Vec<(String, Json)> =
            one.found.iter().map(|(stored, resource)| (stored.key.to_string(), resource.clone())).collect();
        written(one.section, &entries, one.empty)
    });
    let kind = object([
        ("system", "http://loinc.org".into()),
        ("code", "60591-5".into()),
        ("display", "Patient summary Document".into()),
    ]);
    let patient = resources.first();
    let mut members: JsonObject = [
        ("resourceType", Json::from("Composition")),
        ("id", document.to_string().into()),
        ("meta", profile("Composition-uv-ips")),
        ("status", "final".into()),
        ("type", object([("coding", array([kind]))])),
        ("subject", patient.map(|(stored, _)| reference(stored.key.to_string())).unwrap_or_default()),
        ("date", newest.into()),
        ("author", array([reference(format!("Device/{device}"))])),
        ("title", "International Patient Summary".into()),
    ]
    .into_iter()
    .collect();
    if let Some(custodian) = patient.and_then(|(_, patient)| patient.get("managingOrganization")) {
        members.insert("custodian", custodian.clone());
    }
    members.insert("section", array(sections));
    members.into()
}

/// The author of a summary that nobody has curated is the program.
fn program(id: Uuid) -> Json {
    let name = object([("name", "SEVA Arogya".into()), ("type", "user-friendly-name".into())]);
    object([
        ("resourceType", "Device".into()),
        ("id", id.to_string().into()),
        ("status", "active".into()),
        ("deviceName", array([name])),
    ])
}
