//! The child elements of a type: known names, in the order of the schemas, gathered as JSON has them
//! (R4 <https://hl7.org/fhir/R4/xml.html>).

use std::fmt::Write as _;

use seva_fhir_profiles::{Child, ElementDefinition, TypeDefinition, TypeKind, definitions};

use super::super::is_attribute;
use super::{Element, Fault, Namespace, Primitive, Reader, Token};
use crate::json::{Json, JsonObject};

/// The values of one element that were read so far.
struct Group {
    child: &'static Child,
    element: &'static ElementDefinition,
    values: Vec<Json>,
    companions: Vec<Json>,
}

impl Group {
    fn new(child: &'static Child, element: &'static ElementDefinition) -> Self {
        Self { child, element, values: Vec::new(), companions: Vec::new() }
    }

    /// Puts the values into the object; an array with `_` stands only where a value has an id or extensions.
    fn close(mut self, members: &mut JsonObject) {
        let companion = format!("_{}", self.child.name);
        if self.element.is_array() {
            if !self.values.iter().all(Json::is_null) {
                members.insert(self.child.name, self.values);
            }
            if !self.companions.iter().all(Json::is_null) {
                members.insert(companion, self.companions);
            }
            return;
        }
        if let Some(value) = self.values.pop().filter(|value| !value.is_null()) {
            members.insert(self.child.name, value);
        }
        if let Some(value) = self.companions.pop().filter(|value| !value.is_null()) {
            members.insert(companion, value);
        }
    }
}

impl<'t> Reader<'t> {
    /// Reads elements up to the end of the one that is open.
    pub(super) fn members(
        &mut self,
        definition: &'static TypeDefinition,
        members: &mut JsonObject,
    ) -> Result<(), Fault> {
        let mut group: Option<Group> = None;
        loop {
            let element = match self.source.next()? {
                Token::Open(element) => element,
                Token::Close => break,
                Token::End => return Err(self.source.fault("the body ends before its elements do")),
            };
            let length = self.path.len();
            self.path.push('.');
            self.path.push_str(element.shown());
            let (child, own) = self.known(&element, definition)?;
            if let Some(last) = group.take_if(|last| last.child.element != child.element) {
                if child.element < last.child.element {
                    let text = format!("{} must stand before {}", element.name, last.child.name);
                    return Err(element.fault(text));
                }
                last.close(members);
            }
            let open = group.get_or_insert_with(|| Group::new(child, own));
            allowed(open, &element)?;
            if own.is_array() {
                // Writing to a string cannot fail.
                let _ = write!(self.path, "[{}]", open.values.len());
            }
            let Primitive { value, companion } = self.value(&element, child)?;
            open.values.push(value);
            open.companions.push(companion);
            self.path.truncate(length);
        }
        if let Some(last) = group {
            last.close(members);
        }
        Ok(())
    }

    fn known(
        &self,
        element: &Element<'t>,
        definition: &'static TypeDefinition,
    ) -> Result<(&'static Child, &'static ElementDefinition), Fault> {
        let name = element.shown();
        let child = definition
            .child(element.name)
            .ok_or_else(|| element.fault(format!("{} has no element {name}", definition.name)))?;
        if is_attribute(definition, child.name) {
            return Err(element.fault(format!("{name} is an attribute of {}, not an element", definition.name)));
        }
        let own = definition.element_of(child).ok_or_else(|| element.fault(format!("{name} is not defined")))?;
        Ok((child, own))
    }

    fn value(&mut self, element: &Element<'t>, child: &Child) -> Result<Primitive, Fault> {
        let definition = definitions()
            .type_at(child.type_id)
            .ok_or_else(|| element.fault(format!("{} has no type", element.name)))?;
        let whole = |value: Json| Primitive { value, companion: Json::Null };
        if definition.name == "xhtml" {
            return self.narrative(element).map(whole);
        }
        element.expect(Namespace::Fhir)?;
        match definition.kind {
            TypeKind::Primitive => self.primitive(element, definition),
            TypeKind::Resource => self.wrapped(element).map(whole),
            TypeKind::Complex | TypeKind::Backbone => self.complex(element, definition).map(whole),
        }
    }
}

/// Refuses a second value of what has at most one.
fn allowed(open: &Group, element: &Element<'_>) -> Result<(), Fault> {
    if open.child.name != element.name {
        let text = format!("{} and {} exclude each other", open.child.name, element.name);
        return Err(element.fault(text));
    }
    if !open.values.is_empty() && !open.element.is_array() {
        return Err(element.fault("the element has at most one value"));
    }
    Ok(())
}
