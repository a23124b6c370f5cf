//! Secrets that all nodes of one database share: made once, by whoever comes first.

use rand::TryRngCore;
use seva_fhir::ports::StoreError;
use sqlx::PgPool;

use crate::Database;
use crate::failure::unavailable;

/// Reads and makes shared secrets.
#[derive(Clone)]
pub struct PostgresSecrets {
    pool: PgPool,
}

impl PostgresSecrets {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { pool: database.pool.clone() }
    }

    /// Returns a secret, storing the given value when there is none yet.
    pub async fn get_or_store(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        store_once(&self.pool, name, value).await.map_err(unavailable)
    }
}

/// Returns a random secret of this length.
pub(crate) async fn get_or_create(pool: &PgPool, name: &str, length: usize) -> Result<Vec<u8>, sqlx::Error> {
    let mut value = vec![0; length];
    rand::rngs::OsRng.try_fill_bytes(&mut value).map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
    store_once(pool, name, &value).await
}

async fn store_once(pool: &PgPool, name: &str, value: &[u8]) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query("INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(value)
        .execute(pool)
        .await?;
    sqlx::query_scalar("SELECT value FROM secret WHERE name = $1").bind(name).fetch_one(pool).await
}
