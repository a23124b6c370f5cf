//! From names and values to clauses; the only place that knows which parameters exist and which modifiers fit.

use seva_fhir_profiles::{SearchParameter, SearchParameterType, definitions};

use super::query_string::{QueryPairs, split_escaped, unescape};
use super::{
    Clause, Cursor, DEFAULT_COUNT, DateTest, Direction, Include, LARGEST_COUNT, NumberTest, Presence, QuantityTest,
    ReferenceTest, SearchQuery, Sort, StringMatch, Test, TokenTest, Total, uri,
};
use crate::outcome::{Issue, IssueCode};
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
#[derive(Clone, Copy, Debug)]
pub struct SearchOptions<'a> {
    /// Strict or lenient.
    pub handling: Handling,
    /// The server's own base, so that absolute references to it are local.
    pub base_url: &'a str,
}

/// Names that shape the answer and are read elsewhere (content negotiation).
const PRESENTATION: &[&str] = &["_format", "_pretty"];

/// Parses a search of one type; every problem is found, not only the first.
pub fn parse_search(
    resource_type: ResourceType,
    pairs: &QueryPairs,
    options: SearchOptions<'_>,
) -> Result<SearchQuery, Vec<Issue>> {
    let mut parser = Parser { options, query: empty(resource_type), issues: Vec::new() };
    for (name, value) in pairs {
        if let Err(problem) = parser.take(name, value) {
            parser.report(name, problem);
        }
        if name != "_cursor" {
            parser.query.used.push((name.clone(), value.clone()));
        }
    }
    if parser.issues.is_empty() { Ok(parser.query) } else { Err(parser.issues) }
}

fn empty(resource_type: ResourceType) -> SearchQuery {
    SearchQuery {
        resource_type,
        clauses: Vec::new(),
        sort: Sort::Natural,
        count: DEFAULT_COUNT,
        includes: Vec::new(),
        total: Total::None,
        cursor: None,
        compartment: None,
        used: Vec::new(),
        warnings: Vec::new(),
    }
}

