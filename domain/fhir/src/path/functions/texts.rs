//! Functions of strings (N1 <http://hl7.org/fhirpath/N1/#string-manipulation>).

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use regex::{Regex, RegexBuilder};

use super::super::PathError;
use super::super::evaluator::{Nodes, Scope};
use super::super::node::PathNode;
use super::super::operators::single;
use super::super::syntax::Expression;
use crate::json::{Json, Limits, parse};

/// Patterns that need more memory than this are refused.
const MAX_PATTERN_BYTES: usize = 1 << 20;
/// So many compiled patterns are kept.
const MAX_PATTERNS: usize = 512;
/// A replacement or concatenation gives no longer text than this.
const MAX_TEXT: usize = 1 << 20;

const NAMES: [&str; 20] = [
    "startsWith",
    "endsWith",
    "contains",
    "indexOf",
    "substring",
    "replace",
    "matches",
    "matchesFull",
    "replaceMatches",
    "lower",
    "upper",
    "length",
    "toChars",
    "trim",
    "split",
    "join",
    "escape",
    "unescape",
    "encode",
    "decode",
];

/// Calls a function of this family; `None` if there's none of this name.
pub(super) fn call<'r>(
    scope: Scope<'_, 'r>,
    name: &str,
    input: &Nodes<'r>,
    arguments: &[Expression],
) -> Result<Option<Nodes<'r>>, PathError> {
    if !NAMES.contains(&name) {
        return Ok(None);
    }
    let mut given = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match scope.argument(argument)? {
            Some(node) => given.push(node),
            None => return Ok(Some(Vec::new())),
        }
    }
    if name == "join" {
        return join(input, given.first()).map(Some);
    }
    let Some(node) = single(input)? else {
        return Ok(Some(Vec::new()));
    };
    let text = node.json().as_str().ok_or(PathError::Operand("a string is expected"))?;
    let wanted = usize::from(!matches!(name, "lower" | "upper" | "length" | "toChars" | "trim"));
    if given.len() < wanted {
        return Err(PathError::Unsupported(format!("the function {name}() with these arguments")));
    }
    if name == "substring" {
        return Ok(Some(substring(text, &given).map(PathNode::computed).into_iter().collect()));
    }
    let mut texts = Vec::with_capacity(given.len());
    for each in &given {
        texts.push(each.json().as_str().ok_or(PathError::Operand("a string is expected as argument"))?);
    }
    match texts.as_slice() {
        [] => Ok(Some(plain(name, text))),
        [argument] => with_one(name, text, argument).map(Some),
        [first, second, ..] => with_two(name, text, (first, second)).map(Some),
    }
}

fn plain<'r>(name: &str, text: &str) -> Nodes<'r> {
    let answer = match name {
        "lower" => PathNode::computed(text.to_lowercase()),
        "upper" => PathNode::computed(text.to_uppercase()),
        "trim" => PathNode::computed(text.trim()),
        "length" => PathNode::computed(text.chars().count()),
        _ => return text.chars().map(|letter| PathNode::computed(letter.to_string())).collect(),
    };
    vec![answer]
}

fn with_one<'r>(name: &str, text: &str, argument: &str) -> Result<Nodes<'r>, PathError> {
    let answer = match name {
        "startsWith" => PathNode::computed(text.starts_with(argument)),
        "endsWith" => PathNode::computed(text.ends_with(argument)),
        "contains" => PathNode::computed(text.contains(argument)),
        "indexOf" => match text.find(argument) {
            Some(position) => PathNode::computed(text.get(..position).map_or(0, |before| before.chars().count())),
            None => PathNode::computed(-1_i64),
        },
        "matches" => PathNode::computed(pattern(argument)?.is_match(text)),
        "matchesFull" => PathNode::computed(pattern(&format!("^(?:{argument})$"))?.is_match(text)),
        "split" => return Ok(text.split(argument).map(PathNode::computed).collect()),
        "escape" | "unescape" | "encode" | "decode" => {
            return Ok(coded(name, text, argument).map(PathNode::computed).into_iter().collect());
        }
        _ => return Err(PathError::Unsupported(format!("the function {name}() with one argument"))),
    };
    Ok(vec![answer])
}

