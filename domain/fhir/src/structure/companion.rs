//! The `_name` beside a primitive, which carries its id and extensions
//! (R4 <https://hl7.org/fhir/R4/json.html#primitive>).

use seva_fhir_profiles::{ElementDefinition, TypeDefinition, TypeKind, definitions};

use super::Checker;
use crate::json::Json;
use crate::outcome::IssueCode;

impl Checker {
    /// Checks a `_name` against the value of `name`.
    pub(super) fn companion(
        &mut self,
        companion: &Json,
        value: Option<&Json>,
        (element, definition): (&ElementDefinition, &'static TypeDefinition),
    ) {
        if definition.kind != TypeKind::Primitive {
            let text = "only primitive elements have a member whose name begins with _";
            return self.error(IssueCode::Structure, text);
        }
        let Some(items) = companion.as_array() else {
            if element.is_array() {
                return self.error(IssueCode::Structure, "the element repeats; its member with _ must be an array too");
            }
            return self.extensions(companion);
        };
        if !element.is_array() {
            return self.error(IssueCode::Structure, "the element has at most one value; don't write an array");
        }
        if value.and_then(Json::as_array).is_some_and(|values| values.len() != items.len()) {
            self.error(IssueCode::Structure, "the array and its sibling with _ must be equally long; pad with null");
        }
        if items.iter().all(Json::is_null) {
            self.error(IssueCode::Structure, "the array with _ has only null; leave it out");
        }
        for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_null()) {
            self.at_item(index, |checker| checker.extensions(item));
        }
    }

    fn extensions(&mut self, companion: &Json) {
        match (companion.as_object(), definitions().type_named("Element")) {
            (Some(members), Some(definition)) => self.members(members, definition),
            _ => self.error(IssueCode::Structure, "a member with _ must be an object with id or extension"),
        }
    }
}
