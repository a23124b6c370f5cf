//! A value in a FHIRPath collection (N1 <http://hl7.org/fhirpath/N1/#collections>).

use seva_fhir_profiles::{TypeDefinition, TypeKind, definitions};

use super::syntax::TypeName;
use crate::json::Json;

static NOTHING: Json = Json::Null;

#[derive(Debug, Clone)]
enum Value<'r> {
    Borrowed(&'r Json),
    Computed(Json),
}

/// A value with its FHIR type, borrowed from the resource or computed.
#[derive(Debug, Clone)]
pub struct PathNode<'r> {
    value: Value<'r>,
    definition: Option<&'static TypeDefinition>,
    system_type: &'static str,
    /// The `_field` of a primitive.
    companion: Option<&'r Json>,
}

impl<'r> PathNode<'r> {
    /// Wraps a value of a resource.
    pub(super) fn borrowed(value: &'r Json, definition: Option<&'static TypeDefinition>) -> Self {
        let definition = actual_definition(value, definition);
        Self { value: Value::Borrowed(value), definition, system_type: system_type(value), companion: None }
    }

    /// Wraps a value of an expression.
    pub(super) fn computed(value: impl Into<Json>) -> Self {
        let value = value.into();
        Self { system_type: system_type(&value), value: Value::Computed(value), definition: None, companion: None }
    }

    /// Wraps a value of an expression whose type its JSON doesn't tell.
    pub(super) fn of_system_type(value: impl Into<Json>, system_type: &'static str) -> Self {
        Self { value: Value::Computed(value.into()), definition: None, system_type, companion: None }
    }

    /// Returns the value; `null` if a primitive has extensions only.
    #[must_use]
    pub fn json(&self) -> &Json {
        match &self.value {
            Value::Borrowed(value) => value,
            Value::Computed(value) => value,
        }
    }

    /// Returns the FHIR type, where it is known.
    #[must_use]
    pub fn definition(&self) -> Option<&'static TypeDefinition> {
        self.definition
    }

    /// Names the FHIR type, or the System type of a computed value.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.definition.map_or(self.system_type, |definition| definition.name)
    }

    /// Tells whether the value has a type or one that extends it; without namespace both FHIR's and System's count.
    pub(super) fn is_of_type(&self, name: &TypeName) -> bool {
        match (self.definition, name.namespace.as_deref()) {
            (Some(definition), None | Some("FHIR")) => definitions().is_subtype(definition.name, &name.name),
            (None, None | Some("System")) => self.system_type == name.name.as_ref(),
            _ => false,
        }
    }

    /// Names the namespace of the type.
    pub(super) fn namespace(&self) -> &'static str {
        if self.definition.is_some() { "FHIR" } else { "System" }
    }

    /// Returns the place of a value of the resource, which tells equal values apart.
    pub(super) fn address(&self) -> Option<*const Json> {
        match &self.value {
            Value::Borrowed(value) => Some(std::ptr::from_ref(*value)),
            Value::Computed(_) => None,
        }
    }

    /// Tells whether a primitive value is there.
    pub(super) fn has_value(&self) -> bool {
        !matches!(self.json(), Json::Null | Json::Array(_) | Json::Object(_))
    }

    /// Appends the values of a member by its FHIRPath name.
    pub(super) fn children(&self, name: &str, output: &mut Vec<Self>) {
        if let (Some(companion), "extension" | "id") = (self.companion, name) {
            let definition = definitions().type_named(if name == "id" { "string" } else { "Extension" });
            let items = companion.get(name).map_or(&[][..], Json::items);
            output.extend(items.iter().map(|item| Self::borrowed(item, definition)));
            return;
        }
        let value = match &self.value {
            Value::Borrowed(value) => *value,
            Value::Computed(value) => return output.extend(value.get(name).map(|part| Self::computed(part.clone()))),
        };
        let Some(definition) = self.definition else {
            let items = value.get(name).map_or(&[][..], Json::items);
            output.extend(items.iter().map(|item| Self::borrowed(item, None)));
            return;
        };
        for child in definition.members_of(name) {
            member(value, child.name, definitions().type_at(child.type_id), output);
        }
    }

    /// Appends the values of all members.
    pub(super) fn all_children(&self, output: &mut Vec<Self>) {
        if let Some(companion) = self.companion {
            let definition = definitions().type_named("Extension");
            let items = companion.get("extension").map_or(&[][..], Json::items);
            output.extend(items.iter().map(|item| Self::borrowed(item, definition)));
        }
        let Value::Borrowed(Json::Object(members)) = self.value else {
            return;
        };
        for (name, value) in members.iter().filter(|(name, _)| *name != "resourceType") {
            match self.definition {
                None => output.extend(value.items().iter().map(|item| Self::borrowed(item, None))),
                Some(definition) => {
                    let child = definition.child(name.trim_start_matches('_'));
                    let seen = name.starts_with('_') && members.contains(name.trim_start_matches('_'));
                    if let (Some(child), false, Value::Borrowed(parent)) = (child, seen, &self.value) {
                        member(parent, child.name, definitions().type_at(child.type_id), output);
                    }
                }
            }
        }
    }
}

fn member<'r>(
    parent: &'r Json,
    name: &str,
    definition: Option<&'static TypeDefinition>,
    output: &mut Vec<PathNode<'r>>,
) {
    let values = parent.get(name).map_or(&[][..], Json::items);
    let is_primitive = definition.is_some_and(|definition| definition.kind == TypeKind::Primitive);
    if !is_primitive {
        output.extend(values.iter().map(|item| PathNode::borrowed(item, definition)));
        return;
    }
    let companions = companion(parent, name).map_or(&[][..], Json::items);
    for index in 0..values.len().max(companions.len()) {
        let value = values.get(index).unwrap_or(&NOTHING);
        let companion = companions.get(index).filter(|companion| !companion.is_null());
        if !value.is_null() || companion.is_some() {
            output.push(PathNode { companion, ..PathNode::borrowed(value, definition) });
        }
    }
}

fn companion<'r>(parent: &'r Json, name: &str) -> Option<&'r Json> {
    let mut members = parent.as_object()?.iter();
    members.find(|(own, _)| own.strip_prefix('_') == Some(name)).map(|(_, value)| value)
}

/// An inline resource says its own type.
fn actual_definition(value: &Json, definition: Option<&'static TypeDefinition>) -> Option<&'static TypeDefinition> {
    if definition.is_none_or(|definition| definition.is_abstract && definition.kind == TypeKind::Resource) {
        return value.get_str("resourceType").and_then(|name| definitions().type_named(name)).or(definition);
    }
    definition
}

fn system_type(value: &Json) -> &'static str {
    match value {
        Json::Bool(_) => "Boolean",
        Json::String(_) => "String",
        Json::Number(literal) if literal.contains(['.', 'e', 'E']) => "Decimal",
        Json::Number(_) => "Integer",
        _ => "Any",
    }
}
