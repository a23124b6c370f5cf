//! The whole pack, read once (R4 <https://hl7.org/fhir/R4/structuredefinition.html>).

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::code_list::CodeList;
use crate::code_system::SpecifiedSystem;
use crate::compartment::Compartment;
use crate::element::ElementDefinition;
use crate::search_parameter::SearchParameter;
use crate::type_definition::{Child, TypeDefinition, TypeId, TypeKind};

const ELEMENTS: &str = include_str!("../data/elements.tsv");
const PARAMETERS: &str = include_str!("../data/search-parameters.tsv");
const CODE_LISTS: &str = include_str!("../data/code-lists.tsv");
const CODE_SYSTEMS: &str = include_str!("../data/code-systems.tsv");
const COMPARTMENTS: &str = include_str!("../data/compartments.tsv");

/// The definitions of FHIR R4.
#[derive(Debug)]
pub struct Definitions {
    types: Vec<TypeDefinition>,
    by_name: HashMap<&'static str, TypeId>,
    parameters: Vec<SearchParameter>,
    /// By resource type, sorted by code, with those of Resource and DomainResource.
    by_resource: HashMap<&'static str, Vec<SearchParameter>>,
    code_lists: Vec<CodeList>,
    code_systems: Vec<SpecifiedSystem>,
    compartments: Vec<Compartment>,
}

/// Returns the definitions, which are read at the first call.
pub fn definitions() -> &'static Definitions {
    static DEFINITIONS: OnceLock<Definitions> = OnceLock::new();
    DEFINITIONS.get_or_init(Definitions::read)
}

impl Definitions {
    /// Finds a type by name, or an inline type by path.
    #[must_use]
    pub fn type_named(&self, name: &str) -> Option<&TypeDefinition> {
        self.types.get(usize::from(self.by_name.get(name)?.0))
    }

    /// Finds the position of a type.
    #[must_use]
    pub fn type_id(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// Returns the type at a position.
    #[must_use]
    pub fn type_at(&self, id: TypeId) -> Option<&TypeDefinition> {
        self.types.get(usize::from(id.0))
    }

    /// Visits all types.
    pub fn types(&self) -> impl Iterator<Item = &TypeDefinition> {
        self.types.iter()
    }

    /// Visits the names of the concrete resource types.
    pub fn resource_types(&self) -> impl Iterator<Item = &'static str> {
        let concrete = |each: &&TypeDefinition| each.kind == TypeKind::Resource && !each.is_abstract;
        self.types.iter().filter(concrete).map(|each| each.name)
    }

    /// Tells whether a type is another or extends it.
    #[must_use]
    pub fn is_subtype(&self, name: &str, ancestor: &str) -> bool {
        let mut current = self.type_named(name);
        while let Some(definition) = current {
            if definition.name == ancestor {
                return true;
            }
            current = definition.base.and_then(|base| self.type_named(base));
        }
        name == ancestor
    }

    /// Returns the search parameters of a resource type, sorted by code, with those that all types have.
    #[must_use]
    pub fn search_parameters(&self, resource_type: &str) -> &[SearchParameter] {
        self.by_resource.get(resource_type).map_or(&[], Vec::as_slice)
    }

    /// Finds a search parameter of a resource type; `Resource` has those that all types have.
    #[must_use]
    pub fn search_parameter(&self, resource_type: &str, code: &str) -> Option<&SearchParameter> {
        let parameters = self.search_parameters(resource_type);
        let position = parameters.binary_search_by(|parameter| parameter.code.cmp(code)).ok()?;
        parameters.get(position)
    }

    /// Finds a search parameter by its number.
    #[must_use]
    pub fn search_parameter_by_id(&self, id: u32) -> Option<&SearchParameter> {
        self.parameters.get(usize::try_from(id.checked_sub(1)?).ok()?)
    }

    /// Returns all search parameters in the order of their numbers.
    #[must_use]
    pub fn all_search_parameters(&self) -> &[SearchParameter] {
        &self.parameters
    }

    /// Finds a complete code list by the URL of its value set.
    #[must_use]
    pub fn code_list(&self, url: &str) -> Option<&CodeList> {
        let position = self.code_lists.binary_search_by(|list| list.url.cmp(url)).ok()?;
        self.code_lists.get(position)
    }

    /// Tells whether a system's code is one that a required binding lists, so that elements of type `code` imply it.
    #[must_use]
    pub fn implies(&self, system: &str, code: &str) -> bool {
        self.code_lists.iter().any(|list| list.contains_in(system, code))
    }

    /// Tells the same where the letter case of codes does not count.
    #[must_use]
    pub fn implies_in_any_case(&self, system: &str, code: &str) -> bool {
        self.code_lists.iter().any(|list| list.contains_in_any_case(system, code))
    }

    /// The codes of a system, by the longest code list that is made of this system alone.
    #[must_use]
    pub fn codes_of(&self, system: &str) -> Option<&[&'static str]> {
        let lists = self.code_lists.iter().filter_map(|list| match list.systems.as_slice() {
            [(own, codes)] if *own == system => Some(codes.as_slice()),
            _ => None,
        });
        lists.max_by_key(|codes| codes.len())
    }

    /// The code systems that the code lists are made of, sorted by URL.
    #[must_use]
    pub fn code_systems(&self) -> &[SpecifiedSystem] {
        &self.code_systems
    }

    /// Finds a compartment by the type that it is about.
    #[must_use]
    pub fn compartment(&self, name: &str) -> Option<&Compartment> {
        self.compartments.iter().find(|compartment| compartment.name == name)
    }

