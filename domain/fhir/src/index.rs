//! The values under which searches find a resource (R4 <https://hl7.org/fhir/R4/search.html#ptypes>).

mod composite;
mod date;
mod letter_case;
mod number;
mod plan;
mod reference;
mod text;
mod token;
mod unions;
mod uri;

#[cfg(test)]
mod tests;

use seva_fhir_profiles::{SearchParameter, SearchParameterType, TypeDefinition, definitions};

use crate::json::Json;
use crate::parameters::{Parameters, own_plan};
use crate::path::EvaluationContext;
use crate::types::{ResourceKey, ResourceType};
pub(crate) use plan::Planned;
use plan::plan_of;

pub use letter_case::LetterCase;
pub use text::fold;
pub use unions::{made_of, narrower_than};

/// What stands in the place of a parameter where the value is the type of a contained resource; the pack counts from one.
pub const CONTAINED: u32 = 0;

/// One value of one search parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexEntry {
    /// The parameter's number in the pack.
    pub parameter: u32,
    /// The value.
    pub value: IndexValue,
}

/// A value as its search type compares it.
#[derive(Clone, PartialEq)]
pub enum IndexValue {
    /// A code, identifier or the like.
    Token {
        /// The code system or the identifier's namespace.
        system: Option<Box<str>>,
        /// The code or the identifier's value, as its parameter compares it ([`LetterCase::comparable`]).
        code: Option<Box<str>>,
        /// What people read, for `:text`.
        text: Option<Box<str>>,
    },
    /// Text as it is written; [`fold`] makes it comparable.
    String(Box<str>),
    /// A link.
    Reference(ReferenceIndex),
    /// The first and the last microsecond in UTC; open ends are the extremes of `i64`.
    Date {
        /// The first microsecond.
        low: i64,
        /// The last microsecond.
        high: i64,
    },
    /// The range that a number's digits stand for.
    Number {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// A number's range and its unit.
    Quantity {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
        /// The unit's code system.
        system: Option<Box<str>>,
        /// The unit's code.
        code: Option<Box<str>>,
        /// The unit as people read it.
        unit: Option<Box<str>>,
    },
    /// A URI as it is written.
    Uri(Box<str>),
    /// A place on earth in degrees.
    Position {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
    /// For each part of a composite the values that stand together.
    Composite(Vec<Vec<IndexValue>>),
}

/// What a reference points at: one or more of the three.
#[derive(Clone, PartialEq, Default)]
pub struct ReferenceIndex {
    /// A resource of this server.
    pub key: Option<ResourceKey>,
    /// A URL or URN.
    pub url: Option<Box<str>>,
    /// The system and value of `Reference.identifier`, the latter in small letters.
    pub identifier: Option<(Option<Box<str>>, Box<str>)>,
    /// The type that `Reference.type` or the text names.
    pub resource_type: Option<ResourceType>,
}

/// Values are the patient's data, so only their kind is shown.
impl std::fmt::Debug for IndexValue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Token { .. } => "Token",
            Self::String(_) => "String",
            Self::Reference(_) => "Reference",
            Self::Date { .. } => "Date",
            Self::Number { .. } => "Number",
            Self::Quantity { .. } => "Quantity",
            Self::Uri(_) => "Uri",
            Self::Position { .. } => "Position",
            Self::Composite(_) => "Composite",
        })
    }
}

/// Links are the patient's data, so nothing is shown.
impl std::fmt::Debug for ReferenceIndex {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ReferenceIndex")
    }
}

/// How the codes of a parameter compare, and whether all of them are true or false.
pub(crate) fn codes_of(parameter: &SearchParameter) -> (LetterCase, bool) {
    Planned::known(parameter).map_or_else(Default::default, |planned| (planned.letter_case, planned.is_boolean))
}

/// Returns the values of all search parameters in force of a resource, without those inside contained resources.
#[must_use]
pub fn extract(resource: &Json, resource_type: ResourceType, parameters: &Parameters) -> Vec<IndexEntry> {
    let definition = definitions().type_named(resource_type.as_str());
    let context = EvaluationContext::of_resource(resource).at(resource, definition);
    let mut entries = Vec::with_capacity(32);
    let mut values = Vec::with_capacity(8);
    for planned in plan_of(resource_type).iter().chain(parameters.plans(resource_type).iter().copied()) {
        collect(planned, &context, &mut values);
        let parameter = planned.parameter.id;
        entries.extend(values.drain(..).map(|value| IndexEntry { parameter, value }));
    }
    entries.extend(contained_types(resource).into_iter().map(|name| {
        let value = IndexValue::Token { system: None, code: Some(name.into()), text: None };
        IndexEntry { parameter: CONTAINED, value }
    }));
    entries
}

/// The types of what a resource contains, each once: searches in contained resources begin with them.
fn contained_types(resource: &Json) -> Vec<&str> {
    let contained = resource.get("contained").map_or(&[][..], Json::items).iter();
    let mut types: Vec<&str> = contained.filter_map(|one| one.get_str("resourceType")).collect();
    types.sort_unstable();
    types.dedup();
    types
}

/// Returns the values of one parameter in a resource.
#[must_use]
pub fn values(parameter: &SearchParameter, resource: &Json) -> Vec<IndexValue> {
    let mut values = Vec::new();
    if let (Some(planned), context) = (planned_for(parameter, resource), EvaluationContext::of_resource(resource)) {
        collect(planned, &context, &mut values);
    }
    values
}

