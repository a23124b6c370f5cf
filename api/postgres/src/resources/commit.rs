//! Writing: one write is one autocommit statement; several are one transaction of at most two statements.

use seva_fhir::ports::{Guard, StoreError, Write, WriteContext};
use seva_fhir::types::{ResourceKey, TenantId};
use sqlx::{Executor, Postgres, Transaction};

use super::apply::{insert, replace};
use super::guards;
use super::prepared::{Insertion, Prepared, Replacement};
use super::row_ids::RowIds;
use super::writes::{Existing, Locked};
use crate::Database;
use crate::failure::{is_retryable, is_unique_violation, unavailable};

/// How often a transaction is tried when PostgreSQL breaks a deadlock with it.
const ATTEMPTS: u32 = 5;

/// What one statement takes.
#[derive(Default)]
struct Batch {
    inserts: Vec<Insertion>,
    replacements: Vec<Replacement>,
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
    Work::prepare(database, row_ids, context.tenant, (writes, guards)).await?.carry_out(database, context).await
}

/// Writes one version or deletion and commits.
pub(super) async fn commit_replacement(
    database: &Database,
    context: &WriteContext,
    replacement: Replacement,
) -> Result<(), StoreError> {
    let first = Some(replacement.key().clone());
    let batch = Batch { replacements: vec![replacement], ..Batch::default() };
    Work { batch, guards: Vec::new(), rids: Vec::new(), first, attempts: 0 }.carry_out(database, context).await
}

/// Writes new resources and commits, all or none of them; all are of one tenant.
pub(super) async fn create(
    database: &Database,
    contexts: &[&WriteContext],
    inserts: &[&Insertion],
    rids: &[i64],
) -> Result<(), StoreError> {
    let mut connection = database.connections.take().await.map_err(unavailable)?;
    match insert((&mut *connection, Existing::Refused), database, contexts, inserts, rids).await {
        Ok(_) => {
            connection.give_back();
            Ok(())
        }
        Err(error) if is_unique_violation(&error) => match inserts.first() {
            Some(first) => Err(StoreError::Exists { key: first.key().clone() }),
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
            match Prepared::of(database, tenant, write)? {
                Prepared::Insertion(insertion) => batch.inserts.push(*insertion),
                Prepared::Replacement(replacement) => batch.replacements.push(*replacement),
            }
        }
        let rids = row_ids.take(batch.inserts.len()).await.map_err(unavailable)?;
        Ok(Self { batch, guards, rids, first, attempts: 0 })
    }

    async fn carry_out(mut self, database: &Database, context: &WriteContext) -> Result<(), StoreError> {
        loop {
            let done = self.commit(database, context).await;
            if let Some(()) = self.settle(done)? {
                return Ok(());
            }
        }
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
        let inserted = self.batch.inserts.first().map(|insert| insert.key().clone());
        let replaced = self.batch.replacements.first().map(|replacement| replacement.key().clone());
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
                let done = batch.replace(&database.pool, database, context).await?;
                if done { Ok(()) } else { Err(Failed::Changed) }
            } else {
                let done = batch.insert(&database.pool, database, context, &self.rids).await?;
                if done { Ok(()) } else { Err(Failed::Exists) }
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
        if !batch.replacements.is_empty() && !batch.replace(&mut *transaction, database, context).await? {
            return Ok(Err(Failed::Changed));
        }
        if !batch.inserts.is_empty() && !batch.insert(&mut *transaction, database, context, rids).await? {
            return Ok(Err(Failed::Exists));
        }
        Ok(Ok(transaction))
    }
}

impl Batch {
    /// Whether all were new.
    async fn insert<'e, E: Executor<'e, Database = Postgres>>(
        &self,
        executor: E,
        database: &Database,
        context: &WriteContext,
        rids: &[i64],
    ) -> Result<bool, sqlx::Error> {
        let inserts: Vec<&Insertion> = self.inserts.iter().collect();
        let contexts = vec![context; inserts.len()];
        let done = insert((executor, Existing::Kept), database, &contexts, &inserts, rids).await?;
        Ok(usize::try_from(done) == Ok(inserts.len()))
    }

    /// Whether all were still at the version that was read.
    async fn replace<'e, E: Executor<'e, Database = Postgres>>(
        &self,
        executor: E,
        database: &Database,
        context: &WriteContext,
    ) -> Result<bool, sqlx::Error> {
        let replacements: Vec<&Replacement> = self.replacements.iter().collect();
        let contexts = vec![context; replacements.len()];
        let done = replace((executor, Locked::Awaited), database, &contexts, &replacements).await?;
        Ok(done.len() == replacements.len())
    }
}
