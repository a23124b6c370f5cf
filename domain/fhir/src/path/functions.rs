//! Functions (N1 <http://hl7.org/fhirpath/N1/#functions>, R4 <https://hl7.org/fhir/R4/fhirpath.html#functions>):
//! filters, projections and parts of collections here, the others by kind of value.

mod conversions;
mod fhir;
mod html;
mod mathematics;
mod sets;
mod texts;

use std::collections::HashSet;

use super::PathError;
use super::evaluator::{Nodes, Scope, of_type};
use super::node::PathNode;
use super::operand::moment_node;
use super::operators::{distinct, single, truth};
use super::syntax::{Expression, TypeName};
use crate::json::object;

/// `descendants()` and `repeat()` stop here.
const MAX_NODES: usize = 100_000;

/// Calls a function by name.
pub(super) fn call<'r>(
    scope: Scope<'_, 'r>,
    name: &str,
    input: Nodes<'r>,
    arguments: &[Expression],
) -> Result<Nodes<'r>, PathError> {
    match (name, arguments) {
        ("where", [criteria]) => filter(scope, input, criteria),
        ("select", [projection]) => select(scope, &input, projection),
        ("repeat", [projection]) => repeat(scope, input, projection),
        ("all", [criteria]) => {
            let count = input.len();
            Ok(vec![PathNode::computed(filter(scope, input, criteria)?.len() == count)])
        }
        ("exists", [criteria]) => Ok(vec![PathNode::computed(!filter(scope, input, criteria)?.is_empty())]),
        ("aggregate", [aggregator, rest @ ..]) if rest.len() < 2 => {
            aggregate(scope, &input, (aggregator, rest.first()))
        }
        ("iif", [criterion, then, rest @ ..]) if rest.len() < 2 => {
            if truth(&scope.evaluate_on(&input, criterion)?)? == Some(true) {
                scope.evaluate_on(&input, then)
            } else {
                rest.first().map_or(Ok(Vec::new()), |otherwise| scope.evaluate_on(&input, otherwise))
            }
        }
        ("trace", [_] | [_, _]) => Ok(input),
        ("ofType" | "as", [argument]) => Ok(of_type(input, &type_argument(argument)?)),
        ("is", [argument]) => {
            let name = type_argument(argument)?;
            Ok(single(&input)?.map(|node| PathNode::computed(node.is_of_type(&name))).into_iter().collect())
        }
        ("skip" | "take", [count]) => part(scope, name, input, count),
        ("now" | "today" | "timeOfDay", []) => now(scope, name),
        _ => {
            for family in [sets::call, texts::call, conversions::call, mathematics::call, fhir::call] {
                if let Some(answer) = family(scope, name, &input, arguments)? {
                    return Ok(answer);
                }
            }
            plain(name, input, arguments)
        }
    }
}

/// Functions without arguments.
fn plain<'r>(name: &str, mut input: Nodes<'r>, arguments: &[Expression]) -> Result<Nodes<'r>, PathError> {
    if !arguments.is_empty() {
        return Err(PathError::Unsupported(format!("the function {name}() with these arguments")));
    }
    let answer = match name {
        "empty" => PathNode::computed(input.is_empty()),
        "exists" => PathNode::computed(!input.is_empty()),
        "count" => PathNode::computed(input.len()),
        "not" => {
            return Ok(truth(&input)?.map(|value| PathNode::computed(!value)).into_iter().collect());
        }
        "allTrue" => PathNode::computed(input.iter().all(|node| node.json().as_bool() == Some(true))),
        "anyTrue" => PathNode::computed(input.iter().any(|node| node.json().as_bool() == Some(true))),
        "allFalse" => PathNode::computed(input.iter().all(|node| node.json().as_bool() == Some(false))),
        "anyFalse" => PathNode::computed(input.iter().any(|node| node.json().as_bool() == Some(false))),
        "first" => return Ok(input.into_iter().take(1).collect()),
        "last" => return Ok(input.pop().into_iter().collect()),
        "tail" => return Ok(input.into_iter().skip(1).collect()),
        "single" => return Ok(single(&input)?.cloned().into_iter().collect()),
        "distinct" => return distinct(input),
        "isDistinct" => {
            let count = input.len();
            PathNode::computed(distinct(input)?.len() == count)
        }
        "children" => return Ok(children(&input)),
        "descendants" => return descendants(&input),
        "type" => return Ok(input.iter().map(type_information).collect()),
        _ => return Err(PathError::Unsupported(format!("the function {name}()"))),
    };
    Ok(vec![answer])
}

