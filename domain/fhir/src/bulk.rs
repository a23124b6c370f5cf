//! Records in bulk (<https://hl7.org/fhir/uv/bulkdata/STU2/>): whole populations out and in as lines of JSON.

mod export;
mod fetch;
mod import;
mod manifest;
mod parts;

pub use export::{ExportLevel, ExportRequest, ExportRunner};
pub use fetch::{FetchError, FetchStream, Fetcher};
pub use import::ImportRunner;
pub use manifest::ImportInput;
pub use parts::{LINES, LONGEST_LINE, LineCutter, LongLine, split_lines};
