//! Observation, Condition and AllergyIntolerance (R4: <https://hl7.org/fhir/R4/observation.html>,
//! <https://hl7.org/fhir/R4/condition.html>, <https://hl7.org/fhir/R4/allergyintolerance.html>).

use fhirbolt::model::r4::resources as r4;

use crate::elements::{
    Coding, Concept, Extension, Quantity, code, concepts, date_time, extensions, labelled, optional_reference,
    reference, references,
};
use crate::to_json;

/// What every finding says about its origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Security labels.
    pub labels: Vec<Coding>,
    /// What is said beside R4's elements.
    pub extensions: Vec<Extension>,
    /// The patient, `Patient/x`.
    pub subject: String,
    /// The encounter, where there is one.
    pub encounter: Option<String>,
    /// When it was found or written down.
    pub date: String,
}

/// What was measured or seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// Nothing as a whole: see the components.
    #[default]
    Components,
    /// An amount.
    Quantity(Quantity),
    /// A concept.
    Concept(Concept),
}

/// An observation that nobody has confirmed yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Where it comes from.
    pub origin: Origin,
    /// Its category.
    pub category: Concept,
    /// What is observed.
    pub code: Concept,
    /// The result.
    pub value: Value,
    /// The results of its parts.
    pub components: Vec<(Concept, Quantity)>,
    /// What it was derived from.
    pub derived_from: Vec<String>,
}

impl Observation {
    /// Builds the preliminary observation as JSON text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let component = self.components.iter().map(|(part, quantity)| r4::ObservationComponent {
            code: part.boxed(),
            value: Some(r4::ObservationComponentValue::Quantity(quantity.build())),
            ..r4::ObservationComponent::default()
        });
        to_json(&r4::Observation {
            meta: labelled(&self.origin.labels),
            extension: extensions(&self.origin.extensions),
            status: code("preliminary"),
            category: vec![self.category.build()],
            code: self.code.boxed(),
            subject: Some(reference(&self.origin.subject)),
            encounter: optional_reference(self.origin.encounter.as_ref()),
            effective: Some(r4::ObservationEffective::DateTime(date_time(&self.origin.date))),
            value: match &self.value {
                Value::Components => None,
                Value::Quantity(quantity) => Some(r4::ObservationValue::Quantity(quantity.build())),
                Value::Concept(concept) => Some(r4::ObservationValue::CodeableConcept(concept.boxed())),
            },
            derived_from: references(&self.derived_from),
            component: component.collect(),
            ..r4::Observation::default()
        })
    }
}

/// A diagnosis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it is there now, of R4's `condition-clinical`.
    pub clinical: String,
    /// How sure it is, of R4's `condition-ver-status`.
    pub verification: String,
    /// Its categories.
    pub categories: Vec<Concept>,
    /// What it is.
    pub code: Concept,
}

impl Condition {
    /// Builds the diagnosis as JSON text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_json(&r4::Condition {
            meta: labelled(&self.origin.labels),
            extension: extensions(&self.origin.extensions),
            clinical_status: Some(status("condition-clinical", &self.clinical).boxed()),
            verification_status: Some(status("condition-ver-status", &self.verification).boxed()),
            category: concepts(&self.categories),
            code: Some(self.code.boxed()),
            subject: reference(&self.origin.subject),
            encounter: optional_reference(self.origin.encounter.as_ref()),
            recorded_date: Some(date_time(&self.origin.date)),
            ..r4::Condition::default()
        })
    }
}

/// An allergy, or the statement that there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllergyIntolerance {
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it is there now, of R4's `allergyintolerance-clinical`.
    pub clinical: String,
    /// How sure it is, of R4's `allergyintolerance-verification`.
    pub verification: String,
    /// To what.
    pub code: Concept,
}

impl AllergyIntolerance {
    /// Builds the allergy as JSON text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_json(&r4::AllergyIntolerance {
            meta: labelled(&self.origin.labels),
            extension: extensions(&self.origin.extensions),
            clinical_status: Some(status("allergyintolerance-clinical", &self.clinical).boxed()),
            verification_status: Some(status("allergyintolerance-verification", &self.verification).boxed()),
            code: Some(self.code.boxed()),
            patient: reference(&self.origin.subject),
            encounter: optional_reference(self.origin.encounter.as_ref()),
            recorded_date: Some(date_time(&self.origin.date)),
            ..r4::AllergyIntolerance::default()
        })
    }
}

fn status(system: &str, code: &str) -> Concept {
    Concept::coded(Coding::bare(&format!("http://terminology.hl7.org/CodeSystem/{system}"), code))
}
