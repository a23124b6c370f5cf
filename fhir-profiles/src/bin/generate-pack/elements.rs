//! The elements of every type (R4 <https://hl7.org/fhir/R4/elementdefinition.html>).

use serde_json::Value;

use crate::{Bindings, list, text, texts};

const TYPE_EXTENSION: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";

/// One line per type (`=name kind base abstract`), then one per own element
/// (`path min max types content-reference binding summary`).
pub(crate) fn table(structures: &[Value]) -> (Vec<String>, Bindings) {
    let mut bindings = Bindings::new();
    let mut lines = Vec::new();
    for structure in structures {
        let is_constraint = text(structure, "derivation") == "constraint";
        if text(structure, "resourceType") != "StructureDefinition"
            || is_constraint
            || text(structure, "kind") == "logical"
        {
            continue;
        }
        lines.push(type_line(structure));
        let name = text(structure, "type");
        if text(structure, "kind") == "primitive-type" {
            continue;
        }
        let elements = structure.get("snapshot").map_or(&[][..], |snapshot| list(snapshot, "element"));
        for element in elements.iter().filter(|element| is_own(element, name)) {
            lines.push(element_line(element, name, &mut bindings));
        }
    }
    (lines, bindings)
}

fn type_line(structure: &Value) -> String {
    let base = text(structure, "baseDefinition").rsplit('/').next().unwrap_or_default();
    let is_abstract = structure.get("abstract").and_then(Value::as_bool).unwrap_or_default();
    let kind = match text(structure, "kind") {
        "primitive-type" => "primitive",
        "complex-type" => "complex",
        _ => "resource",
    };
    let concrete = if is_abstract { "abstract" } else { "concrete" };
    format!("={}\t{kind}\t{base}\t{concrete}", text(structure, "type"))
}

/// Inherited elements stand at the base type only.
fn is_own(element: &Value, name: &str) -> bool {
    let path = text(element, "path");
    let base = element.get("base").map_or(path, |base| text(base, "path"));
    path != name && base == path
}

fn element_line(element: &Value, name: &str, bindings: &mut Bindings) -> String {
    let path = text(element, "path");
    let min = element.get("min").and_then(Value::as_u64).unwrap_or_default();
    let types: Vec<String> = list(element, "type").iter().map(|each| type_text(each, path)).collect();
    let reference = text(element, "contentReference").trim_start_matches('#');
    let mut binding = String::new();
    if let Some(bound) = element.get("binding").filter(|bound| text(bound, "strength") == "required") {
        let url = text(bound, "valueSet").split('|').next().unwrap_or_default();
        bindings.insert(url.to_owned());
        binding = url.replace("http://hl7.org/fhir/ValueSet/", "~");
    }
    let summary = element.get("isSummary").and_then(Value::as_bool).unwrap_or_default();
    let own_path = path.strip_prefix(name).unwrap_or(path).trim_start_matches('.');
    let summary = if summary { "s" } else { "" };
    format!("{own_path}\t{min}\t{}\t{}\t{reference}\t{binding}\t{summary}", text(element, "max"), types.join(","))
}

/// `Reference(Patient|Group)` or the name alone.
fn type_text(element_type: &Value, path: &str) -> String {
    // 4.0.1 gives Resource.id the type string; R4 resource.html#id says id.
    if path == "Resource.id" {
        return "id".into();
    }
    let code = text(element_type, "code");
    let name = if code.starts_with("http://hl7.org/fhirpath/") {
        let extensions = list(element_type, "extension");
        let named = extensions.iter().find(|extension| text(extension, "url") == TYPE_EXTENSION);
        named.map_or("string", |extension| text(extension, "valueUrl"))
    } else {
        code
    };
    let targets: Vec<&str> =
        texts(element_type, "targetProfile").iter().filter_map(|url| url.rsplit('/').next()).collect();
    if targets.is_empty() { name.to_owned() } else { format!("{name}({})", targets.join("|")) }
}
