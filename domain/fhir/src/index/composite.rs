//! Values that must stand together (R4 <https://hl7.org/fhir/R4/search.html#combining>).

use super::plan::Planned;
use super::{IndexValue, push as push_value};
use crate::path::EvaluationContext;

/// Appends one value if every part has one.
pub(super) fn push(planned: &Planned, context: &EvaluationContext<'_>, values: &mut Vec<IndexValue>) {
    let parts =
        planned.parts.iter().find(|(definition, _)| context.definition.is_some_and(|own| own.name == definition.name));
    let Some((_, parts)) = parts else { return };
    let mut together = Vec::with_capacity(parts.len());
    for part in parts {
        let mut own = Vec::new();
        let read =
            part.path.visit(context, &mut |value, definition| push_value(part.kind, value, definition, &mut own));
        if read.is_err() || own.is_empty() {
            return;
        }
        together.push(own);
    }
    values.push(IndexValue::Composite(together));
}
