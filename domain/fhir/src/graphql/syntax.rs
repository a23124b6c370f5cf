//! What a query says, as data (GraphQL <https://spec.graphql.org/October2021/#sec-Language>).

use std::collections::HashMap;

/// A query with its fragments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    pub(crate) operations: Vec<Operation>,
    pub(crate) fragments: HashMap<String, Fragment>,
}

/// One query of a document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operation {
    pub(crate) name: Option<String>,
    /// Names with their defaults.
    pub(crate) variables: Vec<(String, Option<Value>)>,
    pub(crate) selection: Vec<Selection>,
}

/// A named part of a query.
#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) on: String,
    pub(crate) selection: Vec<Selection>,
}

/// What is selected of an object.
#[derive(Clone, Debug)]
pub(crate) enum Selection {
    Field(Field),
    /// `...name`.
    Spread {
        name: String,
        directives: Vec<Directive>,
    },
    /// `... on Type { }`.
    Inline {
        on: Option<String>,
        directives: Vec<Directive>,
        selection: Vec<Selection>,
    },
}

/// A field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    pub(crate) alias: Option<String>,
    pub(crate) name: String,
    pub(crate) arguments: Vec<(String, Value)>,
    pub(crate) directives: Vec<Directive>,
    pub(crate) selection: Vec<Selection>,
}

impl Field {
    /// The name in the answer.
    pub(crate) fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }

    pub(crate) fn directive(&self, name: &str) -> Option<&Directive> {
        self.directives.iter().find(|one| one.name == name)
    }
}

/// `@name(…)`.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    pub(crate) name: String,
    pub(crate) arguments: Vec<(String, Value)>,
}

/// The value of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Variable(String),
    /// A string, a number or a name.
    Text(String),
    Boolean(bool),
    Null,
    List(Vec<Value>),
}
