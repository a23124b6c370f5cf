//! The data types that the built resources share (R4: <https://hl7.org/fhir/R4/datatypes.html>), as plain input.

use fhirbolt::model::r4::types;

/// A code of a code system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coding {
    /// The code system.
    pub system: String,
    /// The code.
    pub code: String,
    /// The code's name.
    pub display: Option<String>,
}

impl Coding {
    /// A code without its name.
    #[must_use]
    pub fn bare(system: &str, code: &str) -> Self {
        Self { system: system.to_owned(), code: code.to_owned(), display: None }
    }

    /// A code with its name.
    #[must_use]
    pub fn named(system: &str, code: &str, display: &str) -> Self {
        Self { display: Some(display.to_owned()), ..Self::bare(system, code) }
    }

    pub(crate) fn build(&self) -> types::Coding {
        types::Coding {
            system: Some(uri(&self.system)),
            code: Some(code(&self.code)),
            display: self.display.as_deref().map(text),
            ..types::Coding::default()
        }
    }
}

/// A concept: codes, words, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concept {
    /// The codes.
    pub codings: Vec<Coding>,
    /// The words.
    pub text: Option<String>,
}

impl Concept {
    /// A concept of one code.
    #[must_use]
    pub fn coded(coding: Coding) -> Self {
        Self { codings: vec![coding], text: None }
    }

    /// A concept in words only.
    #[must_use]
    pub fn worded(text: &str) -> Self {
        Self { codings: Vec::new(), text: Some(text.to_owned()) }
    }

    pub(crate) fn build(&self) -> types::CodeableConcept {
        types::CodeableConcept {
            coding: self.codings.iter().map(Coding::build).collect(),
            text: self.text.as_deref().map(text),
            ..types::CodeableConcept::default()
        }
    }

    pub(crate) fn boxed(&self) -> Box<types::CodeableConcept> {
        Box::new(self.build())
    }
}

/// A business identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identifier {
    /// The namespace.
    pub system: String,
    /// The value in it.
    pub value: String,
}

impl Identifier {
    pub(crate) fn build(&self) -> types::Identifier {
        types::Identifier {
            system: Some(uri(&self.system)),
            value: Some(text(&self.value)),
            ..types::Identifier::default()
        }
    }
}

/// An amount in UCUM; the digits of the value stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quantity {
    /// The value's digits.
    pub value: String,
    /// The unit as it is shown.
    pub unit: String,
    /// The unit's UCUM code.
    pub code: String,
}

impl Quantity {
    pub(crate) fn build(&self) -> Box<types::Quantity> {
        Box::new(types::Quantity {
            value: Some(decimal(&self.value)),
            unit: Some(text(&self.unit)),
            system: Some(uri(UCUM)),
            code: Some(code(&self.code)),
            ..types::Quantity::default()
        })
    }
}

pub(crate) const UCUM: &str = "http://unitsofmeasure.org";

/// An extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Which one.
    pub url: String,
    /// What it says.
    pub value: ExtensionValue,
}

/// The value of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtensionValue {
    /// `valueCode`.
    Code(String),
    /// `valueString`.
    Text(String),
    /// `valueDecimal`, by its digits.
    Decimal(String),
    /// `valueInteger`.
    Integer(i32),
    /// `valueUnsignedInt`.
    Unsigned(u32),
    /// `valueBoolean`.
    Boolean(bool),
    /// `valueReference`.
    Reference(String),
    /// Extensions of its own.
    Parts(Vec<Extension>),
}

impl Extension {
    pub(crate) fn build(&self) -> types::Extension {
        use types::ExtensionValue as Value;
        let value = match &self.value {
            ExtensionValue::Code(value) => Value::Code(code(value)),
            ExtensionValue::Text(value) => Value::String(text(value)),
            ExtensionValue::Decimal(value) => Value::Decimal(decimal(value)),
            ExtensionValue::Integer(value) => {
                Value::Integer(types::Integer { value: Some(*value), ..types::Integer::default() })
            }
            ExtensionValue::Unsigned(value) => Value::UnsignedInt(unsigned(*value)),
            ExtensionValue::Boolean(value) => {
                Value::Boolean(types::Boolean { value: Some(*value), ..types::Boolean::default() })
            }
            ExtensionValue::Reference(value) => Value::Reference(reference(value)),
            ExtensionValue::Parts(parts) => {
                return types::Extension {
                    url: self.url.clone(),
                    extension: extensions(parts),
                    ..types::Extension::default()
                };
            }
        };
        types::Extension { url: self.url.clone(), value: Some(value), ..types::Extension::default() }
    }
}

pub(crate) fn extensions(list: &[Extension]) -> Vec<types::Extension> {
    list.iter().map(Extension::build).collect()
}

pub(crate) fn concepts(list: &[Concept]) -> Vec<types::CodeableConcept> {
    list.iter().map(Concept::build).collect()
}

pub(crate) fn references(list: &[String]) -> Vec<types::Reference> {
    list.iter().map(|target| *reference(target)).collect()
}

pub(crate) fn optional_reference(target: Option<&String>) -> Option<Box<types::Reference>> {
    target.map(|target| reference(target))
}

pub(crate) fn reference(target: &str) -> Box<types::Reference> {
    Box::new(types::Reference { reference: Some(text(target)), ..types::Reference::default() })
}

/// `meta` with security labels; none where there are none.
pub(crate) fn labelled(labels: &[Coding]) -> Option<Box<types::Meta>> {
    let security = labels.iter().map(Coding::build).collect();
    (!labels.is_empty()).then(|| Box::new(types::Meta { security, ..types::Meta::default() }))
}

pub(crate) fn text(value: &str) -> types::String {
    types::String { value: Some(value.to_owned()), ..types::String::default() }
}

pub(crate) fn code(value: &str) -> types::Code {
    types::Code { value: Some(value.to_owned()), ..types::Code::default() }
}

pub(crate) fn uri(value: &str) -> types::Uri {
    types::Uri { value: Some(value.to_owned()), ..types::Uri::default() }
}

pub(crate) fn decimal(digits: &str) -> types::Decimal {
    types::Decimal { value: Some(digits.to_owned()), ..types::Decimal::default() }
}

pub(crate) fn unsigned(value: u32) -> types::UnsignedInt {
    types::UnsignedInt { value: Some(value), ..types::UnsignedInt::default() }
}

pub(crate) fn instant(value: &str) -> types::Instant {
    types::Instant { value: Some(value.to_owned()), ..types::Instant::default() }
}

pub(crate) fn date_time(value: &str) -> types::DateTime {
    types::DateTime { value: Some(value.to_owned()), ..types::DateTime::default() }
}

pub(crate) fn base64(value: &str) -> types::Base64Binary {
    types::Base64Binary { value: Some(value.to_owned()), ..types::Base64Binary::default() }
}
