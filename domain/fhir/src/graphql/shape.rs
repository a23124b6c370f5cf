//! How a query shapes an object (R4 <https://hl7.org/fhir/R4/graphql.html#list>): arguments narrow lists, directives name,
//! flatten and single out what comes of them.

use seva_fhir_profiles::{Child, TypeDefinition, TypeKind, definitions};

use super::schema::type_name;
use super::{Field, GraphError, Variables};
use crate::json::{Json, JsonObject};
use crate::path::{CompiledPath, EvaluationContext};

/// Arguments that every list takes; others name children.
const PATH: &str = "fhirpath";
const OFFSET: &str = "_offset";
const COUNT: &str = "_count";

/// An object that a query is asked of.
#[derive(Clone, Debug)]
pub(crate) struct Node<'n> {
    pub(crate) value: &'n Json,
    /// Its type, where it is known.
    pub(crate) definition: Option<&'static TypeDefinition>,
    /// The resource that it stands in.
    pub(crate) resource: &'n Json,
    pub(crate) place: Place,
}

/// Where the fields of an object go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Into an object of their own.
    Own,
    /// Into the object above, with what `@slice` adds to their names.
    Above(String),
}

impl<'n> Node<'n> {
    /// A resource.
    pub(crate) fn of_resource(resource: &'n Json) -> Self {
        let definition = resource.get_str("resourceType").and_then(|name| definitions().type_named(name));
        Self { value: resource, definition, resource, place: Place::Own }
    }

    pub(crate) fn is_resource(&self) -> bool {
        self.value.get("resourceType").is_some()
    }

    pub(crate) fn type_name(&self) -> Option<&str> {
        self.value.get_str("resourceType").or_else(|| self.definition.map(|definition| definition.name))
    }

    /// Whether a fragment on a type is about this object; of an unknown type it is.
    pub(crate) fn is_a(&self, wanted: &str) -> bool {
        self.type_name()
            .is_none_or(|own| own == wanted || type_name(own) == wanted || definitions().is_subtype(own, wanted))
    }

    /// The member that a field names, and the type of its values; an error where the type has no such element.
    pub(crate) fn member<'s>(&self, name: &'s str) -> Result<(&'s str, Option<&'static TypeDefinition>), GraphError> {
        let Some(definition) = self.definition else { return Ok((name, None)) };
        let of = |child: &Child| definitions().type_at(child.type_id);
        if name.strip_prefix('_').is_some_and(|plain| definition.child(plain).is_some()) {
            return Ok((name, definitions().type_named("Element")));
        }
        if let Some(child) = definition.child(name) {
            return Ok((child.name, of(child)));
        }
        // A choice by its name without the type: whichever is there.
        let mut choices = definition.members_of(name).peekable();
        let Some(first) = choices.peek().copied() else {
            return Err(GraphError::Query(format!("{} has no element {name}", definition.name)));
        };
        let there = choices.find(|child| self.value.get(child.name).is_some()).unwrap_or(first);
        Ok((there.name, of(there)))
    }
}

/// Whether one value or several stand under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    One,
    Many,
}

/// `@first` and `@singleton` make one of several.
pub(crate) fn shape(field: &Field, value: &Json, place: &Place) -> Shape {
    let several = value.as_array().is_some() || matches!(place, Place::Above(_));
    let one = field.directive("first").is_some() || field.directive("singleton").is_some();
    if several && !one { Shape::Many } else { Shape::One }
}

/// Puts a value under a name; several become an array.
pub(crate) fn put(object: &mut JsonObject, name: String, value: Json, shape: Shape) {
    match (shape, object.get_mut(&name).and_then(Json::as_array_mut)) {
        (Shape::One, _) => drop(object.insert(name, value)),
        (Shape::Many, Some(items)) => items.push(value),
        (Shape::Many, None) => drop(object.insert(name, vec![value])),
    }
}

