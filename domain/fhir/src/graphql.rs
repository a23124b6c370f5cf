//! GraphQL over FHIR (R4 <https://hl7.org/fhir/R4/graphql.html>, GraphQL <https://spec.graphql.org/October2021/>): the
//! executable part of the language, with limits, and the shape that a query gives to resources.
//!
//! What has to be fetched (references, lists, connections) is done by the service, which checks the caller's rights.

mod lexer;
mod parser;
pub(crate) mod schema;
pub(crate) mod shape;
mod syntax;
mod variables;

#[cfg(test)]
mod tests;

pub(crate) use syntax::{Document, Field, Selection};
pub(crate) use variables::{Variables, prepare};

/// Why a query can't be answered, in the query's terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// The text is not GraphQL.
    #[error("the query is not GraphQL: {0}")]
    Syntax(String),
    /// It asks for what there is not, or in a way that there is not.
    #[error("{0}")]
    Query(String),
}

/// What a client sends.
#[derive(Clone, Debug, Default)]
pub struct GraphRequest {
    /// The text.
    pub query: String,
    /// Which operation of the text is meant, where it has several.
    pub operation: Option<String>,
    /// The values of its variables.
    pub variables: crate::json::Json,
}
