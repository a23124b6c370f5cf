//! References (R4 <https://hl7.org/fhir/R4/search.html#reference>).

use super::{IndexValue, LetterCase, ReferenceIndex, boxed};
use crate::json::Json;
use crate::types::{ReferenceTarget, ResourceKey, parse_reference};

/// Appends the links of a value: a Reference, a canonical or uri, or an inline resource.
pub(super) fn push(value: &Json, type_name: &str, values: &mut Vec<IndexValue>) {
    match value {
        Json::String(text) => push_url(text, type_name, values),
        Json::Object(_) if type_name == "Reference" => push_reference(value, values),
        Json::Object(_) => push_inline(value, values),
        _ => {}
    }
}

fn push_reference(value: &Json, values: &mut Vec<IndexValue>) {
    let mut index = value.get_str("reference").and_then(parsed).unwrap_or_default();
    if index.resource_type.is_none() {
        index.resource_type = value.get_str("type").and_then(|name| name.parse().ok());
    }
    if let Some(identifier) = value.get("identifier") {
        let value = identifier.get_str("value").map(|own| Box::from(LetterCase::Folded.comparable(own)));
        index.identifier = value.map(|own| (boxed(identifier, "system"), own));
    }
    let unversioned = index.url.as_deref().and_then(without_version).and_then(parsed);
    if index.key.is_some() || index.url.is_some() || index.identifier.is_some() {
        values.push(IndexValue::Reference(index));
    }
    if let Some(index) = unversioned {
        values.push(IndexValue::Reference(index));
    }
}

/// What a reference to a version elsewhere is a version of: as on this server, it is found by that too.
fn without_version(url: &str) -> Option<&str> {
    let (resource, _) = url.split_once("/_history/").or_else(|| url.split_once('|'))?;
    Some(resource)
}

/// Contained resources have no address outside their container, so they aren't found by reference.
fn parsed(text: &str) -> Option<ReferenceIndex> {
    match parse_reference(text, "")? {
        ReferenceTarget::Literal { key, .. } => {
            let resource_type = Some(key.resource_type());
            Some(ReferenceIndex { key: Some(key), resource_type, ..ReferenceIndex::default() })
        }
        ReferenceTarget::Absolute(url) | ReferenceTarget::Urn(url) => {
            let named = without_version(&url).unwrap_or(&url);
            let resource_type = named.rsplit('/').nth(1).and_then(|name| name.parse().ok());
            Some(ReferenceIndex { url: Some(url.into()), resource_type, ..ReferenceIndex::default() })
        }
        ReferenceTarget::Contained(_) => None,
    }
}

/// A canonical is found with its version and without (R4 references.html#canonical).
fn push_url(text: &str, type_name: &str, values: &mut Vec<IndexValue>) {
    let mut push = |url: &str| {
        let index = match parse_reference(url, "") {
            // Not what a canonical should be, but often met: the resource on this server.
            Some(ReferenceTarget::Literal { .. }) => parsed(url),
            Some(ReferenceTarget::Contained(_)) => None,
            _ => Some(ReferenceIndex { url: Some(url.into()), ..ReferenceIndex::default() }),
        };
        values.extend(index.map(IndexValue::Reference));
    };
    push(text);
    if type_name == "canonical"
        && let Some(unversioned) = without_version(text)
    {
        push(unversioned);
    }
}

fn push_inline(value: &Json, values: &mut Vec<IndexValue>) {
    let resource_type = value.get_str("resourceType").and_then(|name| name.parse().ok());
    let id = value.get_str("id").and_then(|id| id.parse().ok());
    if let (Some(resource_type), Some(id)) = (resource_type, id) {
        let key = Some(ResourceKey::new(resource_type, id));
        let index = ReferenceIndex { key, resource_type: Some(resource_type), ..ReferenceIndex::default() };
        values.push(IndexValue::Reference(index));
    }
}
