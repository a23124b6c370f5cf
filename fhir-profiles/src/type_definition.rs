//! A type and its children by their JSON names (R4 <https://hl7.org/fhir/R4/types.html>).

use crate::element::ElementDefinition;

/// The position of a type in the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeId(pub(crate) u16);

/// What kind of type it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    /// A string, number or boolean in JSON.
    Primitive,
    /// A datatype with elements.
    Complex,
    /// A resource.
    Resource,
    /// The inline type of an element, named by its path, such as `Patient.contact`.
    Backbone,
}

/// A member that an object of a type may have in JSON.
#[derive(Debug, Clone, Copy)]
pub struct Child {
    /// The JSON name, such as `valueQuantity`.
    pub name: &'static str,
    /// The position of the element among the type's elements.
    pub element: u16,
    /// The type of the value.
    pub type_id: TypeId,
}

/// A datatype, resource type or inline type.
#[derive(Debug)]
pub struct TypeDefinition {
    /// The name, or the path of an inline type.
    pub name: &'static str,
    /// The kind.
    pub kind: TypeKind,
    /// The type that it extends.
    pub base: Option<&'static str>,
    /// Whether no value has just this type.
    pub is_abstract: bool,
    pub(crate) elements: Vec<ElementDefinition>,
    /// Sorted by name.
    pub(crate) children: Vec<Child>,
}

impl TypeDefinition {
    /// Returns the elements in the order of the specification, inherited ones first.
    #[must_use]
    pub fn elements(&self) -> &[ElementDefinition] {
        &self.elements
    }

    /// Returns the JSON members, sorted by name.
    #[must_use]
    pub fn children(&self) -> &[Child] {
        &self.children
    }

    /// Finds a member by its JSON name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Child> {
        let position = self.children.binary_search_by(|child| child.name.cmp(name)).ok()?;
        self.children.get(position)
    }

    /// Returns the element of a member.
    #[must_use]
    pub fn element_of(&self, child: &Child) -> Option<&ElementDefinition> {
        self.elements.get(usize::from(child.element))
    }

    /// Finds an element by its name without `[x]`.
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&ElementDefinition> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// Visits the JSON members of one element: several for a choice.
    pub fn members_of(&self, name: &str) -> impl Iterator<Item = &Child> {
        let position = self.elements.iter().position(|element| element.name == name);
        self.children.iter().filter(move |child| Some(usize::from(child.element)) == position)
    }
}
