//! Dictations and their audio: an acknowledged frame is a committed row, and shredding a key is deleting one.

mod archive;
mod audio;
mod keys;
mod queue;
mod rows;
mod uploads;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, UpdateMany,
};
use seva_clinic::dictation::{
    Attempt, AudioChunk, AudioPlace, Claim, Dictation, DictationState, DictationStore, DictationStoreError, Expiry,
    LEASE, Saved,
};
use seva_fhir::types::{ResourceKey, TenantId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::Database;
use crate::entities::{audio_chunk, dictation, proposal, walk_mark};
use crate::moments::{after, now};
use crate::together::together;
use rows::{dictation_of, orm_unavailable};

/// Dictations in PostgreSQL.
#[derive(Clone)]
pub struct PostgresDictations {
    orm: DatabaseConnection,
    /// For the audio that comes in.
    pool: PgPool,
    /// For the Consents that it is kept under.
    database: Database,
}

impl PostgresDictations {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { orm: database.orm.clone(), pool: database.pool.clone(), database: database.clone() }
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
        audio::append(&self.pool, (tenant, id), None, chunks).await
    }

    async fn clear(&self, tenant: TenantId, id: Uuid, claim: Claim) -> Result<(), DictationStoreError> {
        audio::clear(&self.pool, (tenant, id), claim).await
    }

    async fn append_decoded(
        &self,
        tenant: TenantId,
        id: Uuid,
        (claim, chunks): (Claim, Vec<AudioChunk>),
    ) -> Result<Saved, DictationStoreError> {
        audio::append(&self.pool, (tenant, id), Some(claim), chunks).await
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

    async fn update(
        &self,
        tenant: TenantId,
        dictation: &Dictation,
        expected: DictationState,
    ) -> Result<(), DictationStoreError> {
        let moved =
            dictation::ActiveModel { attempts: Set(0), leased_until: Set(None), ..rows::outcome_of(dictation)? };
        self.change(moved_now(in_state(tenant, dictation.id, expected).set(moved))).await
    }

    async fn expire(&self, expiry: &Expiry) -> Result<Vec<(TenantId, Uuid)>, DictationStoreError> {
        queue::expire(&self.orm, expiry).await
    }

    async fn place(&self, tenant: TenantId, id: Uuid) -> Result<u32, DictationStoreError> {
        queue::place(&self.orm, tenant, id).await
    }

    async fn waiting(&self, count: u32) -> Result<Vec<(TenantId, Uuid)>, DictationStoreError> {
        queue::waiting(&self.orm, count).await
    }

    async fn claim(&self) -> Result<Option<(TenantId, Dictation, Claim)>, DictationStoreError> {
        queue::claim(&self.orm).await
    }

    async fn renew(&self, tenant: TenantId, id: Uuid, claim: Claim) -> Result<bool, DictationStoreError> {
        let renew = held(tenant, id, claim).col_expr(dictation::Column::LeasedUntil, after(LEASE));
        Ok(renew.exec(&self.orm).await.map_err(orm_unavailable)?.rows_affected == 1)
    }

    async fn advance(
        &self,
        tenant: TenantId,
        dictation: &Dictation,
        (from, claim): (DictationState, Claim),
    ) -> Result<(), DictationStoreError> {
        let advanced = under(tenant, dictation.id, claim)
            .filter(dictation::Column::State.eq(from.code()))
            .set(rows::outcome_of(dictation)?);
        let advanced = match dictation.state.stage() {
            // The claim goes on, and is this stage's first attempt.
            Some(_) => advanced
                .set(dictation::ActiveModel { attempts: Set(1), ..Default::default() })
                .col_expr(dictation::Column::LeasedUntil, after(LEASE)),
            None => {
                advanced.set(dictation::ActiveModel { attempts: Set(0), leased_until: Set(None), ..Default::default() })
            }
        };
        self.change(moved_now(advanced)).await
    }

    async fn give_back(
        &self,
        tenant: TenantId,
        id: Uuid,
        claim: Claim,
        attempt: Attempt,
    ) -> Result<(), DictationStoreError> {
        let free = dictation::ActiveModel { leased_until: Set(None), ..Default::default() };
        let given = under(tenant, id, claim).set(free);
        let given = match attempt {
            Attempt::Counts => given,
            Attempt::DoesNot => {
                given.col_expr(dictation::Column::Attempts, dictation::Column::Attempts.into_expr().sub(1))
            }
        };
        given.exec(&self.orm).await.map(drop).map_err(orm_unavailable)
    }

    async fn release(&self) -> Result<(), DictationStoreError> {
        dictation::Entity::update_many()
            .set(dictation::ActiveModel { leased_until: Set(None), attempts: Set(0), ..Default::default() })
            .filter(Condition::any().add(queue::worked_on()).add(dictation::Column::LeasedUntil.is_not_null()))
            .exec(&self.orm)
            .await
            .map(drop)
            .map_err(orm_unavailable)
    }

    async fn withdraw(&self, tenant: TenantId, id: Uuid, reason: Option<&str>) -> Result<(), DictationStoreError> {
        let withdrawn = DictationState::Withdrawn.code();
        let change = dictation::ActiveModel {
            state: Set(withdrawn.to_owned()),
            result: Set(reason.map(rows::only_problem).transpose()?),
            saved_sequence: Set(None),
            saved_milliseconds: Set(0),
            saved_bytes: Set(0),
            audio: Set(AudioPlace::Shredding.code().to_owned()),
            ..Default::default()
        };
        let change = moved_now(one(tenant, id).set(change)).filter(dictation::Column::State.ne(withdrawn));
        let marks = walk_mark::Entity::delete_many()
            .filter(walk_mark::Column::Tenant.eq(tenant.get()))
            .filter(walk_mark::Column::Dictation.eq(id));
        let proposals = proposal::Entity::delete_many()
            .filter(proposal::Column::Tenant.eq(tenant.get()))
            .filter(proposal::Column::Dictation.eq(id));
        let [key, audio, file] = archive::audio_removed(tenant, id);
        let (marks, proposals) = (marks.into_query().into(), proposals.into_query().into());
        let all = together([key, audio, file, ("marks", marks), ("proposals", proposals)]);
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

/// A change by which a state begins.
fn moved_now(update: UpdateMany<dictation::Entity>) -> UpdateMany<dictation::Entity> {
    update.col_expr(dictation::Column::Updated, now()).col_expr(dictation::Column::Since, now())
}

/// A change by the worker that holds this claim.
fn under(tenant: TenantId, id: Uuid, claim: Claim) -> UpdateMany<dictation::Entity> {
    one(tenant, id).filter(queue::worked_on()).filter(dictation::Column::Fence.eq(claim.fence))
}

/// One that works on a stage, or moves the audio.
fn held(tenant: TenantId, id: Uuid, claim: Claim) -> UpdateMany<dictation::Entity> {
    let busy = Condition::any().add(queue::worked_on()).add(archive::to_move());
    one(tenant, id).filter(busy).filter(dictation::Column::Fence.eq(claim.fence))
}
