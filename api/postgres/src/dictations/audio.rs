//! The audio of dictations as it comes in. These statements stay SQL: they run for every second of every open microphone,
//! and arrays keep them one shape however many frames a batch has (decision D18).

use seva_clinic::dictation::{AudioChunk, Claim, DictationState, DictationStoreError, Saved};
use seva_fhir::types::TenantId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::rows::{self, unavailable};

/// Commits the frames that are not there yet; a frame is acknowledged after this. The frames of a file come under the claim
/// on its decoding.
pub(super) async fn append(
    pool: &PgPool,
    (tenant, id): (TenantId, Uuid),
    decoding: Option<Claim>,
    chunks: Vec<AudioChunk>,
) -> Result<Saved, DictationStoreError> {
    let mut transaction = pool.begin().await.map_err(unavailable)?;
    let before = lock(&mut transaction, (tenant, id), decoding).await?;
    let fresh = fresh(&mut transaction, tenant, id, before, chunks).await?;
    let Some(last) = fresh.last() else { return Ok(before) };
    let saved = Saved {
        sequence: Some(last.sequence),
        milliseconds: before.milliseconds + fresh.iter().map(|chunk| u64::from(chunk.milliseconds)).sum::<u64>(),
        bytes: before.bytes + fresh.iter().map(|chunk| u64::from(chunk.size)).sum::<u64>(),
    };
    insert(&mut transaction, tenant, id, &fresh).await?;
    let state = if decoding.is_some() { DictationState::Uploaded } else { DictationState::Live };
    note(&mut transaction, (tenant, id), state, saved).await?;
    transaction.commit().await.map_err(unavailable)?;
    Ok(saved)
}

/// Removes what was decoded of a file, under the claim on its decoding.
pub(super) async fn clear(
    pool: &PgPool,
    (tenant, id): (TenantId, Uuid),
    claim: Claim,
) -> Result<(), DictationStoreError> {
    const REMOVE: &str = "DELETE FROM audio_chunk WHERE tenant = $1 AND dictation = $2";
    const NOTE: &str = "UPDATE dictation SET saved_sequence = NULL, saved_milliseconds = 0, saved_bytes = 0 \
        WHERE tenant = $1 AND id = $2";
    let mut transaction = pool.begin().await.map_err(unavailable)?;
    lock(&mut transaction, (tenant, id), Some(claim)).await?;
    for statement in [REMOVE, NOTE] {
        let cleared = sqlx::query(statement).bind(tenant.get()).bind(id).execute(&mut *transaction).await;
        cleared.map_err(unavailable)?;
    }
    transaction.commit().await.map_err(unavailable)
}

/// Makes frames of one dictation queue up, and a state change wait for the frames before it; tells what is committed.
async fn lock(
    connection: &mut PgConnection,
    (tenant, id): (TenantId, Uuid),
    decoding: Option<Claim>,
) -> Result<Saved, DictationStoreError> {
    const LOCK: &str = "SELECT state, fence, saved_sequence, saved_milliseconds, saved_bytes FROM dictation \
        WHERE tenant = $1 AND id = $2 FOR UPDATE";
    let found: Option<(String, i64, Option<i32>, i64, i64)> =
        sqlx::query_as(LOCK).bind(tenant.get()).bind(id).fetch_optional(connection).await.map_err(unavailable)?;
    let Some((state, fence, sequence, milliseconds, bytes)) = found else { return Err(DictationStoreError::State) };
    let state = DictationState::from_code(&state);
    let takes = match decoding {
        Some(claim) => state == Some(DictationState::Uploaded) && fence == claim.fence,
        None => state.is_some_and(DictationState::takes_audio),
    };
    if !takes {
        return Err(DictationStoreError::State);
    }
    rows::saved_of((sequence, milliseconds, bytes))
}

/// Finds the chunk that holds a byte of the samples, and which byte it begins with. Sizes are told without the audio being
/// read.
pub(super) async fn chunk_at(
    pool: &PgPool,
    tenant: TenantId,
    id: Uuid,
    byte: u64,
) -> Result<Option<(u32, u64)>, DictationStoreError> {
    const FIND: &str = "SELECT sequence, before FROM ( \
        SELECT sequence, octet_length(data) - $4 AS size, \
            (sum(octet_length(data) - $4) OVER (ORDER BY sequence ROWS UNBOUNDED PRECEDING) \
                - (octet_length(data) - $4))::int8 AS before \
        FROM audio_chunk WHERE tenant = $1 AND dictation = $2) c \
        WHERE before <= $3 AND before + size > $3";
    let found: Option<(i32, i64)> = sqlx::query_as(FIND)
        .bind(tenant.get())
        .bind(id)
        .bind(i64::try_from(byte).unwrap_or(i64::MAX))
        .bind(i32::try_from(rows::SEALED).unwrap_or(i32::MAX))
        .fetch_optional(pool)
        .await
        .map_err(unavailable)?;
    let Some((sequence, before)) = found else { return Ok(None) };
    let sequence = u32::try_from(sequence).map_err(|_| rows::impossible("sequence"))?;
    Ok(Some((sequence, u64::try_from(before).map_err(|_| rows::impossible("size"))?)))
}

/// Notes how much is committed, and that the microphone is live or the file still decoded.
async fn note(
    connection: &mut PgConnection,
    (tenant, id): (TenantId, Uuid),
    state: DictationState,
    saved: Saved,
) -> Result<(), DictationStoreError> {
    const NOTE: &str = "UPDATE dictation SET saved_sequence = $3, saved_milliseconds = $4, saved_bytes = $5, \
        heard = now(), updated = now(), since = CASE WHEN state = $6 THEN since ELSE now() END, state = $6 \
        WHERE tenant = $1 AND id = $2";
    let wide = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    sqlx::query(NOTE)
        .bind(tenant.get())
        .bind(id)
        .bind(saved.sequence.map(number))
        .bind(wide(saved.milliseconds))
        .bind(wide(saved.bytes))
        .bind(state.code())
        .execute(connection)
        .await
        .map(drop)
        .map_err(unavailable)
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

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
