//! The compartments (R4 <https://hl7.org/fhir/R4/compartmentdefinition.html>).

use serde_json::Value;

use crate::{list, text, texts};

/// `compartment resource-type parameter,parameter`.
pub(crate) fn table(structures: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for definition in structures.iter().filter(|each| text(each, "resourceType") == "CompartmentDefinition") {
        for member in list(definition, "resource") {
            let parameters = texts(member, "param");
            if !parameters.is_empty() {
                lines.push(format!("{}\t{}\t{}", text(definition, "code"), text(member, "code"), parameters.join(",")));
            }
        }
    }
    lines.sort();
    lines
}
