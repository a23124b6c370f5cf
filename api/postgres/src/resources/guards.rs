//! Conditions of a write, checked where nobody can get between (decision D5): equal criteria of one tenant stand in a row
//! behind a lock that ends with the transaction.

use std::borrow::Cow;

use async_trait::async_trait;
use seva_fhir::index::LetterCase;
use seva_fhir::ports::{Finder, Guard, SearchPage, StoreError};
use seva_fhir::search::SearchQuery;
use seva_fhir::service::{follow_contained, has_chains};
use seva_fhir::types::TenantId;
use sqlx::PgConnection;

use super::statements::LOCK;
use crate::failure::unavailable;
use crate::hash::Tag;
use crate::{Database, search};

/// Searches on the connection that holds the locks.
struct Held<'a> {
    database: &'a Database,
    tenant: TenantId,
    connection: &'a mut PgConnection,
}

#[async_trait]
impl Finder for Held<'_> {
    async fn search(&mut self, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        search::run(self.database, self.tenant, query, self.connection).await
    }
}

/// The locks that guards need, in one order for everybody.
fn locks(database: &Database, tenant: TenantId, guards: &[Guard]) -> Vec<i64> {
    let mut locks: Vec<i64> = guards
        .iter()
        .map(|guard| {
            let tenant = tenant.get().to_string();
            // Words that differ in their letters' case may find the same.
            let words = guard.query.used.iter();
            let mut used: Vec<_> = words.map(|(name, value)| (name, LetterCase::Folded.comparable(value))).collect();
            used.sort();
            let kinds = guard.query.resource_types.iter().map(|kind| kind.as_str());
            let named = used.iter().flat_map(|(name, value)| [name.as_str(), value.as_ref()]);
            let parts: Vec<&str> = [tenant.as_str()].into_iter().chain(kinds).chain(named).collect();
            database.hash.of(Tag::Criteria, &parts)
        })
        .collect();
    locks.sort_unstable();
    locks.dedup();
    locks
}

/// Takes the locks, then compares what each condition finds now with what its write was planned on.
pub(super) async fn hold(
    database: &Database,
    tenant: TenantId,
    guards: &[Guard],
    connection: &mut PgConnection,
) -> Result<(), StoreError> {
    for lock in locks(database, tenant, guards) {
        sqlx::query(LOCK).bind(lock).execute(&mut *connection).await.map_err(unavailable)?;
    }
    for guard in guards {
        let mut query = Cow::Borrowed(&guard.query);
        if has_chains(&query) {
            let mut held = Held { database, tenant, connection: &mut *connection };
            follow_contained(&mut held, query.to_mut()).await?;
        }
        let mut found = search::keys(database, tenant, &query, connection).await?;
        found.sort();
        if found != guard.expected {
            return Err(StoreError::Stale);
        }
    }
    Ok(())
}
