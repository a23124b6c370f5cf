//! Row ids, taken from the sequence in blocks: a create then needs no round trip to learn its own.

use sqlx::PgPool;
use tokio::sync::Mutex;

use super::statements::NEXT_BLOCK;

/// `INCREMENT BY` of the sequence.
const BLOCK: i64 = 256;

pub(super) struct RowIds {
    pool: PgPool,
    block: Mutex<(i64, i64)>,
}

impl RowIds {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool, block: Mutex::new((0, 0)) }
    }

    /// Takes ids; a block that a crash cuts short leaves a harmless gap.
    pub(super) async fn take(&self, count: usize) -> Result<Vec<i64>, sqlx::Error> {
        let mut taken = Vec::with_capacity(count);
        let mut block = self.block.lock().await;
        while taken.len() < count {
            if block.0 == block.1 {
                let start: i64 = sqlx::query_scalar(NEXT_BLOCK).fetch_one(&self.pool).await?;
                *block = (start, start + BLOCK);
            }
            taken.push(block.0);
            block.0 += 1;
        }
        Ok(taken)
    }
}
