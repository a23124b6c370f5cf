//! The wrapped keys of recordings: one row each, and its deletion shreds the recording.

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use seva_clinic::dictation::{DictationStoreError, RecordingKeys, WrappedKey};
use seva_fhir::types::TenantId;
use uuid::Uuid;

use super::PostgresDictations;
use super::rows::orm_unavailable;
use crate::entities::blob_key;

#[async_trait]
impl RecordingKeys for PostgresDictations {
    async fn create(&self, tenant: TenantId, blob: Uuid, key: &WrappedKey) -> Result<(), DictationStoreError> {
        let row = blob_key::ActiveModel {
            tenant: Set(tenant.get()),
            blob: Set(blob),
            wrapped: Set(key.0.clone()),
            ..Default::default()
        };
        blob_key::Entity::insert(row).exec_without_returning(&self.orm).await.map(drop).map_err(orm_unavailable)
    }

    async fn find(&self, tenant: TenantId, blob: Uuid) -> Result<Option<WrappedKey>, DictationStoreError> {
        let row = blob_key::Entity::find_by_id((tenant.get(), blob)).one(&self.orm).await.map_err(orm_unavailable)?;
        Ok(row.map(|row| WrappedKey(row.wrapped)))
    }

    async fn shred(&self, tenant: TenantId, blob: Uuid) -> Result<(), DictationStoreError> {
        blob_key::Entity::delete_by_id((tenant.get(), blob)).exec(&self.orm).await.map(drop).map_err(orm_unavailable)
    }
}
