//! Conditions on other resources (R4 <https://hl7.org/fhir/R4/search.html#chaining>, <https://hl7.org/fhir/R4/search.html#has>).

use seva_fhir_profiles::{SearchParameter, SearchParameterType};

use super::{Parser, Problem};
use crate::parameters::Parameters;
use crate::search::{Clause, Link};
use crate::types::ResourceType;

/// Longer chains are refused: each step is a join.
const LONGEST_CHAIN: usize = 8;

impl Parser<'_> {
    /// `subject:Patient.name`, `subject.organization.name`.
    pub(super) fn chain(
        &self,
        types: &[ResourceType],
        reference: &str,
        (rest, value): (&str, &str),
    ) -> Result<Clause, Problem> {
        if rest.split('.').count() >= LONGEST_CHAIN {
            return Err(Problem::Bad(format!("a chain has at most {LONGEST_CHAIN} steps")));
        }
        self.links(types, reference, &|other| match self.clause(&[other], rest, value)? {
            Clause::Recheck(_) => Err(unchained(rest)),
            clause => Ok(clause),
        })
    }

    /// A condition on what a reference leads to, made for each type that this may be.
    pub(super) fn links(
        &self,
        types: &[ResourceType],
        reference: &str,
        condition: &dyn Fn(ResourceType) -> Result<Clause, Problem>,
    ) -> Result<Clause, Problem> {
        let (code, wanted) = match reference.split_once(':') {
            Some((code, name)) => (code, Some(target(name)?)),
            None => (reference, None),
        };
        let mut links = Vec::new();
        let mut problem = None;
        for parameter in references(self.options.parameters, types, code)? {
            let possible = parameter.targets.iter().filter_map(|name| name.parse::<ResourceType>().ok());
            let others: Vec<ResourceType> = match wanted {
                Some(wanted) => vec![wanted],
                None => possible.filter(|other| *other != ResourceType::audit_event()).collect(),
            };
            for other in others {
                match condition(other) {
                    Ok(clause) => links.push(Link { reference: parameter, other, clause }),
                    Err(found) => problem = Some(found),
                }
            }
        }
        // Some targets need not know the parameter, but one must.
        match (links.is_empty(), problem) {
            (true, Some(problem)) => Err(problem),
            (true, None) => Err(Problem::Bad(format!("{reference} leads to no type that can be searched"))),
            (false, _) => Ok(Clause::Chain(links)),
        }
    }

    /// `_has:Observation:patient:code`, and further `_has` behind it.
    pub(super) fn has(&self, types: &[ResourceType], name: &str, value: &str) -> Result<Clause, Problem> {
        let shape = || Problem::Bad("write _has:Type:reference:parameter".to_owned());
        let rest = name.strip_prefix("_has:").ok_or_else(shape)?;
        let (source, rest) = rest.split_once(':').ok_or_else(shape)?;
        let (code, rest) = rest.split_once(':').ok_or_else(shape)?;
        if rest.matches("_has:").count() >= LONGEST_CHAIN {
            return Err(Problem::Bad(format!("a chain has at most {LONGEST_CHAIN} steps")));
        }
        let other = target(source)?;
        if other == ResourceType::audit_event() {
            return Err(Problem::Unknown("what AuditEvents refer to is not searched by them".to_owned()));
        }
        let reference = references(self.options.parameters, &[other], code)?
            .into_iter()
            .find(|parameter| {
                parameter.targets.is_empty() || types.iter().any(|own| parameter.targets.contains(&own.as_str()))
            })
            .ok_or_else(|| Problem::Bad(format!("{source}:{code} does not refer to what is searched")))?;
        let clause = self.clause(&[other], rest, value)?;
        if matches!(clause, Clause::Recheck(_)) {
            return Err(unchained(rest));
        }
        Ok(Clause::Has(Box::new(Link { reference, other, clause })))
    }
}

/// What only the resource itself can decide is not decided for resources at the other end of a reference.
fn unchained(name: &str) -> Problem {
    Problem::Unknown(format!("{name:?} is not offered behind a reference"))
}

fn target(name: &str) -> Result<ResourceType, Problem> {
    name.parse().map_err(|error| Problem::Bad(format!("{error}")))
}

fn references(
    parameters: &Parameters,
    types: &[ResourceType],
    code: &str,
) -> Result<Vec<&'static SearchParameter>, Problem> {
    let found: Vec<&'static SearchParameter> = types
        .iter()
        .filter_map(|resource_type| parameters.find(*resource_type, code).ok().flatten())
        .filter(|parameter| parameter.kind == SearchParameterType::Reference)
        .collect();
    if found.is_empty() {
        let names: Vec<&str> = types.iter().map(|resource_type| resource_type.as_str()).collect();
        return Err(Problem::Unknown(format!("{} has no reference parameter {code:?}", names.join(", "))));
    }
    Ok(found)
}
