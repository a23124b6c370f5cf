//! From names and values to clauses; the only place that knows which parameters exist and which modifiers fit.

mod answer;
mod contained;
mod filter;
mod joins;
mod lists;
mod parameter;

use std::collections::HashSet;

use super::query_string::{QueryPairs, split_escaped};
use super::{
    Clause, ContainedSearch, Cursor, DEFAULT_COUNT, DateTest, Presence, Presentation, Recheck, SearchQuery, Summary,
    Total,
};
use crate::access::is_audit_parameter;
use crate::index::fold;
use crate::interactions::served_types;
use crate::outcome::{Issue, IssueCode};
use crate::parameters::Parameters;
use crate::types::{ResourceId, ResourceType};

/// What becomes of a parameter that the server does not know (`Prefer: handling=`, decision D7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// It is an error.
    Strict,
    /// It is left out and named in the answer.
    Lenient,
}

/// What the parser needs beside the parameters.
#[derive(Clone, Copy)]
pub struct SearchOptions<'a> {
    /// Strict or lenient.
    pub handling: Handling,
    /// The server's own base, so that absolute references to it are local.
    pub base_url: &'a str,
    /// The parameters in force.
    pub parameters: &'a Parameters,
}

/// More conditions than a search that a person asks for has; alternatives within one are not counted.
const MOST_CONDITIONS: usize = 64;

/// Names that shape the answer and have no modifiers.
const PLAIN: &[&str] =
    &["_count", "_total", "_sort", "_summary", "_elements", "_contained", "_containedType", "_cursor"];

/// Names that shape the answer and are read elsewhere (content negotiation).
const PRESENTATION: &[&str] = &["_format", "_pretty"];

/// Parses a search of one type; every problem is found, not only the first.
pub fn parse_search(
    resource_type: ResourceType,
    pairs: &QueryPairs,
    options: SearchOptions<'_>,
) -> Result<SearchQuery, Vec<Issue>> {
    parse(vec![resource_type], pairs, options, None)
}

/// Parses a search of the whole system: of the types that `_type` names, or of all.
pub fn parse_system_search(pairs: &QueryPairs, options: SearchOptions<'_>) -> Result<SearchQuery, Vec<Issue>> {
    let mut types = Vec::new();
    let mut issues = Vec::new();
    for (_, value) in pairs.iter().filter(|(name, _)| name == "_type") {
        for name in value.split(',').filter(|name| !name.is_empty()) {
            match name.parse::<ResourceType>() {
                Ok(resource_type) => types.push(resource_type),
                Err(error) => issues.push(Issue::error(IssueCode::Invalid, error.to_string()).at("http._type")),
            }
        }
    }
    if !issues.is_empty() {
        return Err(issues);
    }
    if types.len() > 1 && types.contains(&ResourceType::audit_event()) {
        let text = "AuditEvents come from the audit log: search them alone";
        return Err(vec![Issue::error(IssueCode::NotSupported, text).at("http._type")]);
    }
    if types.is_empty() {
        types = served_types().filter(|own| *own != ResourceType::audit_event()).collect();
    }
    parse(types, pairs, options, Some("_type"))
}

/// `settled` is the name of the parameter that was read before.
fn parse(
    resource_types: Vec<ResourceType>,
    pairs: &QueryPairs,
    options: SearchOptions<'_>,
    settled: Option<&str>,
) -> Result<SearchQuery, Vec<Issue>> {
    let query = SearchQuery { handling: options.handling, ..empty_query(resource_types) };
    let mut parser = Parser { options, query, issues: Vec::new() };
    let mut said = HashSet::new();
    for (name, value) in pairs {
        // R4 leaves a parameter without a value to the server; nothing is asked, so nothing is narrowed. What is said again
        // narrows no more.
        if value.is_empty() || !said.insert((name, value)) {
            continue;
        }
        if Some(name.as_str()) != settled
            && let Err(problem) = parser.take(name, value)
        {
            parser.report(name, problem);
        } else if name != "_cursor" {
            parser.query.used.push((name.clone(), value.clone()));
        }
    }
    if parser.query.presentation.summary == Summary::Count {
        parser.query.count = 0;
    }
    parser.check_contained();
    parser.check_conditions();
    if parser.issues.is_empty() { Ok(parser.query) } else { Err(parser.issues) }
}

/// A search of types without any condition.
#[must_use]
pub fn empty_query(resource_types: Vec<ResourceType>) -> SearchQuery {
    SearchQuery {
        resource_types,
        clauses: Vec::new(),
        sort: Vec::new(),
        count: DEFAULT_COUNT,
        includes: Vec::new(),
        total: Total::None,
        presentation: Presentation::default(),
        cursor: None,
        compartment: None,
        used: Vec::new(),
        handling: Handling::Strict,
        warnings: Vec::new(),
        contained: ContainedSearch::default(),
    }
}

/// What isn't known, and a value that no resource can have, may be left out in lenient handling; a bad value never.
enum Problem {
    Unknown(String),
    Impossible(String),
    Bad(String),
}

struct Parser<'a> {
    options: SearchOptions<'a>,
    query: SearchQuery,
    issues: Vec<Issue>,
}

