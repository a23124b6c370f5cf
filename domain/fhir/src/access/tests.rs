use super::*;
use crate::json::{Limits, parse};

fn caller(roles: &[Role]) -> Caller {
    Caller {
        tenant: TenantId::try_from(1).expect("a tenant"),
        account: "account".into(),
        display: "Someone".into(),
        roles: roles.to_vec(),
        practitioner: Some("kelkar".parse().expect("an id")),
        patient: Some("rane".parse().expect("an id")),
        request: "request".into(),
    }
}

fn kind(name: &str) -> ResourceType {
    name.parse().expect("a resource type")
}

#[test]
fn no_role_means_no_access() {
    for resource_type in ResourceType::all() {
        assert!(decide(&caller(&[]), Interaction::Read, resource_type).is_err());
    }
}

#[test]
fn a_patient_sees_only_the_own_compartment_and_writes_nothing() {
    let patient = caller(&[Role::Patient]);
    let own: ResourceKey = "Patient/rane".parse().expect("a key");
    assert_eq!(decide(&patient, Interaction::Search, kind("Observation")), Ok(Permit::Compartment(own)));
    assert!(decide(&patient, Interaction::Update, kind("Observation")).is_err());
    // Who looked at me: R4's Patient compartment holds the audit events that name the patient.
    assert!(matches!(decide(&patient, Interaction::Read, kind("AuditEvent")), Ok(Permit::Compartment(_))));
    assert!(decide(&patient, Interaction::Read, kind("Appointment")).is_ok());
    assert!(decide(&patient, Interaction::Read, kind("Slot")).is_ok_and(|permit| permit == Permit::Whole));
}

#[test]
fn reception_registers_and_does_not_prescribe() {
    let reception = caller(&[Role::Reception]);
    assert_eq!(decide(&reception, Interaction::Create, kind("Patient")), Ok(Permit::Whole));
    assert!(decide(&reception, Interaction::Create, kind("MedicationRequest")).is_err());
    assert!(decide(&reception, Interaction::Read, kind("Observation")).is_err());
}

#[test]
fn only_connected_systems_deliver_audit_events_and_nobody_deletes_them() {
    for role in [Role::PlatformAdmin, Role::HospitalAdmin, Role::Auditor, Role::Doctor] {
        assert!(decide(&caller(&[role]), Interaction::Create, kind("AuditEvent")).is_err());
    }
    assert!(decide(&caller(&[Role::System]), Interaction::Create, kind("AuditEvent")).is_ok());
    assert!(decide(&caller(&[Role::System]), Interaction::Delete, kind("AuditEvent")).is_err());
}

#[test]
fn a_doctor_sees_who_looked_at_patients_in_care() {
    let key: ResourceKey = "Patient/rane".parse().expect("a key");
    assert!(decide_looks(&caller(&[Role::Doctor]), None).is_err());
    let own = decide_looks(&caller(&[Role::Doctor]), Some(key.clone()));
    assert_eq!(own, Ok(Permit::Compartment(key.clone())));
    assert!(decide_looks(&caller(&[Role::Nurse]), Some(key.clone())).is_err());
    assert_eq!(decide_looks(&caller(&[Role::Auditor]), Some(key)), Ok(Permit::Whole));
}

#[test]
fn a_doctor_changes_only_own_prescriptions() {
    let key: ResourceKey = "MedicationRequest/1".parse().expect("a key");
    let written_by = |id: &str| {
        let text = format!(r#"{{"resourceType":"MedicationRequest","requester":{{"reference":"Practitioner/{id}"}}}}"#);
        parse(text.as_bytes(), &Limits::default()).expect("valid JSON")
    };
    let doctor = caller(&[Role::Doctor]);
    assert_eq!(decide_change(&doctor, &key, &written_by("kelkar")), Ok(()));
    assert_eq!(decide_change(&doctor, &key, &written_by("menon")), Err(Refusal::Author { key: key.clone() }));
    assert_eq!(decide_change(&caller(&[Role::HospitalAdmin]), &key, &written_by("menon")), Ok(()));
}
