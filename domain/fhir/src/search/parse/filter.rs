//! `_filter` (R4 <https://hl7.org/fhir/R4/search_filter.html>): conditions joined by and, or, not and brackets. Each one is
//! the condition that a parameter of the same name would be.

use super::{Parser, Problem};
use crate::search::{Clause, Link, StringMatch, Test};
use crate::types::ResourceType;

/// Brackets and `not` are followed to this depth.
const DEEPEST: usize = 16;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Word(String),
    Text(String),
}

/// What is left to read.
struct Filter<'a> {
    parser: &'a Parser<'a>,
    types: &'a [ResourceType],
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Parser<'_> {
    /// Reads a filter into one clause.
    pub(super) fn filter(&self, types: &[ResourceType], text: &str) -> Result<Clause, Problem> {
        let tokens = tokens(text)?.into_iter().peekable();
        let mut filter = Filter { parser: self, types, tokens };
        let clause = filter.either(0)?;
        match filter.tokens.next() {
            None => Ok(clause),
            Some(token) => Err(bad(format!("{token:?} stands where and, or or the end should be"))),
        }
    }
}

impl Filter<'_> {
    /// `a or b`: binds less than `and`.
    fn either(&mut self, depth: usize) -> Result<Clause, Problem> {
        let mut clauses = vec![self.both(depth)?];
        while self.takes("or") {
            clauses.push(self.both(depth)?);
        }
        joined(clauses, Clause::Any)
    }

    fn both(&mut self, depth: usize) -> Result<Clause, Problem> {
        let mut clauses = vec![self.one(depth)?];
        while self.takes("and") {
            clauses.push(self.one(depth)?);
        }
        joined(clauses, Clause::All)
    }

    fn one(&mut self, depth: usize) -> Result<Clause, Problem> {
        if depth >= DEEPEST {
            return Err(bad(format!("brackets are nested more than {DEEPEST} deep")));
        }
        if self.takes("not") {
            let inner = self.one(depth + 1)?;
            return Ok(Clause::Not(Box::new(decidable(inner)?)));
        }
        match self.tokens.next() {
            Some(Token::Open) => {
                let inner = self.either(depth + 1)?;
                match self.tokens.next() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err(bad("a bracket is not closed".to_owned())),
                }
            }
            Some(Token::Word(name)) => self.condition(&name),
            _ => Err(bad("a name, not or a bracket is missing".to_owned())),
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(own) if own == word)).is_some()
    }

    /// `name operator value` as the parameter with its modifier or prefix.
    fn condition(&mut self, name: &str) -> Result<Clause, Problem> {
        let Some(Token::Word(operator)) = self.tokens.next() else {
            return Err(bad(format!("{name} is not followed by an operator such as eq")));
        };
        let (value, quoted) = match self.tokens.next() {
            Some(Token::Word(word)) => (word, false),
            Some(Token::Text(text)) => (escaped(&text), true),
            _ => return Err(bad(format!("{name} {operator} is not followed by a value"))),
        };
        let plain = |modifier: &str| self.parser.clause(self.types, &format!("{name}{modifier}"), &value);
        let prefixed = |prefix: &str| self.parser.clause(self.types, name, &format!("{prefix}{value}"));
        match operator.as_str() {
            // Quoted text that a parameter compares as text is meant letter by letter.
            "eq" if quoted => plain(":exact").or_else(|_| plain("")),
            "eq" | "re" => plain(""),
            "ne" => Ok(Clause::Not(Box::new(decidable(plain("")?)?))),
            "sw" => plain(""),
            "co" => plain(":contains"),
            "ew" => ending(plain(":contains")?)
                .ok_or_else(|| bad(format!("{name} is not text: only text ends with something"))),
            "gt" | "lt" | "ge" | "le" | "ap" | "sa" | "eb" => prefixed(&operator),
            "po" => joined(vec![prefixed("ge")?, prefixed("le")?], Clause::All),
            "pr" => {
                let missing = if value == "true" { "false" } else { "true" };
                self.parser.clause(self.types, &format!("{name}:missing"), missing)
            }
            "in" => plain(":in"),
            "ni" => plain(":not-in"),
            "ss" => plain(":above"),
            "sb" => plain(":below"),
            other => Err(Problem::Unknown(format!("the operator {other:?} is not offered in _filter"))),
        }
    }
}

fn joined(mut clauses: Vec<Clause>, join: impl Fn(Vec<Clause>) -> Clause) -> Result<Clause, Problem> {
    match clauses.len() {
        1 => Ok(clauses.remove(0)),
        _ => clauses.into_iter().map(decidable).collect::<Result<_, _>>().map(join),
    }
}

/// No modifier says `ew`: what would be somewhere in the text must be at its end.
fn ending(clause: Clause) -> Option<Clause> {
    let all = |clauses: Vec<Clause>| clauses.into_iter().map(ending).collect::<Option<Vec<Clause>>>();
    match clause {
        Clause::Parameter { parameter, test: Test::String(StringMatch::Contains, words) } => {
            Some(Clause::Parameter { parameter, test: Test::String(StringMatch::Suffix, words) })
        }
        Clause::Any(clauses) => all(clauses).map(Clause::Any),
        Clause::Chain(links) => {
            let links = links.into_iter().map(|link| Some(Link { clause: ending(link.clause)?, ..link }));
            links.collect::<Option<Vec<Link>>>().map(Clause::Chain)
        }
        _ => None,
    }
}

/// What only the resource itself decides can be all of a filter, not a part of it.
fn decidable(clause: Clause) -> Result<Clause, Problem> {
    match clause {
        Clause::Recheck(_) => Err(Problem::Unknown("this condition is not offered within and, or and not".to_owned())),
        other => Ok(other),
    }
}

fn bad(text: String) -> Problem {
    Problem::Bad(format!("{text}: write conditions such as given eq \"peter\" and birthdate ge 2014-10-10"))
}

/// A quoted text is one value: what parts values elsewhere is a letter here.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, ',' | '$' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            '"' => tokens.push(Token::Text(quoted(&mut letters)?)),
            letter if letter.is_whitespace() => {}
            letter => {
                let mut word = String::from(letter);
                while let Some(next) = letters.next_if(|next| !next.is_whitespace() && !matches!(next, '(' | ')')) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

/// Reads to the closing quotation mark; a backslash keeps the next letter.
fn quoted(letters: &mut impl Iterator<Item = char>) -> Result<String, Problem> {
    let mut text = String::new();
    loop {
        match letters.next() {
            Some('"') => return Ok(text),
            Some('\\') => text.extend(letters.next()),
            Some(letter) => text.push(letter),
            None => return Err(bad("a quotation mark is not closed".to_owned())),
        }
    }
}
