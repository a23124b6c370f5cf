//! Functions (N1 <http://hl7.org/fhirpath/N1/#functions>, R4 <https://hl7.org/fhir/R4/fhirpath.html#functions>).

use super::PathError;
use super::evaluator::{Nodes, Scope, of_type};
use super::node::PathNode;
use super::operators::{same, single, text_of, truth};
use super::syntax::{Expression, TypeName};

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
        ("all", [criteria]) => {
            let count = input.len();
            Ok(vec![PathNode::computed(filter(scope, input, criteria)?.len() == count)])
        }
        ("exists", [criteria]) => Ok(vec![PathNode::computed(!filter(scope, input, criteria)?.is_empty())]),
        ("ofType" | "as", [argument]) => Ok(of_type(input, &type_argument(argument)?)),
        ("is", [argument]) => {
            let name = type_argument(argument)?;
            Ok(single(&input)?.map(|node| PathNode::computed(node.is_of_type(&name.name))).into_iter().collect())
        }
        ("extension", [url]) => extension(scope, &input, url),
        ("skip" | "take", [count]) => part(scope, name, input, count),
        ("startsWith" | "endsWith" | "contains", [argument]) => text_test(scope, name, &input, argument),
        (_, []) => plain(name, input),
        _ => Err(unsupported(name)),
    }
}

/// Functions without arguments.
fn plain<'r>(name: &str, mut input: Nodes<'r>) -> Result<Nodes<'r>, PathError> {
    let answer = match name {
        "empty" => PathNode::computed(input.is_empty()),
        "exists" => PathNode::computed(!input.is_empty()),
        "count" => PathNode::computed(input.len()),
        "hasValue" => PathNode::computed(input.len() == 1 && input.iter().all(PathNode::has_value)),
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
        "distinct" => return Ok(distinct(input)),
        "isDistinct" => {
            let count = input.len();
            PathNode::computed(distinct(input).len() == count)
        }
        "children" => return Ok(children(&input)),
        "descendants" => return descendants(input),
        "trace" => return Ok(input),
        "lower" | "upper" | "length" | "toString" => {
            return Ok(single(&input)?.map(|node| text_function(name, node)).into_iter().collect());
        }
        _ => return Err(unsupported(name)),
    };
    Ok(vec![answer])
}

fn unsupported(name: &str) -> PathError {
    PathError::Unsupported(format!("the function {name}()"))
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

fn extension<'r>(scope: Scope<'_, 'r>, input: &Nodes<'r>, url: &Expression) -> Result<Nodes<'r>, PathError> {
    let url = scope.evaluate(url)?;
    let url = single(&url)?.map(text_of);
    let mut extensions = Vec::new();
    for item in input {
        item.children("extension", &mut extensions);
    }
    extensions.retain(|extension| url.is_some() && extension.json().get_str("url") == url.as_deref());
    Ok(extensions)
}

fn part<'r>(scope: Scope<'_, 'r>, name: &str, input: Nodes<'r>, count: &Expression) -> Result<Nodes<'r>, PathError> {
    let count = scope.evaluate(count)?;
    let count =
        single(&count)?.and_then(|node| node.json().as_i64()).ok_or(PathError::Operand("a count is a number"))?;
    let count = usize::try_from(count).unwrap_or_default();
    if name == "skip" {
        Ok(input.into_iter().skip(count).collect())
    } else {
        Ok(input.into_iter().take(count).collect())
    }
}

fn text_test<'r>(
    scope: Scope<'_, 'r>,
    name: &str,
    input: &Nodes<'r>,
    argument: &Expression,
) -> Result<Nodes<'r>, PathError> {
    let argument = scope.evaluate(argument)?;
    let (Some(own), Some(other)) = (single(input)?, single(&argument)?) else {
        return Ok(Vec::new());
    };
    let (own, other) = (text_of(own), text_of(other));
    let answer = match name {
        "startsWith" => own.starts_with(&other),
        "endsWith" => own.ends_with(&other),
        _ => own.contains(&other),
    };
    Ok(vec![PathNode::computed(answer)])
}

fn text_function<'r>(name: &str, node: &PathNode<'r>) -> PathNode<'r> {
    let text = text_of(node);
    match name {
        "lower" => PathNode::computed(text.to_lowercase()),
        "upper" => PathNode::computed(text.to_uppercase()),
        "length" => PathNode::computed(text.chars().count()),
        _ => PathNode::computed(text),
    }
}

fn distinct(input: Nodes<'_>) -> Nodes<'_> {
    let mut output: Nodes<'_> = Vec::with_capacity(input.len());
    for node in input {
        if !output.iter().any(|known| same(known, &node)) {
            output.push(node);
        }
    }
    output
}

fn children<'r>(input: &Nodes<'r>) -> Nodes<'r> {
    let mut output = Vec::new();
    for node in input {
        node.all_children(&mut output);
    }
    output
}

fn descendants(input: Nodes<'_>) -> Result<Nodes<'_>, PathError> {
    let mut output = Vec::new();
    let mut level = children(&input);
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
