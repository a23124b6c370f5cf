//! The lexical part of the reader: strings, numbers and literals (RFC 8259 §6 and §7
//! <https://www.rfc-editor.org/rfc/rfc8259#section-6>).

use super::JsonErrorKind;

/// One step from the root to a fault.
#[derive(Debug)]
pub(super) enum Step {
    /// A member of an object.
    Member(Box<str>),
    /// An item of an array.
    Item(usize),
}

/// A fault before its line and path are known; steps are gathered from the inside out.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) message: String,
    pub(super) kind: JsonErrorKind,
    pub(super) steps: Vec<Step>,
}

impl Fault {
    pub(super) fn syntax(offset: usize, message: &str) -> Self {
        Self { offset, message: message.into(), kind: JsonErrorKind::Syntax, steps: Vec::new() }
    }

    pub(super) fn within(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// A place in the text.
pub(super) struct Cursor<'t> {
    text: &'t str,
    offset: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, offset: 0 }
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    pub(super) fn advance(&mut self) {
        self.offset += 1;
    }

    pub(super) fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.offset += 1;
        }
        found
    }

    pub(super) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.offset += 1;
        }
    }

    pub(super) fn fault(&self, message: &str) -> Fault {
        Fault::syntax(self.offset, message)
    }

    pub(super) fn limit(&self, message: String) -> Fault {
        Fault { offset: self.offset, message, kind: JsonErrorKind::Limit, steps: Vec::new() }
    }

    pub(super) fn literal(&mut self, word: &str) -> Result<(), Fault> {
        let rest = self.text.get(self.offset..).unwrap_or_default();
        let ends = rest.as_bytes().get(word.len()).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if rest.starts_with(word) && ends {
            self.offset += word.len();
            return Ok(());
        }
        Err(self.fault("only true, false, null, numbers, strings, arrays and objects are JSON values"))
    }

    pub(super) fn number(&mut self) -> Result<Box<str>, Fault> {
        let start = self.offset;
        self.accept(b'-');
        if self.accept(b'0') {
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.fault("a number has no leading zeros"));
            }
        } else {
            self.digits()?;
        }
        if self.accept(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.advance();
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.advance();
            }
            self.digits()?;
        }
        Ok(self.text.get(start..self.offset).unwrap_or_default().into())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.offset;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.offset += 1;
        }
        if self.offset == start { Err(self.fault("a digit must stand here")) } else { Ok(()) }
    }

    /// Reads a string; the cursor stands on its opening quote.
    pub(super) fn string(&mut self) -> Result<Box<str>, Fault> {
        self.advance();
        let plain = self.plain()?;
        if self.accept(b'"') {
            return Ok(plain.into());
        }
        let mut text = String::with_capacity(plain.len() + 16);
        text.push_str(plain);
        loop {
            if self.accept(b'"') {
                return Ok(text.into());
            }
            self.escape(&mut text)?;
            text.push_str(self.plain()?);
        }
    }

    /// Takes the run before the next quote or backslash, which holds no control characters.
    fn plain(&mut self) -> Result<&'t str, Fault> {
        let rest = self.text.get(self.offset..).unwrap_or_default();
        let Some(length) = memchr::memchr2(b'"', b'\\', rest.as_bytes()) else {
            return Err(self.fault("a string has no closing quote"));
        };
        let run = rest.get(..length).unwrap_or_default();
        if let Some(position) = run.bytes().position(|byte| byte < 0x20) {
            return Err(Fault::syntax(self.offset + position, "a control character in a string must be escaped"));
        }
        self.offset += length;
        Ok(run)
    }

    fn escape(&mut self, text: &mut String) -> Result<(), Fault> {
        let start = self.offset;
        self.advance();
        let kind = self.peek();
        self.advance();
        let character = match kind {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => self.unicode(start)?,
            _ => {
                return Err(Fault::syntax(start, "a backslash must begin one of the escapes of JSON"));
            }
        };
        text.push(character);
        Ok(())
    }

    fn unicode(&mut self, start: usize) -> Result<char, Fault> {
        let lone = || Fault::syntax(start, "a surrogate escape must stand in a pair");
        let first = self.four_digits(start)?;
        let code = match first {
            0xD800..=0xDBFF => {
                if !(self.accept(b'\\') && self.accept(b'u')) {
                    return Err(lone());
                }
                let second = self.four_digits(start)?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(lone());
                }
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            other => other,
        };
        char::from_u32(code).ok_or_else(lone)
    }

    fn four_digits(&mut self, start: usize) -> Result<u32, Fault> {
        let digits = self.text.as_bytes().get(self.offset..self.offset + 4).unwrap_or_default();
        if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(Fault::syntax(start, "a \\u escape has four hexadecimal digits"));
        }
        self.offset += 4;
        Ok(digits.iter().fold(0, |value, digit| value * 16 + char::from(*digit).to_digit(16).unwrap_or(0)))
    }
}
