//! Search values as index rows: what the domain extracted, hashed and laid out in columns for one statement.

use std::collections::HashSet;
use std::hash::Hash;

use seva_fhir::index::{IndexEntry, IndexValue, ReferenceIndex, fold};
use seva_fhir::types::ResourceKey;

use crate::Database;
use crate::hash::Tag;

/// The longest text in a B-tree: PostgreSQL refuses entries over a third of a page.
const LONGEST_TEXT: usize = 600;

/// Parts the folded text from the text as written, so that one row serves both kinds of match.
pub(crate) const AS_WRITTEN: char = '\u{1}';

/// The rows of one resource, without duplicates.
#[derive(Clone, Default)]
pub(crate) struct IndexRows {
    pub(crate) token: HashSet<(i32, i64)>,
    pub(crate) reference: HashSet<(i32, i64)>,
    pub(crate) uri: HashSet<(i32, i64)>,
    pub(crate) string: HashSet<(i32, String)>,
    pub(crate) date: HashSet<(i32, i64, i64)>,
    /// Parameter, unit, then the bits of low and high: floats have no `Eq`, their bits do.
    pub(crate) number: HashSet<(i32, i64, u64, u64)>,
}

impl IndexRows {
    /// Makes the rows of a resource.
    pub(crate) fn of(database: &Database, entries: &[IndexEntry], patients: &[ResourceKey]) -> Self {
        let mut rows = Self::default();
        for entry in entries {
            if let Some(parameter) = database.registry.id(entry.parameter) {
                rows.add(database, parameter, &entry.value);
            }
        }
        for patient in patients {
            rows.token.insert((database.registry.compartment(), compartment_hash(database, patient)));
        }
        rows
    }

    /// What is in these rows and not in the others.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        Self {
            token: difference(&self.token, &other.token),
            reference: difference(&self.reference, &other.reference),
            uri: difference(&self.uri, &other.uri),
            string: difference(&self.string, &other.string),
            date: difference(&self.date, &other.date),
            number: difference(&self.number, &other.number),
        }
    }

    fn add(&mut self, database: &Database, parameter: i32, value: &IndexValue) {
        let hash = database.hash;
        match value {
            IndexValue::Token { system, code, .. } => {
                self.add_token(database, parameter, system.as_deref(), code.as_deref())
            }
            IndexValue::String(text) => {
                self.string.insert((parameter, string_row(text)));
            }
            IndexValue::Reference(reference) => self.add_reference(database, parameter, reference),
            IndexValue::Date { low, high } => {
                self.date.insert((parameter, *low, *high));
            }
            IndexValue::Number { low, high } => {
                self.number.insert((parameter, 0, low.to_bits(), high.to_bits()));
            }
            IndexValue::Quantity { low, high, system, code, unit } => {
                let (low, high) = (low.to_bits(), high.to_bits());
                self.number.insert((parameter, 0, low, high));
                if let Some(code) = code {
                    self.number.insert((parameter, hash.of(Tag::UnitCode, &[code]), low, high));
                    let system = system.as_deref().unwrap_or_default();
                    self.number.insert((parameter, hash.of(Tag::Unit, &[system, code]), low, high));
                }
                if let Some(unit) = unit {
                    self.number.insert((parameter, hash.of(Tag::UnitCode, &[unit]), low, high));
                }
            }
            IndexValue::Uri(uri) => {
                self.uri.insert((parameter, hash.of(Tag::Url, &[uri])));
            }
            // Positions and composites get their rows with the searches that use them.
            IndexValue::Position { .. } | IndexValue::Composite(_) => {}
        }
    }

    fn add_token(&mut self, database: &Database, parameter: i32, system: Option<&str>, code: Option<&str>) {
        let hash = database.hash;
        if let Some(code) = code {
            self.token.insert((parameter, hash.of(Tag::Code, &[code])));
            let qualified = match system {
                Some(system) => hash.of(Tag::Exact, &[system, code]),
                None => hash.of(Tag::NoSystem, &[code]),
            };
            self.token.insert((parameter, qualified));
        }
        if let Some(system) = system {
            self.token.insert((parameter, hash.of(Tag::System, &[system])));
        }
    }

    fn add_reference(&mut self, database: &Database, parameter: i32, reference: &ReferenceIndex) {
        let hash = database.hash;
        if let Some(key) = &reference.key {
            self.reference.insert((parameter, resource_hash(database, key)));
        }
        if let Some(url) = &reference.url {
            self.reference.insert((parameter, hash.of(Tag::Url, &[url])));
        }
        if let Some((system, value)) = &reference.identifier {
            self.add_token(database, parameter, system.as_deref(), Some(value));
        }
    }
}

fn difference<T: Eq + Hash + Clone>(of: &HashSet<T>, other: &HashSet<T>) -> HashSet<T> {
    of.difference(other).cloned().collect()
}

/// The hash under which references find a resource, before it exists too (decision D17).
pub(crate) fn resource_hash(database: &Database, key: &ResourceKey) -> i64 {
    database.hash.of(Tag::Resource, &[key.resource_type().as_str(), key.id().as_str()])
}

pub(crate) fn compartment_hash(database: &Database, patient: &ResourceKey) -> i64 {
    database.hash.of(Tag::Compartment, &[patient.id().as_str()])
}

/// The folded text, and behind it the text as written where that differs.
pub(crate) fn string_row(text: &str) -> String {
    let mut row = cut(&fold(text)).to_owned();
    if row != text {
        row.push(AS_WRITTEN);
        row.push_str(cut(text));
    }
    row
}

/// Cuts at a character boundary; a search for longer text compares as much.
pub(crate) fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
