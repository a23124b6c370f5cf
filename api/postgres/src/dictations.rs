//! Dictations and their audio: an acknowledged frame is a committed row, and shredding a key is deleting one.

mod keys;
mod rows;

use async_trait::async_trait;
use seva_clinic::dictation::{
    AudioChunk, Claim, Dictation, DictationState, DictationStore, DictationStoreError, LEASE, Saved,
};
use seva_fhir::types::{ResourceKey, TenantId};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use crate::Database;
use rows::{COLUMNS, dictation_of, unavailable};

/// Dictations in PostgreSQL.
#[derive(Clone)]
pub struct PostgresDictations {
    pool: PgPool,
}

impl PostgresDictations {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { pool: database.pool.clone() }
    }
}

#[async_trait]
impl DictationStore for PostgresDictations {
    async fn create(&self, tenant: TenantId, dictation: &Dictation) -> Result<(), DictationStoreError> {
        const CREATE: &str = "INSERT INTO dictation (tenant, id, account, state, patient, encounter, consent, settings, result) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        sqlx::query(CREATE)
            .bind(tenant.get())
            .bind(dictation.id)
            .bind(&dictation.settings.account)
            .bind(dictation.state.code())
            .bind(dictation.patient.to_string())
            .bind(dictation.encounter.to_string())
            .bind(dictation.consent.to_string())
            .bind(Json(&dictation.settings))
            .bind(Json(&dictation.result))
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(unavailable)
    }

    async fn find(&self, tenant: TenantId, id: Uuid) -> Result<Option<Dictation>, DictationStoreError> {
        let statement = format!("SELECT {COLUMNS} FROM dictation WHERE tenant = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(tenant.get())
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)?;
        row.as_ref().map(dictation_of).transpose()
    }

    async fn by_encounter(
        &self,
        tenant: TenantId,
        encounter: &ResourceKey,
    ) -> Result<Vec<Dictation>, DictationStoreError> {
        let statement = format!(
            "SELECT {COLUMNS} FROM dictation WHERE tenant = $1 AND encounter = $2 ORDER BY created, id LIMIT 500"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(tenant.get())
            .bind(encounter.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        rows.iter().map(dictation_of).collect()
    }

    async fn append(&self, tenant: TenantId, id: Uuid, chunks: Vec<AudioChunk>) -> Result<Saved, DictationStoreError> {
        let mut transaction = self.pool.begin().await.map_err(unavailable)?;
        // The row lock makes frames of one dictation queue up, and a state change wait for the frames before it.
        let state: Option<String> =
            sqlx::query_scalar("SELECT state FROM dictation WHERE tenant = $1 AND id = $2 FOR UPDATE")
                .bind(tenant.get())
                .bind(id)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(unavailable)?;
        if state.as_deref() != Some(DictationState::Open.code()) {
            return Err(DictationStoreError::State);
        }
        let saved = saved(&mut transaction, tenant, id).await?;
        let fresh = fresh(&mut transaction, tenant, id, saved, chunks).await?;
        insert(&mut transaction, tenant, id, &fresh).await?;
        transaction.commit().await.map_err(unavailable)?;
        let added: u64 = fresh.iter().map(|chunk| u64::from(chunk.milliseconds)).sum();
        Ok(Saved {
            sequence: fresh.last().map(|chunk| chunk.sequence).or(saved.sequence),
            milliseconds: saved.milliseconds + added,
        })
    }

    async fn chunks(
        &self,
        tenant: TenantId,
        id: Uuid,
        from: u32,
        count: u32,
    ) -> Result<Vec<AudioChunk>, DictationStoreError> {
        const CHUNKS: &str = "SELECT sequence, milliseconds, sha256, data FROM audio_chunk \
            WHERE tenant = $1 AND dictation = $2 AND sequence >= $3 ORDER BY sequence LIMIT $4";
        let rows = sqlx::query(CHUNKS)
            .bind(tenant.get())
            .bind(id)
            .bind(i64::from(from))
            .bind(i64::from(count))
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        rows.iter().map(rows::chunk_of).collect()
    }

    async fn saved(&self, tenant: TenantId, id: Uuid) -> Result<Saved, DictationStoreError> {
        let mut connection = self.pool.acquire().await.map_err(unavailable)?;
        saved(&mut connection, tenant, id).await
    }

    async fn update(
        &self,
        tenant: TenantId,
        dictation: &Dictation,
        expected: DictationState,
    ) -> Result<(), DictationStoreError> {
        const UPDATE: &str = "UPDATE dictation SET state = $4, result = $5, updated = now() \
            WHERE tenant = $1 AND id = $2 AND state = $3";
        let done = sqlx::query(UPDATE)
            .bind(tenant.get())
            .bind(dictation.id)
            .bind(expected.code())
            .bind(dictation.state.code())
            .bind(Json(&dictation.result))
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(DictationStoreError::State) }
    }

    async fn unfinished(&self) -> Result<Vec<(TenantId, Uuid)>, DictationStoreError> {
        const FREE: &str = "SELECT tenant, id FROM dictation WHERE state = 'finishing' \
            AND (leased_until IS NULL OR leased_until < now()) ORDER BY created LIMIT 100";
        let rows = sqlx::query(FREE).fetch_all(&self.pool).await.map_err(unavailable)?;
        rows.iter()
            .map(|row| {
                let tenant: i32 = row.try_get("tenant").map_err(unavailable)?;
                let tenant = TenantId::try_from(tenant).map_err(|_| rows::impossible("tenant"))?;
                Ok((tenant, row.try_get("id").map_err(unavailable)?))
            })
            .collect()
    }

    async fn claim(&self, tenant: TenantId, id: Uuid) -> Result<Option<Claim>, DictationStoreError> {
        const CLAIM: &str = "UPDATE dictation SET fence = fence + 1, leased_until = now() + $3 * interval '1 second' \
            WHERE tenant = $1 AND id = $2 AND state = 'finishing' AND (leased_until IS NULL OR leased_until < now()) \
            RETURNING fence";
        let fence: Option<i64> = sqlx::query_scalar(CLAIM)
            .bind(tenant.get())
            .bind(id)
            .bind(LEASE.as_secs_f64())
            .fetch_optional(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(fence.map(Claim))
    }

    async fn renew(&self, tenant: TenantId, id: Uuid, claim: Claim) -> Result<bool, DictationStoreError> {
        const RENEW: &str = "UPDATE dictation SET leased_until = now() + $4 * interval '1 second' \
            WHERE tenant = $1 AND id = $2 AND fence = $3 AND state = 'finishing'";
        let done = sqlx::query(RENEW)
            .bind(tenant.get())
            .bind(id)
            .bind(claim.0)
            .bind(LEASE.as_secs_f64())
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(done.rows_affected() == 1)
    }

    async fn complete(&self, tenant: TenantId, dictation: &Dictation, claim: Claim) -> Result<(), DictationStoreError> {
        const COMPLETE: &str = "UPDATE dictation SET state = $4, result = $5, updated = now(), leased_until = NULL \
            WHERE tenant = $1 AND id = $2 AND fence = $3 AND state = 'finishing'";
        let done = sqlx::query(COMPLETE)
            .bind(tenant.get())
            .bind(dictation.id)
            .bind(claim.0)
            .bind(dictation.state.code())
            .bind(Json(&dictation.result))
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(DictationStoreError::State) }
    }

    async fn release(&self) -> Result<(), DictationStoreError> {
        sqlx::query("UPDATE dictation SET leased_until = NULL WHERE state = 'finishing'")
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(unavailable)
    }

    async fn withdraw(&self, tenant: TenantId, id: Uuid) -> Result<(), DictationStoreError> {
        const WITHDRAW: &str = "WITH k AS (DELETE FROM blob_key WHERE tenant = $1 AND blob = $2), \
            a AS (DELETE FROM audio_chunk WHERE tenant = $1 AND dictation = $2) \
            UPDATE dictation SET state = 'withdrawn', result = NULL, updated = now() \
            WHERE tenant = $1 AND id = $2 AND state <> 'withdrawn'";
        let done = sqlx::query(WITHDRAW).bind(tenant.get()).bind(id).execute(&self.pool).await.map_err(unavailable)?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(DictationStoreError::State) }
    }
}

