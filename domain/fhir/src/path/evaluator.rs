//! Walks the syntax tree (N1 <http://hl7.org/fhirpath/N1/#expressions>).

use super::chain::{is_resolve, refers_to};
use super::functions;
use super::node::PathNode;
use super::operators;
use super::syntax::{Expression, Literal, TypeName};
use super::{EvaluationContext, PathError};
use crate::json::{Json, object};

/// A collection while it is computed.
pub(super) type Nodes<'r> = Vec<PathNode<'r>>;

/// What `$this`, `$index` and the variables mean.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'r> {
    pub(super) this: &'s [PathNode<'r>],
    pub(super) index: usize,
    pub(super) context: &'s EvaluationContext<'r>,
}

/// Evaluates from the context's focus.
pub(super) fn evaluate<'r>(expression: &Expression, context: &EvaluationContext<'r>) -> Result<Nodes<'r>, PathError> {
    let this = [PathNode::borrowed(context.focus, context.definition)];
    Scope { this: &this, index: 0, context }.evaluate(expression)
}

impl<'s, 'r> Scope<'s, 'r> {
    /// Evaluates in this scope.
    pub(super) fn evaluate(self, expression: &Expression) -> Result<Nodes<'r>, PathError> {
        match expression {
            Expression::Literal(value) => Ok(literal(value)),
            Expression::This => Ok(self.this.to_vec()),
            Expression::Index => Ok(vec![PathNode::computed(self.index)]),
            Expression::Total => Err(PathError::Unsupported("$total".into())),
            Expression::Variable(name) => self.variable(name),
            Expression::Member(None, name) => Ok(self.start(name)),
            Expression::Member(Some(focus), name) => Ok(members(&self.evaluate(focus)?, name)),
            Expression::Call(focus, name, arguments) => {
                let input = match focus {
                    Some(focus) => self.evaluate(focus)?,
                    None => self.this.to_vec(),
                };
                functions::call(self, name, input, arguments)
            }
            Expression::Item(focus, index) => self.item(focus, index),
            Expression::Negate(inner) => operators::negate(self.evaluate(inner)?),
            Expression::Binary(operator, left, right) => {
                operators::apply(*operator, self.evaluate(left)?, self.evaluate(right)?)
            }
            Expression::Is(subject, name) => self.is(subject, name),
            Expression::As(subject, name) => Ok(of_type(self.evaluate(subject)?, name)),
        }
    }

    /// Evaluates for one item.
    pub(super) fn evaluate_at(
        self,
        item: &PathNode<'r>,
        index: usize,
        expression: &Expression,
    ) -> Result<Nodes<'r>, PathError> {
        Scope { this: std::slice::from_ref(item), index, context: self.context }.evaluate(expression)
    }

    /// A name at the start of a path is a type's name or a member.
    fn start(self, name: &str) -> Nodes<'r> {
        if name.starts_with(|first: char| first.is_ascii_uppercase()) {
            let matching = self.this.iter().filter(|node| node.is_of_type(name));
            return matching.cloned().collect();
        }
        members(self.this, name)
    }

    fn item(self, focus: &Expression, index: &Expression) -> Result<Nodes<'r>, PathError> {
        let items = self.evaluate(focus)?;
        let position = self.evaluate(index)?;
        let position = position.first().and_then(|node| node.json().as_i64());
        let position = position.and_then(|position| usize::try_from(position).ok());
        Ok(position.and_then(|position| items.into_iter().nth(position)).into_iter().collect())
    }

    fn is(self, subject: &Expression, name: &TypeName) -> Result<Nodes<'r>, PathError> {
        let answer = if is_resolve(subject) {
            // Search needs the target's type only, and the reference tells it without reading the target.
            self.this.first().map(|node| refers_to(node.json(), &name.name))
        } else {
            let items = self.evaluate(subject)?;
            operators::single(&items)?.map(|node| node.is_of_type(&name.name))
        };
        Ok(answer.map(PathNode::computed).into_iter().collect())
    }

    fn variable(self, name: &str) -> Result<Nodes<'r>, PathError> {
        match name {
            "resource" | "rootResource" => Ok(vec![PathNode::borrowed(self.context.resource, None)]),
            "context" => Ok(vec![PathNode::borrowed(self.context.focus, self.context.definition)]),
            "ucum" => Ok(vec![PathNode::computed("http://unitsofmeasure.org")]),
            "sct" => Ok(vec![PathNode::computed("http://snomed.info/sct")]),
            "loinc" => Ok(vec![PathNode::computed("http://loinc.org")]),
            other => Err(PathError::Unsupported(format!("the variable %{other}"))),
        }
    }
}

/// Keeps the items of a type.
pub(super) fn of_type<'r>(items: Nodes<'r>, name: &TypeName) -> Nodes<'r> {
    items.into_iter().filter(|node| node.is_of_type(&name.name)).collect()
}

fn members<'r>(items: &[PathNode<'r>], name: &str) -> Nodes<'r> {
    let mut output = Vec::new();
    for item in items {
        item.children(name, &mut output);
    }
    output
}

fn literal<'r>(value: &Literal) -> Nodes<'r> {
    let node = match value {
        Literal::Empty => return Vec::new(),
        Literal::Boolean(value) => PathNode::computed(*value),
        Literal::String(text) => PathNode::computed(text.clone()),
        Literal::Integer(digits) | Literal::Decimal(digits) => PathNode::computed(Json::Number(digits.clone())),
        Literal::Date(text) => PathNode::of_system_type(text.clone(), "Date"),
        Literal::DateTime(text) => PathNode::of_system_type(text.clone(), "DateTime"),
        Literal::Time(text) => PathNode::of_system_type(text.clone(), "Time"),
        Literal::Quantity(number, unit) => {
            let quantity = object([("value", Json::Number(number.clone())), ("code", unit.clone().into())]);
            PathNode::of_system_type(quantity, "Quantity")
        }
    };
    vec![node]
}