fn type_information<'r>(node: &PathNode<'r>) -> PathNode<'r> {
    let members = [("namespace", node.namespace().into()), ("name", node.type_name().into())];
    PathNode::of_system_type(object(members), "SimpleTypeInfo")
}

fn filter<'r>(scope: Scope<'_, 'r>, input: Nodes<'r>, criteria: &Expression) -> Result<Nodes<'r>, PathError> {
    let mut kept = Vec::new();
    for (index, item) in input.into_iter().enumerate() {
        if truth(&scope.evaluate_at(&item, index, criteria)?)? == Some(true) {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn select<'r>(scope: Scope<'_, 'r>, input: &Nodes<'r>, projection: &Expression) -> Result<Nodes<'r>, PathError> {
    let mut output = Vec::new();
    for (index, item) in input.iter().enumerate() {
        output.extend(scope.evaluate_at(item, index, projection)?);
    }
    Ok(output)
}

fn repeat<'r>(scope: Scope<'_, 'r>, input: Nodes<'r>, projection: &Expression) -> Result<Nodes<'r>, PathError> {
    let mut output: Nodes<'r> = Vec::new();
    let mut seen = HashSet::new();
    let mut level = input;
    while !level.is_empty() {
        let found = select(scope, &level, projection)?;
        level = found.into_iter().filter(|node| seen.insert(node.json().to_bytes())).collect();
        output.extend(level.iter().cloned());
        if output.len() > MAX_NODES {
            return Err(PathError::TooComplex);
        }
    }
    Ok(output)
}

fn aggregate<'r>(
    scope: Scope<'_, 'r>,
    input: &Nodes<'r>,
    (aggregator, start): (&Expression, Option<&Expression>),
) -> Result<Nodes<'r>, PathError> {
    let mut total = start.map_or(Ok(Vec::new()), |start| scope.evaluate(start))?;
    for (index, item) in input.iter().enumerate() {
        total = scope.evaluate_with_total((item, index), &total, aggregator)?;
    }
    Ok(total)
}

fn part<'r>(scope: Scope<'_, 'r>, name: &str, input: Nodes<'r>, count: &Expression) -> Result<Nodes<'r>, PathError> {
    let Some(count) = scope.argument(count)? else {
        return Ok(Vec::new());
    };
    let count = count.json().as_i64().ok_or(PathError::Operand("a count is a whole number"))?;
    let count = usize::try_from(count).unwrap_or_default();
    if name == "skip" {
        Ok(input.into_iter().skip(count).collect())
    } else {
        Ok(input.into_iter().take(count).collect())
    }
}

fn now<'r>(scope: Scope<'_, 'r>, name: &str) -> Result<Nodes<'r>, PathError> {
    let micros = scope.context.now.ok_or_else(|| PathError::Unsupported(format!("{name}() without a clock")))?;
    let now =
        super::moment::Moment::from_micros(micros).ok_or(PathError::Operand("the clock is beyond the calendar"))?;
    Ok(vec![moment_node(match name {
        "today" => now.to_date(),
        "timeOfDay" => now.to_time(),
        _ => now,
    })])
}

fn children<'r>(input: &[PathNode<'r>]) -> Nodes<'r> {
    let mut output = Vec::new();
    for node in input {
        node.all_children(&mut output);
    }
    output
}

fn descendants<'r>(input: &[PathNode<'r>]) -> Result<Nodes<'r>, PathError> {
    let mut output = Vec::new();
    let mut level = children(input);
    while !level.is_empty() {
        let next = children(&level);
        output.append(&mut level);
        if output.len() > MAX_NODES {
            return Err(PathError::TooComplex);
        }
        level = next;
    }
    Ok(output)
}

fn type_argument(argument: &Expression) -> Result<TypeName, PathError> {
    match argument {
        Expression::Member(None, name) => Ok(TypeName { namespace: None, name: name.clone() }),
        Expression::Member(Some(namespace), name) => match namespace.as_ref() {
            Expression::Member(None, namespace) => {
                Ok(TypeName { namespace: Some(namespace.clone()), name: name.clone() })
            }
            _ => Err(PathError::Operand("a type's name is expected")),
        },
        _ => Err(PathError::Operand("a type's name is expected")),
    }
}
