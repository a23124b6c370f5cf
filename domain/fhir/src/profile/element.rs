//! An element of a profile with its slices (R4 <https://hl7.org/fhir/R4/elementdefinition.html>).

use super::codes::Strength;
use crate::json::Json;
use crate::outcome::Severity;
use crate::path::CompiledPath;

/// What one element, or one slice of it, must keep.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// The name in paths, or the name of the slice.
    pub(super) name: String,
    pub(super) min: u64,
    /// No limit when absent.
    pub(super) max: Option<u64>,
    pub(super) fixed: Option<Json>,
    pub(super) pattern: Option<Json>,
    pub(super) lowest: Option<Json>,
    pub(super) highest: Option<Json>,
    pub(super) max_length: Option<usize>,
    pub(super) types: Vec<TypeRule>,
    pub(super) binding: Option<(Strength, String)>,
    pub(super) rules: Vec<Rule>,
    pub(super) slicing: Option<Slicing>,
    pub(super) children: Vec<Element>,
    pub(super) slices: Vec<Element>,
}

/// A type that a value may have.
#[derive(Debug)]
pub(super) struct TypeRule {
    pub(super) code: String,
    pub(super) profiles: Vec<String>,
    pub(super) targets: Vec<String>,
}

/// A constraint of the profile's own.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) key: String,
    pub(super) human: String,
    pub(super) severity: Severity,
    /// What says why it can't be evaluated, if it can't.
    pub(super) compiled: Result<CompiledPath, String>,
}

/// How the values of an element are told apart.
#[derive(Debug)]
pub(super) struct Slicing {
    pub(super) discriminators: Vec<Discriminator>,
    pub(super) is_ordered: bool,
    pub(super) openness: Openness,
}

/// Whether values outside all slices are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Openness {
    Open,
    OpenAtEnd,
    Closed,
}

/// What tells slices apart.
#[derive(Debug)]
pub(super) struct Discriminator {
    pub(super) kind: Kind,
    pub(super) path: String,
    pub(super) compiled: Result<CompiledPath, String>,
}

/// R4 discriminator-type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `value` and `pattern`, which R4 tells apart by the slice's own definition.
    Value,
    Exists,
    Type,
    Profile,
}

impl Element {
    pub(super) fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        let choice = |own: &str| own.strip_suffix("[x]").is_some_and(|stem| stem == name);
        self.children.iter().find(|one| one.name == name || choice(&one.name))
    }

    pub(super) fn child_mut(&mut self, name: &str) -> &mut Self {
        entry(&mut self.children, name)
    }

    pub(super) fn slice_mut(&mut self, name: &str) -> &mut Self {
        entry(&mut self.slices, name)
    }
}

/// Finds an element by its name, or appends one.
fn entry<'e>(elements: &'e mut Vec<Element>, name: &str) -> &'e mut Element {
    let position = elements.iter().position(|one| one.name == name).unwrap_or_else(|| {
        elements.push(Element::named(name));
        elements.len() - 1
    });
    elements.get_mut(position).expect("the element was found or appended")
}
