//! FHIRPath over JSON with FHIR's model (N1 <http://hl7.org/fhirpath/N1/>, R4 <https://hl7.org/fhir/R4/fhirpath.html>).
//!
//! The whole language is offered, except functions that need a terminology service or another profile; those are named.

mod chain;
mod compare;
#[cfg(test)]
mod conformance;
mod evaluator;
mod functions;
mod lexer;
mod moment;
mod node;
mod operand;
mod operators;
mod parser;
mod quantity;
mod references;
mod syntax;
pub(crate) mod ucum;

#[cfg(test)]
mod tests;

use seva_fhir_profiles::{TypeDefinition, definitions};

use crate::json::Json;
use chain::Chain;
use syntax::Expression;

pub use node::PathNode;

/// Says why an expression can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The text isn't FHIRPath.
    #[error("the FHIRPath isn't well formed: {0}")]
    Syntax(String),
    /// The text is longer or deeper than allowed.
    #[error("the FHIRPath is too long or too deep")]
    TooComplex,
    /// A function or operator that isn't offered.
    #[error("the FHIRPath uses {0}, which isn't offered")]
    Unsupported(String),
    /// An operand has the wrong number or type of items.
    #[error("the FHIRPath can't be evaluated: {0}")]
    Operand(&'static str),
}

/// What an expression is evaluated on.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationContext<'r> {
    /// The value that the expression starts from.
    pub focus: &'r Json,
    /// The type of that value, where it is known.
    pub definition: Option<&'static TypeDefinition>,
    /// The resource that `%resource` means.
    pub resource: &'r Json,
    /// The outermost resource, that `%rootResource` means and references are resolved in.
    pub root: &'r Json,
    /// The time of `now()` in UTC microseconds since 1970, where it is known.
    pub now: Option<i64>,
}

impl<'r> EvaluationContext<'r> {
    /// Starts from a resource.
    #[must_use]
    pub fn of_resource(resource: &'r Json) -> Self {
        let definition = resource.get_str("resourceType").and_then(|name| definitions().type_named(name));
        Self { focus: resource, definition, resource, root: resource, now: None }
    }

    /// Starts from a value within the resource.
    #[must_use]
    pub fn at(self, focus: &'r Json, definition: Option<&'static TypeDefinition>) -> Self {
        Self { focus, definition, ..self }
    }
}

/// A parsed expression, with its plain paths resolved to JSON names where the type is known.
#[derive(Debug, Clone)]
pub struct CompiledPath {
    expression: Expression,
    chains: Option<Vec<Chain>>,
}

impl CompiledPath {
    /// Parses an expression.
    ///
    /// # Errors
    /// The text isn't FHIRPath, or is too complex.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Ok(Self { expression: parser::parse(text)?, chains: None })
    }

    /// Parses an expression that will start from values of one type, which makes plain paths fast.
    ///
    /// # Errors
    /// The text isn't FHIRPath, or is too complex.
    pub fn for_type(text: &str, definition: &'static TypeDefinition) -> Result<Self, PathError> {
        let expression = parser::parse(text)?;
        let chains = chain::compile(&expression, definition);
        Ok(Self { expression, chains })
    }

    /// Returns the values in order.
    ///
    /// # Errors
    /// An operand doesn't fit, or a function isn't offered.
    pub fn evaluate<'r>(&self, context: &EvaluationContext<'r>) -> Result<Vec<PathNode<'r>>, PathError> {
        evaluator::evaluate(&self.expression, context)
    }

    /// Visits the values whose type is known.
    ///
    /// # Errors
    /// As [`CompiledPath::evaluate`].
    pub fn visit(
        &self,
        context: &EvaluationContext<'_>,
        visitor: &mut dyn FnMut(&Json, &'static TypeDefinition),
    ) -> Result<(), PathError> {
        if let Some(chains) = &self.chains {
            for chain in chains {
                chain.visit(context.focus, visitor);
            }
            return Ok(());
        }
        for node in self.evaluate(context)? {
            // A computed answer counts as the FHIR type that its System type stands for.
            let named = || definitions().type_named(&node.type_name().to_ascii_lowercase());
            if let Some(definition) = node.definition().or_else(named) {
                visitor(node.json(), definition);
            }
        }
        Ok(())
    }

    /// Returns the JSON names that lead to the values, where every alternative is a plain path, with the types there.
    #[must_use]
    pub fn json_paths(&self) -> Option<Vec<(Vec<&'static str>, &'static TypeDefinition)>> {
        Some(self.chains.as_ref()?.iter().flat_map(Chain::json_paths).collect())
    }

    /// Whether it joins or compares, so that its only values are true and false.
    #[must_use]
    pub(crate) fn is_condition(&self) -> bool {
        use syntax::Operator as O;
        match &self.expression {
            Expression::Binary(operator, ..) => match operator {
                O::Multiply | O::Divide | O::IntegerDivide | O::Modulo | O::Add | O::Subtract => false,
                O::Concatenate | O::Union => false,
                O::Less | O::LessOrEqual | O::Greater | O::GreaterOrEqual | O::In | O::Contains => true,
                O::Equal | O::Equivalent | O::NotEqual | O::NotEquivalent => true,
                O::And | O::Or | O::Xor | O::Implies => true,
            },
            _ => false,
        }
    }

    /// Returns the types that the values can have, where plain paths tell.
    #[must_use]
    pub fn types(&self) -> Vec<&'static TypeDefinition> {
        self.chains.iter().flatten().flat_map(Chain::types).collect()
    }
}
