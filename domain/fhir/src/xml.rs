//! XML to and from the tree that JSON gives, driven by the definitions (R4 <https://hl7.org/fhir/R4/xml.html>).
//!
//! What comes in is checked for what XML alone can get wrong: names, order, attributes, namespaces. The structure check
//! that follows is the one that JSON passes.

mod attribute;
mod narrative;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

pub use reader::parse;
pub use writer::write;

/// The namespace of FHIR's elements.
const FHIR: &str = "http://hl7.org/fhir";
/// The namespace of a narrative.
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// How the text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Without white space.
    #[default]
    Compact,
    /// A line for each element, indented.
    Pretty,
}

/// Says where the text stops being acceptable XML, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column}, at {path})")]
pub struct XmlError {
    /// The place in FHIR's terms, such as `Patient.name[0].given[1]`; `$` stands for an unknown type.
    pub path: String,
    /// The line, counted from one.
    pub line: usize,
    /// The column in bytes, counted from one.
    pub column: usize,
    /// A sentence for the caller.
    pub message: String,
}

/// Says why a resource can't be written as XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct WriteError {
    /// The place in FHIR's terms.
    pub path: String,
    /// A sentence for the caller.
    pub message: String,
}

/// XML 1.0 has no way to write other characters, not even as references (<https://www.w3.org/TR/xml/#charsets>).
fn is_character(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Whether JSON's `id` or `url` of a type is an attribute in XML.
fn is_attribute(definition: &seva_fhir_profiles::TypeDefinition, name: &str) -> bool {
    definition.kind != seva_fhir_profiles::TypeKind::Resource
        && (name == "id" || (name == "url" && definition.name == "Extension"))
}
