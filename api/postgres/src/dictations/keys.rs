//! The wrapped keys of recordings: one row each, and its deletion shreds the recording.

use async_trait::async_trait;
use seva_clinic::dictation::{DictationStoreError, RecordingKeys, WrappedKey};
use seva_fhir::types::TenantId;
use uuid::Uuid;

use super::PostgresDictations;
use super::rows::unavailable;

#[async_trait]
impl RecordingKeys for PostgresDictations {
    async fn create(&self, tenant: TenantId, blob: Uuid, key: &WrappedKey) -> Result<(), DictationStoreError> {
        sqlx::query("INSERT INTO blob_key (tenant, blob, wrapped) VALUES ($1, $2, $3)")
            .bind(tenant.get())
            .bind(blob)
            .bind(&key.0)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(unavailable)
    }

    async fn find(&self, tenant: TenantId, blob: Uuid) -> Result<Option<WrappedKey>, DictationStoreError> {
        let wrapped: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT wrapped FROM blob_key WHERE tenant = $1 AND blob = $2")
                .bind(tenant.get())
                .bind(blob)
                .fetch_optional(&self.pool)
                .await
                .map_err(unavailable)?;
        Ok(wrapped.map(WrappedKey))
    }

    async fn shred(&self, tenant: TenantId, blob: Uuid) -> Result<(), DictationStoreError> {
        sqlx::query("DELETE FROM blob_key WHERE tenant = $1 AND blob = $2")
            .bind(tenant.get())
            .bind(blob)
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(unavailable)
    }
}
