//! Reads untrusted XML strictly and in one pass (R4 <https://hl7.org/fhir/R4/xml.html>): no DTD, no entities;
//! comments and processing instructions are dropped.

mod members;
mod source;

use seva_fhir_profiles::{TypeDefinition, TypeKind, definitions};

use super::{XmlError, is_attribute, narrative};
use crate::json::{Json, JsonObject, Limits};
use source::{Element, Namespace, Source, Token};

/// Reads one resource.
///
/// # Errors
/// The first place that isn't FHIR's XML or passes a limit.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Json, XmlError> {
    let locate = |offset: usize, path: &str, message: String| located(bytes, offset, path, message);
    if bytes.len() > limits.max_bytes {
        let message = format!("the body has {} bytes, more than the {} allowed", bytes.len(), limits.max_bytes);
        return Err(locate(0, "$", message));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| locate(error.valid_up_to(), "$", "the body isn't UTF-8 text".into()))?;
    let mut reader = Reader { source: Source::new(text), limits: *limits, depth: 0, nodes: 0, path: String::new() };
    reader.document().map_err(|fault| {
        let path = if reader.path.is_empty() { "$" } else { reader.path.as_str() };
        locate(fault.offset, path, fault.message)
    })
}

fn located(bytes: &[u8], offset: usize, path: &str, message: String) -> XmlError {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |position| position + 1);
    XmlError {
        path: path.into(),
        line: memchr::memchr_iter(b'\n', before).count() + 1,
        column: before.len() - line_start + 1,
        message,
    }
}

/// What is wrong, and after how many bytes; the path is the reader's at that time.
struct Fault {
    offset: usize,
    message: String,
}

struct Reader<'t> {
    source: Source<'t>,
    limits: Limits,
    depth: usize,
    nodes: usize,
    /// The place of the element in hand; a fault leaves it where it is.
    path: String,
}

/// The value of a primitive element, and what JSON puts into the member with `_`.
struct Primitive {
    value: Json,
    companion: Json,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Json, Fault> {
        let root = match self.source.next()? {
            Token::Open(root) => root,
            Token::Close | Token::End => return Err(self.source.fault("the body has no element")),
        };
        let resource = self.resource(root)?;
        match self.source.next()? {
            Token::End => Ok(resource),
            Token::Open(_) | Token::Close => Err(self.source.fault("the body goes on after its resource")),
        }
    }

    /// Reads a resource, whose element is open.
    fn resource(&mut self, element: Element<'t>) -> Result<Json, Fault> {
        element.expect(Namespace::Fhir)?;
        let definition = definitions()
            .type_named(element.name)
            .filter(|definition| definition.kind == TypeKind::Resource && !definition.is_abstract)
            .ok_or_else(|| element.fault(format!("<{}> isn't a resource type of FHIR R4", element.shown())))?;
        if self.path.is_empty() {
            self.path.push_str(definition.name);
        }
        if let Some((name, _)) = element.attributes.first() {
            return Err(element.fault(format!("a resource has no attribute {name}; write it as an element")));
        }
        let mut members = JsonObject::new();
        members.insert("resourceType", definition.name);
        self.nested(|reader| reader.members(definition, &mut members))?;
        Ok(members.into())
    }

    /// Reads the element around a contained or bundled resource.
    fn wrapped(&mut self, element: &Element<'t>) -> Result<Json, Fault> {
        if let Some((name, _)) = element.attributes.first() {
            return Err(element.fault(format!("the element has no attribute {name}; it holds a resource")));
        }
        let inner = match self.source.next()? {
            Token::Open(inner) => inner,
            Token::Close | Token::End => return Err(element.fault("the element must hold a resource")),
        };
        let resource = self.nested(|reader| reader.resource(inner))?;
        match self.source.next()? {
            Token::Close => Ok(resource),
            Token::Open(_) | Token::End => Err(self.source.fault("the element holds one resource only")),
        }
    }

    /// Reads a value of a datatype or an inline type.
    fn complex(&mut self, element: &Element<'t>, definition: &'static TypeDefinition) -> Result<Json, Fault> {
        let mut members = JsonObject::new();
        for (name, value) in &element.attributes {
            if !is_attribute(definition, name) {
                return Err(element.fault(format!("a {} has no attribute {name}", definition.name)));
            }
            members.insert(*name, value.as_str());
        }
        self.nested(|reader| reader.members(definition, &mut members))?;
        Ok(members.into())
    }

    /// Reads a primitive: its value is an attribute, its extensions are elements.
    fn primitive(&mut self, element: &Element<'t>, definition: &'static TypeDefinition) -> Result<Primitive, Fault> {
        let mut companion = JsonObject::new();
        let mut value = Json::Null;
        for (name, text) in &element.attributes {
            match *name {
                "value" => value = typed(definition.name, text),
                "id" => {
                    companion.insert("id", text.as_str());
                }
                _ => return Err(element.fault(format!("a {} has no attribute {name}", definition.name))),
            }
        }
        let base = definitions().type_named("Element").ok_or_else(|| element.fault("Element is not defined"))?;
        self.nested(|reader| reader.members(base, &mut companion))?;
        if value.is_null() && companion.is_empty() {
            return Err(element.fault("the element has neither a value nor extensions; write value=\"…\""));
        }
        let companion = if companion.is_empty() { Json::Null } else { companion.into() };
        Ok(Primitive { value, companion })
    }

    /// Takes a narrative over as it is written.
    fn narrative(&mut self, element: &Element<'t>) -> Result<Json, Fault> {
        element.expect(Namespace::Xhtml)?;
        let raw = self.source.rest_of(element)?;
        match narrative::unprefixed(raw, narrative::Entities::Xml, element.prefix()) {
            Ok(text) => Ok(text.into()),
            Err(fault) => Err(Fault { offset: element.offset + fault.offset, message: fault.message }),
        }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.depth += 1;
        self.nodes += 1;
        if self.depth > self.limits.max_depth {
            let text = format!("the body nests deeper than {} levels", self.limits.max_depth);
            return Err(self.source.fault(text));
        }
        if self.nodes > self.limits.max_nodes {
            return Err(self.source.fault(format!("the body has more than {} elements", self.limits.max_nodes)));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }
}

/// The value as JSON writes it; what doesn't fit its type stays a string, which the structure check refuses.
fn typed(type_name: &str, text: &str) -> Json {
    match (type_name, text) {
        ("boolean", "true") => Json::Bool(true),
        ("boolean", "false") => Json::Bool(false),
        ("integer" | "unsignedInt" | "positiveInt" | "decimal", digits) if is_number(digits) => {
            Json::Number(digits.into())
        }
        _ => text.into(),
    }
}

/// Whether JSON can write the digits as they are.
fn is_number(text: &str) -> bool {
    text.len() <= 512
        && matches!(crate::json::parse(text.as_bytes(), &Limits::default()), Ok(Json::Number(own)) if *own == *text)
}
