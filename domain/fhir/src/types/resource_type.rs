//! The resource types of R4 (<https://hl7.org/fhir/R4/resourcelist.html>).

use std::fmt;
use std::str::FromStr;

/// All concrete types in alphabetical order; the position is stored in databases, so the order never changes.
const NAMES: [&str; 146] = [
    "Account",
    "ActivityDefinition",
    "AdverseEvent",
    "AllergyIntolerance",
    "Appointment",
    "AppointmentResponse",
    "AuditEvent",
    "Basic",
    "Binary",
    "BiologicallyDerivedProduct",
    "BodyStructure",
    "Bundle",
    "CapabilityStatement",
    "CarePlan",
    "CareTeam",
    "CatalogEntry",
    "ChargeItem",
    "ChargeItemDefinition",
    "Claim",
    "ClaimResponse",
    "ClinicalImpression",
    "CodeSystem",
    "Communication",
    "CommunicationRequest",
    "CompartmentDefinition",
    "Composition",
    "ConceptMap",
    "Condition",
    "Consent",
    "Contract",
    "Coverage",
    "CoverageEligibilityRequest",
    "CoverageEligibilityResponse",
    "DetectedIssue",
    "Device",
    "DeviceDefinition",
    "DeviceMetric",
    "DeviceRequest",
    "DeviceUseStatement",
    "DiagnosticReport",
    "DocumentManifest",
    "DocumentReference",
    "EffectEvidenceSynthesis",
    "Encounter",
    "Endpoint",
    "EnrollmentRequest",
    "EnrollmentResponse",
    "EpisodeOfCare",
    "EventDefinition",
    "Evidence",
    "EvidenceVariable",
    "ExampleScenario",
    "ExplanationOfBenefit",
    "FamilyMemberHistory",
    "Flag",
    "Goal",
    "GraphDefinition",
    "Group",
    "GuidanceResponse",
    "HealthcareService",
    "ImagingStudy",
    "Immunization",
    "ImmunizationEvaluation",
    "ImmunizationRecommendation",
    "ImplementationGuide",
    "InsurancePlan",
    "Invoice",
    "Library",
    "Linkage",
    "List",
    "Location",
    "Measure",
    "MeasureReport",
    "Media",
    "Medication",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationKnowledge",
    "MedicationRequest",
    "MedicationStatement",
    "MedicinalProduct",
    "MedicinalProductAuthorization",
    "MedicinalProductContraindication",
    "MedicinalProductIndication",
    "MedicinalProductIngredient",
    "MedicinalProductInteraction",
    "MedicinalProductManufactured",
    "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect",
    "MessageDefinition",
    "MessageHeader",
    "MolecularSequence",
    "NamingSystem",
    "NutritionOrder",
    "Observation",
    "ObservationDefinition",
    "OperationDefinition",
    "OperationOutcome",
    "Organization",
    "OrganizationAffiliation",
    "Parameters",
    "Patient",
    "PaymentNotice",
    "PaymentReconciliation",
    "Person",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "Questionnaire",
    "QuestionnaireResponse",
    "RelatedPerson",
    "RequestGroup",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "ResearchStudy",
    "ResearchSubject",
    "RiskAssessment",
    "RiskEvidenceSynthesis",
    "Schedule",
    "SearchParameter",
    "ServiceRequest",
    "Slot",
    "Specimen",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "Subscription",
    "Substance",
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
    "SubstanceSpecification",
    "SupplyDelivery",
    "SupplyRequest",
    "Task",
    "TerminologyCapabilities",
    "TestReport",
    "TestScript",
    "ValueSet",
    "VerificationResult",
    "VisionPrescription",
];

/// One of the concrete resource types of R4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceType(u8);

/// Says that a name isn't a resource type of R4.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` isn't a resource type of FHIR R4; type names are case-sensitive")]
pub struct UnknownResourceType(pub String);

impl ResourceType {
    /// The type whose compartment is a patient's record.
    #[must_use]
    pub fn patient() -> Self {
        Self::known("Patient")
    }

    /// The type of documents: transcripts, audio, signed papers.
    #[must_use]
    pub fn document_reference() -> Self {
        Self::known("DocumentReference")
    }

    /// The type of what the audit log is read as.
    #[must_use]
    pub fn audit_event() -> Self {
        Self::known("AuditEvent")
    }

    /// The type of what defines an operation.
    #[must_use]
    pub fn operation_definition() -> Self {
        Self::known("OperationDefinition")
    }

    /// The type of files.
    #[must_use]
    pub fn binary() -> Self {
        Self::known("Binary")
    }

    /// The type of visits.
    #[must_use]
    pub fn encounter() -> Self {
        Self::known("Encounter")
    }

    /// The type of doctors and others who care for patients.
    #[must_use]
    pub fn practitioner() -> Self {
        Self::known("Practitioner")
    }

    fn known(name: &str) -> Self {
        Self(NAMES.binary_search(&name).ok().and_then(|index| u8::try_from(index).ok()).unwrap_or_default())
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or_default()
    }

    /// Visits all types in alphabetical order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        (0..NAMES.len()).map(|index| Self(u8::try_from(index).unwrap_or(u8::MAX)))
    }

    /// Returns the position among all types, from zero.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Returns the number that stands for the type in the store.
    #[must_use]
    pub fn code(self) -> i16 {
        i16::from(self.0) + 1
    }

    /// Returns the type that a stored number stands for.
    #[must_use]
    pub fn from_code(code: i16) -> Option<Self> {
        let index = u8::try_from(code.checked_sub(1)?).ok()?;
        (usize::from(index) < NAMES.len()).then_some(Self(index))
    }
}

impl FromStr for ResourceType {
    type Err = UnknownResourceType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let index = NAMES.binary_search(&name).map_err(|_| UnknownResourceType(name.chars().take(64).collect()))?;
        Ok(Self(u8::try_from(index).unwrap_or(u8::MAX)))
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
