//! Operators (N1 <http://hl7.org/fhirpath/N1/#operations>).

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::PathError;
use super::compare::{equal, equivalent, order, same};
use super::evaluator::Nodes;
use super::node::PathNode;
use super::operand::{Operand, decimal_node, integer, moment_node, quantity_node};
use super::quantity::divide;
use super::syntax::Operator;
use crate::json::Json;

/// More comparisons than this aren't made for one union.
const MAX_COMPARISONS: usize = 4_000_000;

/// Applies an operator to two collections.
pub(super) fn apply<'r>(operator: Operator, left: Nodes<'r>, right: Nodes<'r>) -> Result<Nodes<'r>, PathError> {
    let answer = match operator {
        Operator::Union => return union(left, right),
        Operator::Concatenate => {
            let text = |nodes: &Nodes<'r>| single(nodes).map(|node| node.map_or(String::new(), text_of));
            return Ok(vec![PathNode::computed(text(&left)? + &text(&right)?)]);
        }
        Operator::Equal => equal(&left, &right),
        Operator::NotEqual => equal(&left, &right).map(|answer| !answer),
        Operator::Equivalent => Some(equivalent(&left, &right)),
        Operator::NotEquivalent => Some(!equivalent(&left, &right)),
        Operator::Less => order(&left, &right)?.map(Ordering::is_lt),
        Operator::LessOrEqual => order(&left, &right)?.map(Ordering::is_le),
        Operator::Greater => order(&left, &right)?.map(Ordering::is_gt),
        Operator::GreaterOrEqual => order(&left, &right)?.map(Ordering::is_ge),
        Operator::In => membership(&left, &right)?,
        Operator::Contains => membership(&right, &left)?,
        Operator::And | Operator::Or | Operator::Xor | Operator::Implies => {
            logic(operator, truth(&left)?, truth(&right)?)
        }
        arithmetic => {
            let (Some(own), Some(other)) = (single(&left)?, single(&right)?) else {
                return Ok(Vec::new());
            };
            return calculate(arithmetic, &Operand::of(own), &Operand::of(other))
                .map(|node| node.into_iter().collect());
        }
    };
    Ok(answer.map(PathNode::computed).into_iter().collect())
}

/// An empty answer stands for what has none, such as a division by zero.
fn calculate<'r>(
    operator: Operator,
    own: &Operand<'_>,
    other: &Operand<'_>,
) -> Result<Option<PathNode<'r>>, PathError> {
    if let (Some(first), Some(second)) = (own.number(), other.number()) {
        let whole = matches!((own, other), (Operand::Integer(_), Operand::Integer(_)));
        return Ok(numbers(operator, first, second).map(|value| {
            if operator == Operator::IntegerDivide || (whole && operator != Operator::Divide) {
                integer(value)
            } else {
                decimal_node(value)
            }
        }));
    }
    match (operator, own, other) {
        (Operator::Add, Operand::Text(own), Operand::Text(other)) => {
            Ok(Some(PathNode::computed(format!("{own}{other}"))))
        }
        (Operator::Add | Operator::Subtract, Operand::Moment(moment), Operand::Quantity(quantity)) => {
            let unit =
                quantity.calendar_unit().ok_or(PathError::Operand("a date is moved by calendar units such as days"))?;
            let value = if operator == Operator::Subtract { -quantity.value } else { quantity.value };
            Ok(moment.add(value, unit).map(moment_node))
        }
        (Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide, own, other) => {
            let (Some(own), Some(mut other)) = (own.quantity(), other.quantity()) else {
                return Err(PathError::Operand("the operands of an arithmetic operator don't fit each other"));
            };
            if operator == Operator::Subtract {
                other.value = -other.value;
            }
            let result = match operator {
                Operator::Multiply => own.times(&other, 1),
                Operator::Divide => own.times(&other, -1),
                _ => own.add(&other),
            };
            Ok(result.map(quantity_node))
        }
        _ => Err(PathError::Operand("the operands of an arithmetic operator must be numbers")),
    }
}

fn numbers(operator: Operator, own: Decimal, other: Decimal) -> Option<Decimal> {
    match operator {
        Operator::Add => own.checked_add(other),
        Operator::Subtract => own.checked_sub(other),
        Operator::Multiply => own.checked_mul(other),
        Operator::Divide => divide(own, other),
        Operator::IntegerDivide => own.checked_div(other).map(|value| value.trunc()),
        Operator::Modulo => own.checked_rem(other),
        _ => None,
    }
}

/// Changes the sign of a number or quantity.
pub(super) fn negate<'r>(nodes: Nodes<'r>) -> Result<Nodes<'r>, PathError> {
    let Some(node) = single(&nodes)? else {
        return Ok(Vec::new());
    };
    let negated = match Operand::of(node) {
        Operand::Integer(value) => integer(-value),
        Operand::Decimal(value) => decimal_node(-value),
        Operand::Quantity(mut quantity) => {
            quantity.value = -quantity.value;
            quantity_node(quantity)
        }
        _ => return Err(PathError::Operand("only a number has a sign")),
    };
    Ok(vec![negated])
}

/// Returns the only item, or nothing.
pub(super) fn single<'n, 'r>(nodes: &'n [PathNode<'r>]) -> Result<Option<&'n PathNode<'r>>, PathError> {
    match nodes {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        _ => Err(PathError::Operand("one item is expected, but there are several")),
    }
}

/// Reads a collection as a truth value: a single item that isn't a boolean counts as true.
pub(super) fn truth(nodes: &[PathNode<'_>]) -> Result<Option<bool>, PathError> {
    Ok(single(nodes)?.map(|node| node.json().as_bool().unwrap_or(true)))
}

fn membership(item: &[PathNode<'_>], items: &[PathNode<'_>]) -> Result<Option<bool>, PathError> {
    Ok(single(item)?.map(|item| items.iter().any(|other| same(item, other))))
}

fn logic(operator: Operator, left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (operator, left, right) {
        (Operator::And, Some(false), _) | (Operator::And, _, Some(false)) => Some(false),
        (Operator::And, Some(true), Some(true)) => Some(true),
        (Operator::Or, Some(true), _) | (Operator::Or, _, Some(true)) => Some(true),
        (Operator::Or, Some(false), Some(false)) => Some(false),
        (Operator::Xor, Some(own), Some(other)) => Some(own != other),
        (Operator::Implies, Some(false), _) | (Operator::Implies, _, Some(true)) => Some(true),
        (Operator::Implies, Some(true), Some(false)) => Some(false),
        _ => None,
    }
}

/// Joins two collections without duplicates.
pub(super) fn union<'r>(left: Nodes<'r>, right: Nodes<'r>) -> Result<Nodes<'r>, PathError> {
    let mut all = left;
    all.extend(right);
    distinct(all)
}

/// Keeps the first of equal items.
pub(super) fn distinct(input: Nodes<'_>) -> Result<Nodes<'_>, PathError> {
    if input.len().saturating_mul(input.len()) > MAX_COMPARISONS {
        return Err(PathError::TooComplex);
    }
    let mut output: Nodes<'_> = Vec::with_capacity(input.len());
    for node in input {
        if !output.iter().any(|known| same(known, &node)) {
            output.push(node);
        }
    }
    Ok(output)
}

/// Returns the text of a value as `toString()` gives it.
pub(super) fn text_of(node: &PathNode<'_>) -> String {
    match (node.json(), Operand::of(node)) {
        (Json::String(text), _) => text.to_string(),
        (_, Operand::Quantity(quantity)) => quantity.to_text(),
        (other, _) => other.to_string(),
    }
}
