//! The compiled expressions of each resource type, made when the type is first indexed.

use std::sync::OnceLock;

use seva_fhir_profiles::{Component, SearchParameter, SearchParameterType, TypeDefinition, definitions};

use super::LetterCase;
use crate::parameters::own_plan;
use crate::path::{CompiledPath, PathError};
use crate::types::ResourceType;

/// A parameter with its compiled expressions.
pub(crate) struct Planned {
    pub(crate) parameter: &'static SearchParameter,
    pub(super) path: CompiledPath,
    /// How its codes compare.
    pub(super) letter_case: LetterCase,
    /// All its values are true or false.
    pub(super) is_boolean: bool,
    /// How the codes of each part of a composite compare.
    pub(super) part_cases: Vec<LetterCase>,
    /// For composites: for each type that the expression leads to, the paths of the parts.
    pub(super) parts: Vec<(&'static TypeDefinition, Vec<Part>)>,
}

/// A part of a composite with its compiled expression.
pub(super) struct Part {
    /// Which part, from zero.
    pub(super) place: usize,
    pub(super) kind: SearchParameterType,
    pub(super) path: CompiledPath,
}

/// Returns the parameters of a type that have values in its resources.
pub(super) fn plan_of(resource_type: ResourceType) -> &'static [Planned] {
    static PLANS: [OnceLock<Vec<Planned>>; 146] = [const { OnceLock::new() }; 146];
    let Some(plan) = PLANS.get(resource_type.index()) else {
        return &[];
    };
    plan.get_or_init(|| {
        let name = resource_type.as_str();
        let Some(definition) = definitions().type_named(name) else {
            return Vec::new();
        };
        let parameters = definitions().search_parameters(name).iter();
        parameters.filter_map(|parameter| planned(parameter, definition)).collect()
    })
}

/// R4's own expressions compile, which a test shows; a parameter without one has no values.
fn planned(parameter: &'static SearchParameter, definition: &'static TypeDefinition) -> Option<Planned> {
    if parameter.expression.is_empty() { None } else { Planned::compiled(parameter, definition).ok() }
}

impl Planned {
    /// The plan of a parameter; what is declared for all types is the same in each.
    pub(super) fn known(parameter: &SearchParameter) -> Option<&'static Self> {
        let base = || parameter.base.parse().unwrap_or_else(|_| ResourceType::patient());
        own_plan(parameter).or_else(|| Self::among(base(), parameter))
    }

    /// The plan of a parameter of R4 for resources of a type.
    pub(super) fn among(resource_type: ResourceType, parameter: &SearchParameter) -> Option<&'static Self> {
        plan_of(resource_type).iter().find(|planned| planned.parameter.id == parameter.id)
    }

    /// Compiles a parameter for resources of a type.
    pub(crate) fn of(parameter: &'static SearchParameter, resource_type: ResourceType) -> Result<Self, String> {
        let definition = definitions().type_named(resource_type.as_str()).ok_or("its type is not known")?;
        Self::compiled(parameter, definition).map_err(|error| error.to_string())
    }

    pub(super) fn compiled(
        parameter: &'static SearchParameter,
        definition: &'static TypeDefinition,
    ) -> Result<Self, PathError> {
        let path = CompiledPath::for_type(parameter.expression, definition)?;
        let parts: Vec<(&'static TypeDefinition, Vec<Part>)> = if parameter.components.is_empty() {
            Vec::new()
        } else {
            path.types().into_iter().map(|each| (each, parts_of(&parameter.components, each))).collect()
        };
        let types = path.types();
        let letter_case = LetterCase::of_types(&types);
        let is_plain = !types.is_empty() && types.iter().all(|each| each.name == "boolean");
        let is_boolean = is_plain || path.is_condition();
        let part_cases = (0..parameter.components.len()).map(|place| case_of_part(&parts, place)).collect();
        Ok(Self { parameter, path, letter_case, is_boolean, part_cases, parts })
    }
}

/// Compiles the parts of a composite for values of a type; one that doesn't compile is left out.
pub(super) fn parts_of(components: &[Component], definition: &'static TypeDefinition) -> Vec<Part> {
    let part = |(place, component): (usize, &Component)| {
        let path = CompiledPath::for_type(component.expression, definition).ok()?;
        Some(Part { place, kind: component.kind, path })
    };
    components.iter().enumerate().filter_map(part).collect()
}

/// The rule of a part, whichever type it is found in: a search does not know which one that is.
fn case_of_part(parts: &[(&'static TypeDefinition, Vec<Part>)], place: usize) -> LetterCase {
    let own = parts.iter().flat_map(|(_, parts)| parts.iter().filter(|part| part.place == place));
    let types: Vec<&TypeDefinition> = own.flat_map(|part| part.path.types()).collect();
    LetterCase::of_types(&types)
}
