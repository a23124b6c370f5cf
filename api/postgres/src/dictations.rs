//! Dictations and their audio: an acknowledged frame is a committed row, and shredding a key is deleting one.

mod audio;
mod keys;
mod rows;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, UpdateMany,
};
use seva_clinic::dictation::{
    AudioChunk, Claim, Dictation, DictationState, DictationStore, DictationStoreError, LEASE, Saved,
};
use seva_fhir::types::{ResourceKey, TenantId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::Database;
use crate::entities::{audio_chunk, blob_key, dictation};
use crate::moments::{after, now, past};
use crate::together::together;
use rows::{dictation_of, orm_unavailable, unavailable};

/// Dictations in PostgreSQL.
#[derive(Clone)]
pub struct PostgresDictations {
    orm: DatabaseConnection,
    /// For the audio that comes in.
    pool: PgPool,
}

impl PostgresDictations {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { orm: database.orm.clone(), pool: database.pool.clone() }
    }
}

#[async_trait]
impl DictationStore for PostgresDictations {
    async fn create(&self, tenant: TenantId, dictation: &Dictation) -> Result<(), DictationStoreError> {
        let row = dictation::Entity::insert(rows::row_of(tenant, dictation)?);
        row.exec_without_returning(&self.orm).await.map(drop).map_err(orm_unavailable)
    }

    async fn find(&self, tenant: TenantId, id: Uuid) -> Result<Option<Dictation>, DictationStoreError> {
        let row = dictation::Entity::find_by_id((tenant.get(), id)).one(&self.orm).await.map_err(orm_unavailable)?;
        row.map(dictation_of).transpose()
    }

    async fn by_encounter(
        &self,
        tenant: TenantId,
        encounter: &ResourceKey,
    ) -> Result<Vec<Dictation>, DictationStoreError> {
        let rows = dictation::Entity::find()
            .filter(dictation::Column::Tenant.eq(tenant.get()))
            .filter(dictation::Column::Encounter.eq(encounter.to_string()))
            .order_by_asc(dictation::Column::Created)
            .order_by_asc(dictation::Column::Id)
            .limit(500)
            .all(&self.orm)
            .await
            .map_err(orm_unavailable)?;
        rows.into_iter().map(dictation_of).collect()
    }

    async fn append(&self, tenant: TenantId, id: Uuid, chunks: Vec<AudioChunk>) -> Result<Saved, DictationStoreError> {
        audio::append(&self.pool, tenant, id, chunks).await
    }

    async fn chunks(
        &self,
        tenant: TenantId,
        id: Uuid,
        from: u32,
        count: u32,
    ) -> Result<Vec<AudioChunk>, DictationStoreError> {
        let rows = audio_chunk::Entity::find()
            .filter(audio_chunk::Column::Tenant.eq(tenant.get()))
            .filter(audio_chunk::Column::Dictation.eq(id))
            .filter(audio_chunk::Column::Sequence.gte(i64::from(from)))
            .order_by_asc(audio_chunk::Column::Sequence)
            .limit(u64::from(count))
            .all(&self.orm)
            .await
            .map_err(orm_unavailable)?;
        rows.into_iter().map(rows::chunk_of).collect()
    }

    async fn saved(&self, tenant: TenantId, id: Uuid) -> Result<Saved, DictationStoreError> {
        let mut connection = self.pool.acquire().await.map_err(unavailable)?;
        audio::saved(&mut connection, tenant, id).await
    }

    async fn update(
        &self,
        tenant: TenantId,
        dictation: &Dictation,
        expected: DictationState,
    ) -> Result<(), DictationStoreError> {
        let update = in_state(tenant, dictation.id, expected)
            .set(rows::outcome_of(dictation)?)
            .col_expr(dictation::Column::Updated, now());
        self.change(update).await
    }

    async fn unfinished(&self) -> Result<Vec<(TenantId, Uuid)>, DictationStoreError> {
        let rows: Vec<(i32, Uuid)> = dictation::Entity::find()
            .select_only()
            .columns([dictation::Column::Tenant, dictation::Column::Id])
            .filter(dictation::Column::State.eq(DictationState::Finishing.code()))
            .filter(free())
            .order_by_asc(dictation::Column::Created)
            .limit(100)
            .into_tuple()
            .all(&self.orm)
            .await
            .map_err(orm_unavailable)?;
        rows.into_iter()
            .map(|(tenant, id)| Ok((TenantId::try_from(tenant).map_err(|_| rows::impossible("tenant"))?, id)))
            .collect()
    }

