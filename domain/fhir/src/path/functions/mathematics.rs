//! Functions of numbers (N1 <http://hl7.org/fhirpath/N1/#math>).

use rust_decimal::prelude::{FromPrimitive as _, ToPrimitive as _};
use rust_decimal::{Decimal, RoundingStrategy};

use super::super::PathError;
use super::super::evaluator::{Nodes, Scope};
use super::super::node::PathNode;
use super::super::operand::{Operand, decimal_node, integer, quantity_node};
use super::super::operators::single;
use super::super::syntax::Expression;

const NAMES: [&str; 10] = ["abs", "ceiling", "exp", "floor", "ln", "log", "power", "round", "sqrt", "truncate"];
/// Higher powers go by way of a float.
const MAX_EXACT_EXPONENT: i64 = 64;

/// Calls a function of this family; `None` if there's none of this name.
pub(super) fn call<'r>(
    scope: Scope<'_, 'r>,
    name: &str,
    input: &Nodes<'r>,
    arguments: &[Expression],
) -> Result<Option<Nodes<'r>>, PathError> {
    if !NAMES.contains(&name) {
        return Ok(None);
    }
    let Some(node) = single(input)? else {
        return Ok(Some(Vec::new()));
    };
    let operand = Operand::of(node);
    if let (Operand::Quantity(quantity), "abs") = (&operand, name) {
        let mut positive = quantity.clone();
        positive.value = positive.value.abs();
        return Ok(Some(vec![quantity_node(positive)]));
    }
    let own = operand.number().ok_or(PathError::Operand("a number is expected"))?;
    let argument = match arguments {
        [] => None,
        [argument] => match scope.argument(argument)? {
            None => return Ok(Some(Vec::new())),
            Some(node) => Some(Operand::of(&node).number().ok_or(PathError::Operand("a number is expected"))?),
        },
        _ => return Err(PathError::Unsupported(format!("the function {name}() with these arguments"))),
    };
    let answer = match (name, argument) {
        ("power", Some(exponent)) => power(own, exponent).map(|value| numeric(value, &operand)),
        ("log", Some(base)) => of_float(float(own).zip(float(base)).map(|(own, base)| own.log(base))),
        ("round", digits) => {
            let digits = digits.map_or(Some(0), |digits| digits.to_u32());
            let digits = digits.ok_or(PathError::Operand("a precision is a whole number from 0"))?;
            Some(decimal_node(own.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)))
        }
        ("power" | "log", None) | (_, Some(_)) => {
            return Err(PathError::Unsupported(format!("the function {name}() with these arguments")));
        }
        ("abs", None) => Some(numeric(own.abs(), &operand)),
        ("ceiling", None) => Some(integer(own.ceil())),
        ("floor", None) => Some(integer(own.floor())),
        ("truncate", None) => Some(integer(own.trunc())),
        ("exp", None) => of_float(float(own).map(f64::exp)),
        ("ln", None) => of_float(float(own).map(f64::ln)),
        _ => of_float(float(own).map(f64::sqrt)),
    };
    Ok(Some(answer.into_iter().collect()))
}

/// Keeps the type of the number that it comes from.
fn numeric<'r>(value: Decimal, source: &Operand<'_>) -> PathNode<'r> {
    let is_whole = matches!(source, Operand::Integer(_)) && value.fract().is_zero();
    if is_whole { integer(value) } else { decimal_node(value) }
}

fn float(value: Decimal) -> Option<f64> {
    value.to_f64()
}

/// What has no finite answer has none.
fn of_float<'r>(value: Option<f64>) -> Option<PathNode<'r>> {
    value.filter(|value| value.is_finite()).and_then(Decimal::from_f64).map(decimal_node)
}

fn power(own: Decimal, exponent: Decimal) -> Option<Decimal> {
    let whole = exponent.fract().is_zero().then(|| exponent.to_i64()).flatten();
    if let Some(count) = whole.filter(|count| (0..=MAX_EXACT_EXPONENT).contains(count)) {
        return (0..count).try_fold(Decimal::ONE, |product, _| product.checked_mul(own));
    }
    let value = float(own)?.powf(float(exponent)?);
    Some(value).filter(|value| value.is_finite()).and_then(Decimal::from_f64)
}
