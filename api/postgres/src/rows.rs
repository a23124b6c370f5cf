//! Search values as index rows: what the domain extracted, hashed and laid out in columns for one statement.

pub(crate) mod dated;

use std::collections::HashSet;
use std::hash::Hash;

use seva_fhir::index::{IndexEntry, IndexValue, ReferenceIndex, fold};
use seva_fhir::search::CanonicalUnit;
use seva_fhir::types::ResourceKey;

use crate::Database;
use crate::hash::{Qualifier, Tag};
use crate::registry::Indexed;

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
    /// Parameter, unit, the bits of the value, detail: floats have no `Eq`, their bits do.
    pub(crate) number: HashSet<(i32, i64, u64, i64)>,
}

/// A number under its unit; the detail is the unit's code where the unit is any, and the end of a time.
pub(crate) struct NumberRow {
    unit: i64,
    value: f64,
    detail: i64,
}

/// The first part of a composite, and how it is qualified.
type First = (i64, Qualifier);

impl IndexRows {
    /// Makes the rows of a resource.
    pub(crate) fn of(database: &Database, entries: &[IndexEntry], patients: &[ResourceKey]) -> Self {
        let mut rows = Self::default();
        for entry in entries {
            if let Some(parameter) = database.registry.indexed(entry.parameter) {
                rows.add(database, parameter, &entry.value);
            }
        }
        rows.forget_repeated_texts(database, entries);
        dated::add(database, &mut rows, entries);
        for patient in patients {
            rows.token.insert((database.registry.compartment(), compartment_hash(database, patient)));
        }
        rows
    }

