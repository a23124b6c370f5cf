//! Reads by id, together (see `lanes`).

use bytes::Bytes;
use seva_fhir::ports::{StoreError, Stored};
use seva_fhir::types::{Instant, ResourceKey, TenantId, VersionId};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::lanes::{Answer, Together};
use super::lookup::unexpected;
use super::statements::READ_TOGETHER;
use crate::connections::Connections;
use crate::failure::unavailable;

/// So many reads go in one statement at most.
pub(super) const MOST: usize = 64;

/// Reads current versions.
pub(super) struct Reads {
    pub(super) connections: Connections,
}

impl Together for Reads {
    type Wanted = (TenantId, ResourceKey);
    type Given = Option<Stored>;

    async fn carry_out(&self, wanted: Vec<Self::Wanted>) -> Vec<Answer<Self>> {
        match self.fetch(&wanted).await {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(StoreError::TooLong) => wanted.iter().map(|_| Err(StoreError::TooLong)).collect(),
            Err(error) => wanted.iter().map(|_| Err(StoreError::Unavailable(error.to_string()))).collect(),
        }
    }
}

impl Reads {
    async fn fetch(&self, wanted: &[(TenantId, ResourceKey)]) -> Result<Vec<Option<Stored>>, StoreError> {
        let mut connection = self.connections.take().await.map_err(unavailable)?;
        let rows = sqlx::query(READ_TOGETHER)
            .bind(wanted.iter().map(|(tenant, _)| tenant.get()).collect::<Vec<i32>>())
            .bind(wanted.iter().map(|(_, key)| key.resource_type().code()).collect::<Vec<i16>>())
            .bind(wanted.iter().map(|(_, key)| key.id().as_str()).collect::<Vec<&str>>())
            .fetch_all(&mut *connection)
            .await
            .map_err(unavailable)?;
        connection.give_back();
        let mut found: Vec<Option<Stored>> = wanted.iter().map(|_| None).collect();
        for row in &rows {
            let place: i64 = row.try_get(0).map_err(unavailable)?;
            let place = usize::try_from(place - 1).map_err(|_| unexpected("place"))?;
            if let (Some((_, key)), Some(slot)) = (wanted.get(place), found.get_mut(place)) {
                *slot = Some(stored(key.clone(), row)?);
            }
        }
        Ok(found)
    }
}

/// By position: this is the hottest path of all.
fn stored(key: ResourceKey, row: &PgRow) -> Result<Stored, StoreError> {
    let version: i32 = row.try_get(1).map_err(unavailable)?;
    let updated: i64 = row.try_get(2).map_err(unavailable)?;
    let body: &[u8] = row.try_get(3).map_err(unavailable)?;
    Ok(Stored {
        key,
        version: VersionId::try_from(version).map_err(|_| unexpected("version"))?,
        updated: Instant::from_micros(updated),
        body: Bytes::copy_from_slice(body),
    })
}
