//! Signing and amending: one transaction, and what was signed is never overwritten
//! (R4: <https://hl7.org/fhir/R4/provenance.html>, <https://hl7.org/fhir/R4/http.html#history>).

use seva_fhir::access::Caller;
use seva_fhir::json::{Json, JsonObject};
use seva_fhir::ports::StoreError;
use seva_fhir::service::FhirError;
use seva_fhir::types::ResourceKey;
use seva_models::{Attester, Coding, Composition, Concept, ExtensionValue, Provenance};
use sha2::{Digest, Sha256};

use super::document::{self, Filed};
use super::editing::author;
use super::{Prescription, PrescriptionService, verifying, view};
use crate::drafting::documents::participant;
use crate::drafting::elements::{extension, extension_value, set_extension, written};
use crate::drafting::{post, put, transaction};
use crate::encounter_record::{EncounterRecord, Held};
use crate::failure::ClinicError;
use crate::printing::HandoutLanguage;

impl PrescriptionService {
    /// Signs the version that the caller saw; the PIN was checked by who calls.
    pub async fn sign(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        (version, language): (i32, HandoutLanguage),
    ) -> Result<Prescription, ClinicError> {
        let signer = author(caller)?;
        let mut record = self.record(caller, encounter).await?;
        let held = self.draft(&record, version)?;
        // Administrators may correct a record; nobody signs in another's name.
        check_author(&held.body, &signer)?;
        let blockers = view::of(&record, &self.contradicted(caller, &record).await?).blockers;
        if !blockers.is_empty() {
            let texts: Vec<&str> = blockers.iter().map(|blocker| blocker.text.as_str()).collect();
            return Err(ClinicError::Invalid(texts.join("; ")));
        }
        let now = self.parts.clock.now().to_milliseconds().to_string();
        let (mut entries, hash) = signed(&mut record, &signer, &now);
        let paper = self.render(caller, &record, language).await?;
        let kept = self.keep(caller, paper).await?;
        let filed = Filed { signer: &signer, now: &now, language, content_hash: &hash };
        let url = self.url();
        entries.extend(document::filed(&record, &kept, &filed, &url));
        let provenance = signature(&record, (&signer, &now), &hash, &url);
        entries.push(post(&self.url(), provenance));
        if let Err(error) = self.parts.fhir.transaction(caller, transaction(entries)).await {
            // A connection that broke may have broken after the commit: then the paper is a signed one and stays.
            if !matches!(error, FhirError::Store(StoreError::Unavailable(_))) {
                self.discard(caller, &kept).await;
            }
            return Err(error.into());
        }
        self.load(caller, encounter).await
    }

    /// Opens a signed prescription again, as a new version with a reason.
    pub async fn amend(
        &self,
        caller: &Caller,
        encounter: &ResourceKey,
        reason: &str,
    ) -> Result<Prescription, ClinicError> {
        let signer = author(caller)?;
        if reason.trim().is_empty() {
            return Err(ClinicError::Invalid("an amendment needs a reason".to_owned()));
        }
        let record = self.record(caller, encounter).await?;
        let held = record.composition.as_ref().ok_or(ClinicError::NotFound("the prescription"))?;
        if !matches!(held.body.get_str("status"), Some("final" | "amended")) {
            return Err(ClinicError::Conflict("the prescription is not signed".to_owned()));
        }
        check_author(&held.body, &signer)?;
        let now = self.parts.clock.now().to_milliseconds().to_string();
        let mut composition = members(held);
        composition.insert("status", "preliminary");
        composition.remove("attester");
        set_extension(&mut composition, "amendment-reason", ExtensionValue::Text(reason.to_owned()));
        let provenance = Provenance {
            reasons: vec![Concept::worded(reason)],
            ..provenance(vec![held.key.to_string()], &signer, &now)
        };
        let entries = vec![put(held, composition.into()), post(&self.url(), written(&provenance.to_json()).into())];
        self.write(caller, encounter, entries).await
    }

    pub(super) fn url(&self) -> String {
        format!("urn:uuid:{}", self.parts.ids.new_uuid())
    }
}

