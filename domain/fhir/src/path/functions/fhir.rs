//! FHIR's own functions (R4 <https://hl7.org/fhir/R4/fhirpath.html#functions>).

use seva_fhir_profiles::definitions;

use super::super::PathError;
use super::super::evaluator::{Nodes, Scope, members};
use super::super::node::PathNode;
use super::super::operators::{single, text_of};
use super::super::references;
use super::super::syntax::{Expression, TypeName};
use super::html;
use crate::json::Json;

const BASE_DEFINITIONS: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Calls a function of this family; `None` if there's none of this name.
pub(super) fn call<'r>(
    scope: Scope<'_, 'r>,
    name: &str,
    input: &Nodes<'r>,
    arguments: &[Expression],
) -> Result<Option<Nodes<'r>>, PathError> {
    let answer = match (name, arguments) {
        ("extension", [url]) => extension(scope, input, url)?,
        ("hasValue", []) => {
            vec![PathNode::computed(input.len() == 1 && input.iter().all(PathNode::has_value))]
        }
        ("getValue", []) => match input.as_slice() {
            [only] if only.has_value() => vec![PathNode::computed(only.json().clone())],
            _ => Vec::new(),
        },
        ("resolve", []) => input.iter().filter_map(|node| references::resolve(node, scope.context)).collect(),
        ("memberOf", [value_set]) => {
            let url = scope.argument(value_set)?.map(|url| text_of(&url));
            member_of(input, url.as_deref())?
        }
        ("conformsTo", [profile]) => {
            let url = scope.argument(profile)?.map(|url| text_of(&url));
            conforms_to(input, url.as_deref())?
        }
        ("htmlChecks", []) => {
            let is_sound = input.iter().all(|node| node.json().as_str().is_none_or(html::is_narrative));
            vec![PathNode::computed(is_sound)]
        }
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

fn extension<'r>(scope: Scope<'_, 'r>, input: &Nodes<'r>, url: &Expression) -> Result<Nodes<'r>, PathError> {
    let url = scope.argument(url)?.map(|url| text_of(&url));
    let mut extensions = members(input, "extension");
    extensions.retain(|extension| url.is_some() && extension.json().get_str("url") == url.as_deref());
    Ok(extensions)
}

/// A value set whose codes aren't known has no answer.
fn member_of<'r>(input: &Nodes<'r>, url: Option<&str>) -> Result<Nodes<'r>, PathError> {
    let list = url.and_then(|url| definitions().code_list(url.split('|').next().unwrap_or(url)));
    let (Some(node), Some(list)) = (single(input)?, list) else {
        return Ok(Vec::new());
    };
    let holds = |coding: &Json| match (coding.get_str("system"), coding.get_str("code")) {
        (Some(system), Some(code)) => list.contains_in(system, code),
        (None, Some(code)) => list.contains(code),
        (_, None) => false,
    };
    let answer = match (node.json().as_str(), node.json().get("coding")) {
        (Some(code), _) => list.contains(code),
        (None, Some(codings)) => codings.items().iter().any(holds),
        (None, None) => holds(node.json()),
    };
    Ok(vec![PathNode::computed(answer)])
}

fn conforms_to<'r>(input: &Nodes<'r>, url: Option<&str>) -> Result<Nodes<'r>, PathError> {
    let (Some(node), Some(url)) = (single(input)?, url) else {
        return Ok(Vec::new());
    };
    let name = url.strip_prefix(BASE_DEFINITIONS).filter(|name| definitions().type_named(name).is_some());
    let name = name.ok_or_else(|| PathError::Unsupported("conformsTo() with a profile".into()))?;
    Ok(vec![PathNode::computed(node.is_of_type(&TypeName { namespace: None, name: name.into() }))])
}
