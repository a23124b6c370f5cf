//! MedicationRequest and ServiceRequest (R4: <https://hl7.org/fhir/R4/medicationrequest.html>,
//! <https://hl7.org/fhir/R4/servicerequest.html>).

use fhirbolt::model::r4::{resources as r4, types};

use crate::dosage::Dosage;
use crate::elements::{
    Concept, Quantity, code, date_time, extensions, labelled, optional_reference, reference, references,
};
use crate::findings::Origin;
use crate::to_json;

/// A medicine that is proposed and not yet ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MedicationRequest {
    /// Where it comes from.
    pub origin: Origin,
    /// The medicine.
    pub medication: Concept,
    /// What speaks for it, such as a transcript.
    pub supporting: Vec<String>,
    /// Who prescribes.
    pub requester: Option<String>,
    /// The diagnoses that it is for.
    pub reasons: Vec<String>,
    /// How it is taken.
    pub dosages: Vec<Dosage>,
    /// How much is to be dispensed.
    pub dispensed: Option<Quantity>,
}

impl MedicationRequest {
    /// Builds the proposal as JSON text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let dispensed = self.dispensed.as_ref().map(|quantity| r4::MedicationRequestDispenseRequest {
            quantity: Some(quantity.build()),
            ..r4::MedicationRequestDispenseRequest::default()
        });
        to_json(&r4::MedicationRequest {
            meta: labelled(&self.origin.labels),
            extension: extensions(&self.origin.extensions),
            status: code("draft"),
            intent: code("proposal"),
            medication: r4::MedicationRequestMedication::CodeableConcept(self.medication.boxed()),
            subject: reference(&self.origin.subject),
            encounter: optional_reference(self.origin.encounter.as_ref()),
            supporting_information: references(&self.supporting),
            authored_on: Some(date_time(&self.origin.date)),
            requester: optional_reference(self.requester.as_ref()),
            reason_reference: references(&self.reasons),
            dosage_instruction: self.dosages.iter().map(Dosage::build).collect(),
            dispense_request: dispensed,
            ..r4::MedicationRequest::default()
        })
    }
}

/// A test or procedure that is proposed and not yet ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceRequest {
    /// Where it comes from.
    pub origin: Origin,
    /// What is asked for.
    pub code: Concept,
    /// For when, in words.
    pub planned: Option<String>,
    /// Who asks.
    pub requester: Option<String>,
}

impl ServiceRequest {
    /// Builds the proposal as JSON text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // In words: which day "after one week" is, nobody has said.
        let occurrence = self.planned.as_deref().map(|words| {
            let code = Some(Concept::worded(words).boxed());
            r4::ServiceRequestOccurrence::Timing(Box::new(types::Timing { code, ..types::Timing::default() }))
        });
        to_json(&r4::ServiceRequest {
            meta: labelled(&self.origin.labels),
            extension: extensions(&self.origin.extensions),
            status: code("draft"),
            intent: code("proposal"),
            code: Some(self.code.boxed()),
            subject: reference(&self.origin.subject),
            encounter: optional_reference(self.origin.encounter.as_ref()),
            occurrence,
            authored_on: Some(date_time(&self.origin.date)),
            requester: optional_reference(self.requester.as_ref()),
            ..r4::ServiceRequest::default()
        })
    }
}
