//! Equality, equivalence and order (N1 <http://hl7.org/fhirpath/N1/#equality>,
//! <http://hl7.org/fhirpath/N1/#comparison>).

use std::cmp::Ordering;

use super::PathError;
use super::node::PathNode;
use super::operand::Operand;
use super::operators::single;
use super::quantity;
use crate::json::Json;

/// Tells whether two items are equal; `None` where their precision or units don't tell.
fn equal_items(left: &PathNode<'_>, right: &PathNode<'_>) -> Option<bool> {
    match (Operand::of(left), Operand::of(right)) {
        (Operand::Moment(own), Operand::Moment(other)) if own.is_time() == other.is_time() => {
            own.compare(&other).map(Ordering::is_eq)
        }
        (Operand::Quantity(own), other) => {
            other.quantity().map_or(Some(false), |other| own.compare(&other).map(Ordering::is_eq))
        }
        (other, Operand::Quantity(own)) => {
            other.quantity().map_or(Some(false), |other| own.compare(&other).map(Ordering::is_eq))
        }
        (Operand::Other, Operand::Other) => Some(same_json(left.json(), right.json())),
        (own, other) => match (own.number(), other.number()) {
            (Some(own), Some(other)) => Some(own == other),
            _ => Some(own == other),
        },
    }
}

/// Tells whether two items are surely equal.
pub(super) fn same(left: &PathNode<'_>, right: &PathNode<'_>) -> bool {
    let is_one = left.address().is_some_and(|own| left.has_value() && Some(own) == right.address());
    is_one || equal_items(left, right) == Some(true)
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

/// `=`
pub(super) fn equal(left: &[PathNode<'_>], right: &[PathNode<'_>]) -> Option<bool> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    if left.len() != right.len() {
        return Some(false);
    }
    let mut answer = Some(true);
    for (own, other) in left.iter().zip(right) {
        match equal_items(own, other) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => answer = None,
        }
    }
    answer
}

/// `~`: order doesn't count, nor do case and space in texts, nor digits beyond the coarser precision.
pub(super) fn equivalent(left: &[PathNode<'_>], right: &[PathNode<'_>]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut open: Vec<&PathNode<'_>> = right.iter().collect();
    left.iter().all(|own| {
        let position = open.iter().position(|other| equivalent_items(own, other));
        position.map(|position| open.swap_remove(position)).is_some()
    })
}

fn equivalent_items(left: &PathNode<'_>, right: &PathNode<'_>) -> bool {
    let words = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    match (Operand::of(left), Operand::of(right)) {
        (Operand::Text(own), Operand::Text(other)) => words(own) == words(other),
        (Operand::Quantity(own), Operand::Quantity(other)) => own.is_equivalent(&other),
        (Operand::Other, Operand::Other) => equivalent_json(left.json(), right.json()),
        (own, other) => match (own.number(), other.number()) {
            (Some(own), Some(other)) => quantity::equivalent(own, other),
            _ => equal_items(left, right) == Some(true),
        },
    }
}

fn equivalent_json(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::String(own), Json::String(other)) => own.to_lowercase() == other.to_lowercase(),
        (Json::Array(own), Json::Array(other)) => {
            own.len() == other.len() && own.iter().all(|own| other.iter().any(|other| equivalent_json(own, other)))
        }
        (Json::Object(own), Json::Object(other)) => {
            // An element's id says nothing about its meaning.
            let count = |members: &crate::json::JsonObject| members.iter().filter(|(name, _)| *name != "id").count();
            count(own) == count(other)
                && own
                    .iter()
                    .filter(|(name, _)| *name != "id")
                    .all(|(name, value)| other.get(name).is_some_and(|other| equivalent_json(value, other)))
        }
        _ => same_json(left, right),
    }
}

/// `<` and the like.
pub(super) fn order(left: &[PathNode<'_>], right: &[PathNode<'_>]) -> Result<Option<Ordering>, PathError> {
    let (Some(left), Some(right)) = (single(left)?, single(right)?) else {
        return Ok(None);
    };
    let unordered = PathError::Operand("only two numbers, texts, quantities, dates or times have an order");
    match (Operand::of(left), Operand::of(right)) {
        (Operand::Text(own), Operand::Text(other)) => Ok(Some(own.cmp(other))),
        (Operand::Moment(own), Operand::Moment(other)) if own.is_time() == other.is_time() => Ok(own.compare(&other)),
        (own @ Operand::Quantity(_), other) | (own, other @ Operand::Quantity(_)) => {
            let (own, other) = own.quantity().zip(other.quantity()).ok_or(unordered)?;
            Ok(own.compare(&other))
        }
        (own, other) => {
            let (own, other) = own.number().zip(other.number()).ok_or(unordered)?;
            Ok(Some(own.cmp(&other)))
        }
    }
}
