//! The schema that an introspection tells (GraphQL <https://spec.graphql.org/October2021/#sec-Introspection>), made from
//! the definitions once: types by their elements, lists and connections by their search parameters.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use seva_fhir_profiles::{Child, SearchParameterType, TypeDefinition, TypeKind, definitions};

use crate::capability::offered_parameters;
use crate::interactions::served_types;

/// The name of the root of queries of the system.
pub(crate) const QUERY: &str = "Query";
/// What a resource may be where any may stand.
const ANY_RESOURCE: &str = "Resource";

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TypeRef {
    Named(String),
    List(Box<TypeRef>),
    NonNull(Box<TypeRef>),
}

/// An argument.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) of: TypeRef,
}

/// A field of an object.
#[derive(Clone, Debug)]
pub(crate) struct FieldDefinition {
    pub(crate) name: String,
    pub(crate) arguments: Vec<Input>,
    pub(crate) of: TypeRef,
}

/// What kind of type it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Object,
    Union,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "SCALAR",
            Self::Object => "OBJECT",
            Self::Union => "UNION",
        }
    }
}

/// A type.
#[derive(Clone, Debug)]
pub(crate) struct Type {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) fields: Vec<FieldDefinition>,
    pub(crate) possible: Vec<String>,
}

/// A directive with its arguments and the places where it may stand.
#[derive(Clone, Debug)]
pub(crate) struct DirectiveDefinition {
    pub(crate) name: &'static str,
    pub(crate) arguments: Vec<Input>,
    pub(crate) locations: &'static [&'static str],
}

/// All types, by name, and the directives.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) types: BTreeMap<String, Type>,
    pub(crate) directives: Vec<DirectiveDefinition>,
}

/// The schema, which is made at the first call.
pub(crate) fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(Schema::make)
}

/// The name of a type: inline ones are called by their path, in which GraphQL allows no dots.
pub(crate) fn type_name(definition: &str) -> String {
    definition.replace('.', "_")
}

impl TypeRef {
    fn named(name: &str) -> Self {
        Self::Named(name.to_owned())
    }

    fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    fn required(of: Self) -> Self {
        Self::NonNull(Box::new(of))
    }
}

impl Schema {
    fn make() -> Self {
        let mut types = Vec::new();
        for scalar in ["Boolean", "Float", "ID", "Int", "String"] {
            types.push(Type { name: scalar.to_owned(), kind: Kind::Scalar, fields: Vec::new(), possible: Vec::new() });
        }
        let resources: Vec<&'static str> = served_types().map(|kind| kind.as_str()).collect();
        types.push(Type {
            name: ANY_RESOURCE.to_owned(),
            kind: Kind::Union,
            fields: Vec::new(),
            possible: definitions().resource_types().map(str::to_owned).collect(),
        });
        let shown =
            |each: &&TypeDefinition| each.kind != TypeKind::Primitive && (!each.is_abstract || each.name == "Element");
        types.extend(definitions().types().filter(shown).map(object_of));
        let mut roots = Vec::new();
        for name in &resources {
            let arguments = search_arguments(name);
            roots.push(field(name, vec![input("id", TypeRef::required(TypeRef::named("ID")))], TypeRef::named(name)));
            roots.push(field(&format!("{name}List"), arguments.clone(), TypeRef::list(TypeRef::named(name))));
            let connection = format!("{name}Connection");
            roots.push(field(&connection, arguments, TypeRef::named(&connection)));
            types.extend(connection_of(name));
        }
        types.push(Type { name: QUERY.to_owned(), kind: Kind::Object, fields: roots, possible: Vec::new() });
        let types = types.into_iter().map(|one| (one.name.clone(), one)).collect();
        Self { types, directives: directives() }
    }
}

fn field(name: &str, arguments: Vec<Input>, of: TypeRef) -> FieldDefinition {
    FieldDefinition { name: name.to_owned(), arguments, of }
}

fn input(name: &str, of: TypeRef) -> Input {
    Input { name: name.to_owned(), of }
}

fn text(name: &str) -> Input {
    input(name, TypeRef::named("String"))
}

/// GraphQL's names have no hyphens.
fn search_arguments(resource_type: &str) -> Vec<Input> {
    let paging = [input("_count", TypeRef::named("Int")), text("_cursor"), text("_sort")];
    let parameters = offered_parameters(resource_type).filter(|own| own.code != "_count");
    paging.into_iter().chain(parameters.map(|own| text(&own.code.replace('-', "_")))).collect()
}

fn connection_of(name: &str) -> [Type; 2] {
    let object = |name: String, fields| Type { name, kind: Kind::Object, fields, possible: Vec::new() };
    let plain = |name: &str, of: &str| field(name, Vec::new(), TypeRef::named(of));
    let edge = format!("{name}Edge");
    let mut fields = vec![plain("count", "Int"), plain("offset", "Int"), plain("pagesize", "Int")];
    fields.extend(["first", "previous", "next", "last"].map(|page| plain(page, "ID")));
    fields.push(field("edges", Vec::new(), TypeRef::list(TypeRef::named(&edge))));
    [
        object(format!("{name}Connection"), fields),
        object(edge, vec![plain("mode", "String"), plain("score", "Float"), plain("resource", name)]),
    ]
}