    /// A city needs no row under the whole address beside that of its own: searches look under both.
    fn forget_repeated_texts(&mut self, database: &Database, entries: &[IndexEntry]) {
        let mut before = None;
        // The entries of a parameter stand together.
        for entry in entries.iter().filter(|entry| before.replace(entry.parameter) != Some(entry.parameter)) {
            let Some((whole, narrower)) = database.registry.partly_under(entry.parameter) else { continue };
            let of_elements = self.string.iter().filter(|(parameter, _)| narrower.contains(parameter));
            let repeated: Vec<(i32, String)> = of_elements.map(|(_, text)| (whole, text.clone())).collect();
            for row in &repeated {
                self.string.remove(row);
            }
        }
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

    fn add(&mut self, database: &Database, parameter: Indexed, value: &IndexValue) {
        let hash = database.hash;
        let id = parameter.id;
        match value {
            IndexValue::Token { system, code, .. } => {
                self.add_token(database, parameter, system.as_deref(), code.as_deref());
            }
            IndexValue::String(text) => {
                self.string.insert((id, string_row(text)));
            }
            IndexValue::Reference(reference) => self.add_reference(database, parameter, reference),
            IndexValue::Date { low, high } => {
                self.date.insert((id, *low, *high));
            }
            IndexValue::Number { low, high } => {
                self.number.insert((id, 0, f64::midpoint(*low, *high).to_bits(), 0));
            }
            IndexValue::Quantity { .. } => {
                let rows = quantities(database, value).into_iter();
                self.number.extend(rows.map(|row| (id, row.unit, row.value.to_bits(), row.detail)));
            }
            IndexValue::Uri(uri) => {
                self.uri.insert((id, hash.of(Tag::Url, &[uri])));
            }
            IndexValue::Composite(parts) => self.add_composite(database, id, parts),
            // `near` reads the position from the resource: there are few places, and no order among them.
            IndexValue::Position { .. } => {}
        }
    }

    /// Two values that stand together share a row: the first one is part of what the second one is found under.
    /// A composite of three is decided on the resource.
    fn add_composite(&mut self, database: &Database, parameter: i32, parts: &[Vec<IndexValue>]) {
        let [firsts, seconds] = parts else { return };
        for first in firsts {
            for second in seconds {
                match second {
                    IndexValue::Quantity { .. } => {
                        for row in quantities(database, second) {
                            self.add_paired(database, parameter, first, &row);
                        }
                    }
                    IndexValue::Date { low, high } => {
                        let row = NumberRow { unit: 0, value: as_number(*low), detail: *high };
                        self.add_paired(database, parameter, first, &row);
                    }
                    IndexValue::String(text) => {
                        let text = fold(text);
                        let rows = keys(database, first).into_iter();
                        self.string.extend(rows.map(|key| (parameter, paired_string(database, key, cut(&text)))));
                    }
                    other => {
                        let others = keys(database, other);
                        for key in keys(database, first) {
                            let rows = others.iter().map(|own| (parameter, database.hash.pair(key, *own)));
                            self.token.extend(rows);
                        }
                    }
                }
            }
        }
    }

    fn add_paired(&mut self, database: &Database, parameter: i32, first: &IndexValue, row: &NumberRow) {
        if let Some(first) = first_of(database, first) {
            let unit = paired_unit(database, first, row.unit);
            self.number.insert((parameter, unit, row.value.to_bits(), row.detail));
        }
    }

    /// A code under itself and under its system; where no value has a system, under itself alone.
    fn add_token(&mut self, database: &Database, parameter: Indexed, system: Option<&str>, code: Option<&str>) {
        if let Some(code) = code {
            self.token.insert((parameter.id, code_hash(database, code)));
        }
        if parameter.is_qualified {
            let code = code.unwrap_or_default();
            self.token.insert((parameter.id, exact_hash(database, system, code)));
        }
    }

    fn add_reference(&mut self, database: &Database, parameter: Indexed, reference: &ReferenceIndex) {
        if let Some(key) = &reference.key {
            self.reference.insert((parameter.id, resource_hash(database, key)));
        }
        if let Some(url) = &reference.url {
            self.reference.insert((parameter.id, database.hash.of(Tag::Url, &[url])));
        }
        if let Some((system, value)) = &reference.identifier {
            self.add_token(database, parameter, system.as_deref(), Some(value));
        }
    }
}

fn difference<T: Eq + Hash + Clone>(of: &HashSet<T>, other: &HashSet<T>) -> HashSet<T> {
    of.difference(other).cloned().collect()
}

/// The hash of a code in any system.
pub(crate) fn code_hash(database: &Database, code: &str) -> i64 {
    database.hash.qualified(Tag::Code, &[code], Qualifier::ANY)
}

/// The hash of a code in its system, or in none.
pub(crate) fn exact_hash(database: &Database, system: Option<&str>, code: &str) -> i64 {
    let parts = [system.unwrap_or_default(), code];
    database.hash.qualified(Tag::Exact, &parts, qualifier(database, system))
}

/// The qualifier of a system, or of none.
pub(crate) fn qualifier(database: &Database, system: Option<&str>) -> Qualifier {
    system.map_or(Qualifier::NONE, |system| database.hash.qualifier(system))
}

/// The hashes under which a code or a reference is found as a part of a composite.
fn keys(database: &Database, value: &IndexValue) -> Vec<i64> {
    match value {
        IndexValue::Token { system, code: Some(code), .. } => {
            vec![code_hash(database, code), exact_hash(database, system.as_deref(), code)]
        }
        IndexValue::Reference(reference) => {
            let key = reference.key.as_ref().map(|key| resource_hash(database, key));
            key.into_iter().chain(reference.url.as_ref().map(|url| database.hash.of(Tag::Url, &[url]))).collect()
        }
        _ => Vec::new(),
    }
}

/// A code beside a number: one row serves the code in any system, and in its own.
fn first_of(database: &Database, value: &IndexValue) -> Option<First> {
    match value {
        IndexValue::Token { system, code: Some(code), .. } => {
            Some((code_hash(database, code), qualifier(database, system.as_deref())))
        }
        _ => None,
    }
}

/// The unit of a number that stands beside a code.
pub(crate) fn paired_unit(database: &Database, (first, qualifier): First, unit: i64) -> i64 {
    database.hash.qualified(Tag::Composite, &[&first.to_string(), &unit.to_string()], qualifier)
}

/// The units under which a quantity is found, with its number in each: any, beside the unit's code and its text; and its
/// base units, or the code in its system where that has none. What counts of a number's range is its middle.
fn quantities(database: &Database, quantity: &IndexValue) -> Vec<NumberRow> {
    let hash = database.hash;
    let IndexValue::Quantity { low, high, system, code, unit } = quantity else { return Vec::new() };
    let value = f64::midpoint(*low, *high);
    let of_code = |code: &str| NumberRow { unit: 0, value, detail: hash.of(Tag::UnitCode, &[code]) };
    let mut found: Vec<NumberRow> = code.iter().map(|code| of_code(code)).collect();
    found.extend(unit.iter().filter(|unit| code.as_ref() != Some(*unit)).map(|unit| of_code(unit)));
    if found.is_empty() {
        found.push(NumberRow { unit: 0, value, detail: 0 });
    }
    if let Some(code) = code {
        let system = system.as_deref().unwrap_or_default();
        let (unit, value) = match CanonicalUnit::of(system, code) {
            Some(unit) => {
                let middle = f64::midpoint(unit.value(*low), unit.value(*high));
                (hash.of(Tag::BaseUnit, &[&unit.base]), middle)
            }
            None => (hash.of(Tag::Unit, &[system, code]), value),
        };
        found.push(NumberRow { unit, value, detail: 0 });
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
pub(crate) fn paired_string(database: &Database, first: i64, folded: &str) -> String {
    format!("{:016x}{AS_WRITTEN}{folded}", database.hash.pair(first, 0))
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
