//! Reads untrusted JSON strictly and in one pass (RFC 8259 <https://www.rfc-editor.org/rfc/rfc8259>).

mod cursor;

use std::collections::HashSet;
use std::fmt::Write as _;

use super::{Json, JsonObject};
use cursor::{Cursor, Fault, Step};

/// Objects with more members than this look duplicates up in a set.
const LINEAR_MEMBERS: usize = 32;

/// The bounds that untrusted text must keep.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest text in bytes.
    pub max_bytes: usize,
    /// The deepest nesting of arrays and objects.
    pub max_depth: usize,
    /// The largest number of values in all.
    pub max_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 64 * 1024 * 1024, max_depth: 64, max_nodes: 8_000_000 }
    }
}

/// Tells broken text from text that is larger than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// The text isn't JSON.
    Syntax,
    /// The text passes one of the [`Limits`].
    Limit,
}

/// Says where the text stops being acceptable JSON, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column}, at {path})")]
pub struct JsonError {
    /// The place in FHIR's terms, such as `Patient.name[0].given[1]`; `$` stands for an unknown type.
    pub path: String,
    /// The line, counted from one.
    pub line: usize,
    /// The column in bytes, counted from one.
    pub column: usize,
    /// A sentence for the caller.
    pub message: String,
    /// The kind of fault.
    pub kind: JsonErrorKind,
}

/// Reads one JSON value and refuses duplicates, trailing data and lone surrogates.
///
/// # Errors
/// The first place that isn't JSON or passes a limit.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Json, JsonError> {
    if bytes.len() > limits.max_bytes {
        let message = format!("the body has {} bytes, more than the {} allowed", bytes.len(), limits.max_bytes);
        return Err(JsonError { path: "$".into(), line: 1, column: 1, message, kind: JsonErrorKind::Limit });
    }
    // RFC 8259 §8.1: a byte order mark may be ignored.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let fault = Fault::syntax(error.valid_up_to(), "the body isn't UTF-8 text");
        locate(bytes, fault, None)
    })?;
    let mut reader = Reader { cursor: Cursor::new(text), limits: *limits, depth: 0, nodes: 0, root_type: None };
    match reader.document() {
        Ok(value) => Ok(value),
        Err(fault) => {
            let root_type = reader.root_type.take();
            Err(locate(bytes, fault, root_type))
        }
    }
}

fn locate(bytes: &[u8], fault: Fault, root_type: Option<String>) -> JsonError {
    let before = bytes.get(..fault.offset).unwrap_or(bytes);
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |position| position + 1);
    let mut path = root_type.unwrap_or_else(|| "$".into());
    for step in fault.steps.iter().rev() {
        match step {
            Step::Member(name) => {
                path.push('.');
                path.push_str(name);
            }
            Step::Item(index) => {
                // Writing to a string cannot fail.
                let _ = write!(path, "[{index}]");
            }
        }
    }
    JsonError {
        path,
        line: memchr::memchr_iter(b'\n', before).count() + 1,
        column: before.len() - line_start + 1,
        message: fault.message,
        kind: fault.kind,
    }
}

struct Reader<'t> {
    cursor: Cursor<'t>,
    limits: Limits,
    depth: usize,
    nodes: usize,
    /// The top object's `resourceType`, which error paths start with.
    root_type: Option<String>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Json, Fault> {
        let value = self.value()?;
        self.cursor.skip_space();
        if self.cursor.peek().is_some() {
            return Err(self.cursor.fault("the body goes on after its JSON value"));
        }
        Ok(value)
    }

    fn value(&mut self) -> Result<Json, Fault> {
        self.cursor.skip_space();
        self.nodes += 1;
        if self.nodes > self.limits.max_nodes {
            return Err(self.cursor.limit(format!("the body has more than {} values", self.limits.max_nodes)));
        }
        match self.cursor.peek() {
            Some(b'"') => self.cursor.string().map(Json::String),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.cursor.number().map(Json::Number),
            Some(b't') => self.cursor.literal("true").map(|()| Json::Bool(true)),
            Some(b'f') => self.cursor.literal("false").map(|()| Json::Bool(false)),
            Some(b'n') => self.cursor.literal("null").map(|()| Json::Null),
            Some(_) => Err(self.cursor.fault("a JSON value must stand here")),
            None => Err(self.cursor.fault("the body ends where a JSON value must stand")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json, Fault>) -> Result<Json, Fault> {
        self.depth += 1;
        if self.depth > self.limits.max_depth {
            return Err(self.cursor.limit(format!("the body nests deeper than {} levels", self.limits.max_depth)));
        }
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn array(&mut self) -> Result<Json, Fault> {
        self.cursor.advance();
        let mut items = Vec::new();
        self.cursor.skip_space();
        if self.cursor.accept(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            let item = self.value().map_err(|fault| fault.within(Step::Item(items.len())))?;
            items.push(item);
            self.cursor.skip_space();
            if self.cursor.accept(b']') {
                return Ok(Json::Array(items));
            }
            if !self.cursor.accept(b',') {
                return Err(self.cursor.fault("a comma or ] must follow an array's item"));
            }
        }
    }

    fn object(&mut self) -> Result<Json, Fault> {
        self.cursor.advance();
        let mut object = JsonObject { members: Vec::with_capacity(8) };
        let mut names = None;
        self.cursor.skip_space();
        if self.cursor.accept(b'}') {
            return Ok(Json::Object(object));
        }
        loop {
            self.cursor.skip_space();
            let start = self.cursor.offset();
            if self.cursor.peek() != Some(b'"') {
                return Err(self.cursor.fault("a member's name in quotes must stand here"));
            }
            let name = self.cursor.string()?;
            if is_duplicate(&object, &mut names, &name) {
                let fault = Fault::syntax(start, &format!("the member `{name}` stands twice; keep one"));
                return Err(fault.within(Step::Member(name)));
            }
            self.cursor.skip_space();
            if !self.cursor.accept(b':') {
                return Err(self.cursor.fault("a colon must follow a member's name").within(Step::Member(name)));
            }
            let value = match self.value() {
                Ok(value) => value,
                Err(fault) => return Err(fault.within(Step::Member(name))),
            };
            if self.depth == 1 && name.as_ref() == "resourceType" {
                self.root_type = value.as_str().filter(|text| is_type_name(text)).map(str::to_owned);
            }
            object.members.push((name, value));
            self.cursor.skip_space();
            if self.cursor.accept(b'}') {
                return Ok(Json::Object(object));
            }
            if !self.cursor.accept(b',') {
                return Err(self.cursor.fault("a comma or } must follow an object's member"));
            }
        }
    }
}

/// Only a plausible type name goes into an error's path, because the text is the caller's.
fn is_type_name(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_duplicate(object: &JsonObject, names: &mut Option<HashSet<Box<str>>>, name: &str) -> bool {
    if object.members.len() < LINEAR_MEMBERS {
        return object.contains(name);
    }
    let names = names.get_or_insert_with(|| object.members.iter().map(|(key, _)| key.clone()).collect());
    !names.insert(name.into())
}
