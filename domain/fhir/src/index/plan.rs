//! The compiled expressions of each resource type, made when the type is first indexed.

use std::sync::OnceLock;

use seva_fhir_profiles::{Component, SearchParameter, SearchParameterType, TypeDefinition, definitions};

use crate::path::CompiledPath;
use crate::types::ResourceType;

/// A parameter with its compiled expressions.
pub(super) struct Planned {
    pub(super) parameter: &'static SearchParameter,
    pub(super) path: CompiledPath,
    /// For composites: for each type that the expression leads to, the paths of the parts.
    pub(super) parts: Vec<(&'static TypeDefinition, Vec<Part>)>,
}

/// A part of a composite with its compiled expression.
pub(super) struct Part {
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

fn planned(parameter: &'static SearchParameter, definition: &'static TypeDefinition) -> Option<Planned> {
    if parameter.expression.is_empty() {
        return None;
    }
    let path = CompiledPath::for_type(parameter.expression, definition).ok()?;
    let parts = if parameter.components.is_empty() {
        Vec::new()
    } else {
        path.types().into_iter().map(|each| (each, parts(&parameter.components, each))).collect()
    };
    Some(Planned { parameter, path, parts })
}

fn parts(components: &'static [Component], definition: &'static TypeDefinition) -> Vec<Part> {
    let part = |component: &'static Component| {
        let path = CompiledPath::for_type(component.expression, definition).ok()?;
        Some(Part { kind: component.kind, path })
    };
    components.iter().filter_map(part).collect()
}
