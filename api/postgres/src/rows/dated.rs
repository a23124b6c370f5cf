//! Rows in which resources of a code, and those of a code and a subject, stand in the order of their dates: what EHRs ask most,
//! `Observation?patient&code&_sort=-date`, is one walk over an index that ends when the page is full (decision 0009).

use std::collections::HashSet;

use seva_fhir::index::{IndexEntry, IndexValue};

use super::{IndexRows, as_number, exact_hash, resource_hash};
use crate::Database;
use crate::hash::Tag;
use crate::registry::Role;

/// The values of one resource that these rows are made of.
#[derive(Default)]
struct Parts {
    kind: &'static str,
    codes: HashSet<i64>,
    subjects: HashSet<i64>,
    /// The last of its dates.
    last: Option<(i64, i64)>,
}

/// The unit of index rows of numbers under which resources of a type with a code, and a subject, stand.
pub(crate) fn unit(database: &Database, kind: &str, code: i64, subject: Option<i64>) -> i64 {
    let subject = subject.map(|subject| subject.to_string()).unwrap_or_default();
    database.hash.of(Tag::Dated, &[kind, &code.to_string(), &subject])
}

/// Adds the rows of a resource: each bears its last date, one without a date comes before all others.
pub(super) fn add(database: &Database, rows: &mut IndexRows, entries: &[IndexEntry]) {
    let mut parts = Parts::default();
    for entry in entries {
        if let Some((kind, role)) = database.registry.role(entry.parameter) {
            parts.kind = kind;
            parts.add(database, role, &entry.value);
        }
    }
    let parameter = database.registry.dated();
    let (low, high) = parts.last.unwrap_or((i64::MIN, i64::MIN));
    for code in &parts.codes {
        for subject in std::iter::once(None).chain(parts.subjects.iter().copied().map(Some)) {
            let unit = unit(database, parts.kind, *code, subject);
            rows.number.insert((parameter, unit, as_number(low).to_bits(), high));
        }
    }
}

impl Parts {
    fn add(&mut self, database: &Database, role: Role, value: &IndexValue) {
        match (role, value) {
            (Role::Code, IndexValue::Token { system, code: Some(code), .. }) => {
                self.codes.insert(exact_hash(database, system.as_deref(), code));
            }
            (Role::Date, IndexValue::Date { low, high }) => self.last = self.last.max(Some((*low, *high))),
            (Role::Subject, IndexValue::Reference(reference)) => {
                self.subjects.extend(reference.key.as_ref().map(|key| resource_hash(database, key)));
                self.subjects.extend(reference.url.as_ref().map(|url| database.hash.of(Tag::Url, &[url])));
            }
            _ => {}
        }
    }
}