/// Puts the signature into the record, and gives the entries that write it and the hash of what is signed.
fn signed(record: &mut EncounterRecord, signer: &str, now: &str) -> (Vec<Json>, String) {
    let mut entries = accepted(record);
    let mut signed_medicines = Vec::new();
    for medicine in record.medicines.iter_mut().filter(|held| view::is_listed(held)) {
        let signed = signed_medicine(medicine);
        signed_medicines.push((medicine.key.to_string(), signed.clone()));
        entries.push(put(medicine, signed.clone()));
        medicine.body = signed;
    }
    let mut hash = String::new();
    if let Some(held) = record.composition.as_mut() {
        let mut composition = members(held);
        let amended = extension_value(&held.body, "amendment-reason", "valueString").is_some();
        composition.insert("status", if amended { "amended" } else { "final" });
        let attesters = vec![Attester { time: now.to_owned(), party: signer.to_owned() }];
        let attested = written(&Composition { attesters, ..Composition::default() }.to_json()).remove("attester");
        composition.insert("attester", attested.unwrap_or_default());
        hash = content_hash(&Json::Object(composition.clone()), &mut signed_medicines);
        set_extension(&mut composition, "content-hash", ExtensionValue::Text(hash.clone()));
        entries.push(put(held, composition.clone().into()));
        held.body = composition.into();
    }
    (entries, hash)
}

/// The Provenance of a signature: over the Composition, its medicines, the tests it orders and the paper at `document`.
fn signature(record: &EncounterRecord, (signer, now): (&str, &str), hash: &str, document: &str) -> Json {
    let medicines = record.medicines.iter().filter(|held| view::is_listed(held));
    let tests = verifying::orders(record).standing;
    let targets: Vec<String> =
        (record.composition.iter().chain(medicines).chain(tests).map(|held| held.key.to_string()))
            .chain([document.to_owned()])
            .collect();
    // ISO ASTM E1762: the author's signature.
    let kind = Coding::named("urn:iso-astm:E1762-95:2013", "1.2.840.10065.1.12.1.1", "Author's Signature");
    let provenance = Provenance {
        extensions: vec![extension("content-hash", ExtensionValue::Text(hash.to_owned()))],
        signature: Some((kind, signer.to_owned())),
        ..provenance(targets, signer, now)
    };
    written(&provenance.to_json()).into()
}

/// The SHA-256 of what is signed: the Composition and its medicines by key, without what the server adds.
#[must_use]
pub fn content_hash(composition: &Json, medicines: &mut [(String, Json)]) -> String {
    medicines.sort_by(|one, other| one.0.cmp(&other.0));
    let mut digest = Sha256::new();
    for resource in std::iter::once(composition).chain(medicines.iter().map(|(_, body)| body)) {
        let mut resource = resource.clone();
        resource.remove("meta");
        if let Some(extensions) = resource.get_mut("extension").and_then(Json::as_array_mut) {
            // The hash of an earlier signature is no part of what is signed now.
            extensions.retain(|each| !each.get_str("url").is_some_and(|url| url.ends_with("/content-hash")));
        }
        digest.update(resource.to_bytes());
        digest.update([b'\n']);
    }
    hex::encode(digest.finalize())
}

fn check_author(composition: &Json, signer: &str) -> Result<(), ClinicError> {
    let authors = composition.get("author").map_or(&[][..], Json::items);
    if authors.iter().any(|author| author.get_str("reference") == Some(signer)) {
        return Ok(());
    }
    Err(ClinicError::Forbidden("only the author signs or amends a prescription".to_owned()))
}

/// The members, which the clinician stands for from now on.
fn members(held: &Held) -> JsonObject {
    let mut members = held.body.as_object().cloned().unwrap_or_default();
    verifying::accepted(&mut members);
    members
}

fn signed_medicine(held: &Held) -> Json {
    if view::review_state(&held.body) == "rejected" {
        return verifying::in_error(held);
    }
    ordered(held)
}

/// A request that is no proposal any more.
fn ordered(held: &Held) -> Json {
    let mut request = members(held);
    request.insert("status", "active");
    request.insert("intent", "order");
    request.into()
}

/// Observations become final, provisional diagnoses confirmed, tests orders and transcripts final; what was rejected with its
/// section was an error.
fn accepted(record: &EncounterRecord) -> Vec<Json> {
    let mut entries = Vec::new();
    let rejected = verifying::rejected(record);
    let is_rejected = |held: &&Held| rejected.contains(&held.key.to_string());
    let findings = record.observations.iter().chain(&record.conditions).chain(&record.allergies);
    entries.extend(findings.filter(is_rejected).map(|held| put(held, verifying::in_error(held))));
    let preliminary = |held: &&Held| held.body.get_str("status") == Some("preliminary") && !is_rejected(held);
    for held in record.observations.iter().filter(preliminary) {
        let mut observation = members(held);
        observation.insert("status", "final");
        entries.push(put(held, observation.into()));
    }
    for held in record.conditions.iter().filter(|held| !is_rejected(held)) {
        let mut condition = members(held);
        let coding = condition.get_mut("verificationStatus").and_then(|status| status.get_mut("coding"));
        let first = coding.and_then(Json::as_array_mut).and_then(|codings| codings.first_mut());
        let Some(first) = first.and_then(Json::as_object_mut) else { continue };
        if first.get("code").and_then(Json::as_str) == Some("provisional") {
            first.insert("code", "confirmed");
            entries.push(put(held, condition.into()));
        }
    }
    let orders = verifying::orders(record);
    entries.extend(orders.struck.into_iter().map(|held| put(held, verifying::in_error(held))));
    for held in orders.standing.into_iter().filter(|held| held.body.get_str("status") == Some("draft")) {
        entries.push(put(held, ordered(held)));
    }
    for held in record.documents.iter().filter(|held| held.body.get_str("docStatus") == Some("preliminary")) {
        let mut document = members(held);
        document.insert("docStatus", "final");
        entries.push(put(held, document.into()));
    }
    entries
}

