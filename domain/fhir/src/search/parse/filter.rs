//! `_filter` (R4 <https://hl7.org/fhir/R4/search_filter.html>): conditions joined by and, or, not and brackets. Each one is
//! the condition that a parameter of the same name would be.

use super::{Parser, Problem};
use crate::search::{Clause, Link, StringMatch, Test};
use crate::types::ResourceType;

/// Brackets and `not` are followed to this depth.
const DEEPEST: usize = 16;
/// So many filters stand in a path, one in another too: each is read for every type that a reference may lead to.
const MOST_FILTERS: usize = 4;

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
        self.filter_within(types, text, 0)
    }

    fn filter_within(&self, types: &[ResourceType], text: &str, depth: usize) -> Result<Clause, Problem> {
        let tokens = tokens(text)?.into_iter().peekable();
        let mut filter = Filter { parser: self, types, tokens };
        let clause = filter.either(depth)?;
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
            return Err(too_deep());
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
            Some(Token::Word(name)) => {
                let compared = self.compared(&name)?;
                self.parser.on_path(self.types, &name, &compared, depth)
            }
            _ => Err(bad("a name, not or a bracket is missing".to_owned())),
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(own) if own == word)).is_some()
    }

    /// Reads the operator and the value behind a name.
    fn compared(&mut self, name: &str) -> Result<Compared, Problem> {
        let Some(Token::Word(operator)) = self.tokens.next() else {
            return Err(bad(format!("{name} is not followed by an operator such as eq")));
        };
        let (value, is_quoted) = match self.tokens.next() {
            Some(Token::Word(word)) => (word, false),
            Some(Token::Text(text)) => (escaped(&text), true),
            _ => return Err(bad(format!("{name} {operator} is not followed by a value"))),
        };
        Ok(Compared { operator, value, is_quoted })
    }
}

/// What a condition compares with.
struct Compared {
    operator: String,
    value: String,
    is_quoted: bool,
}

impl Parser<'_> {
    /// A condition behind a path: `reference[filter].path` is one on what the reference leads to, which the filter fits.
    fn on_path(
        &self,
        types: &[ResourceType],
        path: &str,
        compared: &Compared,
        depth: usize,
    ) -> Result<Clause, Problem> {
        let Some((before, filter, rest)) = bracketed(path)? else { return self.compare(types, path, compared) };
        if depth >= DEEPEST {
            return Err(too_deep());
        }
        if Brackets::opened_in(path) > MOST_FILTERS {
            return Err(bad(format!("more than {MOST_FILTERS} filters stand in a path")));
        }
        // What comes before the reference is a chain to it.
        if let Some((first, further)) = before.split_once('.') {
            let further = format!("{further}[{filter}].{rest}");
            return self
                .links(types, first, &|other| decidable(self.on_path(&[other], &further, compared, depth + 1)?));
        }
        self.links(types, before, &|other| {
            let fits = self.filter_within(&[other], filter, depth + 1)?;
            let holds = self.on_path(&[other], rest, compared, depth + 1)?;
            Ok(Clause::All(vec![decidable(fits)?, decidable(holds)?]))
        })
    }

    /// `name operator value` as the parameter with its modifier or prefix.
    fn compare(&self, types: &[ResourceType], name: &str, compared: &Compared) -> Result<Clause, Problem> {
        let Compared { operator, value, is_quoted } = compared;
        let plain = |modifier: &str| self.clause(types, &format!("{name}{modifier}"), value);
        let prefixed = |prefix: &str| self.clause(types, name, &format!("{prefix}{value}"));
        match operator.as_str() {
            // Quoted text that a parameter compares as text is meant letter by letter.
            "eq" if *is_quoted => plain(":exact").or_else(|_| plain("")),
            "eq" | "re" => plain(""),
            "ne" => Ok(Clause::Not(Box::new(decidable(plain("")?)?))),
            "sw" => plain(""),
            "co" => plain(":contains"),
            "ew" => ending(plain(":contains")?)
                .ok_or_else(|| bad(format!("{name} is not text: only text ends with something"))),
            "gt" | "lt" | "ge" | "le" | "ap" | "sa" | "eb" => prefixed(operator),
            "po" => joined(vec![prefixed("ge")?, prefixed("le")?], Clause::All),
            "pr" => {
                let missing = if value == "true" { "false" } else { "true" };
                self.clause(types, &format!("{name}:missing"), missing)
            }
            "in" => plain(":in"),
            "ni" => plain(":not-in"),
            "ss" => plain(":above"),
            "sb" => plain(":below"),
            other => Err(Problem::Unknown(format!("the operator {other:?} is not offered in _filter"))),
        }
    }
}

