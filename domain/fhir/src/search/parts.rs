//! `:below` and `:above` of references to what has parts of its own type
//! (R4 <https://hl7.org/fhir/R4/search.html#recursive>). As with codes the service finds them before a store is asked.

use seva_fhir_profiles::{SearchParameter, SearchParameterType, definitions};

use crate::types::{ResourceKey, ResourceType};

/// References that aren't known yet.
#[derive(Clone, Debug)]
pub struct PartsTest {
    /// The parameter, for messages.
    pub name: &'static str,
    /// Where else than at the named resources is searched.
    pub direction: PartsOf,
    /// The named resources.
    pub keys: Vec<ResourceKey>,
}

/// Where in a hierarchy is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartsOf {
    /// At the parts of a resource.
    Below,
    /// At what a resource is a part of.
    Above,
}

/// The parameter by which resources of a type are parts of others of it; none where they are parts of other types too.
#[must_use]
pub fn part_of(resource_type: ResourceType) -> Option<&'static SearchParameter> {
    let name = resource_type.as_str();
    let found = ["partof", "part-of"].iter().find_map(|code| definitions().search_parameter(name, code))?;
    let is_strict = found.kind == SearchParameterType::Reference && found.targets.iter().eq([&name]);
    is_strict.then_some(found)
}
