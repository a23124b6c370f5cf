//! Rows of dictations and chunks as the domain's values.

use sea_orm::ActiveValue::Set;
use seva_clinic::dictation::{
    AudioChunk, AudioPlace, Dictation, DictationResult, DictationState, DictationStoreError, Saved,
};
use seva_fhir::types::{ResourceKey, TenantId, VersionId};

use crate::entities::{audio_chunk, dictation};

/// By how many bytes sealed audio is longer: its nonce and its tag.
pub(super) const SEALED: usize = 28;

pub(super) fn row_of(tenant: TenantId, dictation: &Dictation) -> Result<dictation::ActiveModel, DictationStoreError> {
    Ok(dictation::ActiveModel {
        tenant: Set(tenant.get()),
        id: Set(dictation.id),
        account: Set(dictation.settings.account.clone()),
        patient: Set(dictation.patient.to_string()),
        encounter: Set(dictation.encounter.to_string()),
        consent: Set(dictation.consent.to_string()),
        consent_version: Set(dictation.consent_version.map(VersionId::get)),
        audio: Set(dictation.audio.code().to_owned()),
        settings: Set(serde_json::to_string(&dictation.settings).map_err(unwritable)?),
        ..outcome_of(dictation)?
    })
}

/// What changes of a dictation.
pub(super) fn outcome_of(dictation: &Dictation) -> Result<dictation::ActiveModel, DictationStoreError> {
    Ok(dictation::ActiveModel {
        state: Set(dictation.state.code().to_owned()),
        result: Set(Some(serde_json::to_string(&dictation.result).map_err(unwritable)?)),
        ..Default::default()
    })
}

/// What is left of a dictation that was ended.
pub(super) fn only_problem(reason: &str) -> Result<String, DictationStoreError> {
    let left = DictationResult { problem: Some(reason.to_owned()), ..DictationResult::default() };
    serde_json::to_string(&left).map_err(unwritable)
}

pub(super) fn dictation_of(row: dictation::Model) -> Result<Dictation, DictationStoreError> {
    let result: Option<DictationResult> =
        row.result.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| impossible("result"))?;
    Ok(Dictation {
        id: row.id,
        state: DictationState::from_code(&row.state).ok_or_else(|| impossible("state"))?,
        patient: key(&row.patient, "patient")?,
        encounter: key(&row.encounter, "encounter")?,
        consent: key(&row.consent, "consent")?,
        consent_version: row.consent_version.map(VersionId::try_from).transpose().map_err(|_| impossible("version"))?,
        audio: AudioPlace::from_code(&row.audio).ok_or_else(|| impossible("place of its audio"))?,
        settings: serde_json::from_str(&row.settings).map_err(|_| impossible("settings"))?,
        result: result.unwrap_or_default(),
        saved: saved_of((row.saved_sequence, row.saved_milliseconds, row.saved_bytes))?,
        since: row.since.into(),
        uploaded: 0,
        place: None,
        created: row.created.into(),
        updated: row.updated.into(),
    })
}

/// What the columns say is committed.
pub(super) fn saved_of((sequence, milliseconds, bytes): (Option<i32>, i64, i64)) -> Result<Saved, DictationStoreError> {
    Ok(Saved {
        sequence: sequence.map(u32::try_from).transpose().map_err(|_| impossible("saved_sequence"))?,
        milliseconds: u64::try_from(milliseconds).map_err(|_| impossible("saved_milliseconds"))?,
        bytes: u64::try_from(bytes).map_err(|_| impossible("saved_bytes"))?,
    })
}

pub(super) fn tenant(number: i32) -> Result<TenantId, DictationStoreError> {
    TenantId::try_from(number).map_err(|_| impossible("tenant"))
}

pub(super) fn chunk_of(row: audio_chunk::Model) -> Result<AudioChunk, DictationStoreError> {
    Ok(AudioChunk {
        sequence: u32::try_from(row.sequence).map_err(|_| impossible("sequence"))?,
        milliseconds: u32::try_from(row.milliseconds).map_err(|_| impossible("milliseconds"))?,
        size: u32::try_from(row.data.len().saturating_sub(SEALED)).map_err(|_| impossible("size"))?,
        sha256: row.sha256.try_into().map_err(|_| impossible("sha256"))?,
        data: row.data,
    })
}

fn key(text: &str, column: &str) -> Result<ResourceKey, DictationStoreError> {
    text.parse().map_err(|_| impossible(column))
}

pub(super) fn impossible(column: &str) -> DictationStoreError {
    DictationStoreError::Unavailable(format!("a stored dictation has an impossible {column}"))
}

fn unwritable(error: serde_json::Error) -> DictationStoreError {
    DictationStoreError::Unavailable(error.to_string())
}

pub(super) fn unavailable(error: sqlx::Error) -> DictationStoreError {
    DictationStoreError::Unavailable(error.to_string())
}

pub(super) fn orm_unavailable(error: sea_orm::DbErr) -> DictationStoreError {
    DictationStoreError::Unavailable(error.to_string())
}
