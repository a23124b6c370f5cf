//! Functions of two collections (N1 <http://hl7.org/fhirpath/N1/#combining>,
//! <http://hl7.org/fhirpath/N1/#subsetting>).

use super::super::PathError;
use super::super::compare::same;
use super::super::evaluator::{Nodes, Scope};
use super::super::node::PathNode;
use super::super::operators::{distinct, union};
use super::super::syntax::Expression;

/// Calls a function of this family; `None` if there's none of this name.
pub(super) fn call<'r>(
    scope: Scope<'_, 'r>,
    name: &str,
    input: &Nodes<'r>,
    arguments: &[Expression],
) -> Result<Option<Nodes<'r>>, PathError> {
    let [argument] = arguments else { return Ok(None) };
    if !matches!(name, "subsetOf" | "supersetOf" | "intersect" | "exclude" | "union" | "combine") {
        return Ok(None);
    }
    let other = scope.evaluate(argument)?;
    let answer = match name {
        "subsetOf" => vec![PathNode::computed(holds_all(&other, input))],
        "supersetOf" => vec![PathNode::computed(holds_all(input, &other))],
        "intersect" => distinct(input.iter().filter(|node| holds(&other, node)).cloned().collect())?,
        "exclude" => input.iter().filter(|node| !holds(&other, node)).cloned().collect(),
        "union" => union(input.clone(), other)?,
        _ => input.iter().cloned().chain(other).collect(),
    };
    Ok(Some(answer))
}

fn holds(items: &[PathNode<'_>], wanted: &PathNode<'_>) -> bool {
    items.iter().any(|item| same(item, wanted))
}

fn holds_all(items: &[PathNode<'_>], wanted: &[PathNode<'_>]) -> bool {
    wanted.iter().all(|each| holds(items, each))
}
