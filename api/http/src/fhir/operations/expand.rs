//! `ValueSet/$expand` (R4 <https://hl7.org/fhir/R4/valueset-operation-expand.html>), filtered and in pages.

use poem::Response;
use seva_fhir::json::{Json, JsonObject, array, object};
use seva_fhir::terminology::Concept;

use super::super::{CallerRef, FhirEndpoint};
use super::terminology::named;
use super::{On, Parameters, answer};
use crate::failure::Failure;

/// As many codes come back at once when no count is given.
const DEFAULT_COUNT: usize = 1000;

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let named = named(on, given, ("url", "valueSet"))?;
    let (mut value_set, mut expansion) = face.service().expand_value_set(caller, &named).await?;
    if given.text("activeOnly") == Some("true") {
        expansion.concepts.retain(|concept| !concept.inactive);
    }
    if let Some(filter) = given.text("filter") {
        expansion.filter(filter);
    }
    let total = expansion.concepts.len();
    let offset = given.number("offset")?.unwrap_or(0) as usize;
    let count = given.number("count")?.map_or(DEFAULT_COUNT, |count| count as usize);
    let page = expansion.concepts.iter().skip(offset).take(count).map(contained);
    let mut parameters = Vec::new();
    for name in ["filter", "activeOnly"] {
        if let Some(text) = given.text(name) {
            parameters.push(object([("name", name.into()), ("valueString", text.into())]));
        }
    }
    for url in &expansion.incomplete {
        let text = format!("{url} is known in part only");
        parameters.push(object([("name", "warning".into()), ("valueString", text.into())]));
    }
    let mut result: JsonObject = [
        ("identifier", Json::from(format!("urn:uuid:{}", face.service().new_uuid()))),
        ("timestamp", face.service().now().to_string().into()),
        ("total", total.into()),
        ("offset", offset.into()),
    ]
    .into_iter()
    .collect();
    if !parameters.is_empty() {
        result.insert("parameter", parameters);
    }
    let page: Vec<Json> = page.collect();
    if !page.is_empty() {
        result.insert("contains", page);
    }
    if let Some(members) = value_set.as_object_mut() {
        members.remove("compose");
        members.remove("text");
        members.insert("expansion", result);
    }
    Ok(answer(&value_set))
}

fn contained(concept: &Concept) -> Json {
    let mut members: JsonObject = [("system", Json::from(concept.system.as_str()))].into_iter().collect();
    if concept.not_selectable {
        members.insert("abstract", true);
    }
    if concept.inactive {
        members.insert("inactive", true);
    }
    members.insert("code", concept.code.as_str());
    if let Some(display) = &concept.display {
        members.insert("display", display.as_str());
    }
    members.into()
}

/// A Parameters resource of named values.
pub(super) fn parameters(values: Vec<(&str, (&str, Json))>) -> Json {
    let list = values.into_iter().map(|(name, (kind, value))| object([("name", name.into()), (kind, value)]));
    object([("resourceType", "Parameters".into()), ("parameter", array(list))])
}
