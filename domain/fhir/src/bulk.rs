//! Records in bulk (<https://hl7.org/fhir/uv/bulkdata/STU2/>): whole populations out and in as lines of JSON.

mod export;
mod import;
mod parts;

pub use export::{ExportLevel, ExportRequest, ExportRunner};
pub use import::ImportRunner;
pub use parts::{LINES, split_lines};
