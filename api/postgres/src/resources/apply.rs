//! Runs the statements of `writes` for what was prepared.

use seva_fhir::ports::{Stored, WriteContext};
use sqlx::{AssertSqlSafe, Executor, Postgres};

use super::columns::IndexColumns;
use super::prepared::{Insertion, Replacement};
use super::writes::{self, Existing, Locked, Replaced};
use crate::Database;
use crate::audit::written;

/// Writes new resources, each in its context, all of one tenant; answers how many.
pub(super) async fn insert<'e, E: Executor<'e, Database = Postgres>>(
    (executor, existing): (E, Existing),
    database: &Database,
    contexts: &[&WriteContext],
    inserts: &[&Insertion],
    rids: &[i64],
) -> Result<i64, sqlx::Error> {
    let mut index = IndexColumns::default();
    for (insert, rid) in inserts.iter().zip(rids) {
        index.extend(*rid, &insert.rows);
    }
    let tables = index.tables();
    let stored = || inserts.iter().map(|insert| &insert.stored);
    let query = sqlx::query_scalar(AssertSqlSafe(writes::insert(existing, tables)))
        .bind(contexts.first().map(|context| context.tenant.get()))
        .bind(who(contexts))
        .bind(requests(contexts))
        .bind(rids)
        .bind(inserts.iter().map(|insert| insert.hash).collect::<Vec<i64>>())
        .bind(stored().map(|stored| stored.updated.micros()).collect::<Vec<i64>>())
        .bind(stored().map(|stored| stored.version.get()).collect::<Vec<i32>>())
        .bind(stored().map(type_code).collect::<Vec<i16>>())
        .bind(inserts.iter().map(|insert| insert.method.code()).collect::<Vec<i16>>())
        .bind(stored().map(|stored| stored.key.id().as_str()).collect::<Vec<&str>>())
        .bind(stored().map(|stored| stored.body.as_ref()).collect::<Vec<&[u8]>>())
        .bind(oldest_set(database, inserts.iter().map(|insert| insert.parameter_set)))
        .bind(inserts.iter().map(|insert| insert.patients.as_str()).collect::<Vec<&str>>())
        .bind(addresses(contexts));
    index.bind(tables, query).fetch_one(executor).await
}

/// Writes versions and deletions after those that were read, each in its context, all of one tenant and none of the same
/// resource; answers the places, from 1, of those that were still at the version that was read.
pub(super) async fn replace<'e, E: Executor<'e, Database = Postgres>>(
    (executor, locked): (E, Locked),
    database: &Database,
    contexts: &[&WriteContext],
    replacements: &[&Replacement],
) -> Result<Vec<i64>, sqlx::Error> {
    let (mut removed, mut added) = (IndexColumns::default(), IndexColumns::default());
    for (place, replacement) in (1..).zip(replacements) {
        removed.extend(place, &replacement.removed);
        added.extend(place, &replacement.added);
    }
    let tables = removed.tables().with(added.tables());
    let all = || replacements.iter().copied();
    let what = Replaced { updates: !all().all(Replacement::is_deletion), deletes: all().any(Replacement::is_deletion) };
    let mut query = sqlx::query_scalar(AssertSqlSafe(writes::replace(what, locked, tables)))
        .bind(contexts.first().map(|context| context.tenant.get()))
        .bind(who(contexts))
        .bind(requests(contexts))
        .bind(all().map(|replacement| type_code(&replacement.read)).collect::<Vec<i16>>())
        .bind(all().map(|replacement| replacement.key().id().as_str()).collect::<Vec<&str>>())
        .bind(all().map(|replacement| replacement.read.version.get()).collect::<Vec<i32>>())
        .bind(all().map(|replacement| replacement.next.0).collect::<Vec<i32>>())
        .bind(all().map(|replacement| replacement.next.1).collect::<Vec<i64>>())
        .bind(all().map(|replacement| replacement.next.2.as_deref()).collect::<Vec<Option<&[u8]>>>())
        .bind(all().map(|replacement| replacement.patients.as_str()).collect::<Vec<&str>>())
        .bind(addresses(contexts));
    if what.updates {
        query = query.bind(oldest_set(database, all().filter_map(|replacement| replacement.parameter_set)));
    }
    added.bind(tables, removed.bind(tables, query)).fetch_all(executor).await
}

fn type_code(stored: &Stored) -> i16 {
    stored.key.resource_type().code()
}

fn who<'a>(contexts: &[&'a WriteContext]) -> Vec<&'a str> {
    contexts.iter().map(|context| context.who.as_ref()).collect()
}

fn requests<'a>(contexts: &[&'a WriteContext]) -> Vec<&'a str> {
    contexts.iter().map(|context| context.request.id.as_ref()).collect()
}

fn addresses(contexts: &[&WriteContext]) -> Vec<Option<String>> {
    contexts.iter().map(|context| written(context.request.address)).collect()
}

/// One number stands for all rows of a statement: the oldest makes sure that none counts as newer than it is.
fn oldest_set(database: &Database, sets: impl Iterator<Item = i32>) -> i32 {
    sets.min().unwrap_or_else(|| database.registry.set())
}