    async fn claim(&self, tenant: TenantId, id: Uuid) -> Result<Option<Claim>, DictationStoreError> {
        let mut claim = in_state(tenant, id, DictationState::Finishing)
            .col_expr(dictation::Column::Fence, dictation::Column::Fence.into_expr().add(1))
            .col_expr(dictation::Column::LeasedUntil, after(LEASE))
            .filter(free())
            .into_query();
        let claim = claim.returning_col(dictation::Column::Fence);
        let row = self.orm.query_one(claim).await.map_err(orm_unavailable)?;
        let fence = row.map(|row| row.try_get_by_index(0)).transpose().map_err(orm_unavailable)?;
        Ok(fence.map(Claim))
    }

    async fn renew(&self, tenant: TenantId, id: Uuid, claim: Claim) -> Result<bool, DictationStoreError> {
        let renew = under(tenant, id, claim).col_expr(dictation::Column::LeasedUntil, after(LEASE));
        Ok(renew.exec(&self.orm).await.map_err(orm_unavailable)?.rows_affected == 1)
    }

    async fn complete(&self, tenant: TenantId, dictation: &Dictation, claim: Claim) -> Result<(), DictationStoreError> {
        let done = dictation::ActiveModel { leased_until: Set(None), ..rows::outcome_of(dictation)? };
        let complete = under(tenant, dictation.id, claim).set(done).col_expr(dictation::Column::Updated, now());
        self.change(complete).await
    }

    async fn release(&self) -> Result<(), DictationStoreError> {
        dictation::Entity::update_many()
            .set(dictation::ActiveModel { leased_until: Set(None), ..Default::default() })
            .filter(dictation::Column::State.eq(DictationState::Finishing.code()))
            .exec(&self.orm)
            .await
            .map(drop)
            .map_err(orm_unavailable)
    }

    async fn withdraw(&self, tenant: TenantId, id: Uuid) -> Result<(), DictationStoreError> {
        let withdrawn = DictationState::Withdrawn.code();
        let key = blob_key::Entity::delete_many()
            .filter(blob_key::Column::Tenant.eq(tenant.get()))
            .filter(blob_key::Column::Blob.eq(id));
        let audio = audio_chunk::Entity::delete_many()
            .filter(audio_chunk::Column::Tenant.eq(tenant.get()))
            .filter(audio_chunk::Column::Dictation.eq(id));
        let change =
            dictation::ActiveModel { state: Set(withdrawn.to_owned()), result: Set(None), ..Default::default() };
        let change = one(tenant, id)
            .set(change)
            .col_expr(dictation::Column::Updated, now())
            .filter(dictation::Column::State.ne(withdrawn));
        let all = together([("key", key.into_query().into()), ("audio", audio.into_query().into())]);
        let done = self.orm.execute(&all.query(change.into_query())).await.map_err(orm_unavailable)?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(DictationStoreError::State) }
    }
}

impl PostgresDictations {
    async fn change(&self, update: UpdateMany<dictation::Entity>) -> Result<(), DictationStoreError> {
        let done = update.exec(&self.orm).await.map_err(orm_unavailable)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(DictationStoreError::State) }
    }
}

fn one(tenant: TenantId, id: Uuid) -> UpdateMany<dictation::Entity> {
    dictation::Entity::update_many()
        .filter(dictation::Column::Tenant.eq(tenant.get()))
        .filter(dictation::Column::Id.eq(id))
}

fn in_state(tenant: TenantId, id: Uuid, state: DictationState) -> UpdateMany<dictation::Entity> {
    one(tenant, id).filter(dictation::Column::State.eq(state.code()))
}

/// A change by the worker that holds this claim.
fn under(tenant: TenantId, id: Uuid, claim: Claim) -> UpdateMany<dictation::Entity> {
    in_state(tenant, id, DictationState::Finishing).filter(dictation::Column::Fence.eq(claim.0))
}

/// No worker has it, or has been heard of lately.
fn free() -> Condition {
    Condition::any().add(dictation::Column::LeasedUntil.is_null()).add(past(dictation::Column::LeasedUntil))
}
