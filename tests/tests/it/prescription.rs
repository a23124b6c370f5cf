//! A typed prescription on the real store: stale versions, approval, signature, amendment.

use std::net::SocketAddr;

use seva_clinic::drafting::SectionKind;
use seva_clinic::failure::ClinicError;
use seva_clinic::prescription::{FindingAnswer, MedicineChange, Prescription, PrescriptionService, SectionChange};
use seva_clinic::printing::HandoutLanguage;
use seva_fhir::access::{Caller, Role};
use seva_fhir::types::{ResourceKey, TenantId};
use seva_server::configuration::Configuration;
use seva_server::demo;
use seva_server::running::Running;
use seva_tests::server::data_folder;

use super::orphans::{blobs, hold, release, until};

/// A clinic with its demo data, and who acts in it.
struct Clinic {
    running: Running,
    tenant: TenantId,
    data: tempfile::TempDir,
}

impl Clinic {
    async fn open() -> Self {
        let data = data_folder().unwrap();
        let running = Running::start(Self::configured(&data)).await.unwrap();
        demo::load_into(&running).await.unwrap();
        let tenant = running.accounts.tenant(demo::TENANT).await.unwrap();
        Self { running, tenant, data }
    }

    fn configured(data: &tempfile::TempDir) -> Configuration {
        let mut configuration = Configuration::default();
        configuration.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        configuration.data.folder = data.path().to_owned();
        configuration
    }

    fn doctor(&self, practitioner: &str) -> Caller {
        Caller {
            tenant: self.tenant,
            account: practitioner.into(),
            display: practitioner.into(),
            roles: vec![Role::Doctor],
            practitioner: Some(practitioner.parse().unwrap()),
            patient: None,
            request: "test".into(),
        }
    }
}

fn visit() -> ResourceKey {
    "Encounter/visit-dhillon".parse().unwrap()
}

fn approved() -> MedicineChange {
    MedicineChange { state: Some("approved".into()), ..MedicineChange::default() }
}

/// Approves the required sections and every medicine.
async fn approve_all(service: &PrescriptionService, caller: &Caller, mut seen: Prescription) -> Prescription {
    for kind in [SectionKind::Diagnosis, SectionKind::Medications, SectionKind::Instructions] {
        let text = (kind != SectionKind::Medications).then(|| format!("{} <typed> & kept", kind.title()));
        let change = SectionChange { text, state: Some("approved".into()) };
        seen = service.update_section(caller, &visit(), (seen.version, kind), change).await.unwrap();
    }
    let ids: Vec<String> = seen.medicines.iter().map(|medicine| medicine.id.clone()).collect();
    for id in ids {
        seen = service.update_medicine(caller, &visit(), (seen.version, &id), approved()).await.unwrap();
    }
    seen
}

