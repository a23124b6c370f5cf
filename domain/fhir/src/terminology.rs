//! Code systems, value sets and concept maps (R4 <https://hl7.org/fhir/R4/terminology-service.html>), over the resources
//! that are stored and the code lists of the specification.

mod code_system;
mod concept;
mod expansion;
mod filter;
mod nesting;
mod specified;
mod store;
mod translation;
mod wanted;

#[cfg(test)]
mod tests;

use crate::json::Json;

pub use code_system::{CodeSystem, Subsumption};
pub use concept::{Concept, Designation, Property, words_of};
pub use expansion::{Expansion, ExpansionError, LARGEST, Sources, StoredPart, expand, imports, parts};
pub use filter::{Filter, Hierarchy, Operator};
pub use nesting::{Nested, nest};
pub use specified::{listed, specified, specified_value_set};
pub use store::{
    ClosureAdded, ClosureCode, ClosureLine, ConceptImport, ConceptPage, ConceptQuery, ConceptStore, Detail,
    ImportContent, ImportError, ImportHeader, ImportRow, Imported, Relatives, StoredSystem,
};
pub use translation::{Direction, ToTranslate, Translated, Translation, translate};
pub use wanted::{Page, Wanted, implicit};

/// The text of a member.
fn text<'j>(value: &'j Json, name: &str) -> &'j str {
    value.get_str(name).unwrap_or_default()
}

/// The items of a member.
fn list<'j>(value: &'j Json, name: &str) -> &'j [Json] {
    value.get(name).map_or(&[], Json::items)
}
