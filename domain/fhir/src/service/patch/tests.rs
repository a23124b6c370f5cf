//! The two ways to change a part, and what they refuse.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn json(text: &str) -> Json {
    parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn patient() -> Json {
    json(
        r#"{"resourceType":"Patient","active":true,"name":[{"family":"Rane","given":["M"]},{"use":"old","family":"X"}],
        "deceasedBoolean":false,"multipleBirthInteger":2}"#,
    )
}

fn path_patch(operations: &str) -> Result<Json, String> {
    let parameters = json(&format!(r#"{{"resourceType":"Parameters","parameter":[{operations}]}}"#));
    let patch = Patch::from_resource(&parameters).map_err(|issue| issue.diagnostics.clone())?;
    patch.apply(patient()).map_err(|error| match error {
        FhirError::Unprocessable(issues) => issues.into_iter().map(|issue| issue.diagnostics).collect(),
        other => other.to_string(),
    })
}

fn operation(kind: &str, path: &str, rest: &str) -> String {
    format!(
        r#"{{"name":"operation","part":[{{"name":"type","valueCode":"{kind}"}},{{"name":"path","valueString":"{path}"}}{rest}]}}"#
    )
}

#[test]
fn json_patch_keeps_the_digits_of_decimals() {
    let resource = json(r#"{"resourceType":"Observation","valueQuantity":{"value":1.00}}"#);
    let patch = Patch::from_json(br#"[{"op":"add","path":"/status","value":"final"}]"#).unwrap();
    let changed = patch.apply(resource).unwrap();
    assert_eq!(changed.get("valueQuantity").unwrap().get("value").unwrap().as_number(), Some("1.00"));
    assert!(Patch::from_json(b"{}").is_err());
    let test = Patch::from_json(br#"[{"op":"test","path":"/active","value":false}]"#).unwrap();
    assert!(test.apply(patient()).is_err());
}

#[test]
fn elements_are_added_inserted_moved_replaced_and_deleted() {
    let add = operation(
        "add",
        "Patient",
        r#",{"name":"name","valueString":"birthDate"},{"name":"value","valueDate":"1974-03-15"}"#,
    );
    assert_eq!(path_patch(&add).unwrap().get_str("birthDate"), Some("1974-03-15"));
    let contact = operation(
        "add",
        "Patient",
        r#",{"name":"name","valueString":"contact"},{"name":"value","part":[
        {"name":"gender","valueCode":"female"}]}"#,
    );
    let changed = path_patch(&contact).unwrap();
    assert_eq!(changed.get("contact").unwrap().get_index(0).unwrap().get_str("gender"), Some("female"));
    let insert = operation(
        "insert",
        "Patient.name[0].given",
        r#",{"name":"index","valueInteger":0},{"name":"value","valueString":"A"}"#,
    );
    let name = path_patch(&insert).unwrap().get("name").unwrap().get_index(0).unwrap().get("given").unwrap().clone();
    assert_eq!(name.items().iter().filter_map(Json::as_str).collect::<Vec<_>>(), ["A", "M"]);
    let moved = operation(
        "move",
        "Patient.name",
        r#",{"name":"source","valueInteger":1},{"name":"destination","valueInteger":0}"#,
    );
    assert_eq!(path_patch(&moved).unwrap().get("name").unwrap().get_index(0).unwrap().get_str("family"), Some("X"));
    let replaced = operation("replace", "Patient.deceased", r#",{"name":"value","valueDateTime":"2024-01-01"}"#);
    let replaced = path_patch(&replaced).unwrap();
    assert_eq!((replaced.get_str("deceasedDateTime"), replaced.get("deceasedBoolean")), (Some("2024-01-01"), None));
    let deleted = path_patch(&operation("delete", "Patient.name.where(use='old')", "")).unwrap();
    assert_eq!(deleted.get("name").unwrap().items().len(), 1);
    assert_eq!(path_patch(&operation("delete", "Patient.photo", "")).unwrap(), patient());
}

#[test]
fn what_is_not_one_element_is_refused() {
    assert!(path_patch(&operation("delete", "Patient.name", "")).unwrap_err().contains("more than one"));
    assert!(path_patch(&operation("replace", "Patient.photo", r#",{"name":"value","valueString":"x"}"#)).is_err());
    assert!(path_patch(&operation("shake", "Patient", "")).is_err());
}