#[tokio::test]
async fn a_prescription_is_signed_by_its_author_once_and_amended_with_a_reason() {
    let clinic = Clinic::open().await;
    let (caller, other) = (clinic.doctor("kelkar"), clinic.doctor("somebody"));
    let service = clinic.running.prescriptions.clone();
    let (visit, hindi) = (visit(), HandoutLanguage::Hindi);

    let mut seen = service.add_medicine(&caller, &visit, "tab paracetamol 500 mg TDS x 3 days").await.unwrap();
    assert_eq!((seen.state, seen.version), ("draft", 1));
    let stale = seen.version;
    assert!(matches!(service.sign(&caller, &visit, (seen.version, hindi)).await, Err(ClinicError::Invalid(_))));
    seen = approve_all(&service, &caller, seen).await;
    assert!(seen.sections.iter().any(|section| section.text == "Diagnosis <typed> & kept" && section.edited));
    let change = || SectionChange { text: Some("late".into()), state: None };
    let late = service.update_section(&caller, &visit, (stale, SectionKind::Diagnosis), change()).await;
    assert!(matches!(late, Err(ClinicError::Precondition { .. })));
    let texts: Vec<&str> = seen.blockers.iter().map(|blocker| blocker.text.as_str()).collect();
    assert_eq!(texts, Vec::<&str>::new());
    assert!(matches!(service.sign(&other, &visit, (seen.version, hindi)).await, Err(ClinicError::Forbidden(_))));
    let signed = service.sign(&caller, &visit, (seen.version, hindi)).await.unwrap();
    assert_eq!(signed.state, "signed");
    assert_eq!(signed.signature.unwrap().by, "Practitioner/kelkar");
    let paper = service.document(&caller, &visit, hindi).await.unwrap().bytes;
    let edit = service.update_section(&caller, &visit, (signed.version, SectionKind::Diagnosis), change()).await;
    assert!(matches!(edit, Err(ClinicError::Conflict(_))));
    let opened = service.amend(&caller, &visit, "wrong length").await.unwrap();
    assert!(opened.version > signed.version && opened.signature.is_none());
    let again = service.sign(&caller, &visit, (opened.version, HandoutLanguage::Marathi)).await.unwrap();
    assert_eq!(again.state, "amended");
    let amended = service.document(&caller, &visit, hindi).await.unwrap().bytes;
    assert!(paper.starts_with(b"%PDF") && amended.starts_with(b"%PDF") && paper != amended);
    assert_eq!(amended, service.document(&caller, &visit, HandoutLanguage::English).await.unwrap().bytes, "as signed");
    drop(service);
    clinic.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_finding_that_asks_for_a_reason_blocks_until_it_is_given() {
    let clinic = Clinic::open().await;
    let caller = clinic.doctor("kelkar");
    let service = clinic.running.prescriptions.clone();
    let visit = visit();
    for line in ["tab paracetamol 500 mg TDS x 3 days", "tab paracetamol 500 mg OD x 3 days"] {
        service.add_medicine(&caller, &visit, line).await.unwrap();
    }
    let seen = service.load(&caller, &visit).await.unwrap();
    let mut seen = approve_all(&service, &caller, seen).await;
    let twice = seen.findings.iter().find(|finding| finding.rule == "duplicate-ingredient").unwrap().id.clone();
    assert_eq!(seen.blockers.iter().map(|one| one.code).collect::<Vec<_>>(), ["reason-needed"]);
    let answer =
        |reason: &str, text: Option<&str>| FindingAnswer { reason: reason.into(), text: text.map(str::to_owned) };
    let wordless = service.answer_finding(&caller, &visit, (seen.version, &twice), answer("8", None)).await;
    assert!(matches!(wordless, Err(ClinicError::Invalid(_))));
    let given = answer("8", Some("loading dose, then once a day"));
    seen = service.answer_finding(&caller, &visit, (seen.version, &twice), given).await.unwrap();
    assert_eq!(seen.blockers.len(), 0, "{:?}", seen.blockers);
    let answered = seen.findings.iter().find(|finding| finding.id == twice).and_then(|one| one.answer.as_ref());
    assert_eq!(answered.unwrap().by, "Practitioner/kelkar");
    let medicine = seen.medicines[1].id.clone();
    let dose = MedicineChange { text: Some("tab paracetamol 650 mg OD x 3 days".into()), ..approved() };
    seen = service.update_medicine(&caller, &visit, (seen.version, &medicine), dose).await.unwrap();
    assert_eq!(seen.blockers.len(), 0, "the reason was for the same pair: {:?}", seen.blockers);
    drop(service);
    clinic.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_paper_whose_signature_never_committed_is_swept() {
    let clinic = Clinic::open().await;
    let caller = clinic.doctor("kelkar");
    let service = clinic.running.prescriptions.clone();
    let seen = service.add_medicine(&caller, &visit(), "tab paracetamol 500 mg TDS x 3 days").await.unwrap();
    let seen = approve_all(&service, &caller, seen).await;
    let signed = service.sign(&caller, &visit(), (seen.version, HandoutLanguage::Hindi)).await.unwrap();
    let opened = service.amend(&caller, &visit(), "wrong length").await.unwrap();
    assert!(opened.version > signed.version);
    let folder = clinic.data.path().join("blobs");
    let before = blobs(&folder).len();

    // The commit waits behind a lock and is given up, so the paper is there and its Binary isn't.
    let url = clinic.running.private_database().unwrap();
    let held = hold(&url).await;
    let signing = tokio::spawn(async move {
        service.sign(&caller, &visit(), (opened.version, HandoutLanguage::Hindi)).await.map(drop)
    });
    until(&folder, |count| count > before).await;
    assert_eq!(blobs(&folder).len(), before + 1);
    signing.abort();
    assert!(signing.await.is_err());
    release(held).await;

    // A start sweeps.
    clinic.running.stop().await.unwrap();
    let running = Running::start(Clinic::configured(&clinic.data)).await.unwrap();
    until(&folder, |count| count == before).await;
    assert_eq!(blobs(&folder).len(), before, "the orphan is gone, the signed paper stays");
    running.stop().await.unwrap();
}
