//! Connections for what requests ask most: of those at rest the one that was used last is used next, while what PostgreSQL's
//! process knows of the statements is still in the processor's caches. The pool under it hands out each in turn, and asks each
//! for a sign of life when it comes back, a round trip a statement. See docs/decisions/0048.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// After so long a rest a connection is asked for a sign of life before it is used.
const FRESH: Duration = Duration::from_secs(1);

/// So long after it was taken from the pool a connection goes back, which closes old ones.
const KEPT: Duration = Duration::from_secs(600);

/// The share of the pool's connections that may be here; the rest is for transactions and everything else.
const SHARE: (u32, u32) = (2, 3);

/// Connections, some at rest.
#[derive(Clone)]
pub(crate) struct Connections {
    pool: PgPool,
    turns: Arc<Semaphore>,
    resting: Arc<Mutex<Vec<Resting>>>,
}

struct Resting {
    connection: PoolConnection<Postgres>,
    taken: Instant,
    since: Instant,
}

/// A connection in use. Dropped without [`Lent::give_back`] (an error, somebody who went away) it goes to the pool, which
/// makes sure that it is sound.
pub(crate) struct Lent {
    connection: PoolConnection<Postgres>,
    taken: Instant,
    from: Arc<Mutex<Vec<Resting>>>,
    turn: OwnedSemaphorePermit,
}

impl Connections {
    /// Over a pool of so many connections.
    pub(crate) fn new(pool: &PgPool, connections: u32) -> Self {
        let most = (connections * SHARE.0 / SHARE.1).max(1);
        let turns = Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(1)));
        Self { pool: pool.clone(), turns, resting: Arc::default() }
    }

    /// Waits for a connection.
    pub(crate) async fn take(&self) -> Result<Lent, sqlx::Error> {
        let turn =
            tokio::time::timeout(self.pool.options().get_acquire_timeout(), Arc::clone(&self.turns).acquire_owned())
                .await
                .map_err(|_| sqlx::Error::PoolTimedOut)?
                .map_err(|_| sqlx::Error::PoolClosed)?;
        let lent = |connection, taken| Lent { connection, taken, from: Arc::clone(&self.resting), turn };
        let rested = lock(&self.resting).pop();
        if let Some(mut rested) = rested
            && (rested.since.elapsed() < FRESH || rested.connection.ping().await.is_ok())
        {
            return Ok(lent(rested.connection, rested.taken));
        }
        Ok(lent(self.pool.acquire().await?, Instant::now()))
    }

    /// Gives all to the pool, and lends none any more.
    pub(crate) fn close(&self) {
        self.turns.close();
        lock(&self.resting).clear();
    }
}

impl Lent {
    /// After all that was asked was answered: the next one gets it.
    pub(crate) fn give_back(self) {
        let Self { connection, taken, from, turn } = self;
        let mut resting = lock(&from);
        if !turn.semaphore().is_closed() && taken.elapsed() < KEPT {
            resting.push(Resting { connection, taken, since: Instant::now() });
        }
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

fn lock(resting: &Mutex<Vec<Resting>>) -> MutexGuard<'_, Vec<Resting>> {
    resting.lock().unwrap_or_else(PoisonError::into_inner)
}
