//! Splits FHIRPath text into tokens (N1 grammar <http://hl7.org/fhirpath/N1/grammar.html>).

use super::PathError;

/// A token; words keep their text because keywords may also be names.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(Box<str>),
    /// A name in backticks, which is never a keyword.
    Quoted(Box<str>),
    String(Box<str>),
    Number(Box<str>),
    /// Text after `@`.
    Moment(Box<str>),
    /// `$this`, `$index`, `$total` without the dollar.
    Special(Box<str>),
    Symbol(&'static str),
}

/// Longer symbols stand before their beginnings.
const SYMBOLS: [&str; 25] = [
    "!=", "!~", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|", "<", ">", "=", "~",
    "%", ":", ";",
];

/// Reads all tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, PathError> {
    let mut lexer = Lexer { rest: text };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'t> {
    rest: &'t str,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Option<Token>, PathError> {
        self.skip_space()?;
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        if first.is_ascii_alphabetic() || first == '_' {
            return Ok(Some(Token::Word(self.take(|letter| letter.is_ascii_alphanumeric() || letter == '_'))));
        }
        if first.is_ascii_digit() {
            return Ok(Some(Token::Number(self.number())));
        }
        match first {
            '\'' => self.quoted('\'').map(|text| Some(Token::String(text))),
            '`' => self.quoted('`').map(|text| Some(Token::Quoted(text))),
            '@' => self.moment().map(|text| Some(Token::Moment(text))),
            '$' => {
                self.skip(1);
                Ok(Some(Token::Special(self.take(|letter| letter.is_ascii_alphabetic()))))
            }
            _ => self.symbol().map(Some),
        }
    }

    fn symbol(&mut self) -> Result<Token, PathError> {
        let symbol = SYMBOLS.into_iter().find(|symbol| self.rest.starts_with(symbol));
        let symbol = symbol.ok_or_else(|| PathError::Syntax("a character that FHIRPath doesn't know".into()))?;
        self.skip(symbol.len());
        Ok(Token::Symbol(symbol))
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn skip_space(&mut self) -> Result<(), PathError> {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with("//") {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.skip(end);
            } else if self.rest.starts_with("/*") {
                let end = self.rest.find("*/").ok_or_else(|| PathError::Syntax("a comment has no end".into()))?;
                self.skip(end + 2);
            } else {
                return Ok(());
            }
        }
    }

    fn take(&mut self, keep: impl Fn(char) -> bool) -> Box<str> {
        let end = self.rest.find(|letter| !keep(letter)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.into()
    }

    fn number(&mut self) -> Box<str> {
        let whole = self.take(|letter| letter.is_ascii_digit());
        let fraction =
            self.rest.strip_prefix('.').filter(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()));
        if fraction.is_none() {
            return whole;
        }
        self.skip(1);
        let fraction = self.take(|letter| letter.is_ascii_digit());
        format!("{whole}.{fraction}").into()
    }

    /// A date, a dateTime or, beginning with `T`, a time.
    fn moment(&mut self) -> Result<Box<str>, PathError> {
        self.skip(1);
        let is_time = self.rest.starts_with('T');
        let mut end = if is_time { 0 } else { self.matching(0, "dddd") };
        for pattern in ["-dd", "-dd"].iter().filter(|_| !is_time) {
            end = self.matching(end, pattern);
        }
        let date_end = end;
        end = self.matching(end, "T");
        if end > date_end {
            for pattern in ["dd", ":dd", ":dd", ".d"] {
                end = self.matching(end, pattern);
            }
            while end > date_end + 9 && self.matching(end, "d") > end {
                end += 1;
            }
            let zone = [self.matching(end, "Z"), self.matching(end, "+dd:dd"), self.matching(end, "-dd:dd")];
            let zone_end = zone.into_iter().max().unwrap_or(end);
            if is_time && zone_end > end {
                return Err(PathError::Syntax("a time has no time zone".into()));
            }
            end = zone_end;
        }
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        if taken.is_empty() { Err(PathError::Syntax("a date or time must follow @".into())) } else { Ok(taken.into()) }
    }

    /// Returns where a pattern ends that begins at a position, `d` being any digit; the position itself if it doesn't.
    fn matching(&self, start: usize, pattern: &str) -> usize {
        let bytes = self.rest.as_bytes().get(start..).unwrap_or_default();
        let fits = bytes.len() >= pattern.len()
            && pattern.bytes().zip(bytes).all(|(wanted, own)| match wanted {
                b'd' => own.is_ascii_digit(),
                other => *own == other,
            });
        if fits { start + pattern.len() } else { start }
    }

    fn quoted(&mut self, quote: char) -> Result<Box<str>, PathError> {
        self.skip(1);
        let unclosed = || PathError::Syntax("a quotation has no end".into());
        let mut text = String::new();
        loop {
            let letter = self.rest.chars().next().ok_or_else(unclosed)?;
            self.skip(letter.len_utf8());
            if letter == quote {
                return Ok(text.into());
            }
            if letter != '\\' {
                text.push(letter);
                continue;
            }
            let escape = self.rest.chars().next().ok_or_else(unclosed)?;
            self.skip(escape.len_utf8());
            text.push(match escape {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'f' => '\u{c}',
                'u' => self.unicode()?,
                '\'' | '"' | '`' | '\\' | '/' => escape,
                _ => {
                    return Err(PathError::Syntax("an escape that FHIRPath doesn't know".into()));
                }
            });
        }
    }

    fn unicode(&mut self) -> Result<char, PathError> {
        let wrong = || PathError::Syntax("a \\u escape has four hexadecimal digits".into());
        let digits = self.rest.get(..4).ok_or_else(wrong)?;
        let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal).ok_or_else(wrong)?;
        self.skip(4);
        char::from_u32(code).ok_or_else(wrong)
    }
}
