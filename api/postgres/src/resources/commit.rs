//! Writing: one write is one autocommit statement; several are one transaction of at most two statements.

use seva_fhir::access::patients_in;
use seva_fhir::index;
use seva_fhir::json::{Limits, parse};
use seva_fhir::ports::{Draft, Guard, Method, StoreError, Stored, Write, WriteContext};
use seva_fhir::types::{ResourceKey, TenantId};
use sqlx::{AssertSqlSafe, Executor, Postgres, Transaction};

use super::columns::IndexColumns;
use super::guards;
use super::row_ids::RowIds;
use super::writes::{self, Existing, Replaced};
use crate::Database;
use crate::audit::written;
use crate::failure::{is_retryable, is_unique_violation, unavailable};
use crate::rows::{IndexRows, resource_hash};

/// How often a transaction is tried when PostgreSQL breaks a deadlock with it.
const ATTEMPTS: u32 = 5;

/// What one statement takes.
#[derive(Default)]
struct Batch {
    inserts: Vec<(Draft, Method)>,
    replacements: Vec<Replacement>,
}

struct Replacement {
    read: Stored,
    /// The version, time and body that come; no body is a deletion.
    next: (i32, i64, Option<Vec<u8>>),
    /// The version of the set of parameters that the added rows are of.
    parameter_set: Option<i32>,
    removed: IndexRows,
    added: IndexRows,
    /// The patients of the version that was read and of the one that comes: both are concerned.
    patients: String,
}

/// What is written, ready to be tried.
struct Work {
    batch: Batch,
    guards: Vec<Guard>,
    /// The row ids of what is inserted.
    rids: Vec<i64>,
    /// The first resource of the request, for errors that have no other to name.
    first: Option<ResourceKey>,
    attempts: u32,
}

/// Why an attempt wrote nothing.
#[derive(Clone, Copy)]
enum Failed {
    Exists,
    Changed,
    Stale,
}

/// Writes and commits.
pub(super) async fn commit(
    database: &Database,
    row_ids: &RowIds,
    context: &WriteContext,
    (writes, guards): (Vec<Write>, Vec<Guard>),
) -> Result<(), StoreError> {
    if writes.is_empty() {
        return Ok(());
    }
    let mut work = Work::prepare(database, row_ids, context.tenant, (writes, guards)).await?;
    loop {
        let done = work.commit(database, context).await;
        if let Some(()) = work.settle(done)? {
            return Ok(());
        }
    }
}

/// Writes new resources and commits, all or none of them; all are of one tenant.
pub(super) async fn create(
    database: &Database,
    contexts: &[&WriteContext],
    inserts: &[(&Draft, Method)],
    rids: &[i64],
) -> Result<(), StoreError> {
    match insert((&database.pool, Existing::Refused), database, contexts, inserts, rids).await {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => match inserts.first() {
            Some((draft, _)) => Err(StoreError::Exists { key: draft.stored.key.clone() }),
            None => Err(unavailable(error)),
        },
        Err(error) => Err(unavailable(error)),
    }
}

/// Writes, and leaves the transaction open.
pub(super) async fn write(
    database: &Database,
    row_ids: &RowIds,
    context: &WriteContext,
    (writes, guards): (Vec<Write>, Vec<Guard>),
) -> Result<Transaction<'static, Postgres>, StoreError> {
    let mut work = Work::prepare(database, row_ids, context.tenant, (writes, guards)).await?;
    loop {
        let done = work.write(database, context).await;
        if let Some(transaction) = work.settle(done)? {
            return Ok(transaction);
        }
    }
}

impl Work {
    async fn prepare(
        database: &Database,
        row_ids: &RowIds,
        tenant: TenantId,
        (mut writes, guards): (Vec<Write>, Vec<Guard>),
    ) -> Result<Self, StoreError> {
        // Locks are taken in one order by everybody, so that two bundles do not wait for each other (decision D5).
        writes.sort_by(|left, right| left.key().cmp(right.key()));
        let first = writes.first().map(|write| write.key().clone());
        let mut batch = Batch::default();
        for write in writes {
            batch.add(database, tenant, write)?;
        }
        let rids = row_ids.take(batch.inserts.len()).await.map_err(unavailable)?;
        Ok(Self { batch, guards, rids, first, attempts: 0 })
    }