fn with_two<'r>(name: &str, text: &str, (first, second): (&str, &str)) -> Result<Nodes<'r>, PathError> {
    let longest = (text.len() + 1).saturating_mul(second.len() + 1);
    if longest > MAX_TEXT {
        return Err(PathError::TooComplex);
    }
    let answer = match name {
        "replace" => text.replace(first, second),
        "replaceMatches" => pattern(first)?.replace_all(text, second).into_owned(),
        _ => return Err(PathError::Unsupported(format!("the function {name}() with two arguments"))),
    };
    Ok(vec![PathNode::computed(answer)])
}

fn substring(text: &str, given: &[PathNode<'_>]) -> Option<String> {
    let number = |node: &PathNode<'_>| node.json().as_i64();
    let start = usize::try_from(given.first().and_then(number)?).ok()?;
    if start >= text.chars().count() {
        return None;
    }
    let length = given.get(1).and_then(number).map(|length| usize::try_from(length).unwrap_or_default());
    Some(text.chars().skip(start).take(length.unwrap_or(usize::MAX)).collect())
}

fn join<'r>(input: &Nodes<'r>, separator: Option<&PathNode<'r>>) -> Result<Nodes<'r>, PathError> {
    let separator = separator.and_then(|node| node.json().as_str()).unwrap_or_default();
    let texts: Option<Vec<&str>> = input.iter().map(|node| node.json().as_str()).collect();
    let texts = texts.ok_or(PathError::Operand("only strings can be joined"))?;
    Ok(if texts.is_empty() { Vec::new() } else { vec![PathNode::computed(texts.join(separator))] })
}

/// `escape`, `unescape`, `encode` and `decode`; an unknown format has no answer.
fn coded(name: &str, text: &str, format: &str) -> Option<String> {
    let of_bytes = |bytes: Vec<u8>| String::from_utf8(bytes).ok();
    match (name, format) {
        ("escape", "json") => {
            let quoted = Json::from(text).to_string();
            Some(quoted.strip_prefix('"')?.strip_suffix('"')?.to_owned())
        }
        ("unescape", "json") => {
            let parsed = parse(format!("\"{text}\"").as_bytes(), &Limits::default()).ok()?;
            parsed.as_str().map(str::to_owned)
        }
        ("escape", "html") => {
            Some(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"))
        }
        ("unescape", "html") => {
            Some(text.replace("&quot;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"))
        }
        ("encode", "hex") => Some(hex::encode(text)),
        ("decode", "hex") => of_bytes(hex::decode(text).ok()?),
        ("encode", "base64") => Some(STANDARD.encode(text)),
        ("decode", "base64") => of_bytes(STANDARD.decode(text).ok()?),
        ("encode", "urlbase64") => Some(URL_SAFE.encode(text)),
        ("decode", "urlbase64") => of_bytes(URL_SAFE.decode(text).ok()?),
        _ => None,
    }
}

/// Compiles a pattern, or finds it among those compiled.
fn pattern(text: &str) -> Result<Regex, PathError> {
    static PATTERNS: OnceLock<Mutex<HashMap<Box<str>, Regex>>> = OnceLock::new();
    let patterns = PATTERNS.get_or_init(Mutex::default);
    if let Some(known) = patterns.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
        return Ok(known.clone());
    }
    let built = RegexBuilder::new(text).size_limit(MAX_PATTERN_BYTES).dot_matches_new_line(true).build();
    let built = built.map_err(|_| PathError::Operand("the pattern isn't a regular expression or is too large"))?;
    let mut kept = patterns.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < MAX_PATTERNS {
        kept.insert(text.into(), built.clone());
    }
    Ok(built)
}