    /// Returns the five compartments of R4.
    #[must_use]
    pub fn compartments(&self) -> &[Compartment] {
        &self.compartments
    }

    /// Visits the elements that `_summary=true` shows at the top of a resource type.
    pub fn summary_elements(&self, resource_type: &str) -> impl Iterator<Item = &ElementDefinition> {
        let elements = self.type_named(resource_type).map_or(&[][..], TypeDefinition::elements);
        elements.iter().filter(|element| element.is_summary)
    }

    fn read() -> Self {
        let mut types = read_types();
        inherit(&mut types);
        let by_name: HashMap<&'static str, TypeId> =
            types.iter().zip(0_u16..).map(|(each, index)| (each.name, TypeId(index))).collect();
        for each in &mut types {
            each.children = children(&each.elements, &by_name);
        }
        let parameters = SearchParameter::parse_all(PARAMETERS);
        let by_resource = by_resource(&types, &parameters);
        let code_lists = CodeList::parse_all(CODE_LISTS);
        let code_systems = SpecifiedSystem::parse_all(CODE_SYSTEMS);
        let compartments = Compartment::parse_all(COMPARTMENTS);
        Self { types, by_name, parameters, by_resource, code_lists, code_systems, compartments }
    }
}

fn read_types() -> Vec<TypeDefinition> {
    let mut types: Vec<TypeDefinition> = Vec::with_capacity(1_000);
    // Positions of the root type and its inline types by path.
    let mut open: HashMap<&'static str, usize> = HashMap::new();
    let mut root = "";
    for line in crate::lines(ELEMENTS) {
        if let Some(header) = line.strip_prefix('=') {
            let Some(definition) = parse_type(header) else {
                continue;
            };
            root = definition.name;
            open.clear();
            open.insert(root, types.len());
            types.push(definition);
            continue;
        }
        let Some(element) = ElementDefinition::parse(line, root) else {
            continue;
        };
        let parent = element.path.rsplit_once('.').map_or(root, |(parent, _)| parent);
        let inline = element.types.first().filter(|first| matches!(first.name, "BackboneElement" | "Element"));
        if let Some(base) = inline.map(|first| first.name) {
            open.insert(element.path, types.len());
            types.push(TypeDefinition {
                name: element.path,
                kind: TypeKind::Backbone,
                base: Some(base),
                is_abstract: false,
                elements: Vec::new(),
                children: Vec::new(),
            });
        }
        if let Some(definition) = open.get(parent).and_then(|position| types.get_mut(*position)) {
            definition.elements.push(element);
        }
    }
    types
}

fn parse_type(header: &'static str) -> Option<TypeDefinition> {
    let mut fields = header.split('\t');
    let name = fields.next()?;
    let kind = match fields.next()? {
        "primitive" => TypeKind::Primitive,
        "complex" => TypeKind::Complex,
        _ => TypeKind::Resource,
    };
    let base = fields.next().filter(|base| !base.is_empty());
    let is_abstract = fields.next() == Some("abstract");
    Some(TypeDefinition { name, kind, base, is_abstract, elements: Vec::new(), children: Vec::new() })
}

/// Puts the elements of the base types before a type's own.
fn inherit(types: &mut [TypeDefinition]) {
    let own: HashMap<&'static str, (Option<&'static str>, Vec<ElementDefinition>)> = types
        .iter()
        .filter(|each| each.kind != TypeKind::Backbone)
        .map(|each| (each.name, (each.base, each.elements.clone())))
        .collect();
    for each in types.iter_mut() {
        let mut ancestor = each.base;
        while let Some((base, elements)) = ancestor.and_then(|name| own.get(name)) {
            each.elements.splice(0..0, elements.iter().cloned());
            ancestor = *base;
        }
    }
}

/// Lists the JSON members: one per element, or one per type of a choice.
fn children(elements: &[ElementDefinition], by_name: &HashMap<&'static str, TypeId>) -> Vec<Child> {
    let mut children = Vec::with_capacity(elements.len());
    for (element, index) in elements.iter().zip(0_u16..) {
        let of_type = |name: &str| by_name.get(name).copied();
        if element.is_choice {
            for each in &element.types {
                let Some(type_id) = of_type(each.name) else {
                    continue;
                };
                let mut letters = each.name.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
                let name: String = element.name.chars().chain(first).chain(letters).collect();
                children.push(Child { name: crate::keep(name), element: index, type_id });
            }
            continue;
        }
        let inline = element.content_reference.or(Some(element.path)).and_then(of_type);
        let named = element.types.first().and_then(|first| of_type(first.name));
        if let Some(type_id) = inline.or(named) {
            children.push(Child { name: element.name, element: index, type_id });
        }
    }
    children.sort_by_key(|child| child.name);
    children
}

fn by_resource(
    types: &[TypeDefinition],
    parameters: &[SearchParameter],
) -> HashMap<&'static str, Vec<SearchParameter>> {
    let mut result: HashMap<&'static str, Vec<SearchParameter>> = HashMap::new();
    for each in types.iter().filter(|each| each.kind == TypeKind::Resource) {
        let applies = |base: &str| {
            base == each.name || base == "Resource" || (base == "DomainResource" && each.base == Some("DomainResource"))
        };
        let mut own: Vec<SearchParameter> =
            parameters.iter().filter(|parameter| applies(parameter.base)).cloned().collect();
        own.sort_by_key(|parameter| parameter.code);
        result.insert(each.name, own);
    }
    result
}
