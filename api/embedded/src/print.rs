//! Prints a MedicationRequest (<https://hl7.org/fhir/R4/medicationrequest.html>) as an A4 PDF in English and Hindi.

mod content;
mod page;
mod text;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
use seva_clinic::printing::{PrescriptionPrinter, PrintError, PrintedPrescription};

/// Prints with fonts that are part of the program, so that the paper looks the same everywhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct KrillaPrinter;

#[async_trait]
impl PrescriptionPrinter for KrillaPrinter {
    async fn render(&self, document: PrintedPrescription) -> Result<Vec<u8>, PrintError> {
        tokio::task::spawn_blocking(move || render(&document))
            .await
            .map_err(|error| PrintError::Rendering(error.to_string()))?
    }
}

fn render(document: &PrintedPrescription) -> Result<Vec<u8>, PrintError> {
    let mut shaper = text::Shaper::new();
    let blocks = content::blocks(&mut shaper, document);
    page::write(&mut shaper, blocks, &content::foot(document))
}