/// Visits the elements that one parameter finds in a resource.
pub fn visit(parameter: &SearchParameter, resource: &Json, visitor: &mut dyn FnMut(&Json)) {
    if let Some(planned) = planned_for(parameter, resource) {
        // As in `collect`: the pack's expressions evaluate.
        let _ = planned.path.visit(&EvaluationContext::of_resource(resource), &mut |value, _| visitor(value));
    }
}

/// Returns the JSON names that lead to a parameter's elements in resources of a type, with their datatypes.
#[must_use]
pub fn json_paths(parameter: &SearchParameter, resource_type: ResourceType) -> Vec<(Vec<&'static str>, &'static str)> {
    let planned = Planned::among(resource_type, parameter);
    let paths = planned.and_then(|planned| planned.path.json_paths()).unwrap_or_default();
    paths.into_iter().map(|(path, definition)| (path, definition.name)).collect()
}

/// Whether values of a parameter of R4 may have a code system or another namespace; plain codes and flags never do.
#[must_use]
pub fn has_systems(parameter: &'static SearchParameter) -> bool {
    let plain = |kind: &str| kind == "ContactPoint" || kind == "Money" || kind.starts_with(|c: char| c.is_lowercase());
    if parameter.kind != SearchParameterType::Token {
        return true;
    }
    let Some(definition) = definitions().type_named(parameter.base) else { return true };
    let planned = Planned::compiled(parameter, definition).ok().filter(|_| !parameter.expression.is_empty());
    // Where an expression does not tell its types they may be any.
    let types = planned.map(|planned| planned.path.types()).unwrap_or_default();
    types.is_empty() || types.iter().any(|each| !plain(each.name))
}

fn planned_for(parameter: &SearchParameter, resource: &Json) -> Option<&'static Planned> {
    if let Some(own) = own_plan(parameter) {
        return Some(own).filter(|own| resource.get_str("resourceType") == Some(own.parameter.base));
    }
    Planned::among(resource.get_str("resourceType")?.parse().ok()?, parameter)
}

/// Returns the patients to whose compartment a resource belongs; R4's own parameters decide.
#[must_use]
pub fn compartments_of(resource: &Json, resource_type: ResourceType) -> Vec<ResourceKey> {
    compartments(&extract(resource, resource_type, &Parameters::default()), resource_type)
}

/// Returns the patients to whose compartment a resource belongs, from its extracted values.
#[must_use]
pub fn compartments(entries: &[IndexEntry], resource_type: ResourceType) -> Vec<ResourceKey> {
    let mut patients = Vec::new();
    let Ok(patient) = "Patient".parse::<ResourceType>() else {
        return patients;
    };
    let parameters = definitions()
        .compartment("Patient")
        .map_or(&[][..], |compartment| compartment.parameters(resource_type.as_str()));
    let ids: Vec<u32> = parameters
        .iter()
        .filter_map(|code| definitions().search_parameter(resource_type.as_str(), code))
        .map(|parameter| parameter.id)
        .collect();
    // A patient is in the own compartment (R4 compartmentdefinition-patient.html).
    let own_id = definitions().search_parameter("Patient", "_id").filter(|_| resource_type == patient);
    for entry in entries {
        let key = match &entry.value {
            IndexValue::Reference(reference) if ids.contains(&entry.parameter) => {
                reference.key.clone().filter(|key| key.resource_type() == patient)
            }
            IndexValue::Token { code: Some(id), .. } if own_id.is_some_and(|own| own.id == entry.parameter) => {
                id.parse().ok().map(|id| ResourceKey::new(patient, id))
            }
            _ => None,
        };
        if let Some(key) = key.filter(|key| !patients.contains(key)) {
            patients.push(key);
        }
    }
    patients
}

fn collect(planned: &Planned, context: &EvaluationContext<'_>, values: &mut Vec<IndexValue>) {
    let compared = Compared { kind: planned.parameter.kind, letter_case: planned.letter_case };
    // The expressions are those of the pack, which a test evaluates; a value that can't be read isn't found.
    let _ = planned.path.visit(context, &mut |value, definition| {
        if compared.kind == SearchParameterType::Composite {
            composite::push(planned, &context.at(value, Some(definition)), values);
        } else {
            push(compared, value, definition, values);
        }
    });
}

/// How the values of a parameter, or of a part of one, are compared.
#[derive(Clone, Copy)]
struct Compared {
    kind: SearchParameterType,
    /// Of tokens.
    letter_case: LetterCase,
}

/// Appends what a value of a datatype is under a search type (R4 search.html, the table of each type).
fn push(compared: Compared, value: &Json, definition: &TypeDefinition, values: &mut Vec<IndexValue>) {
    match compared.kind {
        SearchParameterType::Token => token::push(value, definition.name, compared.letter_case, values),
        SearchParameterType::String => text::push(value, definition.name, values),
        SearchParameterType::Reference => reference::push(value, definition.name, values),
        SearchParameterType::Date => date::push(value, definition.name, values),
        SearchParameterType::Number => number::push_number(value, definition.name, values),
        SearchParameterType::Quantity => number::push_quantity(value, definition.name, values),
        SearchParameterType::Uri => uri::push(value, values),
        SearchParameterType::Special => number::push_position(value, values),
        SearchParameterType::Composite => {}
    }
}

/// Returns a member's text for an index value.
fn boxed(value: &Json, name: &str) -> Option<Box<str>> {
    value.get_str(name).map(Into::into)
}
