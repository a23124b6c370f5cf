//! Releases of code systems, read from the files that their publishers hand out; an operator who may use them supplies
//! them. Every format is read line by line, so that memory doesn't grow with the release.

mod files;
mod icd10cm;
mod loinc;
mod rf2;
mod rxnorm;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use seva_fhir::terminology::{ImportContent, ImportHeader, ImportRow};

use files::Source;

/// A publisher's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseFormat {
    /// ICD-10-CM: the order file of the CMS, `icd10cm_order_YYYY.txt`.
    Icd10Cm,
    /// SNOMED CT: a snapshot in Release Format 2, as a folder or a ZIP.
    SnomedRf2,
    /// LOINC: `Loinc.csv`, and the hierarchy of components when it is there, as a folder or a ZIP.
    Loinc,
    /// RxNorm: `RXNCONSO.RRF` and `RXNREL.RRF`, as a folder or a ZIP.
    RxNorm,
}

/// Why a release can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A file can't be opened or read.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A line isn't what the format asks for.
    #[error("{place}: {fault}")]
    Line {
        /// File and line.
        place: String,
        /// What is wrong.
        fault: String,
    },
    /// The version can't be told from the names of the files.
    #[error("the version of the release can't be told from its name: give it with --version")]
    Version,
    /// Whoever takes the rows has stopped.
    #[error("the import was stopped")]
    Stopped,
}

/// Takes what a release says, row by row.
pub type Rows<'r> = &'r mut dyn FnMut(ImportRow) -> Result<(), ReleaseError>;

/// A release on disk.
#[derive(Debug)]
pub struct Release {
    format: ReleaseFormat,
    source: Source,
    /// What is known of the system before its first concept.
    pub header: ImportHeader,
}

impl Release {
    /// Opens a release; its version is told by its names, or given.
    ///
    /// # Errors
    /// When it isn't there, and when it has no version.
    pub fn open(format: ReleaseFormat, path: &Path, version: Option<&str>) -> Result<Self, ReleaseError> {
        let source = Source::open(path)?;
        let (url, name) = match format {
            ReleaseFormat::Icd10Cm => ("http://hl7.org/fhir/sid/icd-10-cm", "ICD-10-CM"),
            ReleaseFormat::SnomedRf2 => ("http://snomed.info/sct", "SNOMED CT"),
            ReleaseFormat::Loinc => ("http://loinc.org", "LOINC"),
            ReleaseFormat::RxNorm => ("http://www.nlm.nih.gov/research/umls/rxnorm", "RxNorm"),
        };
        let told = || match format {
            ReleaseFormat::Icd10Cm => icd10cm::version(path),
            ReleaseFormat::SnomedRf2 => rf2::version(&source),
            ReleaseFormat::Loinc => loinc::version(path),
            ReleaseFormat::RxNorm => rxnorm::version(path),
        };
        let version = version.map(str::to_owned).or_else(told).ok_or(ReleaseError::Version)?;
        Ok(Self { format, source, header: ImportHeader { url: url.to_owned(), version, name: name.to_owned() } })
    }

    /// Reads everything, in the order of the files.
    ///
    /// # Errors
    /// The first line that isn't what the format asks for.
    pub fn read(&self, rows: Rows<'_>) -> Result<(), ReleaseError> {
        match self.format {
            ReleaseFormat::Icd10Cm => icd10cm::read(&self.source, &self.header.url, rows),
            ReleaseFormat::SnomedRf2 => rf2::read(&self.source, &self.header.url, rows),
            ReleaseFormat::Loinc => loinc::read(&self.source, &self.header.url, rows),
            ReleaseFormat::RxNorm => rxnorm::read(&self.source, &self.header.url, rows),
        }
    }
}

/// A row with its place.
fn row(place: &str, content: ImportContent) -> ImportRow {
    ImportRow { place: place.to_owned(), content }
}

/// The run of digits and dots behind a word in a file's name, ignoring case.
fn behind(path: &Path, word: &str) -> Option<String> {
    let name = path.file_name()?.to_str()?.to_lowercase();
    let (_, rest) = name.split_once(word)?;
    let version: String = rest.chars().take_while(|letter| letter.is_ascii_digit() || *letter == '.').collect();
    let version = version.trim_end_matches('.');
    (!version.is_empty()).then(|| version.to_owned())
}