impl Parser<'_> {
    fn report(&mut self, name: &str, problem: Problem) {
        let place = format!("http.{name}");
        match (problem, self.options.handling) {
            (Problem::Unknown(text), Handling::Lenient) => {
                self.query
                    .warnings
                    .push(Issue::warning(IssueCode::NotSupported, format!("{text}; it was ignored")).at(place));
            }
            (Problem::Impossible(text), Handling::Lenient) => {
                let text = format!("{name}: {text}; it was ignored");
                self.query.warnings.push(Issue::warning(IssueCode::Invalid, text).at(place));
            }
            (Problem::Unknown(text), Handling::Strict) => {
                self.issues.push(Issue::error(IssueCode::NotSupported, text).at(place));
            }
            (Problem::Impossible(text), Handling::Strict) | (Problem::Bad(text), _) => {
                self.issues.push(Issue::error(IssueCode::Invalid, format!("{name}: {text}")).at(place));
            }
        }
    }

    /// The time in which a statement is planned grows with more than the square of its joins.
    fn check_conditions(&mut self) {
        let conditions: usize = self.query.clauses.iter().map(Clause::conditions).sum();
        if conditions > MOST_CONDITIONS {
            let text = format!("the search has {conditions} conditions, {MOST_CONDITIONS} at most are combined");
            self.issues.push(Issue::error(IssueCode::TooCostly, text));
        }
    }

    /// Reads what shapes the answer; everything else is a condition.
    fn take(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let bad = Problem::Bad;
        let (plain, modifier) = name.split_once(':').map_or((name, None), |(plain, rest)| (plain, Some(rest)));
        match plain {
            _ if PRESENTATION.contains(&name) => {}
            _ if modifier.is_some() && PLAIN.contains(&plain) => {
                return Err(bad(format!("{plain} has no modifiers")));
            }
            "_count" => {
                let count: u32 = value.parse().map_err(|_| bad(format!("{value:?} is not a whole number")))?;
                self.query.count = count.min(super::LARGEST_COUNT);
            }
            "_total" => {
                self.query.total = match value {
                    "none" => Total::None,
                    "estimate" => Total::Estimate,
                    "accurate" => Total::Accurate,
                    _ => return Err(bad("use none, estimate or accurate".to_owned())),
                };
            }
            "_sort" => self.sort(value)?,
            "_summary" => self.summary(value)?,
            "_elements" => self.query.presentation.take_elements(value),
            "_contained" | "_containedType" => self.contained(name, value)?,
            "_include" | "_revinclude" => self.include(plain, modifier, value)?,
            "_cursor" => self.query.cursor = Some(Cursor::from_text(value)),
            _ => {
                let clause = self.clause(&self.query.resource_types, name, value)?;
                self.query.clauses.push(clause);
            }
        }
        Ok(())
    }

    /// Reads one condition on resources of these types; chains and `_has` come back here.
    fn clause(&self, types: &[ResourceType], name: &str, value: &str) -> Result<Clause, Problem> {
        if types.contains(&ResourceType::audit_event()) && !is_audit_parameter(name) {
            return Err(Problem::Unknown(format!("AuditEvents are not searched by {name:?}: see /fhir/metadata")));
        }
        match name {
            "_id" => ids(value),
            "_id:not" => Ok(Clause::Not(Box::new(ids(value)?))),
            "_id:missing" | "_lastUpdated:missing" => everywhere(value),
            "_lastUpdated" => each(value, DateTest::parse).map(Clause::LastUpdated),
            "_list" => self.listed(types, value),
            "_text" => Ok(Clause::Recheck(Recheck::Narrative(words_of(value)))),
            "_content" => Ok(Clause::Recheck(Recheck::Content(words_of(value)))),
            "_filter" => self.filter(types, value),
            "_query" => {
                let types = types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let text = "has no named queries: search by parameters, or call an operation of /fhir/metadata";
                Err(Problem::Unknown(format!("{types} {text}")))
            }
            _ if name.starts_with("_has:") => self.has(types, name, value),
            _ => match name.split_once('.') {
                Some((reference, rest)) => self.chain(types, reference, (rest, value)),
                None => self.parameter(types, name, value),
            },
        }
    }
}

fn ids(value: &str) -> Result<Clause, Problem> {
    each(value, |id| id.parse::<ResourceId>().map_err(|error| error.to_string())).map(Clause::Id)
}

/// `:missing` of what every resource here has.
fn everywhere(value: &str) -> Result<Clause, Problem> {
    let none = Clause::Id(Vec::new());
    Ok(match presence(value)? {
        Presence::Missing => none,
        Presence::Present => Clause::Not(Box::new(none)),
    })
}

/// The value of `:missing`.
fn presence(value: &str) -> Result<Presence, Problem> {
    match value {
        "true" => Ok(Presence::Missing),
        "false" => Ok(Presence::Present),
        _ => Err(Problem::Bad("use :missing=true or :missing=false".to_owned())),
    }
}

fn words_of(value: &str) -> Vec<String> {
    value
        .split_whitespace()
        .map(|word| fold(word.trim_matches(['"', '(', ')'])))
        .filter(|word| !word.is_empty())
        .collect()
}

fn each<T>(value: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, Problem> {
    split_escaped(value, ',').iter().map(|text| parse(text)).collect::<Result<_, _>>().map_err(Problem::Bad)
}