async fn saved(connection: &mut PgConnection, tenant: TenantId, id: Uuid) -> Result<Saved, DictationStoreError> {
    const SAVED: &str = "SELECT max(sequence), COALESCE(sum(milliseconds), 0)::int8 FROM audio_chunk \
        WHERE tenant = $1 AND dictation = $2";
    let (sequence, milliseconds): (Option<i32>, i64) =
        sqlx::query_as(SAVED).bind(tenant.get()).bind(id).fetch_one(connection).await.map_err(unavailable)?;
    Ok(Saved {
        sequence: sequence.and_then(|sequence| u32::try_from(sequence).ok()),
        milliseconds: u64::try_from(milliseconds).unwrap_or_default(),
    })
}

/// Leaves out frames that are committed already, after checking that they are the same; refuses a gap.
async fn fresh(
    connection: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    saved: Saved,
    chunks: Vec<AudioChunk>,
) -> Result<Vec<AudioChunk>, DictationStoreError> {
    let mut expected = saved.sequence.map_or(0, |sequence| sequence + 1);
    let mut fresh = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        if chunk.sequence < expected {
            let known: Option<Vec<u8>> = sqlx::query_scalar(
                "SELECT sha256 FROM audio_chunk WHERE tenant = $1 AND dictation = $2 AND sequence = $3",
            )
            .bind(tenant.get())
            .bind(id)
            .bind(i64::from(chunk.sequence))
            .fetch_optional(&mut *connection)
            .await
            .map_err(unavailable)?;
            if known.is_some_and(|known| known != chunk.sha256) {
                return Err(DictationStoreError::Differs { sequence: chunk.sequence });
            }
            continue;
        }
        if chunk.sequence > expected {
            return Err(DictationStoreError::Gap { expected });
        }
        expected += 1;
        fresh.push(chunk);
    }
    Ok(fresh)
}

async fn insert(
    connection: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    chunks: &[AudioChunk],
) -> Result<(), DictationStoreError> {
    const INSERT: &str = "INSERT INTO audio_chunk (tenant, dictation, sequence, milliseconds, sha256, data) \
        SELECT $1, $2, sequence, milliseconds, sha256, data \
        FROM UNNEST($3::int4[], $4::int4[], $5::bytea[], $6::bytea[]) n(sequence, milliseconds, sha256, data)";
    if chunks.is_empty() {
        return Ok(());
    }
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    sqlx::query(INSERT)
        .bind(tenant.get())
        .bind(id)
        .bind(chunks.iter().map(|chunk| number(chunk.sequence)).collect::<Vec<i32>>())
        .bind(chunks.iter().map(|chunk| number(chunk.milliseconds)).collect::<Vec<i32>>())
        .bind(chunks.iter().map(|chunk| chunk.sha256.as_slice()).collect::<Vec<&[u8]>>())
        .bind(chunks.iter().map(|chunk| chunk.data.as_slice()).collect::<Vec<&[u8]>>())
        .execute(connection)
        .await
        .map(drop)
        .map_err(unavailable)
}
