//! Reads FHIR R4 resources (<https://hl7.org/fhir/R4/resourcelist.html>) as the pages need them.

use serde_json::Value;

/// The text at a JSON pointer, empty when there is none.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The items of a list at a JSON pointer.
pub(crate) fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// The resources of a type in a bundle.
pub(crate) fn resources<'a>(bundle: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let entries = items(bundle, "/entry").filter_map(|entry| entry.get("resource"));
    entries.filter(move |resource| text(resource, "/resourceType") == kind)
}

/// The id behind a reference of a type.
pub(crate) fn referred(value: &Value, pointer: &str, kind: &str) -> Option<String> {
    let reference = text(value, pointer);
    let id = reference.strip_prefix(kind)?.strip_prefix('/')?;
    Some(id.split('/').next().unwrap_or(id).to_owned())
}

/// The words of a CodeableConcept.
pub(crate) fn concept(value: &Value, member: &str) -> String {
    let said = text(value, &format!("/{member}/text"));
    if said.is_empty() { text(value, &format!("/{member}/coding/0/display")) } else { said }
}

/// The first code of a CodeableConcept.
pub(crate) fn code(value: &Value, member: &str) -> String {
    text(value, &format!("/{member}/coding/0/code"))
}

/// A number as it is written; FHIR's decimals keep their digits.
pub(crate) fn number(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).filter(|found| found.is_number()).map(Value::to_string)
}

/// A patient's name, family name first.
pub(crate) fn name(patient: &Value) -> String {
    let given: Vec<&str> = items(patient, "/name/0/given").filter_map(Value::as_str).collect();
    let family = text(patient, "/name/0/family");
    match (family.is_empty(), given.is_empty()) {
        (true, true) => text(patient, "/name/0/text"),
        (true, false) => given.join(" "),
        (false, true) => family,
        (false, false) => format!("{family}, {}", given.join(" ")),
    }
}

/// The value of an Observation with its unit, components joined by a stroke.
pub(crate) fn measured(observation: &Value) -> Option<(String, String)> {
    let own = std::iter::once(observation);
    let quantities = own.chain(items(observation, "/component")).filter_map(|part| part.get("valueQuantity"));
    let mut values = Vec::new();
    let mut unit = String::new();
    for quantity in quantities {
        values.push(number(quantity, "/value")?);
        unit = text(quantity, "/unit");
    }
    (!values.is_empty()).then(|| (values.join("/"), unit))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{measured, name, referred};

    #[test]
    fn resources_are_read_plainly() {
        assert_eq!(name(&json!({"name": [{"family": "Rane", "given": ["Meenakshi"]}]})), "Rane, Meenakshi");
        let visit = json!({"subject": {"reference": "Patient/rane/_history/2"}});
        assert_eq!(referred(&visit, "/subject/reference", "Patient").as_deref(), Some("rane"));
        assert_eq!(referred(&visit, "/subject/reference", "Encounter"), None);
        let part = |value: u8| json!({"valueQuantity": {"value": value, "unit": "mmHg"}});
        let pressure = json!({"component": [part(138), part(86)]});
        assert_eq!(measured(&pressure), Some(("138/86".to_owned(), "mmHg".to_owned())));
    }
}
