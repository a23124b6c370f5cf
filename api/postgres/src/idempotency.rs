//! Answers by idempotency key. A reservation that a crash left behind is free again after a minute.

use async_trait::async_trait;
use seva_fhir::access::{Begun, IdempotencyKey, IdempotencyStore, KeptAnswer};
use seva_fhir::ports::StoreError;
use sqlx::PgPool;

use crate::Database;
use crate::failure::unavailable;

/// Answers by key in PostgreSQL.
#[derive(Clone)]
pub struct PostgresIdempotency {
    pool: PgPool,
}

impl PostgresIdempotency {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { pool: database.pool.clone() }
    }
}

#[async_trait]
impl IdempotencyStore for PostgresIdempotency {
    async fn begin(&self, key: &IdempotencyKey, request: &[u8; 32]) -> Result<Begun, StoreError> {
        const RESERVE: &str = "INSERT INTO idempotency (tenant, account, key, request) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (tenant, account, key) DO UPDATE SET created = now() \
            WHERE idempotency.status IS NULL AND idempotency.request = excluded.request \
            AND idempotency.created < now() - interval '1 minute' RETURNING true";
        const KNOWN: &str =
            "SELECT request, status, body FROM idempotency WHERE tenant = $1 AND account = $2 AND key = $3";
        let reserved: Option<bool> = sqlx::query_scalar(RESERVE)
            .bind(key.tenant.get())
            .bind(key.account.as_ref())
            .bind(key.key.as_ref())
            .bind(request.as_slice())
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)?;
        if reserved.is_some() {
            return Ok(Begun::New);
        }
        let known: Option<(Vec<u8>, Option<i16>, Option<Vec<u8>>)> = sqlx::query_as(KNOWN)
            .bind(key.tenant.get())
            .bind(key.account.as_ref())
            .bind(key.key.as_ref())
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(match known {
            Some((digest, _, _)) if digest != request => Begun::Other,
            Some((_, Some(status), Some(body))) => {
                Begun::Done(KeptAnswer { status: u16::try_from(status).unwrap_or(500), body })
            }
            _ => Begun::Busy,
        })
    }

    async fn keep(&self, key: &IdempotencyKey, answer: &KeptAnswer) -> Result<(), StoreError> {
        const KEEP: &str =
            "UPDATE idempotency SET status = $4, body = $5 WHERE tenant = $1 AND account = $2 AND key = $3";
        sqlx::query(KEEP)
            .bind(key.tenant.get())
            .bind(key.account.as_ref())
            .bind(key.key.as_ref())
            .bind(i16::try_from(answer.status).unwrap_or(500))
            .bind(&answer.body)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(unavailable)
    }

    async fn forget(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM idempotency WHERE tenant = $1 AND account = $2 AND key = $3")
            .bind(key.tenant.get())
            .bind(key.account.as_ref())
            .bind(key.key.as_ref())
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(unavailable)
    }
}
