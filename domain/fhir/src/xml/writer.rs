//! Writes a resource as XML in the order of the schemas (R4 <https://hl7.org/fhir/R4/xml.html>).

use std::fmt::Write as _;

use seva_fhir_profiles::{Child, TypeDefinition, TypeKind, definitions};

use super::{FHIR, Layout, WriteError, attribute, is_attribute, narrative};
use crate::json::{Json, JsonObject};

/// No reader of ours nests deeper.
const MAX_DEPTH: usize = 100;

/// Returns the text of a resource.
///
/// # Errors
/// What the definitions don't know, and what XML can't write: control characters, a narrative that isn't well-formed.
pub fn write(resource: &Json, layout: Layout) -> Result<Vec<u8>, WriteError> {
    let mut output = Vec::with_capacity(1024);
    output.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let mut writer = Writer { output, layout, depth: 0, path: String::new() };
    writer.resource(resource)?;
    if layout == Layout::Pretty {
        writer.output.push(b'\n');
    }
    Ok(writer.output)
}

struct Writer {
    output: Vec<u8>,
    layout: Layout,
    depth: usize,
    /// The place of the value in hand; a fault leaves it where it is.
    path: String,
}

/// A member and its sibling with `_`.
struct Member<'j> {
    child: &'static Child,
    value: Option<&'j Json>,
    companion: Option<&'j Json>,
}

impl Writer {
    fn error(&self, message: impl Into<String>) -> WriteError {
        WriteError { path: self.path.clone(), message: message.into() }
    }

    fn line(&mut self) {
        if self.layout == Layout::Pretty {
            self.output.push(b'\n');
            self.output.extend(std::iter::repeat_n(b' ', self.depth * 2));
        }
    }

    fn resource(&mut self, resource: &Json) -> Result<(), WriteError> {
        let definition = resource.get_str("resourceType").and_then(|name| definitions().type_named(name));
        let definition = definition.filter(|definition| definition.kind == TypeKind::Resource);
        let (Some(definition), Some(members)) = (definition, resource.as_object()) else {
            return Err(self.error("a resource must name its type"));
        };
        let is_root = self.path.is_empty();
        if is_root {
            self.path.push_str(definition.name);
        }
        let members = self.members(members, definition)?;
        self.line();
        self.output.push(b'<');
        self.output.extend_from_slice(definition.name.as_bytes());
        if is_root {
            self.attribute("xmlns", FHIR)?;
        }
        self.content(definition.name, &members)
    }

