//! Conversions (N1 <http://hl7.org/fhirpath/N1/#conversion>).

use rust_decimal::Decimal;

use super::super::PathError;
use super::super::evaluator::{Nodes, Scope};
use super::super::moment::Moment;
use super::super::node::PathNode;
use super::super::operand::{Operand, decimal_node, integer, moment_node, quantity_node};
use super::super::operators::{single, text_of};
use super::super::quantity::{Quantity, decimal};
use super::super::syntax::Expression;

const TYPES: [&str; 8] = ["Boolean", "Integer", "Decimal", "String", "Date", "DateTime", "Time", "Quantity"];

/// Calls a function of this family; `None` if there's none of this name.
pub(super) fn call<'r>(
    scope: Scope<'_, 'r>,
    name: &str,
    input: &Nodes<'r>,
    arguments: &[Expression],
) -> Result<Option<Nodes<'r>>, PathError> {
    let (is_test, target) = match (name.strip_prefix("convertsTo"), name.strip_prefix("to")) {
        (Some(target), _) => (true, target),
        (None, Some(target)) => (false, target),
        _ => return Ok(None),
    };
    if !TYPES.contains(&target) || arguments.len() > usize::from(target == "Quantity") {
        return Ok(None);
    }
    let Some(node) = single(input)? else {
        return Ok(Some(Vec::new()));
    };
    let mut converted = convert(target, node);
    if let (Some(unit), Some(node)) = (arguments.first(), &converted) {
        let unit = scope.argument(unit)?;
        let unit = unit.as_ref().and_then(|unit| unit.json().as_str());
        converted = unit.zip(Operand::of(node).quantity()).and_then(|(unit, own)| in_unit(&own, unit));
    }
    if is_test {
        return Ok(Some(vec![PathNode::computed(converted.is_some())]));
    }
    Ok(Some(converted.into_iter().collect()))
}

fn in_unit<'r>(own: &Quantity, unit: &str) -> Option<PathNode<'r>> {
    Quantity { value: Decimal::ZERO, unit: unit.into() }.add(own).map(quantity_node)
}

fn convert<'r>(target: &str, node: &PathNode<'r>) -> Option<PathNode<'r>> {
    let operand = Operand::of(node);
    match target {
        "Boolean" => boolean(&operand).map(PathNode::computed),
        "Integer" => match operand {
            Operand::Integer(value) => Some(integer(value)),
            Operand::Boolean(value) => Some(integer(i64::from(value).into())),
            Operand::Text(text) => whole(text).map(integer),
            _ => None,
        },
        "Decimal" => match operand {
            Operand::Integer(value) | Operand::Decimal(value) => Some(decimal_node(value)),
            Operand::Boolean(value) => Some(decimal_node(i64::from(value).into())),
            Operand::Text(text) if !text.contains(['e', 'E']) => decimal(text).map(decimal_node),
            _ => None,
        },
        "String" => (operand != Operand::Other).then(|| PathNode::computed(text_of(node))),
        "Quantity" => match operand {
            Operand::Boolean(value) => Some(quantity_node(Quantity::plain(i64::from(value).into()))),
            Operand::Text(text) => Quantity::parse(text).map(quantity_node),
            other => other.quantity().map(quantity_node),
        },
        _ => moment(target, &operand).map(moment_node),
    }
}

fn moment(target: &str, operand: &Operand<'_>) -> Option<Moment> {
    match (target, operand) {
        ("Date", Operand::Moment(moment)) if !moment.is_time() => Some(moment.to_date()),
        ("DateTime", Operand::Moment(moment)) if !moment.is_time() => Some(moment.to_date_time()),
        ("Time", Operand::Moment(moment)) if moment.is_time() => Some(*moment),
        ("Date", Operand::Text(text)) => Moment::parse(text).map(Moment::to_date),
        ("DateTime", Operand::Text(text)) => Moment::parse(text).map(Moment::to_date_time),
        ("Time", Operand::Text(text)) => Moment::parse_time(text),
        _ => None,
    }
}

fn whole(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn boolean(operand: &Operand<'_>) -> Option<bool> {
    match operand {
        Operand::Boolean(value) => Some(*value),
        Operand::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        other => match other.number()? {
            one if one == Decimal::ONE => Some(true),
            zero if zero.is_zero() => Some(false),
            _ => None,
        },
    }
}
