//! The table of roles: which role may read and write which types.

use seva_fhir_profiles::definitions;

use super::{Interaction, Role};
use crate::json::Json;
use crate::types::ResourceType;

/// Who works where, and what is offered.
const ADMINISTRATION: &[&str] = &[
    "Organization",
    "OrganizationAffiliation",
    "Location",
    "Practitioner",
    "PractitionerRole",
    "HealthcareService",
    "Endpoint",
    "Schedule",
    "Slot",
    "Group",
    "Device",
    "DeviceDefinition",
];

/// What a front desk needs of a patient.
const REGISTRATION: &[&str] = &[
    "Patient",
    "RelatedPerson",
    "Person",
    "Encounter",
    "EpisodeOfCare",
    "Appointment",
    "AppointmentResponse",
    "Coverage",
    "Account",
    "Consent",
];

/// What a dispensary needs of a record.
const DISPENSING: &[&str] = &[
    "Patient",
    "MedicationRequest",
    "MedicationDispense",
    "Medication",
    "MedicationKnowledge",
    "AllergyIntolerance",
    "DocumentReference",
    "Binary",
];

/// Shared definitions: everybody reads them, administrators write them.
const DEFINITIONS: &[&str] = &[
    "ActivityDefinition",
    "CapabilityStatement",
    "ChargeItemDefinition",
    "CodeSystem",
    "CompartmentDefinition",
    "ConceptMap",
    "EventDefinition",
    "ExampleScenario",
    "GraphDefinition",
    "ImplementationGuide",
    "Library",
    "Measure",
    "MessageDefinition",
    "NamingSystem",
    "OperationDefinition",
    "PlanDefinition",
    "Questionnaire",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "SearchParameter",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "SubscriptionTopic",
    "TerminologyCapabilities",
    "TestReport",
    "TestScript",
    "ValueSet",
];

/// Prescribing is a doctor's act: a nurse reads these and does not write them.
const PRESCRIBING: &[&str] = &["MedicationRequest", "Composition", "VisionPrescription"];

const AUDIT: &[&str] = &["AuditEvent"];

pub(super) fn allows(role: Role, interaction: Interaction, resource_type: ResourceType) -> bool {
    let name = resource_type.as_str();
    let among = |types: &[&str]| types.contains(&name);
    let clinical = !among(ADMINISTRATION) && !among(DEFINITIONS) && !among(AUDIT);
    // Our own audit log is made by the server; connected systems may deliver theirs, and nobody takes one away.
    if among(AUDIT) && interaction.writes() {
        return role == Role::System && interaction != Interaction::Delete;
    }
    let writes = interaction.writes();
    match role {
        Role::PlatformAdmin | Role::HospitalAdmin | Role::System => true,
        Role::Doctor => {
            if writes {
                clinical
            } else {
                !among(AUDIT)
            }
        }
        Role::Nurse => {
            if writes {
                clinical && !among(PRESCRIBING)
            } else {
                !among(AUDIT)
            }
        }
        Role::Reception => {
            if writes {
                among(REGISTRATION)
            } else {
                among(REGISTRATION) || among(ADMINISTRATION) || among(DEFINITIONS)
            }
        }
        Role::Pharmacist => {
            if writes {
                name == "MedicationDispense"
            } else {
                among(DISPENSING) || among(ADMINISTRATION) || among(DEFINITIONS)
            }
        }
        Role::Auditor => !writes && (among(AUDIT) || name == "Provenance"),
        // A patient's own view is the compartment, decided by the caller of this table.
        Role::Patient => !writes && (among(DEFINITIONS) || among(ADMINISTRATION)),
    }
}

pub(super) fn in_patient_compartment(resource_type: ResourceType) -> bool {
    resource_type == ResourceType::patient()
        || definitions()
            .compartment("Patient")
            .is_some_and(|compartment| !compartment.parameters(resource_type.as_str()).is_empty())
}

/// The practitioners who wrote a prescription or a note.
pub(super) fn authors(resource_type: ResourceType, resource: &Json) -> Vec<&str> {
    match resource_type.as_str() {
        "MedicationRequest" => resource.get("requester").into_iter().filter_map(literal).collect(),
        "Composition" => {
            resource.get("author").and_then(Json::as_array).into_iter().flatten().filter_map(literal).collect()
        }
        _ => Vec::new(),
    }
}

fn literal(reference: &Json) -> Option<&str> {
    reference.get("reference").and_then(Json::as_str).filter(|text| text.starts_with("Practitioner/"))
}
