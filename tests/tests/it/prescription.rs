//! A typed prescription on the real store: stale versions, approval, signature, amendment.

use std::net::SocketAddr;
use std::sync::Arc;

use seva_clinic::drafting::SectionKind;
use seva_clinic::failure::ClinicError;
use seva_clinic::prescription::{MedicineChange, PrescriptionParts, PrescriptionService, SectionChange};
use seva_fhir::access::{Caller, Role};
use seva_fhir::clock::{RandomIds, SystemClock};
use seva_fhir::types::ResourceKey;
use seva_server::configuration::Configuration;
use seva_server::demo;
use seva_server::running::Running;
use seva_tests::server::data_folder;

#[tokio::test]
async fn a_prescription_is_signed_by_its_author_once_and_amended_with_a_reason() {
    let data = data_folder().unwrap();
    let mut configuration = Configuration::default();
    configuration.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    configuration.data.folder = data.path().to_owned();
    let running = Running::start(configuration).await.unwrap();
    demo::load_into(&running).await.unwrap();
    let doctor = |practitioner: &str, tenant| Caller {
        tenant,
        account: practitioner.into(),
        display: practitioner.into(),
        roles: vec![Role::Doctor],
        practitioner: Some(practitioner.parse().unwrap()),
        patient: None,
        request: "test".into(),
    };
    let tenant = running.accounts.tenant(demo::TENANT).await.unwrap();
    let (caller, other) = (doctor("kelkar", tenant), doctor("somebody", tenant));
    let parts =
        PrescriptionParts { fhir: running.fhir.clone(), clock: Arc::new(SystemClock), ids: Arc::new(RandomIds) };
    let service = PrescriptionService::new(parts);
    let visit: ResourceKey = "Encounter/visit-dhillon".parse().unwrap();

    let mut seen = service.add_medicine(&caller, &visit, "tab paracetamol 500 mg TDS x 3 days").await.unwrap();
    assert_eq!((seen.state, seen.version), ("draft", 1));
    let stale = seen.version;
    for kind in [SectionKind::Diagnosis, SectionKind::Medications, SectionKind::Instructions] {
        let text = (kind != SectionKind::Medications).then(|| format!("{} <typed> & kept", kind.title()));
        let change = SectionChange { text, state: Some("approved".into()) };
        seen = service.update_section(&caller, &visit, (seen.version, kind), change).await.unwrap();
    }
    assert!(seen.sections.iter().any(|section| section.text == "Diagnosis <typed> & kept" && section.edited));
    let change = || SectionChange { text: Some("late".into()), state: None };
    let late = service.update_section(&caller, &visit, (stale, SectionKind::Diagnosis), change()).await;
    assert!(matches!(late, Err(ClinicError::Precondition { .. })));
    assert!(matches!(service.sign(&caller, &visit, seen.version).await, Err(ClinicError::Invalid(_))));
    let ids: Vec<String> = seen.medicines.iter().map(|medicine| medicine.id.clone()).collect();
    for id in ids {
        let change = MedicineChange { text: None, state: Some("approved".into()) };
        seen = service.update_medicine(&caller, &visit, (seen.version, &id), change).await.unwrap();
    }
    let texts: Vec<&str> = seen.blockers.iter().map(|blocker| blocker.text.as_str()).collect();
    assert_eq!(texts, Vec::<&str>::new());
    assert!(matches!(service.sign(&other, &visit, seen.version).await, Err(ClinicError::Forbidden(_))));
    let signed = service.sign(&caller, &visit, seen.version).await.unwrap();
    assert_eq!(signed.state, "signed");
    assert_eq!(signed.signature.unwrap().by, "Practitioner/kelkar");
    let edit = service.update_section(&caller, &visit, (signed.version, SectionKind::Diagnosis), change()).await;
    assert!(matches!(edit, Err(ClinicError::Conflict(_))));
    let opened = service.amend(&caller, &visit, "wrong length").await.unwrap();
    assert!(opened.version > signed.version && opened.signature.is_none());
    let again = service.sign(&caller, &visit, opened.version).await.unwrap();
    assert_eq!(again.state, "amended");
    drop(service);
    running.stop().await.unwrap();
}