    /// The members in the order of the definition.
    fn members<'j>(
        &mut self,
        object: &'j JsonObject,
        definition: &'static TypeDefinition,
    ) -> Result<Vec<Member<'j>>, WriteError> {
        let mut members: Vec<Member<'j>> = Vec::with_capacity(object.len());
        for (name, value) in object.iter() {
            if name == "resourceType" && definition.kind == TypeKind::Resource {
                continue;
            }
            let plain = name.strip_prefix('_').unwrap_or(name);
            let Some(child) = definition.child(plain) else {
                return Err(self.error(format!("{} has no element {plain}", definition.name)));
            };
            let known = members.iter().position(|member| member.child.name == child.name);
            let place = known.unwrap_or(members.len());
            if known.is_none() {
                members.push(Member { child, value: None, companion: None });
            }
            if let Some(member) = members.get_mut(place) {
                let slot = if name.starts_with('_') { &mut member.companion } else { &mut member.value };
                *slot = Some(value);
            }
        }
        members.sort_by_key(|member| member.child.element);
        Ok(members)
    }

    /// Writes what follows an element's attributes, and its end.
    fn content(&mut self, name: &str, members: &[Member<'_>]) -> Result<(), WriteError> {
        if members.is_empty() {
            self.output.extend_from_slice(b"/>");
            return Ok(());
        }
        if self.depth >= MAX_DEPTH {
            return Err(self.error("the resource nests too deeply"));
        }
        self.output.push(b'>');
        self.depth += 1;
        for member in members {
            self.member(member)?;
        }
        self.depth -= 1;
        self.line();
        self.end(name);
        Ok(())
    }

    fn end(&mut self, name: &str) {
        self.output.extend_from_slice(b"</");
        self.output.extend_from_slice(name.as_bytes());
        self.output.push(b'>');
    }

    /// Writes one element for each value.
    fn member(&mut self, member: &Member<'_>) -> Result<(), WriteError> {
        let Some(definition) = definitions().type_at(member.child.type_id) else {
            return Err(self.error(format!("{} has no type", member.child.name)));
        };
        let length = self.path.len();
        self.path.push('.');
        self.path.push_str(member.child.name);
        let is_array = [member.value, member.companion].into_iter().flatten().any(|each| each.as_array().is_some());
        let values = member.value.map_or(&[][..], Json::items);
        let companions = member.companion.map_or(&[][..], Json::items);
        for index in 0..values.len().max(companions.len()) {
            let inner = self.path.len();
            if is_array {
                // Writing to a string cannot fail.
                let _ = write!(self.path, "[{index}]");
            }
            let value = values.get(index).unwrap_or(&Json::Null);
            let companion = companions.get(index).unwrap_or(&Json::Null);
            self.value(member.child.name, definition, (value, companion))?;
            self.path.truncate(inner);
        }
        self.path.truncate(length);
        Ok(())
    }

    fn value(
        &mut self,
        name: &str,
        definition: &'static TypeDefinition,
        (value, companion): (&Json, &Json),
    ) -> Result<(), WriteError> {
        if definition.name == "xhtml" {
            return self.narrative(value);
        }
        match definition.kind {
            TypeKind::Primitive => self.primitive(name, (value, companion)),
            TypeKind::Resource => {
                self.open(name);
                self.output.push(b'>');
                self.depth += 1;
                self.resource(value)?;
                self.depth -= 1;
                self.line();
                self.end(name);
                Ok(())
            }
            TypeKind::Complex | TypeKind::Backbone => self.complex(name, definition, value),
        }
    }

    fn complex(&mut self, name: &str, definition: &'static TypeDefinition, value: &Json) -> Result<(), WriteError> {
        let object = value.as_object().ok_or_else(|| self.error("the value must be an object"))?;
        let members = self.members(object, definition)?;
        self.open(name);
        let mut elements = Vec::with_capacity(members.len());
        for member in members {
            if !is_attribute(definition, member.child.name) {
                elements.push(member);
                continue;
            }
            let text = member.value.and_then(Json::as_str);
            let text = text.filter(|_| member.companion.is_none()).ok_or_else(|| {
                self.error(format!("{} is an attribute in XML, and a plain string", member.child.name))
            })?;
            self.attribute(member.child.name, text)?;
        }
        self.content(name, &elements)
    }

    fn primitive(&mut self, name: &str, (value, companion): (&Json, &Json)) -> Result<(), WriteError> {
        let text = match value {
            Json::Null => None,
            Json::Bool(true) => Some("true"),
            Json::Bool(false) => Some("false"),
            Json::Number(digits) => Some(&**digits),
            Json::String(text) => Some(&**text),
            Json::Array(_) | Json::Object(_) => return Err(self.error("the value must be a primitive")),
        };
        let base = definitions().type_named("Element").ok_or_else(|| self.error("Element is not defined"))?;
        let mut elements = match companion {
            Json::Null => Vec::new(),
            Json::Object(members) => self.members(members, base)?,
            _ => return Err(self.error("a member with _ must be an object")),
        };
        if text.is_none() && elements.is_empty() {
            return Err(self.error("the element has neither a value nor extensions"));
        }
        self.open(name);
        if let Some(place) = elements.iter().position(|member| member.child.name == "id") {
            let id = elements.remove(place).value.and_then(Json::as_str).unwrap_or_default();
            self.attribute("id", id)?;
        }
        if let Some(text) = text {
            self.attribute("value", text)?;
        }
        self.content(name, &elements)
    }

    fn narrative(&mut self, value: &Json) -> Result<(), WriteError> {
        let text = value.as_str().ok_or_else(|| self.error("a narrative must be a string"))?;
        let checked = narrative::checked(text, narrative::Entities::Html);
        let checked = checked.map_err(|fault| self.error(fault.message))?;
        self.line();
        self.output.extend_from_slice(checked.as_bytes());
        Ok(())
    }

    fn open(&mut self, name: &str) {
        self.line();
        self.output.push(b'<');
        self.output.extend_from_slice(name.as_bytes());
    }

    fn attribute(&mut self, name: &str, value: &str) -> Result<(), WriteError> {
        self.output.push(b' ');
        self.output.extend_from_slice(name.as_bytes());
        self.output.extend_from_slice(b"=\"");
        if attribute::write(value, &mut self.output).is_none() {
            return Err(self.error("the value has a character that XML 1.0 does not allow"));
        }
        self.output.push(b'"');
        Ok(())
    }
}
