//! Cuts a query into tokens (GraphQL <https://spec.graphql.org/October2021/#sec-Source-Text>).

use std::iter::Peekable;
use std::str::Chars;

use super::GraphError;

/// Longer queries are not read.
const LONGEST: usize = 64 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name.
    Name(String),
    /// A number, by its digits.
    Number(String),
    /// A string without its quotes.
    Text(String),
    /// `...`.
    Spread,
    /// One of `{ } ( ) [ ] : = $ @ !`.
    Mark(char),
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, GraphError> {
    if text.len() > LONGEST {
        return Err(GraphError::Syntax(format!("it is longer than {LONGEST} bytes")));
    }
    let mut characters = text.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(first) = characters.next() {
        match first {
            ' ' | '\t' | '\r' | '\n' | ',' | '\u{feff}' => {}
            '#' => while characters.next_if(|next| *next != '\n').is_some() {},
            '.' => {
                if (characters.next(), characters.next()) != (Some('.'), Some('.')) {
                    return Err(GraphError::Syntax("a dot stands alone".to_owned()));
                }
                tokens.push(Token::Spread);
            }
            '"' => tokens.push(Token::Text(string(&mut characters)?)),
            '{' | '}' | '(' | ')' | '[' | ']' | ':' | '=' | '$' | '@' | '!' => tokens.push(Token::Mark(first)),
            _ if first == '_' || first.is_ascii_alphabetic() => {
                tokens.push(Token::Name(run(first, &mut characters, |c| c == '_' || c.is_ascii_alphanumeric())));
            }
            _ if first == '-' || first.is_ascii_digit() => {
                let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
                tokens.push(Token::Number(run(first, &mut characters, digits)));
            }
            other => return Err(GraphError::Syntax(format!("{other:?} is no part of the language"))),
        }
    }
    Ok(tokens)
}

fn run(first: char, characters: &mut Peekable<Chars<'_>>, belongs: impl Fn(char) -> bool) -> String {
    let mut text = String::from(first);
    while let Some(next) = characters.next_if(|next| belongs(*next)) {
        text.push(next);
    }
    text
}

fn string(characters: &mut Peekable<Chars<'_>>) -> Result<String, GraphError> {
    let open = || GraphError::Syntax("a string has no end".to_owned());
    if characters.peek() == Some(&'"') {
        characters.next();
        if characters.next_if_eq(&'"').is_none() {
            return Ok(String::new());
        }
        return block(characters);
    }
    let mut text = String::new();
    loop {
        match characters.next().ok_or_else(open)? {
            '"' => return Ok(text),
            '\n' => return Err(open()),
            '\\' => text.push(escape(characters)?),
            other => text.push(other),
        }
    }
}

fn block(characters: &mut Peekable<Chars<'_>>) -> Result<String, GraphError> {
    let mut text = String::new();
    for next in characters.by_ref() {
        text.push(next);
        if let Some(whole) = text.strip_suffix("\"\"\"") {
            return Ok(whole.trim().to_owned());
        }
    }
    Err(GraphError::Syntax("a block of text has no end".to_owned()))
}

fn escape(characters: &mut Peekable<Chars<'_>>) -> Result<char, GraphError> {
    let wrong = || GraphError::Syntax("a string has an escape that is none".to_owned());
    Ok(match characters.next().ok_or_else(wrong)? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        own @ ('"' | '\\' | '/') => own,
        'u' => {
            let digits: String = characters.by_ref().take(4).collect();
            let code = u32::from_str_radix(&digits, 16).map_err(|_| wrong())?;
            char::from_u32(code).ok_or_else(wrong)?
        }
        _ => return Err(wrong()),
    })
}
