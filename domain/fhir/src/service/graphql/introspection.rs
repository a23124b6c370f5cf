//! `__schema` and `__type` (GraphQL <https://spec.graphql.org/October2021/#sec-Introspection>).

use std::collections::HashMap;

use super::{GraphFailure, Walk, query};
use crate::graphql::schema::{DirectiveDefinition, FieldDefinition, Input, Kind, Schema, Type, TypeRef, schema};
use crate::graphql::{Field, Selection};
use crate::json::{Json, JsonObject, array};

/// As many values as an introspection answers with: the whole schema by the usual query is a third of it.
const MOST_VALUES: usize = 2_000_000;

/// Something that is told of the schema.
#[derive(Clone, Copy)]
enum Told<'s> {
    Schema,
    Type(&'s Type),
    /// A list or what can't be null.
    Wrapped(&'s TypeRef),
    Field(&'s FieldDefinition),
    Input(&'s Input),
    Directive(&'s DirectiveDefinition),
}

/// What a field of it is.
enum Answer<'s> {
    Plain(Json),
    One(Told<'s>),
    Many(Vec<Told<'s>>),
}

/// One introspection: the fields of a selection are found once, however many things it is asked of.
struct Telling<'w, 'f> {
    walk: &'w Walk<'f>,
    schema: &'static Schema,
    root: &'w str,
    known: HashMap<usize, Vec<&'w Field>>,
    values: usize,
}

impl Walk<'_> {
    /// Answers a field of introspection; none when the field is another one. `root` is the type that queries begin with.
    pub(super) fn introspected(&self, field: &Field, root: &str, depth: usize) -> Result<Option<Json>, GraphFailure> {
        let schema = schema();
        let mut telling = Telling { walk: self, schema, root, known: HashMap::new(), values: 0 };
        match field.name.as_str() {
            "__schema" => telling.object(Told::Schema, &field.selection, depth + 1).map(Some),
            "__type" => {
                let name = self.variables.text(&field.arguments, "name")?;
                let name = name.ok_or_else(|| query("__type needs the argument name"))?;
                match schema.types.get(&name) {
                    Some(found) => telling.object(Told::Type(found), &field.selection, depth + 1).map(Some),
                    None => Ok(Some(Json::Null)),
                }
            }
            _ => Ok(None),
        }
    }
}

impl<'w> Telling<'w, '_> {
    fn object(&mut self, told: Told<'_>, selection: &'w [Selection], depth: usize) -> Result<Json, GraphFailure> {
        let mut made = JsonObject::new();
        for field in self.fields(selection, depth)? {
            self.values += 1;
            if self.values > MOST_VALUES {
                return Err(query(format!("the introspection has more than {MOST_VALUES} values")));
            }
            let value = match (self.answer(told, &field.name)?, field.selection.is_empty()) {
                (Answer::Plain(Json::Null), _) => Json::Null,
                (Answer::Plain(value), true) => value,
                (Answer::Plain(_), false) => return Err(query(format!("{} is a plain value", field.name))),
                (_, true) => return Err(query(format!("{} needs a selection of fields", field.name))),
                (Answer::One(one), false) => self.object(one, &field.selection, depth + 1)?,
                (Answer::Many(many), false) => {
                    let mut list = Vec::with_capacity(many.len());
                    for one in many {
                        list.push(self.object(one, &field.selection, depth + 1)?);
                    }
                    Json::Array(list)
                }
            };
            made.insert(field.key(), value);
        }
        Ok(made.into())
    }

    fn fields(&mut self, selection: &'w [Selection], depth: usize) -> Result<Vec<&'w Field>, GraphFailure> {
        let place = selection.as_ptr() as usize;
        if let Some(known) = self.known.get(&place) {
            return Ok(known.clone());
        }
        let walk: &'w Walk<'_> = self.walk;
        let fields = walk.fields_of(selection, None, depth)?;
        self.known.insert(place, fields.clone());
        Ok(fields)
    }

    fn answer<'s>(&self, told: Told<'s>, name: &str) -> Result<Answer<'s>, GraphFailure>
    where
        'static: 's,
    {
        let found = match told {
            Told::Schema => self.of_schema(name),
            Told::Type(own) => of_type(own, name),
            Told::Wrapped(of) => self.of_wrapped(of, name),
            Told::Field(field) => self.of_field(field, name),
            Told::Input(input) => self.of_input(input, name),
            Told::Directive(directive) => of_directive(directive, name),
        };
        found.ok_or_else(|| query(format!("introspection has no field {name} here")))
    }

    fn of_schema<'s>(&self, name: &str) -> Option<Answer<'s>> {
        Some(match name {
            "__typename" => Answer::Plain("__Schema".into()),
            "description" | "mutationType" | "subscriptionType" => Answer::Plain(Json::Null),
            "queryType" => {
                self.schema.types.get(self.root).map_or(Answer::Plain(Json::Null), |own| Answer::One(Told::Type(own)))
            }
            "types" => Answer::Many(self.schema.types.values().map(Told::Type).collect()),
            "directives" => Answer::Many(self.schema.directives.iter().map(Told::Directive).collect()),
            _ => return None,
        })
    }

    fn told<'s>(&self, of: &'s TypeRef) -> Told<'s>
    where
        'static: 's,
    {
        match of {
            TypeRef::Named(name) => self.schema.types.get(name).map_or(Told::Wrapped(of), Told::Type),
            TypeRef::List(_) | TypeRef::NonNull(_) => Told::Wrapped(of),
        }
    }

    fn of_wrapped<'s>(&self, of: &'s TypeRef, name: &str) -> Option<Answer<'s>>
    where
        'static: 's,
    {
        let (kind, inner) = match of {
            TypeRef::List(inner) => ("LIST", inner),
            TypeRef::NonNull(inner) => ("NON_NULL", inner),
            TypeRef::Named(_) => return None,
        };
        Some(match name {
            "__typename" => Answer::Plain("__Type".into()),
            "kind" => Answer::Plain(kind.into()),
            "ofType" => Answer::One(self.told(inner)),
            "name" | "description" | "specifiedByURL" | "fields" | "interfaces" | "possibleTypes" | "enumValues"
            | "inputFields" => Answer::Plain(Json::Null),
            _ => return None,
        })
    }

    fn of_field<'s>(&self, field: &'s FieldDefinition, name: &str) -> Option<Answer<'s>>
    where
        'static: 's,
    {
        Some(match name {
            "__typename" => Answer::Plain("__Field".into()),
            "name" => Answer::Plain(field.name.as_str().into()),
            "description" | "deprecationReason" => Answer::Plain(Json::Null),
            "isDeprecated" => Answer::Plain(false.into()),
            "args" => Answer::Many(field.arguments.iter().map(Told::Input).collect()),
            "type" => Answer::One(self.told(&field.of)),
            _ => return None,
        })
    }

    fn of_input<'s>(&self, input: &'s Input, name: &str) -> Option<Answer<'s>>
    where
        'static: 's,
    {
        Some(match name {
            "__typename" => Answer::Plain("__InputValue".into()),
            "name" => Answer::Plain(input.name.as_str().into()),
            "description" | "defaultValue" | "deprecationReason" => Answer::Plain(Json::Null),
            "isDeprecated" => Answer::Plain(false.into()),
            "type" => Answer::One(self.told(&input.of)),
            _ => return None,
        })
    }
}

