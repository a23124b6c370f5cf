//! Operators (N1 <http://hl7.org/fhirpath/N1/#operations>).

use std::cmp::Ordering;

use super::PathError;
use super::evaluator::Nodes;
use super::node::PathNode;
use super::syntax::Operator;
use crate::date::date_range;
use crate::json::Json;

/// Applies an operator to two collections.
pub(super) fn apply<'r>(operator: Operator, left: Nodes<'r>, right: Nodes<'r>) -> Result<Nodes<'r>, PathError> {
    let answer = match operator {
        Operator::Union => return Ok(union(left, right)),
        Operator::Concatenate => {
            let text = |nodes: &Nodes<'r>| single(nodes).map(|node| node.map_or(String::new(), text_of));
            return Ok(vec![PathNode::computed(text(&left)? + &text(&right)?)]);
        }
        Operator::Equal => equal(&left, &right),
        Operator::NotEqual => equal(&left, &right).map(|answer| !answer),
        Operator::Equivalent => Some(equivalent(&left, &right)),
        Operator::NotEquivalent => Some(!equivalent(&left, &right)),
        Operator::Less => compare(&left, &right)?.map(Ordering::is_lt),
        Operator::LessOrEqual => compare(&left, &right)?.map(Ordering::is_le),
        Operator::Greater => compare(&left, &right)?.map(Ordering::is_gt),
        Operator::GreaterOrEqual => compare(&left, &right)?.map(Ordering::is_ge),
        Operator::In => membership(&left, &right)?,
        Operator::Contains => membership(&right, &left)?,
        Operator::And | Operator::Or | Operator::Xor | Operator::Implies => {
            logic(operator, truth(&left)?, truth(&right)?)
        }
        Operator::Add if left.iter().chain(&right).all(|node| node.json().as_str().is_some()) => {
            let (Some(first), Some(second)) = (single(&left)?, single(&right)?) else {
                return Ok(Vec::new());
            };
            return Ok(vec![PathNode::computed(text_of(first) + &text_of(second))]);
        }
        other => return Err(PathError::Unsupported(format!("the operator {other:?}"))),
    };
    Ok(answer.map(PathNode::computed).into_iter().collect())
}

/// Changes a number's sign.
pub(super) fn negate<'r>(nodes: Nodes<'r>) -> Result<Nodes<'r>, PathError> {
    let Some(node) = single(&nodes)? else {
        return Ok(Vec::new());
    };
    let digits = node.json().as_number().ok_or(PathError::Operand("only a number has a sign"))?;
    let negated = digits.strip_prefix('-').map_or_else(|| format!("-{digits}"), str::to_owned);
    Ok(vec![PathNode::computed(Json::Number(negated.into()))])
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

/// Compares two items by value.
pub(super) fn same(left: &PathNode<'_>, right: &PathNode<'_>) -> bool {
    same_json(left.json(), right.json())
}

fn same_json(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(own), Json::Number(other)) => own == other || left.as_f64() == right.as_f64(),
        (Json::Array(own), Json::Array(other)) => {
            own.len() == other.len() && own.iter().zip(other).all(|(own, other)| same_json(own, other))
        }
        (Json::Object(own), Json::Object(other)) => {
            own.len() == other.len()
                && own.iter().all(|(name, value)| other.get(name).is_some_and(|other| same_json(value, other)))
        }
        _ => left == right,
    }
}

fn equal(left: &[PathNode<'_>], right: &[PathNode<'_>]) -> Option<bool> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    Some(left.len() == right.len() && left.iter().zip(right).all(|(own, other)| same(own, other)))
}

/// Order and, in texts, case and space don't count.
fn equivalent(left: &[PathNode<'_>], right: &[PathNode<'_>]) -> bool {
    let alike = |own: &PathNode<'_>, other: &PathNode<'_>| match (own.json().as_str(), other.json().as_str()) {
        (Some(own), Some(other)) => {
            let words = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
            words(own) == words(other)
        }
        _ => same(own, other),
    };
    left.len() == right.len() && left.iter().all(|own| right.iter().any(|other| alike(own, other)))
}

fn compare(left: &[PathNode<'_>], right: &[PathNode<'_>]) -> Result<Option<Ordering>, PathError> {
    let (Some(left), Some(right)) = (single(left)?, single(right)?) else {
        return Ok(None);
    };
    if let (Some(own), Some(other)) = (left.json().as_f64(), right.json().as_f64()) {
        return Ok(own.partial_cmp(&other));
    }
    let (Some(own), Some(other)) = (left.json().as_str(), right.json().as_str()) else {
        return Err(PathError::Operand("only numbers, texts and dates have an order"));
    };
    if let (Some((own_low, own_high)), Some((other_low, other_high))) = (date_range(own), date_range(other)) {
        if own_high < other_low {
            return Ok(Some(Ordering::Less));
        }
        if own_low > other_high {
            return Ok(Some(Ordering::Greater));
        }
        // Dates of different precision that overlap have no order.
        return Ok(((own_low, own_high) == (other_low, other_high)).then_some(Ordering::Equal));
    }
    Ok(Some(own.cmp(other)))
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

fn union<'r>(left: Nodes<'r>, right: Nodes<'r>) -> Nodes<'r> {
    let mut result: Nodes<'r> = Vec::with_capacity(left.len() + right.len());
    for node in left.into_iter().chain(right) {
        if !result.iter().any(|known| same(known, &node)) {
            result.push(node);
        }
    }
    result
}

/// Returns the text of a value as `toString()` gives it.
pub(super) fn text_of(node: &PathNode<'_>) -> String {
    match node.json() {
        Json::String(text) => text.to_string(),
        other => other.to_string(),
    }
}
