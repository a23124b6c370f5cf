//! What is written, with its index rows: made by whoever asks, so that those who write for many only gather it.

use seva_fhir::access::patients_in;
use seva_fhir::index;
use seva_fhir::json::{Limits, parse};
use seva_fhir::ports::{Draft, Method, StoreError, Stored, Write};
use seva_fhir::types::{ResourceKey, TenantId};

use crate::Database;
use crate::rows::{IndexRows, resource_hash};

/// A resource that isn't there.
pub(super) struct Insertion {
    pub(super) stored: Stored,
    pub(super) method: Method,
    /// The hash of its key.
    pub(super) hash: i64,
    /// The version of the set of parameters that the rows are of.
    pub(super) parameter_set: i32,
    pub(super) rows: IndexRows,
    pub(super) patients: String,
}

/// A version or a deletion after the version that was read.
pub(super) struct Replacement {
    pub(super) read: Stored,
    /// The version, time and body that come; no body is a deletion.
    pub(super) next: (i32, i64, Option<Vec<u8>>),
    /// The version of the set of parameters that the added rows are of.
    pub(super) parameter_set: Option<i32>,
    pub(super) removed: IndexRows,
    pub(super) added: IndexRows,
    /// The patients of the version that was read and of the one that comes: both are concerned.
    pub(super) patients: String,
}

/// One of both.
pub(super) enum Prepared {
    Insertion(Box<Insertion>),
    Replacement(Box<Replacement>),
}

impl Prepared {
    /// Makes the index rows of a write.
    pub(super) fn of(database: &Database, tenant: TenantId, write: Write) -> Result<Self, StoreError> {
        Ok(match write {
            Write::Insert { draft, method } => Self::Insertion(Box::new(Insertion::of(database, draft, method))),
            Write::Replace { read, read_entries, draft } => {
                let patients = index::compartments(&read_entries, read.key.resource_type());
                let before = IndexRows::of(database, &read_entries, &patients);
                let after = rows_of(database, &draft);
                let stored = &draft.stored;
                Self::Replacement(Box::new(Replacement {
                    patients: concerned(&read, Some(stored)),
                    read,
                    parameter_set: Some(draft.parameter_set),
                    next: (stored.version.get(), stored.updated.micros(), Some(stored.body.to_vec())),
                    removed: before.minus(&after),
                    added: after.minus(&before),
                }))
            }
            Write::Remove { read, version, at } => {
                let resource = parse(&read.body, &Limits::default())
                    .map_err(|error| StoreError::Unavailable(format!("{} does not parse: {error}", read.key)))?;
                let kind = read.key.resource_type();
                let parameters = database.registry.parameters(tenant);
                let entries = index::extract(&resource, kind, &parameters);
                Self::Replacement(Box::new(Replacement {
                    removed: IndexRows::of(database, &entries, &index::compartments(&entries, kind)),
                    patients: concerned(&read, None),
                    read,
                    next: (version.get(), at.micros(), None),
                    parameter_set: None,
                    added: IndexRows::default(),
                }))
            }
        })
    }
}

impl Insertion {
    /// Makes the index rows of a new resource.
    pub(super) fn of(database: &Database, draft: Draft, method: Method) -> Self {
        Self {
            hash: resource_hash(database, &draft.stored.key),
            rows: rows_of(database, &draft),
            patients: patients_in(&draft.stored).join(","),
            parameter_set: draft.parameter_set,
            stored: draft.stored,
            method,
        }
    }

    pub(super) fn key(&self) -> &ResourceKey {
        &self.stored.key
    }
}

impl Replacement {
    pub(super) fn key(&self) -> &ResourceKey {
        &self.read.key
    }

    pub(super) fn is_deletion(&self) -> bool {
        self.next.2.is_none()
    }
}

fn concerned(read: &Stored, next: Option<&Stored>) -> String {
    let mut patients = patients_in(read);
    patients.extend(next.into_iter().flat_map(patients_in));
    patients.sort_unstable();
    patients.dedup();
    patients.join(",")
}

fn rows_of(database: &Database, draft: &Draft) -> IndexRows {
    let patients = index::compartments(&draft.entries, draft.stored.key.resource_type());
    IndexRows::of(database, &draft.entries, &patients)
}
