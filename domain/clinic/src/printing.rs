//! The printed prescription: what the paper carries of a MedicationRequest (<https://hl7.org/fhir/R4/medicationrequest.html>).

use async_trait::async_trait;
use thiserror::Error;

/// Turns a prescription into a PDF.
#[async_trait]
pub trait PrescriptionPrinter: Send + Sync {
    /// Renders the document as the bytes of a PDF.
    async fn render(&self, document: PrintedPrescription) -> Result<Vec<u8>, PrintError>;
}

/// Why a prescription could not be printed.
#[derive(Debug, Error)]
pub enum PrintError {
    /// One entry is taller than a page; it is refused because cutting it would hide a part.
    #[error("one entry of the prescription does not fit on a page")]
    EntryTooLong,
    /// The fonts or the PDF itself failed.
    #[error("the prescription could not be rendered: {0}")]
    Rendering(String),
}

/// Everything the paper shows.
#[derive(Debug, Clone)]
pub struct PrintedPrescription {
    /// The hospital at the head.
    pub hospital: PrintedHospital,
    /// The prescriber.
    pub doctor: PrintedDoctor,
    /// The patient.
    pub patient: PrintedPatient,
    /// The date, as it is to be read.
    pub date: String,
    /// The recorded allergies.
    pub allergies: Vec<String>,
    /// The diagnosis, empty when none is recorded.
    pub diagnosis: String,
    /// Titled advice, in order.
    pub instructions: Vec<(String, String)>,
    /// The medicines, in order.
    pub medicines: Vec<PrintedMedicine>,
    /// The patient's language beside English.
    pub language: HandoutLanguage,
    /// The hash of the signed document.
    pub hash: Option<String>,
    /// Whether it is signed.
    pub state: PrintedState,
}

/// The patient's language on the paper, beside English.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandoutLanguage {
    /// English alone.
    English,
    /// Hindi.
    #[default]
    Hindi,
    /// Marathi.
    Marathi,
}

impl HandoutLanguage {
    /// Reads a BCP 47 tag; nothing for a language without a phrase table.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag {
            "en" => Some(Self::English),
            "hi" => Some(Self::Hindi),
            "mr" => Some(Self::Marathi),
            _ => None,
        }
    }

    /// The BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hindi => "hi",
            Self::Marathi => "mr",
        }
    }
}

/// The hospital at the head of the paper.
#[derive(Debug, Clone)]
pub struct PrintedHospital {
    /// Its name.
    pub name: String,
    /// Its postal address.
    pub address: String,
    /// Its telephone number.
    pub phone: String,
}

/// The prescriber on the paper.
#[derive(Debug, Clone)]
pub struct PrintedDoctor {
    /// The full name.
    pub name: String,
    /// The qualification.
    pub qualification: String,
    /// The registration number.
    pub registration: String,
}

/// The patient on the paper.
#[derive(Debug, Clone)]
pub struct PrintedPatient {
    /// The full name.
    pub name: String,
    /// Sex and age in one phrase.
    pub sex_age: String,
    /// The hospital's identifier.
    pub identifier: String,
}

/// One medicine on the paper.
#[derive(Debug, Clone)]
pub struct PrintedMedicine {
    /// The name.
    pub name: String,
    /// The strength.
    pub strength: String,
    /// The dose form.
    pub form: String,
    /// The dosage in English.
    pub line_en: String,
    /// The dosage in the patient's language; empty where no phrase says it.
    pub line_patient: String,
    /// The amounts for morning, noon, evening and night.
    pub slots: Option<[String; 4]>,
}

/// Whether the paper is a draft or signed.
#[derive(Debug, Clone)]
pub enum PrintedState {
    /// Not signed yet.
    Draft,
    /// Signed by a prescriber.
    Signed {
        /// Who signed.
        by: String,
        /// When, as it is to be read.
        at: String,
    },
}
