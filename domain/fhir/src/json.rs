//! JSON as FHIR needs it: member order and decimal digits survive (R4 <https://hl7.org/fhir/R4/json.html>).
//!
//! `Debug` prints the shape only, because the text may be clinical.

mod reader;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;

pub use reader::{JsonError, JsonErrorKind, Limits, parse};

/// A JSON value whose numbers keep the digits they were written with.
#[derive(Clone, PartialEq, Default)]
pub enum Json {
    /// The literal `null`.
    #[default]
    Null,
    /// The literals `true` and `false`.
    Bool(bool),
    /// A number, kept digit for digit, because `1.00` and `1.0` differ in FHIR.
    Number(Box<str>),
    /// A string without its escapes.
    String(Box<str>),
    /// An ordered list.
    Array(Vec<Json>),
    /// Members in the order of the source.
    Object(JsonObject),
}

/// The members of a JSON object, in order and without duplicates.
#[derive(Clone, PartialEq, Default)]
pub struct JsonObject {
    members: Vec<(Box<str>, Json)>,
}

impl JsonObject {
    /// Creates an object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the value of a member.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members.iter().find(|(key, _)| key.as_ref() == name).map(|(_, value)| value)
    }

    /// Returns the value of a member for change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        self.members.iter_mut().find(|(key, _)| key.as_ref() == name).map(|(_, value)| value)
    }

    /// Tells whether a member exists.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Replaces a member where it stands, or appends it; returns the value it replaced.
    pub fn insert(&mut self, name: impl Into<Box<str>>, value: impl Into<Json>) -> Option<Json> {
        let (name, value) = (name.into(), value.into());
        if let Some(present) = self.get_mut(&name) {
            return Some(std::mem::replace(present, value));
        }
        self.members.push((name, value));
        None
    }

    /// Puts a member before all others, and removes it from where it stood.
    pub fn insert_first(&mut self, name: impl Into<Box<str>>, value: impl Into<Json>) -> Option<Json> {
        let (name, value) = (name.into(), value.into());
        let replaced = self.remove(&name);
        self.members.insert(0, (name, value));
        replaced
    }

    /// Removes a member and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        let position = self.members.iter().position(|(key, _)| key.as_ref() == name)?;
        Some(self.members.remove(position).1)
    }

    /// Keeps the members for which the test holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Json) -> bool) {
        self.members.retain(|(key, value)| keep(key, value));
    }

    /// Visits the members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Json)> {
        self.members.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// Visits the members in order, values for change.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut Json)> {
        self.members.iter_mut().map(|(key, value)| (&**key, value))
    }

    /// Counts the members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Tells whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl<K: Into<Box<str>>, V: Into<Json>> FromIterator<(K, V)> for JsonObject {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut result = Self::new();
        for (name, value) in members {
            result.insert(name, value);
        }
        result
    }
}

impl IntoIterator for JsonObject {
    type Item = (Box<str>, Json);
    type IntoIter = std::vec::IntoIter<(Box<str>, Json)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

/// Builds an object from its members: `object([("resourceType", "Patient".into())])`.
#[must_use]
pub fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().collect())
}

/// Builds an array from values that become JSON.
#[must_use]
pub fn array<V: Into<Json>>(values: impl IntoIterator<Item = V>) -> Json {
    Json::Array(values.into_iter().map(Into::into).collect())
}

impl Json {
    /// Returns the text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the digits of a number as they were written.
    #[must_use]
    pub fn as_number(&self) -> Option<&str> {
        match self {
            Self::Number(literal) => Some(literal),
            _ => None,
        }
    }

    /// Returns a number that is a whole 64-bit integer.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number()?.parse().ok()
    }

    /// Returns a number as a float.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number()?.parse().ok()
    }

    /// Returns a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the items of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the items of an array for change.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Json>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the members of an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&JsonObject> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns the members of an object for change.
    pub fn as_object_mut(&mut self) -> Option<&mut JsonObject> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Tells whether the value is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns a member of an object; anything else has none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.as_object()?.get(name)
    }

    /// Returns a member of an object for change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        self.as_object_mut()?.get_mut(name)
    }

    /// Takes a member out of an object.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        self.as_object_mut()?.remove(name)
    }

    /// Returns the text of a member that is a string.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Returns an item of an array.
    #[must_use]
    pub fn get_index(&self, index: usize) -> Option<&Json> {
        self.as_array()?.get(index)
    }

    /// Returns the items of an array, or the value itself as the only item; `null` has none.
    #[must_use]
    pub fn items(&self) -> &[Json] {
        match self {
            Self::Null => &[],
            Self::Array(items) => items,
            single => std::slice::from_ref(single),
        }
    }

    /// Names the kind of value in the words of JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Appends the compact text.
    pub fn write(&self, output: &mut Vec<u8>) {
        writer::write(self, output);
    }

    /// Returns the compact text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut output = Vec::with_capacity(256);
        self.write(&mut output);
        output
    }

    /// Returns the text with a line for each value, indented.
    #[must_use]
    pub fn to_pretty_bytes(&self) -> Vec<u8> {
        let mut output = Vec::with_capacity(256);
        writer::write_pretty(self, 0, &mut output);
        output.push(b'\n');
        output
    }
}

impl fmt::Display for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Array(items) => write!(formatter, "Json(array of {})", items.len()),
            Self::Object(members) => members.fmt(formatter),
            other => write!(formatter, "Json({})", other.kind()),
        }
    }
}

impl fmt::Debug for JsonObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Json(object of {})", self.len())
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Box<str>> for Json {
    fn from(text: Box<str>) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<JsonObject> for Json {
    fn from(members: JsonObject) -> Self {
        Self::Object(members)
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Self::Array(items)
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Json {
            fn from(value: $integer) -> Self {
                Self::Number(value.to_string().into())
            }
        }
    )*};
}
from_integer!(i16, i32, i64, u16, u32, u64, usize);

impl From<f64> for Json {
    /// Numbers that JSON cannot write become `null`.
    fn from(value: f64) -> Self {
        if value.is_finite() { Self::Number(value.to_string().into()) } else { Self::Null }
    }
}
