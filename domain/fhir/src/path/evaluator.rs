//! Walks the syntax tree (N1 <http://hl7.org/fhirpath/N1/#expressions>).

use std::cell::Cell;

use super::chain::{is_resolve, refers_to};
use super::functions;
use super::node::PathNode;
use super::operators::{self, single, truth};
use super::syntax::{Expression, Literal, Operator, TypeName};
use super::{EvaluationContext, PathError, references};
use crate::json::{Json, object};

/// A collection while it is computed.
pub(super) type Nodes<'r> = Vec<PathNode<'r>>;

/// One evaluation takes no more steps than this.
const MAX_STEPS: usize = 2_000_000;

/// What `$this`, `$index`, `$total` and the variables mean.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'r> {
    pub(super) this: &'s [PathNode<'r>],
    pub(super) index: usize,
    pub(super) total: &'s [PathNode<'r>],
    pub(super) context: &'s EvaluationContext<'r>,
    steps: &'s Cell<usize>,
}

/// Evaluates from the context's focus.
pub(super) fn evaluate<'r>(expression: &Expression, context: &EvaluationContext<'r>) -> Result<Nodes<'r>, PathError> {
    let this = [PathNode::borrowed(context.focus, context.definition)];
    let steps = Cell::new(0);
    Scope { this: &this, index: 0, total: &[], context, steps: &steps }.evaluate(expression)
}

impl<'s, 'r> Scope<'s, 'r> {
    /// Evaluates in this scope.
    pub(super) fn evaluate(self, expression: &Expression) -> Result<Nodes<'r>, PathError> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MAX_STEPS {
            return Err(PathError::TooComplex);
        }
        match expression {
            Expression::Literal(value) => Ok(literal(value)),
            Expression::This => Ok(self.this.to_vec()),
            Expression::Index => Ok(vec![PathNode::computed(self.index)]),
            Expression::Total => Ok(self.total.to_vec()),
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
            Expression::Binary(operator, left, right) => self.binary(*operator, left, right),
            Expression::Is(subject, name) => self.is(subject, name),
            Expression::As(subject, name) => Ok(of_type(self.evaluate(subject)?, name)),
        }
    }

    /// The right side isn't looked at where the left one decides.
    fn binary(self, operator: Operator, left: &Expression, right: &Expression) -> Result<Nodes<'r>, PathError> {
        let left = self.evaluate(left)?;
        let decided = match operator {
            Operator::And if truth(&left)? == Some(false) => Some(false),
            Operator::Or if truth(&left)? == Some(true) => Some(true),
            Operator::Implies if truth(&left)? == Some(false) => Some(true),
            _ => None,
        };
        match decided {
            Some(answer) => Ok(vec![PathNode::computed(answer)]),
            None => operators::apply(operator, left, self.evaluate(right)?),
        }
    }

    /// Evaluates for one item.
    pub(super) fn evaluate_at(
        self,
        item: &PathNode<'r>,
        index: usize,
        expression: &Expression,
    ) -> Result<Nodes<'r>, PathError> {
        Scope { this: std::slice::from_ref(item), index, ..self }.evaluate(expression)
    }

    /// Evaluates for one item with the answer so far.
    pub(super) fn evaluate_with_total(
        self,
        (item, index): (&PathNode<'r>, usize),
        total: &[PathNode<'r>],
        expression: &Expression,
    ) -> Result<Nodes<'r>, PathError> {
        let scope = Scope { this: std::slice::from_ref(item), index, total, context: self.context, steps: self.steps };
        scope.evaluate(expression)
    }

    /// Evaluates with a whole collection as `$this`.
    pub(super) fn evaluate_on(self, items: &[PathNode<'r>], expression: &Expression) -> Result<Nodes<'r>, PathError> {
        Scope { this: items, index: 0, total: self.total, context: self.context, steps: self.steps }
            .evaluate(expression)
    }

    /// Evaluates an argument that is one item.
    pub(super) fn argument(self, expression: &Expression) -> Result<Option<PathNode<'r>>, PathError> {
        let items = self.evaluate(expression)?;
        Ok(single(&items)?.cloned())
    }

    /// A name at the start of a path is a type's name or a member.
    fn start(self, name: &str) -> Nodes<'r> {
        if name.starts_with(|first: char| first.is_ascii_uppercase()) {
            let name = TypeName { namespace: None, name: name.into() };
            return self.this.iter().filter(|node| node.is_of_type(&name)).cloned().collect();
        }
        members(self.this, name)
    }

    fn item(self, focus: &Expression, index: &Expression) -> Result<Nodes<'r>, PathError> {
        let items = self.evaluate(focus)?;
        let position = self.argument(index)?.and_then(|node| node.json().as_i64());
        let position = position.and_then(|position| usize::try_from(position).ok());
        Ok(position.and_then(|position| items.into_iter().nth(position)).into_iter().collect())
    }

    fn is(self, subject: &Expression, name: &TypeName) -> Result<Nodes<'r>, PathError> {
        if is_resolve(subject) {
            // The reference itself tells its target's type, unless the target stands in the same resource.
            let answer = self.this.first().map(|node| {
                let inside = references::resolve(node, self.context);
                inside.map_or_else(|| refers_to(node.json(), &name.name), |target| target.is_of_type(name))
            });
            return Ok(answer.map(PathNode::computed).into_iter().collect());
        }
        let items = self.evaluate(subject)?;
        Ok(single(&items)?.map(|node| PathNode::computed(node.is_of_type(name))).into_iter().collect())
    }

    fn variable(self, name: &str) -> Result<Nodes<'r>, PathError> {
        let url = |beginning: &str, rest: &str| {
            Ok(vec![PathNode::computed(format!("http://hl7.org/fhir/{beginning}/{rest}"))])
        };
        match name {
            "resource" => Ok(vec![PathNode::borrowed(self.context.resource, None)]),
            "rootResource" => Ok(vec![PathNode::borrowed(self.context.root, None)]),
            "context" => Ok(vec![PathNode::borrowed(self.context.focus, self.context.definition)]),
            "ucum" => Ok(vec![PathNode::computed("http://unitsofmeasure.org")]),
            "sct" => Ok(vec![PathNode::computed("http://snomed.info/sct")]),
            "loinc" => Ok(vec![PathNode::computed("http://loinc.org")]),
            other => match (other.strip_prefix("vs-"), other.strip_prefix("ext-")) {
                (Some(rest), _) => url("ValueSet", rest),
                (_, Some(rest)) => url("StructureDefinition", rest),
                _ => Err(PathError::Unsupported(format!("the variable %{other}"))),
            },
        }
    }
}

/// Keeps the items of a type.
pub(super) fn of_type<'r>(items: Nodes<'r>, name: &TypeName) -> Nodes<'r> {
    items.into_iter().filter(|node| node.is_of_type(name)).collect()
}

/// Returns a member of all items.
pub(super) fn members<'r>(items: &[PathNode<'r>], name: &str) -> Nodes<'r> {
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
        Literal::Integer(digits) => PathNode::of_system_type(Json::Number(digits.clone()), "Integer"),
        Literal::Decimal(digits) => PathNode::of_system_type(Json::Number(digits.clone()), "Decimal"),
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
