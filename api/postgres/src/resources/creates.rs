//! Creates, together (see `lanes`): the rows of many new resources in one statement and one commit.

use std::sync::Arc;

use seva_fhir::ports::{StoreError, WriteContext};

use super::commit::create;
use super::lanes::{Answer, Together};
use super::prepared::Insertion;
use super::row_ids::RowIds;
use crate::Database;
use crate::failure::unavailable;

/// So many creates go in one statement at most.
pub(super) const MOST: usize = 32;

/// Writes new resources under ids that the server chose.
pub(super) struct Creates {
    pub(super) database: Database,
    pub(super) row_ids: Arc<RowIds>,
}

impl Together for Creates {
    type Wanted = (WriteContext, Insertion);
    type Given = ();

    async fn carry_out(&self, wanted: Vec<Self::Wanted>) -> Vec<Answer<Self>> {
        let all: Vec<&Self::Wanted> = wanted.iter().collect();
        if let [_] = wanted.as_slice() {
            return vec![self.write(&all).await];
        }
        let same = wanted.first().map(|(context, _)| context.tenant);
        if wanted.iter().all(|(context, _)| Some(context.tenant) == same) && self.write(&all).await.is_ok() {
            return wanted.iter().map(|_| Ok(())).collect();
        }
        // Of several hospitals, or one that PostgreSQL refuses: each by itself, so that nobody fails with another.
        let mut answers = Vec::with_capacity(wanted.len());
        for one in &wanted {
            answers.push(match self.write(&[one]).await {
                // The ids are our own: what is there already was committed with the others, and only the answer got lost.
                Err(StoreError::Exists { .. }) => Ok(()),
                answer => answer,
            });
        }
        answers
    }
}

impl Creates {
    async fn write(&self, wanted: &[&(WriteContext, Insertion)]) -> Result<(), StoreError> {
        let inserts: Vec<&Insertion> = wanted.iter().map(|(_, insertion)| insertion).collect();
        let rids = self.row_ids.take(wanted.len()).await.map_err(unavailable)?;
        let contexts: Vec<&WriteContext> = wanted.iter().map(|(context, _)| context).collect();
        create(&self.database, &contexts, &inserts, &rids).await
    }
}
