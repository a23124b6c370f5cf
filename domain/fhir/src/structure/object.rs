//! The members of an object: known names, cardinalities, choices (R4 <https://hl7.org/fhir/R4/json.html>).

use seva_fhir_profiles::{Child, ElementDefinition, TypeDefinition, TypeKind, definitions};

use super::{Checker, binding, nearest, primitive, with_article};
use crate::json::{Json, JsonObject};
use crate::outcome::IssueCode;

impl Checker {
    /// Checks the members of an object against its type.
    pub(super) fn members(&mut self, members: &JsonObject, definition: &'static TypeDefinition) {
        if members.is_empty() {
            return self.error(IssueCode::Structure, "an object must not be empty; leave it out or give it a member");
        }
        // By element: the JSON name under which it was seen.
        let mut seen: Vec<Option<&'static str>> = vec![None; definition.elements().len()];
        for (name, value) in members.iter() {
            if name == "resourceType" && definition.kind == TypeKind::Resource {
                continue;
            }
            let plain = name.strip_prefix('_').unwrap_or(name);
            let Some(child) = definition.child(plain) else {
                self.unknown(name, definition);
                continue;
            };
            let (Some(element), Some(child_type)) =
                (definition.element_of(child), definitions().type_at(child.type_id))
            else {
                continue;
            };
            self.choice(child, element, &mut seen);
            if name.starts_with('_') {
                self.at_member(plain, |checker| checker.companion(value, members.get(plain), (element, child_type)));
            } else {
                self.at_member(name, |checker| {
                    let companion = if child_type.kind == TypeKind::Primitive && value.as_array().is_some() {
                        members.iter().find(|(own, _)| own.strip_prefix('_') == Some(name)).map(|(_, value)| value)
                    } else {
                        None
                    };
                    checker.values(value, companion, (element, child_type));
                });
            }
        }
        for (element, seen) in definition.elements().iter().zip(&seen) {
            if element.is_required() && seen.is_none() {
                let text = format!("the required element {} is missing", shown_name(element));
                self.at_member(element.name, |checker| checker.error(IssueCode::Required, text));
            }
        }
    }

    fn choice(&mut self, child: &Child, element: &ElementDefinition, seen: &mut [Option<&'static str>]) {
        let Some(slot) = seen.get_mut(usize::from(child.element)) else {
            return;
        };
        if let Some(other) = slot.filter(|other| *other != child.name) {
            let text = format!("{other} and {} exclude each other; keep one {}", child.name, shown_name(element));
            self.at_member(child.name, |checker| checker.error(IssueCode::Structure, text));
        }
        *slot = Some(child.name);
    }

    fn unknown(&mut self, name: &str, definition: &'static TypeDefinition) {
        let hint = if let Some(element) = definition.element(name).filter(|element| element.is_choice) {
            let names: Vec<&str> = definition.members_of(element.name).take(4).map(|child| child.name).collect();
            format!("; its name ends with its type, such as {}", names.join(", "))
        } else {
            let near = nearest::nearest(name, definition.children().iter().map(|child| child.name));
            near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
        };
        let text = format!("{} has no such element{hint}", definition.name);
        self.at_member(name, |checker| checker.error(IssueCode::Structure, text));
    }

    fn values(
        &mut self,
        value: &Json,
        companion: Option<&Json>,
        (element, definition): (&ElementDefinition, &'static TypeDefinition),
    ) {
        match value {
            Json::Array(_) if !element.is_array() => {
                self.error(IssueCode::Structure, "the element has at most one value; don't write an array");
            }
            Json::Array(items) => {
                if items.is_empty() {
                    self.error(IssueCode::Structure, "an array must not be empty; leave it out or give it an item");
                }
                if element.max.is_some_and(|max| items.len() > usize::try_from(max).unwrap_or(usize::MAX)) {
                    self.error(IssueCode::Structure, "the array has more items than the element may have");
                }
                for (index, item) in items.iter().enumerate() {
                    let is_padding = item.is_null()
                        && companion.and_then(|all| all.get_index(index)).is_some_and(|own| !own.is_null());
                    if !is_padding {
                        self.at_item(index, |checker| checker.value(item, element, definition));
                    }
                }
            }
            other if element.is_array() => {
                let text = format!("the element repeats; write an array, not {}", with_article(other));
                self.error(IssueCode::Structure, text);
            }
            single => self.value(single, element, definition),
        }
    }

    fn value(&mut self, value: &Json, element: &ElementDefinition, definition: &'static TypeDefinition) {
        if value.is_null() {
            return self.error(IssueCode::Structure, "null is no value; leave the element out");
        }
        if definition.kind == TypeKind::Primitive {
            if let Err(text) = primitive::check(definition.name, value) {
                return self.error(IssueCode::Value, text);
            }
        } else {
            self.complex(value, definition);
        }
        if let Some(list) = element.binding.and_then(|url| definitions().code_list(url))
            && !binding::holds(value, list)
        {
            let text = format!("the code isn't in the required value set {}", list.url);
            self.error(IssueCode::CodeInvalid, text);
        }
    }
}

fn shown_name(element: &ElementDefinition) -> String {
    if element.is_choice { format!("{}[x]", element.name) } else { element.name.to_owned() }
}
