//! Rows of dictations and chunks as the domain's values.

use chrono::{DateTime, Utc};
use seva_clinic::dictation::{AudioChunk, Dictation, DictationState, DictationStoreError};
use seva_fhir::types::ResourceKey;
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;

pub(super) const COLUMNS: &str = "id, state, patient, encounter, consent, settings, result, created, updated";

pub(super) fn dictation_of(row: &PgRow) -> Result<Dictation, DictationStoreError> {
    let state: &str = row.try_get("state").map_err(unavailable)?;
    let created: DateTime<Utc> = row.try_get("created").map_err(unavailable)?;
    let updated: DateTime<Utc> = row.try_get("updated").map_err(unavailable)?;
    let Json(settings) = row.try_get("settings").map_err(unavailable)?;
    let result: Option<Json<_>> = row.try_get("result").map_err(unavailable)?;
    Ok(Dictation {
        id: row.try_get("id").map_err(unavailable)?,
        state: DictationState::from_code(state).ok_or_else(|| impossible("state"))?,
        patient: key(row, "patient")?,
        encounter: key(row, "encounter")?,
        consent: key(row, "consent")?,
        settings,
        result: result.map(|Json(result)| result).unwrap_or_default(),
        created: created.into(),
        updated: updated.into(),
    })
}

pub(super) fn chunk_of(row: &PgRow) -> Result<AudioChunk, DictationStoreError> {
    let number = |column: &str| {
        let value: i32 = row.try_get(column).map_err(unavailable)?;
        u32::try_from(value).map_err(|_| impossible(column))
    };
    let digest: Vec<u8> = row.try_get("sha256").map_err(unavailable)?;
    Ok(AudioChunk {
        sequence: number("sequence")?,
        milliseconds: number("milliseconds")?,
        sha256: digest.try_into().map_err(|_| impossible("sha256"))?,
        data: row.try_get("data").map_err(unavailable)?,
    })
}

fn key(row: &PgRow, column: &str) -> Result<ResourceKey, DictationStoreError> {
    let text: &str = row.try_get(column).map_err(unavailable)?;
    text.parse().map_err(|_| impossible(column))
}

pub(super) fn impossible(column: &str) -> DictationStoreError {
    DictationStoreError::Unavailable(format!("a stored dictation has an impossible {column}"))
}

pub(super) fn unavailable(error: sqlx::Error) -> DictationStoreError {
    DictationStoreError::Unavailable(error.to_string())
}
