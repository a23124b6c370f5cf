//! `$everything` of a patient and of an encounter (R4 <https://hl7.org/fhir/R4/patient-operation-everything.html>): what
//! lies in the compartment, and what that refers to outside of it. One page is a few statements.

use seva_fhir_profiles::{SearchParameterType, definitions};

use super::{FhirError, FhirService};
use crate::access::Caller;
use crate::ports::SearchPage;
use crate::search::{
    Clause, DateTest, Depth, Direction, Include, Prefix, SearchQuery, Test, compartment_types, empty_query,
};
use crate::types::{Instant, ResourceKey, ResourceType};

/// What a caller asks for.
#[derive(Clone, Debug, Default)]
pub struct Everything {
    /// Only these types.
    pub types: Vec<ResourceType>,
    /// Only what was written since.
    pub since: Option<Instant>,
    /// Only what happened in this range of microseconds, where a type says when it happened.
    pub period: Option<(i64, i64)>,
    /// How many resources of the compartment a page has.
    pub count: u32,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// The parameters as used, for links.
    pub used: Vec<(String, String)>,
}

impl FhirService {
    /// Gathers a page of everything about a patient or of an encounter.
    pub async fn everything(
        &self,
        caller: &Caller,
        key: &ResourceKey,
        asked: Everything,
    ) -> Result<(SearchQuery, SearchPage), FhirError> {
        self.read(caller, key).await?;
        let members = compartment_types(key.resource_type());
        let chosen = |own: &ResourceType| asked.types.is_empty() || asked.types.contains(own);
        let mut query = empty_query(members.iter().copied().filter(chosen).collect());
        query.count = asked.count;
        query.used = asked.used;
        query.cursor = asked.cursor.map(crate::search::Cursor::from_text);
        if let Some(since) = asked.since {
            let test = DateTest { prefix: Prefix::GreaterOrEqual, low: since.micros(), high: since.micros() };
            query.clauses.push(Clause::LastUpdated(vec![test]));
        }
        if let Some(period) = asked.period {
            query.clauses.push(happened(&query.resource_types, period));
        }
        if key.resource_type() == ResourceType::patient() {
            // The compartment has index rows of its own, the patient among them.
            query.compartment = Some(key.clone());
        } else {
            query.within(key);
        }
        query.includes = outside(&query.resource_types, &members, &asked.types);
        let page = self.search(caller, query.clone()).await?;
        Ok((query, page))
    }
}

/// Types without a date of their own are not narrowed.
fn happened(types: &[ResourceType], (low, high): (i64, i64)) -> Clause {
    let dated = |own: &&ResourceType| {
        let parameter = definitions().search_parameter(own.as_str(), "date");
        parameter.is_some_and(|parameter| parameter.kind == SearchParameterType::Date)
    };
    let mut alternatives =
        vec![Clause::Types(types.iter().filter(|own| !dated(own)).copied().collect::<Vec<ResourceType>>())];
    for parameter in types.iter().filter_map(|own| definitions().search_parameter(own.as_str(), "date")) {
        if parameter.kind == SearchParameterType::Date {
            let bound = |prefix| DateTest { prefix, low, high };
            let test = |prefix| Clause::Parameter { parameter, test: Test::Date(vec![bound(prefix)]) };
            let (from, to) = (DateTest { prefix: Prefix::GreaterOrEqual, low, high: low }, Prefix::LessOrEqual);
            let from = Clause::Parameter { parameter, test: Test::Date(vec![from]) };
            alternatives.push(Clause::All(vec![from, test(to)]));
        }
    }
    Clause::Any(alternatives)
}

/// What is referred to and lies in no such compartment: practitioners, organizations, medications.
fn outside(types: &[ResourceType], members: &[ResourceType], chosen: &[ResourceType]) -> Vec<Include> {
    let mut targets: Vec<ResourceType> = chosen.iter().copied().filter(|own| !members.contains(own)).collect();
    if chosen.is_empty() {
        targets = ResourceType::all().filter(|own| !members.contains(own)).collect();
    }
    let parameters: Vec<_> = types
        .iter()
        .flat_map(|own| definitions().search_parameters(own.as_str()))
        .filter(|parameter| parameter.kind == SearchParameterType::Reference)
        .filter(|parameter| parameter.targets.iter().any(|name| targets.iter().any(|own| own.as_str() == *name)))
        .collect();
    if parameters.is_empty() || targets.is_empty() {
        return Vec::new();
    }
    vec![Include { parameters, targets, direction: Direction::Forward, depth: Depth::Once }]
}