/// The values that the arguments leave, with their places in the list.
pub(crate) fn narrowed<'v>(
    field: &Field,
    (values, definition): (&'v [Json], Option<&'static TypeDefinition>),
    (resource, variables): (&Json, &Variables),
) -> Result<Vec<(usize, &'v Json)>, GraphError> {
    let mut kept: Vec<(usize, &Json)> = values.iter().enumerate().collect();
    for (name, argument) in &field.arguments {
        let texts = variables.texts(argument)?;
        match name.as_str() {
            OFFSET | COUNT => {}
            PATH => {
                let text = texts.first().map(String::as_str).unwrap_or_default();
                let path = compiled(text)?;
                let mut passed = Vec::with_capacity(kept.len());
                for (place, value) in kept {
                    if is_true(&path, (value, definition), resource)? {
                        passed.push((place, value));
                    }
                }
                kept = passed;
            }
            child => {
                let own = definition.is_none_or(|one| one.kind != TypeKind::Primitive && one.child(child).is_some());
                if !own {
                    return Err(GraphError::Query(format!("{} takes no argument {child}", field.name)));
                }
                kept.retain(|(_, value)| texts.iter().any(|text| says(value.get(child), text)));
            }
        }
    }
    let number = |name: &str| -> Result<Option<usize>, GraphError> {
        let wrong = |text: String| GraphError::Query(format!("{name}: {text:?} is not a whole number"));
        variables.text(&field.arguments, name)?.map(|text| text.parse().map_err(|_| wrong(text))).transpose()
    };
    let (offset, count) = (number(OFFSET)?.unwrap_or(0), number(COUNT)?.unwrap_or(usize::MAX));
    let mut kept: Vec<(usize, &Json)> = kept.into_iter().skip(offset).take(count).collect();
    if field.directive("first").is_some() {
        kept.truncate(1);
    }
    Ok(kept)
}

/// Whether a value, or one of a list, is this text.
fn says(value: Option<&Json>, text: &str) -> bool {
    value.map_or(&[][..], Json::items).iter().any(|item| match item {
        Json::String(own) => **own == *text,
        Json::Number(own) => **own == *text,
        Json::Bool(own) => own.to_string() == text,
        Json::Null | Json::Array(_) | Json::Object(_) => false,
    })
}

fn compiled(text: &str) -> Result<CompiledPath, GraphError> {
    CompiledPath::parse(text).map_err(|error| GraphError::Query(format!("{text:?}: {error}")))
}

fn evaluated(
    path: &CompiledPath,
    (value, definition): (&Json, Option<&'static TypeDefinition>),
    resource: &Json,
) -> Result<Vec<Json>, GraphError> {
    let context = EvaluationContext::of_resource(resource).at(value, definition);
    let found = path.evaluate(&context).map_err(|error| GraphError::Query(error.to_string()))?;
    Ok(found.iter().map(|node| node.json().clone()).collect())
}

fn is_true(
    path: &CompiledPath,
    value: (&Json, Option<&'static TypeDefinition>),
    resource: &Json,
) -> Result<bool, GraphError> {
    let found = evaluated(path, value, resource)?;
    Ok(!found.is_empty() && found.iter().all(|one| one.as_bool() != Some(false)))
}

/// What `@slice` adds to the name of a value: the text of its path, or its place in the list.
pub(crate) fn slice(
    field: &Field,
    (place, value): (usize, (&Json, Option<&'static TypeDefinition>)),
    (resource, variables): (&Json, &Variables),
) -> Result<String, GraphError> {
    let Some(directive) = field.directive("slice") else { return Ok(String::new()) };
    let given = ["path", "fhirpath"].iter().find_map(|name| variables.text(&directive.arguments, name).transpose());
    let text = given.transpose()?.ok_or_else(|| GraphError::Query("@slice needs path".to_owned()))?;
    if text == "$index" {
        return Ok(format!(".{place}"));
    }
    let found = evaluated(&compiled(&text)?, value, resource)?;
    let words = found.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned));
    Ok(words.map(|word| format!(".{word}")).collect())
}
