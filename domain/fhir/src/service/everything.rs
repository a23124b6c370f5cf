//! `$everything` of a patient and of an encounter (R4 <https://hl7.org/fhir/R4/patient-operation-everything.html>): what
//! lies in the compartment, and what that refers to outside of it, Binaries of attachments too. One page is a few statements.

use std::collections::HashSet;

use memchr::memmem;
use seva_fhir_profiles::{SearchParameterType, definitions};

use super::update::stored_json;
use super::{FhirError, FhirService};
use crate::access::Caller;
use crate::json::Json;
use crate::ports::{SearchPage, Stored};
use crate::search::{
    Clause, DateTest, Depth, Direction, Include, Prefix, SearchQuery, Test, compartment_types, empty_query,
};
use crate::types::{Instant, ResourceKey, ResourceType};

/// What attachments lead to without a reference.
const BINARY: &str = "Binary";

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
        let mut page = self.search(caller, query.clone()).await?;
        if asked.types.is_empty() || asked.types.iter().any(|own| own.as_str() == BINARY) {
            let attached = self.attached(caller, &page).await?;
            page.included.extend(attached);
        }
        Ok((query, page))
    }

    /// The Binaries that attachments of a page name; one that another resource guards only where that is on the page.
    async fn attached(&self, caller: &Caller, page: &SearchPage) -> Result<Vec<Stored>, FhirError> {
        let here: HashSet<&ResourceKey> = page.matches.iter().chain(&page.included).map(|stored| &stored.key).collect();
        let (mut wanted, mut seen) = (Vec::new(), HashSet::new());
        for stored in &page.matches {
            if memmem::find(&stored.body, b"Binary/").is_some() {
                self.attachments(&stored_json(stored)?, &mut |key| {
                    if !here.contains(&key) && seen.insert(key.clone()) {
                        wanted.push(key);
                    }
                });
            }
        }
        let mut found = Vec::new();
        if wanted.is_empty() {
            return Ok(found);
        }
        for stored in self.readable(caller, &wanted).await? {
            let binary = stored_json(&stored)?;
            let guard = binary.get("securityContext").and_then(|context| context.get_str("reference"));
            if guard.is_none_or(|guard| guard.parse().is_ok_and(|key: ResourceKey| here.contains(&key))) {
                found.push(stored);
            }
        }
        Ok(found)
    }

    /// Visits the Binaries of this server that a resource's `url` members name.
    fn attachments(&self, value: &Json, visit: &mut impl FnMut(ResourceKey)) {
        match value {
            Json::Array(items) => items.iter().for_each(|item| self.attachments(item, visit)),
            Json::Object(members) => {
                for (name, member) in members.iter() {
                    let url = member.as_str().filter(|_| name == "url");
                    let local = url.map(|url| url.strip_prefix(self.base_url()).unwrap_or(url).trim_matches('/'));
                    match local.and_then(|local| local.parse::<ResourceKey>().ok()) {
                        Some(key) if key.resource_type().as_str() == BINARY => visit(key),
                        _ => self.attachments(member, visit),
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
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
