//! `resolve()` within the resource at hand: contained resources and the entries of its Bundle
//! (R4 <https://hl7.org/fhir/R4/references.html#contained>, <https://hl7.org/fhir/R4/bundle.html#references>).

use super::EvaluationContext;
use super::node::PathNode;
use crate::json::Json;

/// Finds what a reference points at, if it stands in the same resource or Bundle.
pub(super) fn resolve<'r>(node: &PathNode<'r>, context: &EvaluationContext<'r>) -> Option<PathNode<'r>> {
    let text = node.json().as_str().or_else(|| node.json().get_str("reference"))?;
    let target = match text.strip_prefix('#') {
        Some("") => Some(context.resource),
        Some(id) => contained(context.resource, id).or_else(|| contained(context.root, id)),
        None => bundled(context.root, text),
    };
    target.map(|target| PathNode::borrowed(target, None))
}

fn contained<'r>(resource: &'r Json, id: &str) -> Option<&'r Json> {
    let all = resource.get("contained").map_or(&[][..], Json::items);
    all.iter().find(|each| each.get_str("id") == Some(id))
}

fn bundled<'r>(root: &'r Json, reference: &str) -> Option<&'r Json> {
    if root.get_str("resourceType") != Some("Bundle") {
        return None;
    }
    let reference = reference.split("/_history/").next().unwrap_or(reference);
    let entries = root.get("entry").map_or(&[][..], Json::items);
    entries.iter().find(|entry| is_named(entry, reference)).and_then(|entry| entry.get("resource"))
}

fn is_named(entry: &Json, reference: &str) -> bool {
    if entry.get_str("fullUrl").is_some_and(|url| {
        url == reference || url.strip_suffix(reference).is_some_and(|beginning| beginning.ends_with('/'))
    }) {
        return true;
    }
    let Some(resource) = entry.get("resource") else { return false };
    let (kind, id) = reference.split_once('/').unwrap_or_default();
    !id.is_empty() && resource.get_str("resourceType") == Some(kind) && resource.get_str("id") == Some(id)
}
