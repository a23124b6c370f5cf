//! The constraints of every type (R4 <https://hl7.org/fhir/R4/conformance-rules.html#constraints>).

use serde_json::Value;

use crate::{list, text};

/// `path key severity expression human`, one line per constraint where it is first stated.
pub(crate) fn table(structures: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for structure in structures {
        let is_base = text(structure, "derivation") != "constraint" && text(structure, "kind") != "logical";
        if text(structure, "resourceType") != "StructureDefinition" || !is_base {
            continue;
        }
        // The snapshot repeats what other types state.
        let elements = structure.get("differential").map_or(&[][..], |differential| list(differential, "element"));
        for element in elements {
            lines.extend(list(element, "constraint").iter().filter_map(|constraint| line(element, constraint)));
        }
    }
    lines
}

fn line(element: &Value, constraint: &Value) -> Option<String> {
    let expression = text(constraint, "expression");
    let of_one_line = |words: &str| words.split_whitespace().collect::<Vec<_>>().join(" ");
    (!expression.is_empty()).then(|| {
        format!(
            "{}\t{}\t{}\t{}\t{}",
            text(element, "path"),
            text(constraint, "key"),
            text(constraint, "severity"),
            // 4.0.1 writes FHIR's boolean with a capital in que-7, which means the System type.
            of_one_line(expression).replace("answer is Boolean", "answer is boolean"),
            of_one_line(text(constraint, "human")),
        )
    })
}