fn object_of(definition: &'static TypeDefinition) -> Type {
    let mut fields: Vec<FieldDefinition> =
        definition.children().iter().flat_map(|child| fields_of(definition, child)).collect();
    if definition.name == "Reference" {
        let optional = input("optional", TypeRef::named("Boolean"));
        fields.push(field("resource", vec![optional, text("type")], TypeRef::named(ANY_RESOURCE)));
    }
    if definition.kind == TypeKind::Resource {
        fields.push(field("resourceType", Vec::new(), TypeRef::required(TypeRef::named("String"))));
        fields.extend(referring(definition.name));
    }
    Type { name: type_name(definition.name), kind: Kind::Object, fields, possible: Vec::new() }
}

/// A member, and beside a plain value what its extensions stand in.
fn fields_of(definition: &TypeDefinition, child: &Child) -> Vec<FieldDefinition> {
    let Some(own) = definitions().type_at(child.type_id) else { return Vec::new() };
    let several = definition.element_of(child).is_some_and(|element| element.is_array());
    let shaped = |of: TypeRef| if several { TypeRef::list(of) } else { of };
    let mut arguments = Vec::new();
    if several {
        arguments.extend([
            text("fhirpath"),
            input("_offset", TypeRef::named("Int")),
            input("_count", TypeRef::named("Int")),
        ]);
        let plain = own.children().iter().filter(|below| {
            own.kind != TypeKind::Primitive
                && definitions().type_at(below.type_id).is_some_and(|of| of.kind == TypeKind::Primitive)
        });
        arguments.extend(plain.map(|below| text(below.name)));
    }
    if own.kind == TypeKind::Primitive {
        let beside = shaped(TypeRef::named("Element"));
        let value = field(child.name, arguments, shaped(TypeRef::named(scalar(own.name))));
        return vec![value, field(&format!("_{}", child.name), Vec::new(), beside)];
    }
    let name =
        if own.is_abstract && own.kind == TypeKind::Resource { ANY_RESOURCE.to_owned() } else { type_name(own.name) };
    vec![field(child.name, arguments, shaped(TypeRef::Named(name)))]
}

fn scalar(primitive: &str) -> &'static str {
    match primitive {
        "boolean" => "Boolean",
        "integer" | "positiveInt" | "unsignedInt" => "Int",
        "decimal" => "Float",
        _ => "String",
    }
}

/// Lists of what refers to a resource. They take every search parameter; here stand those that all of them have, since the
/// parameters of each are told at the root.
fn referring(name: &str) -> Vec<FieldDefinition> {
    let mut types: Vec<&'static str> = definitions()
        .all_search_parameters()
        .iter()
        .filter(|own| own.kind == SearchParameterType::Reference && own.targets.contains(&name))
        .filter(|own| !matches!(own.base, "Resource" | "DomainResource"))
        .map(|own| own.base)
        .collect();
    types.sort_unstable();
    types.dedup();
    let arguments = || {
        let reference = input("_reference", TypeRef::required(TypeRef::named("String")));
        vec![reference, input("_count", TypeRef::named("Int")), text("_cursor"), text("_sort"), text("_filter")]
    };
    let forms = types.into_iter().flat_map(|kind| {
        let (list, connection) = (format!("{kind}List"), format!("{kind}Connection"));
        let many = TypeRef::list(TypeRef::named(kind));
        [field(&list, arguments(), many), field(&connection, arguments(), TypeRef::named(&connection))]
    });
    forms.collect()
}

fn directives() -> Vec<DirectiveDefinition> {
    const SELECTIONS: &[&str] = &["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"];
    const FIELDS: &[&str] = &["FIELD"];
    let condition = || vec![input("if", TypeRef::required(TypeRef::named("Boolean")))];
    let of = |name, arguments, locations| DirectiveDefinition { name, arguments, locations };
    vec![
        of("include", condition(), SELECTIONS),
        of("skip", condition(), SELECTIONS),
        of("flatten", Vec::new(), FIELDS),
        of("first", Vec::new(), FIELDS),
        of("singleton", Vec::new(), FIELDS),
        of("slice", vec![text("path"), text("fhirpath")], FIELDS),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(of: &TypeRef) -> &str {
        match of {
            TypeRef::Named(name) => name,
            TypeRef::List(of) | TypeRef::NonNull(of) => base(of),
        }
    }

    #[test]
    fn every_type_that_is_named_is_there_and_names_are_graphqls() {
        let schema = schema();
        let is_name = |name: &str| {
            !name.starts_with("__")
                && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
                && name.chars().next().is_some_and(|first| !first.is_ascii_digit())
        };
        for own in schema.types.values() {
            assert!(is_name(&own.name), "{}", own.name);
            for field in &own.fields {
                assert!(is_name(&field.name), "{}.{}", own.name, field.name);
                assert!(schema.types.contains_key(base(&field.of)), "{}.{}: {:?}", own.name, field.name, field.of);
                let mut names: Vec<&str> = field.arguments.iter().map(|input| input.name.as_str()).collect();
                assert!(names.iter().all(|name| is_name(name)), "{}.{}: {names:?}", own.name, field.name);
                let count = names.len();
                names.sort_unstable();
                names.dedup();
                assert_eq!(names.len(), count, "{}.{} has an argument twice", own.name, field.name);
            }
            let mut names: Vec<&str> = own.fields.iter().map(|field| field.name.as_str()).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{} has a field twice", own.name);
            assert!(own.kind != Kind::Object || count > 0, "{} has no field", own.name);
            assert!(own.possible.iter().all(|name| schema.types.contains_key(name)), "{}", own.name);
        }
    }
}
