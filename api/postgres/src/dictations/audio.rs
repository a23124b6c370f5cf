//! The audio of dictations as it comes in. These statements stay SQL: they run for every second of every open microphone,
//! and arrays keep them one shape however many frames a batch has (decision D18).

use seva_clinic::dictation::{AudioChunk, DictationState, DictationStoreError, Saved};
use seva_fhir::types::TenantId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::rows::unavailable;

/// Commits the frames that are not there yet; a frame is acknowledged after this.
pub(super) async fn append(
    pool: &PgPool,
    tenant: TenantId,
    id: Uuid,
    chunks: Vec<AudioChunk>,
) -> Result<Saved, DictationStoreError> {
    let mut transaction = pool.begin().await.map_err(unavailable)?;
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

/// What is committed.
pub(super) async fn saved(
    connection: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
) -> Result<Saved, DictationStoreError> {
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