/// A parameter that isn't known may be left out in lenient handling; a bad value never.
enum Problem {
    Unknown(String),
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
            (Problem::Unknown(text), Handling::Strict) => {
                self.issues.push(Issue::error(IssueCode::NotSupported, text).at(place));
            }
            (Problem::Bad(text), _) => {
                self.issues.push(Issue::error(IssueCode::Invalid, format!("{name}: {text}")).at(place));
            }
        }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let bad = Problem::Bad;
        match name {
            _ if PRESENTATION.contains(&name) => {}
            "_id" => {
                let ids = split_escaped(value, ',').iter().map(|id| id.parse::<ResourceId>()).collect::<Result<_, _>>();
                self.query.clauses.push(Clause::Id(ids.map_err(|error| bad(error.to_string()))?));
            }
            "_lastUpdated" => {
                let tests = each(value, DateTest::parse)?;
                self.query.clauses.push(Clause::LastUpdated(tests));
            }
            "_count" => {
                let count: u32 = value.parse().map_err(|_| bad(format!("{value:?} is not a whole number")))?;
                self.query.count = count.min(LARGEST_COUNT);
            }
            "_total" => {
                self.query.total = match value {
                    "none" => Total::None,
                    "accurate" | "estimate" => Total::Accurate,
                    _ => return Err(bad("use none, estimate or accurate".to_owned())),
                };
            }
            "_sort" => self.query.sort = sort(value)?,
            "_include" => self.include(value, Direction::Forward)?,
            "_revinclude" => self.include(value, Direction::Reverse)?,
            "_cursor" => self.query.cursor = Some(Cursor::from_text(value)),
            _ => {
                let clause = self.parameter(name, value)?;
                self.query.clauses.push(clause);
            }
        }
        Ok(())
    }

    fn parameter(&self, name: &str, value: &str) -> Result<Clause, Problem> {
        let (code, modifier) = match name.split_once(':') {
            Some((code, modifier)) => (code, Some(modifier)),
            None => (name, None),
        };
        if code.contains('.') || code == "_has" {
            return Err(Problem::Unknown(format!("chained searches such as {name:?} are not offered yet")));
        }
        let resource_type = self.query.resource_type;
        let parameter = definitions().search_parameter(resource_type.as_str(), code).ok_or_else(|| {
            Problem::Unknown(format!(
                "{resource_type} has no search parameter {code:?}: see /fhir/metadata for those it has"
            ))
        })?;
        let test = self.test(parameter, modifier, value)?;
        Ok(Clause::Parameter { parameter, test })
    }

    fn test(&self, parameter: &'static SearchParameter, modifier: Option<&str>, value: &str) -> Result<Test, Problem> {
        if modifier == Some("missing") {
            return match value {
                "true" => Ok(Test::Presence(Presence::Missing)),
                "false" => Ok(Test::Presence(Presence::Present)),
                _ => Err(Problem::Bad("use :missing=true or :missing=false".to_owned())),
            };
        }
        let base_url = self.options.base_url;
        match (parameter.kind, modifier) {
            (SearchParameterType::Token, None) => Ok(Test::Token(each(value, TokenTest::parse)?)),
            (SearchParameterType::Token, Some("not")) => Ok(Test::NotToken(each(value, TokenTest::parse)?)),
            (SearchParameterType::String, None) => Ok(Test::String(StringMatch::Prefix, words(value)?)),
            (SearchParameterType::String, Some("exact")) => Ok(Test::String(StringMatch::Exact, words(value)?)),
            (SearchParameterType::String, Some("contains")) => Ok(Test::String(StringMatch::Contains, words(value)?)),
            (SearchParameterType::Reference, Some("identifier")) => Ok(Test::Reference(each(value, identifier)?)),
            (SearchParameterType::Reference, modifier) => {
                let wanted = match modifier {
                    Some(name) => Some(name.parse().map_err(|_| unfit(parameter, name))?),
                    None => None,
                };
                Ok(Test::Reference(each(value, |text| ReferenceTest::parse(text, parameter, wanted, base_url))?))
            }
            (SearchParameterType::Date, None) => Ok(Test::Date(each(value, DateTest::parse)?)),
            (SearchParameterType::Number, None) => Ok(Test::Number(each(value, NumberTest::parse)?)),
            (SearchParameterType::Quantity, None) => Ok(Test::Quantity(each(value, QuantityTest::parse)?)),
            (SearchParameterType::Uri, None) => Ok(Test::Uri(each(value, uri::parse)?)),
            (SearchParameterType::Composite | SearchParameterType::Special, None) => Err(Problem::Unknown(format!(
                "{:?} parameters such as {:?} are not offered yet",
                parameter.kind, parameter.code
            ))),
            (_, Some(name)) => Err(unfit(parameter, name)),
        }
    }

    fn include(&mut self, value: &str, direction: Direction) -> Result<(), Problem> {
        let mut parts = value.split(':');
        let source = parts.next().unwrap_or_default();
        let code =
            parts.next().ok_or_else(|| Problem::Bad(format!("{value:?} has no parameter: write Type:parameter")))?;
        let target = parts
            .next()
            .map(str::parse::<ResourceType>)
            .transpose()
            .map_err(|error| Problem::Bad(error.to_string()))?;
        let parameter = definitions()
            .search_parameter(source, code)
            .filter(|parameter| parameter.kind == SearchParameterType::Reference)
            .ok_or_else(|| Problem::Bad(format!("{source}:{code} is not a reference parameter")))?;
        self.query.includes.push(Include { parameter, target, direction });
        Ok(())
    }
}

fn unfit(parameter: &SearchParameter, modifier: &str) -> Problem {
    Problem::Bad(format!(
        "the modifier :{modifier} is not offered for {:?}, a parameter of type {:?}",
        parameter.code, parameter.kind
    ))
}

fn each<T>(value: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, Problem> {
    split_escaped(value, ',').iter().map(|text| parse(text)).collect::<Result<_, _>>().map_err(Problem::Bad)
}

fn words(value: &str) -> Result<Vec<String>, Problem> {
    let filled = |text: &str| if text.is_empty() { Err("the value is empty".to_owned()) } else { Ok(unescape(text)) };
    each(value, filled)
}

fn identifier(text: &str) -> Result<ReferenceTest, String> {
    match TokenTest::parse(text)? {
        TokenTest::Code(value) | TokenTest::NoSystem(value) => Ok(ReferenceTest::Identifier { system: None, value }),
        TokenTest::Exact { system, code } => Ok(ReferenceTest::Identifier { system: Some(system), value: code }),
        TokenTest::System(_) => Err("an identifier needs a value".to_owned()),
    }
}

fn sort(value: &str) -> Result<Sort, Problem> {
    match value {
        "_lastUpdated" => Ok(Sort::LastUpdated),
        "-_lastUpdated" => Ok(Sort::LastUpdatedDescending),
        other => {
            Err(Problem::Unknown(format!("sorting by {other:?} is not offered yet: use _lastUpdated or -_lastUpdated")))
        }
    }
}