/// The path before the first bracket, the filter within it, and the path behind it.
fn bracketed(path: &str) -> Result<Option<(&str, &str, &str)>, Problem> {
    let Some((before, behind)) = path.split_once('[') else { return Ok(None) };
    let mut brackets = Brackets::default();
    brackets.is_within('[');
    let end = behind.char_indices().find(|(_, letter)| !brackets.is_within(*letter));
    let parts = end.and_then(|(end, _)| Some((behind.get(..end)?, behind.get(end..)?.strip_prefix("].")?)));
    match parts {
        Some((filter, rest)) if !before.is_empty() => Ok(Some((before, filter, rest))),
        _ => Err(bad(format!("{path:?} is not reference[filter].path"))),
    }
}

/// The brackets of a path, read letter by letter; those in quotation marks are letters of a value.
#[derive(Default)]
struct Brackets {
    depth: usize,
    opened: usize,
    is_quoted: bool,
    is_escaped: bool,
}

impl Brackets {
    /// How many brackets a path opens.
    fn opened_in(path: &str) -> usize {
        let mut brackets = Self::default();
        path.chars().for_each(|letter| {
            brackets.is_within(letter);
        });
        brackets.opened
    }

    /// Takes the next letter; whether a bracket is open behind it.
    fn is_within(&mut self, letter: char) -> bool {
        let was_escaped = std::mem::take(&mut self.is_escaped);
        match letter {
            _ if was_escaped => {}
            '\\' if self.is_quoted => self.is_escaped = true,
            '"' if self.depth > 0 => self.is_quoted = !self.is_quoted,
            '[' if !self.is_quoted => {
                self.depth += 1;
                self.opened += 1;
            }
            ']' if !self.is_quoted => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.depth > 0
    }
}

fn too_deep() -> Problem {
    bad(format!("brackets are nested more than {DEEPEST} deep"))
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
    // A bracket of a path stands in a name; those of a value, such as `mm[Hg]`, are letters of it.
    let mut words_of_condition = 0;
    while let Some(letter) = letters.next() {
        match letter {
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            '"' => {
                tokens.push(Token::Text(quoted(&mut letters)?));
                words_of_condition = 0;
            }
            letter if letter.is_whitespace() => {}
            letter => {
                let word = word(letter, &mut letters, words_of_condition == 0);
                words_of_condition = match word.as_str() {
                    "and" | "or" | "not" if words_of_condition == 0 => 0,
                    _ => (words_of_condition + 1) % 3,
                };
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

/// Reads a word; a name goes on to the bracket that closes what it opened, whatever stands between.
fn word(first: char, letters: &mut std::iter::Peekable<std::str::Chars<'_>>, is_name: bool) -> String {
    let mut word = String::from(first);
    let mut brackets = Brackets::default();
    let mut is_within = is_name && brackets.is_within(first);
    while let Some(letter) = letters.next_if(|next| is_within || !next.is_whitespace() && !matches!(next, '(' | ')')) {
        is_within = is_name && brackets.is_within(letter);
        word.push(letter);
    }
    word
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_quotation_marks_are_letters() {
        let path = r#"subject[name eq "a\"]b[" and x eq "[[["].birthdate"#;
        assert_eq!(Brackets::opened_in(path), 1);
        let parts = bracketed(path).ok().flatten();
        assert_eq!(parts, Some(("subject", r#"name eq "a\"]b[" and x eq "[[[""#, "birthdate")));
        let tokens = tokens(&format!("{path} ge 2000")).ok();
        assert_eq!(tokens.and_then(|tokens| tokens.into_iter().next()), Some(Token::Word(path.to_owned())));
    }
}
