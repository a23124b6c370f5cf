//! The definitions of FHIR R4 as data with typed readers (<https://hl7.org/fhir/R4/downloads.html>).
//!
//! The tables under `data/` are generated from HL7's own package, version 4.0.1, licence CC0.

mod code_list;
mod code_system;
mod compartment;
mod definitions;
mod element;
mod invariant;
mod search_parameter;
mod type_definition;

#[cfg(test)]
mod tests;

pub use code_list::CodeList;
pub use code_system::{SpecifiedConcept, SpecifiedSystem};
pub use compartment::Compartment;
pub use definitions::{Definitions, definitions};
pub use element::{ElementDefinition, ElementType};
pub use invariant::{Invariant, invariants};
pub use search_parameter::{Component, SearchParameter, SearchParameterType};
pub use type_definition::{Child, TypeDefinition, TypeId, TypeKind};

/// Visits the lines of a table after its header.
fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Keeps a text as long as the process lives; called only while the pack is read, once.
fn keep(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Writes out a URL whose usual beginning the tables shorten to `~`.
fn expand(url: &'static str, beginning: &str) -> &'static str {
    match url.strip_prefix('~') {
        Some(rest) => keep(format!("{beginning}{rest}")),
        None => url,
    }
}
