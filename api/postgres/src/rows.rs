//! Search values as index rows: what the domain extracted, hashed and laid out in columns for one statement.

use std::collections::HashSet;
use std::hash::Hash;

use seva_fhir::index::{IndexEntry, IndexValue, ReferenceIndex, fold};
use seva_fhir::search::CanonicalUnit;
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
            IndexValue::Quantity { .. } => {
                for (unit, low, high) in quantities(database, value) {
                    self.number.insert((parameter, unit, low.to_bits(), high.to_bits()));
                }
            }
            IndexValue::Uri(uri) => {
                self.uri.insert((parameter, hash.of(Tag::Url, &[uri])));
            }
            IndexValue::Composite(parts) => self.add_composite(database, parameter, parts),
            // `near` reads the position from the resource: there are few places, and no order among them.
            IndexValue::Position { .. } => {}
        }
    }

    /// Two values that stand together share a row: the first one is part of what the second one is found under.
    /// A composite of three is decided on the resource.
    fn add_composite(&mut self, database: &Database, parameter: i32, parts: &[Vec<IndexValue>]) {
        let [firsts, seconds] = parts else { return };
        let hash = database.hash;
        for first in firsts.iter().flat_map(|first| keys(database, first)) {
            for second in seconds {
                match second {
                    IndexValue::Quantity { .. } => {
                        for (unit, low, high) in quantities(database, second) {
                            self.number.insert((parameter, hash.pair(first, unit), low.to_bits(), high.to_bits()));
                        }
                    }
                    IndexValue::Date { low, high } => {
                        let (low, high) = (as_number(*low), as_number(*high));
                        self.number.insert((parameter, hash.pair(first, 0), low.to_bits(), high.to_bits()));
                    }
                    IndexValue::String(text) => {
                        self.string.insert((parameter, paired_string(hash.pair(first, 0), cut(&fold(text)))));
                    }
                    other => {
                        let rows = keys(database, other).into_iter().map(|own| (parameter, hash.pair(first, own)));
                        self.token.extend(rows);
                    }
                }
            }
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

/// The hashes under which a code or a reference is found as a part of a composite.
fn keys(database: &Database, value: &IndexValue) -> Vec<i64> {
    let hash = database.hash;
    match value {
        IndexValue::Token { system, code: Some(code), .. } => {
            let qualified = match system {
                Some(system) => hash.of(Tag::Exact, &[system, code]),
                None => hash.of(Tag::NoSystem, &[code]),
            };
            vec![hash.of(Tag::Code, &[code]), qualified]
        }
        IndexValue::Reference(reference) => {
            let key = reference.key.as_ref().map(|key| resource_hash(database, key));
            key.into_iter().chain(reference.url.as_ref().map(|url| hash.of(Tag::Url, &[url]))).collect()
        }
        _ => Vec::new(),
    }
}

/// The units under which a quantity is found, with its range in each: any, its code, its text; and its base units, or the
/// code in its system where that has none.
fn quantities(database: &Database, quantity: &IndexValue) -> Vec<(i64, f64, f64)> {
    let hash = database.hash;
    let IndexValue::Quantity { low, high, system, code, unit } = quantity else { return Vec::new() };
    let mut found = vec![(0, *low, *high)];
    let mut push = |unit: i64| found.push((unit, *low, *high));
    if let Some(code) = code {
        push(hash.of(Tag::UnitCode, &[code]));
    }
    if let Some(unit) = unit.as_ref().filter(|unit| code.as_ref() != Some(unit)) {
        push(hash.of(Tag::UnitCode, &[unit]));
    }
    if let Some(code) = code {
        let system = system.as_deref().unwrap_or_default();
        match CanonicalUnit::of(system, code) {
            Some(unit) => {
                found.push((hash.of(Tag::BaseUnit, &[&unit.base]), unit.value(*low), unit.value(*high)));
            }
            None => push(hash.of(Tag::Unit, &[system, code])),
        }
    }
    found
}

/// A time among numbers: microseconds are whole in a double until the year 2255, and open ends are infinite.
pub(crate) fn as_number(micros: i64) -> f64 {
    match micros {
        i64::MIN => f64::NEG_INFINITY,
        i64::MAX => f64::INFINITY,
        #[expect(clippy::cast_precision_loss, reason = "53 bits of microseconds reach the year 2255")]
        other => other as f64,
    }
}

/// Text behind the hash of what it stands together with.
pub(crate) fn paired_string(first: i64, folded: &str) -> String {
    format!("{first:016x}{AS_WRITTEN}{folded}")
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