fn provenance(targets: Vec<String>, signer: &str, now: &str) -> Provenance {
    let agents = vec![participant("author", "Author", signer)];
    Provenance { targets, recorded: now.to_owned(), agents, ..Provenance::default() }
}

#[cfg(test)]
mod tests {
    use seva_fhir::json::object;

    use super::*;
    use crate::drafting::SectionKind;
    use crate::drafting::tests::{dictation_of, drafted_from, entity};
    use crate::entities::{Category, EntityType};
    use crate::prescription::editing::{SectionChange, with_section};
    use crate::prescription::tests::read_back_from;

    /// What a signature makes of two tests, blood count and chest x-ray, after a change of their section.
    fn signed_tests(change: Option<SectionChange>) -> Vec<(String, Json)> {
        let text = "Get a complete blood count and a chest x-ray.";
        let test = |words| entity(words, text, Category::TestTreatmentProcedure, EntityType::TestName);
        let dictation = dictation_of(text, vec![test("complete blood count"), test("chest x-ray")]);
        let mut record = read_back_from(&drafted_from(&dictation));
        if let (Some(change), Some(held)) = (change, record.composition.as_mut()) {
            held.body = with_section(&held.body, SectionKind::Tests, &change);
        }
        let (entries, _) = signed(&mut record, "Practitioner/d", "2026-11-27T02:00:00Z");
        let resources = entries.iter().filter_map(|entry| entry.get("resource"));
        let requests = resources.filter(|resource| resource.get_str("resourceType") == Some("ServiceRequest"));
        let named =
            |request: &Json| request.get("code").and_then(|code| code.get_str("text")).unwrap_or_default().to_owned();
        requests.map(|request| (named(request), request.clone())).collect()
    }

    fn statuses(requests: &[(String, Json)]) -> Vec<(&str, &str)> {
        requests.iter().map(|(name, body)| (name.as_str(), body.get_str("status").unwrap_or_default())).collect()
    }

    #[test]
    fn tests_are_ordered_with_the_signature() {
        let signed = signed_tests(None);
        assert_eq!(statuses(&signed), [("complete blood count", "active"), ("chest x-ray", "active")]);
        for (_, request) in &signed {
            assert_eq!(request.get_str("intent"), Some("order"));
            let text = request.to_string();
            assert!(text.contains("CLINAST_AIRPT") && !text.contains("\"AIAST\""), "{text}");
        }
    }

    #[test]
    fn tests_of_a_rejected_section_were_an_error() {
        let signed = signed_tests(Some(SectionChange { text: None, state: Some("rejected".to_owned()) }));
        assert!(statuses(&signed).iter().all(|(_, status)| *status == "entered-in-error"), "{:?}", statuses(&signed));
        assert_eq!(signed.len(), 2);
    }

    #[test]
    fn a_test_that_was_struck_from_its_section_is_not_ordered() {
        let text = Some("Complete blood count, fasting".to_owned());
        let signed = signed_tests(Some(SectionChange { text, state: Some("approved".to_owned()) }));
        let mut statuses = statuses(&signed);
        statuses.sort_unstable();
        assert_eq!(statuses, [("chest x-ray", "entered-in-error"), ("complete blood count", "active")]);
    }

    #[test]
    fn the_hash_ignores_what_the_server_adds_and_the_order_of_medicines() {
        let composition =
            |version: &str| object([("meta", object([("versionId", version.into())])), ("title", "a".into())]);
        let medicine = |name: &str| (name.to_owned(), object([("id", name.into())]));
        let one = content_hash(&composition("1"), &mut [medicine("a"), medicine("b")]);
        let other = content_hash(&composition("2"), &mut [medicine("b"), medicine("a")]);
        assert_eq!(one, other);
        assert_ne!(one, content_hash(&composition("1"), &mut [medicine("a")]));
    }
}