fn of_type<'s>(own: &'s Type, name: &str) -> Option<Answer<'s>>
where
    'static: 's,
{
    Some(match (name, own.kind) {
        ("__typename", _) => Answer::Plain("__Type".into()),
        ("kind", kind) => Answer::Plain(kind.name().into()),
        ("name", _) => Answer::Plain(own.name.as_str().into()),
        ("fields", Kind::Object) => Answer::Many(own.fields.iter().map(Told::Field).collect()),
        ("interfaces", Kind::Object) => Answer::Many(Vec::new()),
        ("possibleTypes", Kind::Union) => {
            let types = &schema().types;
            Answer::Many(own.possible.iter().filter_map(|name| types.get(name)).map(Told::Type).collect())
        }
        (
            "description" | "specifiedByURL" | "fields" | "interfaces" | "possibleTypes" | "enumValues" | "inputFields"
            | "ofType",
            _,
        ) => Answer::Plain(Json::Null),
        _ => return None,
    })
}

fn of_directive<'s>(directive: &'s DirectiveDefinition, name: &str) -> Option<Answer<'s>> {
    Some(match name {
        "__typename" => Answer::Plain("__Directive".into()),
        "name" => Answer::Plain(directive.name.into()),
        "description" => Answer::Plain(Json::Null),
        "isRepeatable" => Answer::Plain(false.into()),
        "locations" => Answer::Plain(array(directive.locations.iter().copied())),
        "args" => Answer::Many(directive.arguments.iter().map(Told::Input).collect()),
        _ => return None,
    })
}