    /// What an attempt brought; nothing when it is to be tried again.
    fn settle<T>(&mut self, done: Result<Result<T, Failed>, sqlx::Error>) -> Result<Option<T>, StoreError> {
        self.attempts += 1;
        match done {
            Ok(Ok(done)) => Ok(Some(done)),
            Ok(Err(failed)) => Err(self.error(failed)),
            Err(error) if is_retryable(&error) && self.attempts < ATTEMPTS => Ok(None),
            // Others want the same rows again and again: a conflict of writers, the store itself is well.
            Err(error) if is_retryable(&error) => Err(self.error(Failed::Changed)),
            Err(error) if is_unique_violation(&error) => Err(self.error(Failed::Exists)),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Names the resource where there is one candidate, else the first of the request.
    fn error(&self, failed: Failed) -> StoreError {
        let inserted = self.batch.inserts.first().map(|(draft, _)| draft.stored.key.clone());
        let replaced = self.batch.replacements.first().map(|replacement| replacement.read.key.clone());
        let (candidate, exists) = match failed {
            Failed::Stale => return StoreError::Stale,
            Failed::Exists => (inserted, true),
            Failed::Changed => (replaced, false),
        };
        match (candidate.or_else(|| self.first.clone()), exists) {
            (Some(key), true) => StoreError::Exists { key },
            (Some(key), false) => StoreError::Conflict { key },
            (None, _) => StoreError::Unavailable("a write without a resource".to_owned()),
        }
    }

    async fn commit(&self, database: &Database, context: &WriteContext) -> Result<Result<(), Failed>, sqlx::Error> {
        let batch = &self.batch;
        if self.guards.is_empty() && batch.inserts.len() + batch.replacements.len() == 1 {
            return Ok(if batch.inserts.is_empty() {
                let done = replace(&database.pool, database, context, batch).await?;
                if done == 1 { Ok(()) } else { Err(Failed::Changed) }
            } else {
                let done = insert((&database.pool, Existing::Kept), database, &[context], &batch.inserts(), &self.rids)
                    .await?;
                if done == 1 { Ok(()) } else { Err(Failed::Exists) }
            });
        }
        match self.write(database, context).await? {
            Ok(transaction) => transaction.commit().await.map(Ok),
            Err(failed) => Ok(Err(failed)),
        }
    }

    async fn write(
        &self,
        database: &Database,
        context: &WriteContext,
    ) -> Result<Result<Transaction<'static, Postgres>, Failed>, sqlx::Error> {
        let Self { batch, guards, rids, .. } = self;
        let mut transaction = database.pool.begin().await?;
        if !guards.is_empty() {
            match guards::hold(database, context.tenant, guards, &mut transaction).await {
                Ok(()) => {}
                Err(StoreError::Stale) => return Ok(Err(Failed::Stale)),
                Err(error) => return Err(sqlx::Error::Protocol(error.to_string())),
            }
        }
        if !batch.replacements.is_empty() {
            let done = replace(&mut *transaction, database, context, batch).await?;
            if done != count(batch.replacements.len()) {
                return Ok(Err(Failed::Changed));
            }
        }
        if !batch.inserts.is_empty() {
            let contexts = vec![context; batch.inserts.len()];
            let done = insert((&mut *transaction, Existing::Kept), database, &contexts, &batch.inserts(), rids).await?;
            if done != count(batch.inserts.len()) {
                return Ok(Err(Failed::Exists));
            }
        }
        Ok(Ok(transaction))
    }
}

/// One number stands for all rows of a statement: the oldest makes sure that none counts as newer than it is.
fn oldest_set(database: &Database, sets: impl Iterator<Item = i32>) -> i32 {
    sets.min().unwrap_or_else(|| database.registry.set())
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// The contexts are those of the resources, all of one tenant.
async fn insert<'e, E: Executor<'e, Database = Postgres>>(
    (executor, existing): (E, Existing),
    database: &Database,
    contexts: &[&WriteContext],
    inserts: &[(&Draft, Method)],
    rids: &[i64],
) -> Result<i64, sqlx::Error> {
    let mut index = IndexColumns::default();
    for ((draft, _), rid) in inserts.iter().zip(rids) {
        index.extend(*rid, rows_of(database, draft));
    }
    let tables = index.tables();
    let column = |of: fn(&Stored) -> i64| inserts.iter().map(|(draft, _)| of(&draft.stored)).collect::<Vec<i64>>();
    let drafts = || inserts.iter().map(|(draft, _)| &draft.stored);
    let query = sqlx::query_scalar(AssertSqlSafe(writes::insert(existing, tables)))
        .bind(contexts.first().map(|context| context.tenant.get()))
        .bind(contexts.iter().map(|context| context.who.as_ref()).collect::<Vec<&str>>())
        .bind(contexts.iter().map(|context| context.request.id.as_ref()).collect::<Vec<&str>>())
        .bind(rids)
        .bind(drafts().map(|stored| resource_hash(database, &stored.key)).collect::<Vec<i64>>())
        .bind(column(|stored| stored.updated.micros()))
        .bind(drafts().map(|stored| stored.version.get()).collect::<Vec<i32>>())
        .bind(drafts().map(|stored| stored.key.resource_type().code()).collect::<Vec<i16>>())
        .bind(inserts.iter().map(|(_, method)| method.code()).collect::<Vec<i16>>())
        .bind(drafts().map(|stored| stored.key.id().as_str()).collect::<Vec<&str>>())
        .bind(drafts().map(|stored| stored.body.as_ref()).collect::<Vec<&[u8]>>())
        .bind(oldest_set(database, inserts.iter().map(|(draft, _)| draft.parameter_set)));
    let patients: Vec<String> = drafts().map(|stored| patients_in(stored).join(",")).collect();
    let addresses: Vec<Option<String>> = contexts.iter().map(|context| written(context.request.address)).collect();
    index.bind(tables, query.bind(patients).bind(addresses)).fetch_one(executor).await
}

async fn replace<'e, E: Executor<'e, Database = Postgres>>(
    executor: E,
    database: &Database,
    context: &WriteContext,
    batch: &Batch,
) -> Result<i64, sqlx::Error> {
    let (mut removed, mut added) = (IndexColumns::default(), IndexColumns::default());
    for (place, replacement) in (1..).zip(&batch.replacements) {
        removed.extend(place, replacement.removed.clone());
        added.extend(place, replacement.added.clone());
    }
    let tables = removed.tables().with(added.tables());
    let replacements = || batch.replacements.iter();
    let is_gone = |replacement: &Replacement| replacement.next.2.is_none();
    let what = Replaced { updates: !replacements().all(is_gone), deletes: replacements().any(is_gone) };
    let patients: Vec<&str> = replacements().map(|next| next.patients.as_str()).collect();
    let mut query = sqlx::query_scalar(AssertSqlSafe(writes::replace(what, tables)))
        .bind(context.tenant.get())
        .bind(context.who.as_ref())
        .bind(context.request.id.as_ref())
        .bind(replacements().map(|next| next.read.key.resource_type().code()).collect::<Vec<i16>>())
        .bind(replacements().map(|next| next.read.key.id().as_str()).collect::<Vec<&str>>())
        .bind(replacements().map(|next| next.read.version.get()).collect::<Vec<i32>>())
        .bind(replacements().map(|next| next.next.0).collect::<Vec<i32>>())
        .bind(replacements().map(|next| next.next.1).collect::<Vec<i64>>())
        .bind(replacements().map(|next| next.next.2.as_deref()).collect::<Vec<Option<&[u8]>>>())
        .bind(patients)
        .bind(written(context.request.address));
    if what.updates {
        query = query.bind(oldest_set(database, replacements().filter_map(|next| next.parameter_set)));
    }
    added.bind(tables, removed.bind(tables, query)).fetch_one(executor).await
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

impl Batch {
    fn inserts(&self) -> Vec<(&Draft, Method)> {
        self.inserts.iter().map(|(draft, method)| (draft, *method)).collect()
    }

    fn add(&mut self, database: &Database, tenant: TenantId, write: Write) -> Result<(), StoreError> {
        match write {
            Write::Insert { draft, method } => self.inserts.push((draft, method)),
            Write::Replace { read, read_entries, draft } => {
                let patients = index::compartments(&read_entries, read.key.resource_type());
                let before = IndexRows::of(database, &read_entries, &patients);
                let after = rows_of(database, &draft);
                let stored = &draft.stored;
                self.replacements.push(Replacement {
                    patients: concerned(&read, Some(stored)),
                    read,
                    parameter_set: Some(draft.parameter_set),
                    next: (stored.version.get(), stored.updated.micros(), Some(stored.body.to_vec())),
                    removed: before.minus(&after),
                    added: after.minus(&before),
                });
            }
            Write::Remove { read, version, at } => {
                let resource = parse(&read.body, &Limits::default())
                    .map_err(|error| StoreError::Unavailable(format!("{} does not parse: {error}", read.key)))?;
                let kind = read.key.resource_type();
                let parameters = database.registry.parameters(tenant);
                let entries = index::extract(&resource, kind, &parameters);
                let removed = IndexRows::of(database, &entries, &index::compartments(&entries, kind));
                let next = (version.get(), at.micros(), None);
                self.replacements.push(Replacement {
                    patients: concerned(&read, None),
                    read,
                    next,
                    parameter_set: None,
                    removed,
                    added: IndexRows::default(),
                });
            }
        }
        Ok(())
    }
}
