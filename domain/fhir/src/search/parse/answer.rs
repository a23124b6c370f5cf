//! What shapes the answer: order, what comes along, how much (R4 <https://hl7.org/fhir/R4/search.html#control>).

use seva_fhir_profiles::{SearchParameter, SearchParameterType, definitions};

use super::{Parser, Problem};
use crate::search::{Depth, Direction, Include, SortBy, SortKey, Summary};
use crate::types::ResourceType;

impl Parser<'_> {
    pub(super) fn sort(&mut self, value: &str) -> Result<(), Problem> {
        for key in value.split(',').map(str::trim).filter(|key| !key.is_empty()) {
            let (descending, code) = key.strip_prefix('-').map_or((false, key), |code| (true, code));
            let by = match code {
                "_lastUpdated" => SortBy::LastUpdated,
                "_id" => SortBy::Id,
                _ => SortBy::Parameter(self.sortable(code)?),
            };
            self.query.sort.push(SortKey { by, descending });
        }
        Ok(())
    }

    fn sortable(&self, code: &str) -> Result<&'static SearchParameter, Problem> {
        let [resource_type] = self.query.resource_types.as_slice() else {
            return Err(Problem::Unknown(format!("several types are not sorted by {code:?}: use _id or _lastUpdated")));
        };
        let found = self.options.parameters.find(*resource_type, code).map_err(Problem::Bad)?;
        let parameter = found
            .ok_or_else(|| Problem::Unknown(format!("{resource_type} has no search parameter {code:?} to sort by")))?;
        match parameter.kind {
            SearchParameterType::Composite | SearchParameterType::Special => {
                Err(Problem::Unknown(format!("{code:?} has no order to sort by")))
            }
            _ => Ok(parameter),
        }
    }

    pub(super) fn summary(&mut self, value: &str) -> Result<(), Problem> {
        let summary =
            Summary::parse(value).ok_or_else(|| Problem::Bad("use true, false, text, data or count".to_owned()))?;
        self.query.presentation.summary = summary;
        Ok(())
    }

    /// `_include=Type:parameter[:Target]`, `_include:iterate`, `_include=*`.
    pub(super) fn include(&mut self, name: &str, modifier: Option<&str>, value: &str) -> Result<(), Problem> {
        let depth = match modifier {
            None => Depth::Once,
            Some("iterate" | "recurse") => Depth::Iterate,
            Some(other) => return Err(Problem::Bad(format!("{name} has no modifier :{other}, only :iterate"))),
        };
        let direction = if name == "_include" { Direction::Forward } else { Direction::Reverse };
        for one in value.split(',') {
            let (parameters, target) = self.included(one, direction, depth)?;
            let targets = target.into_iter().collect();
            self.query.includes.push(Include { parameters, targets, direction, depth });
        }
        Ok(())
    }

    fn included(
        &self,
        value: &str,
        direction: Direction,
        depth: Depth,
    ) -> Result<(Vec<&'static SearchParameter>, Option<ResourceType>), Problem> {
        let mut parts = value.split(':');
        let source = parts.next().unwrap_or_default();
        if source == "*" {
            let all: Vec<&'static SearchParameter> = match (direction, depth) {
                // What came along is of any type.
                (Direction::Forward, Depth::Iterate) | (Direction::Reverse, _) => all_references().collect(),
                (Direction::Forward, Depth::Once) => {
                    self.query.resource_types.iter().flat_map(|own| of_type(own.as_str())).collect()
                }
            };
            return Ok((all, None));
        }
        let source: ResourceType = source.parse().map_err(|error| Problem::Bad(format!("{error}")))?;
        if source == ResourceType::audit_event() {
            return Err(Problem::Unknown(
                "AuditEvents come from the audit log: nothing is included with them".to_owned(),
            ));
        }
        let code = parts.next();
        let code = code.ok_or_else(|| Problem::Bad(format!("{value:?} has no parameter: write Type:parameter")))?;
        let target = parts.next().filter(|name| !name.is_empty()).map(str::parse::<ResourceType>).transpose();
        let target = target.map_err(|error| Problem::Bad(error.to_string()))?;
        if code == "*" {
            return Ok((of_type(source.as_str()).collect(), target));
        }
        let found = self.options.parameters.find(source, code).map_err(Problem::Bad)?;
        let parameter = found
            .filter(|parameter| parameter.kind == SearchParameterType::Reference)
            .ok_or_else(|| Problem::Bad(format!("{source}:{code} is not a reference parameter")))?;
        Ok((vec![parameter], target))
    }
}

fn of_type(name: &str) -> impl Iterator<Item = &'static SearchParameter> {
    let parameters = definitions().search_parameters(name).iter();
    parameters.filter(|parameter| parameter.kind == SearchParameterType::Reference)
}

fn all_references() -> impl Iterator<Item = &'static SearchParameter> {
    let parameters = definitions().all_search_parameters().iter();
    parameters.filter(|parameter| parameter.kind == SearchParameterType::Reference)
}
