//! Values that must stand together (R4 <https://hl7.org/fhir/R4/search.html#combining>).

use super::plan::{Planned, parts_of};
use super::{Compared, IndexValue, push as push_value};
use crate::path::EvaluationContext;

/// Appends one value if every part has one.
pub(super) fn push(planned: &Planned, context: &EvaluationContext<'_>, values: &mut Vec<IndexValue>) {
    let Some(definition) = context.definition else { return };
    let known = planned.parts.iter().find(|(own, _)| own.name == definition.name).map(|(_, parts)| parts);
    // Where a path isn't plain, its types are seen with the resource only.
    let unforeseen = if known.is_none() { parts_of(&planned.parameter.components, definition) } else { Vec::new() };
    let parts = known.unwrap_or(&unforeseen);
    if parts.len() != planned.parameter.components.len() {
        return;
    }
    let mut together = Vec::with_capacity(parts.len());
    for part in parts {
        let mut own = Vec::new();
        let letter_case = planned.part_cases.get(part.place).copied().unwrap_or_default();
        let compared = Compared { kind: part.kind, letter_case };
        let read = part.path.visit(context, &mut |value, definition| push_value(compared, value, definition, &mut own));
        if read.is_err() || own.is_empty() {
            return;
        }
        together.push(own);
    }
    values.push(IndexValue::Composite(together));
}
