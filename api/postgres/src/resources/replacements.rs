//! Updates and deletions, together (see `lanes`): the next versions of many resources in one statement and one commit.

use std::collections::HashSet;
use std::sync::Arc;

use seva_fhir::ports::{StoreError, WriteContext};

use super::apply::replace;
use super::commit::commit_replacement;
use super::lanes::{Answer, Lanes, Together};
use super::prepared::Replacement;
use super::writes::Locked;
use crate::Database;

/// So many replacements go in one statement at most.
const MOST: usize = 32;

/// Writes the versions after those that were read.
pub(super) struct Replacements {
    database: Database,
}

impl Replacements {
    /// The lanes of a database.
    pub(super) fn lanes(database: &Database) -> Arc<Lanes<Self>> {
        Lanes::new(Self { database: database.clone() }, MOST)
    }
}

impl Lanes<Replacements> {
    /// Writes a version and commits.
    pub(super) async fn write(
        self: &Arc<Self>,
        context: WriteContext,
        replacement: Replacement,
    ) -> Result<(), StoreError> {
        match self.ask((context.clone(), replacement)).await? {
            None => Ok(()),
            Some(alone) => commit_replacement(&self.work.database, &context, alone).await,
        }
    }
}

impl Replacements {
    async fn replace(
        &self,
        contexts: &[&WriteContext],
        replacements: &[&Replacement],
    ) -> Result<Vec<i64>, sqlx::Error> {
        let mut connection = self.database.connections.take().await?;
        let executor = (&mut *connection, Locked::LeftOut);
        let done = replace(executor, &self.database, contexts, replacements).await?;
        connection.give_back();
        Ok(done)
    }
}

impl Together for Replacements {
    type Wanted = (WriteContext, Replacement);
    /// Nothing once it is written. What was changed meanwhile, is locked, or is refused together with others comes back and
    /// is to be tried by itself, so that nobody waits for another's lock or fails with another.
    type Given = Option<Replacement>;

    async fn carry_out(&self, wanted: Vec<Self::Wanted>) -> Vec<Answer<Self>> {
        let tenant = wanted.first().map(|(context, _)| context.tenant);
        let mut seen = HashSet::new();
        // A statement sees each resource as it was before: of two that replace the same one, one goes by itself.
        let goes_along: Vec<bool> = wanted
            .iter()
            .map(|(context, next)| Some(context.tenant) == tenant && seen.insert(next.key().clone()))
            .collect();
        let chosen = || wanted.iter().zip(&goes_along).filter(|(_, goes_along)| **goes_along).map(|(wanted, _)| wanted);
        let contexts: Vec<&WriteContext> = chosen().map(|(context, _)| context).collect();
        let replacements: Vec<&Replacement> = chosen().map(|(_, replacement)| replacement).collect();
        let done = match self.replace(&contexts, &replacements).await {
            Ok(done) => done,
            // Refused, so that nothing was written.
            Err(sqlx::Error::Database(_)) => Vec::new(),
            // Whether it was written is unknown.
            Err(error) => {
                let unknown = |_| Err(StoreError::Unavailable(error.to_string()));
                return wanted.iter().map(unknown).collect();
            }
        };
        let (mut places, mut given) = (1.., Vec::with_capacity(wanted.len()));
        for ((_, replacement), goes_along) in wanted.into_iter().zip(goes_along) {
            let is_done = goes_along && places.next().is_some_and(|place| done.contains(&place));
            given.push(Ok(if is_done { None } else { Some(replacement) }));
        }
        given
    }
}
