//! Recorded audio after its last frame: who moves it, how it ends, and under which Consents it is kept.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, SubQueryStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    TransactionTrait,
};
use seva_clinic::dictation::{
    ArchivePlace, AudioPlace, Claim, ConsentsPage, Dictation, DictationState, DictationStoreError, LEASE,
    RecordingArchive, StoreResult, UnderConsent,
};
use seva_fhir::ports::Stored;
use seva_fhir::types::{ResourceKey, TenantId, VersionId};
use uuid::Uuid;

use super::rows::{self, dictation_of, orm_unavailable};
use super::{PostgresDictations, audio, one};
use crate::entities::{audio_chunk, blob_key, dictation, upload_part};
use crate::moments::{after, before, past};
use crate::resources;
use crate::together::together;

/// States in which nothing is done with the audio any more.
const DONE: [DictationState; 3] = [DictationState::Drafted, DictationState::Reviewed, DictationState::NoSpeech];
/// Of them those after which nobody asks for it again.
const OVER: [DictationState; 2] = [DictationState::Reviewed, DictationState::NoSpeech];

#[async_trait]
impl RecordingArchive for PostgresDictations {
    async fn claim_audio(&self) -> StoreResult<Option<(TenantId, Dictation, Claim)>> {
        let first = dictation::Entity::find()
            .select_only()
            .column(dictation::Column::Id)
            .filter(free())
            .order_by_asc(dictation::Column::Since)
            .order_by_asc(dictation::Column::Id)
            .limit(1)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_query();
        let claimed = dictation::Entity::update_many()
            .col_expr(dictation::Column::Fence, dictation::Column::Fence.into_expr().add(1))
            .col_expr(dictation::Column::LeasedUntil, after(LEASE))
            .filter(dictation::Column::Id.into_expr().eq(first))
            .filter(free())
            .exec_with_returning(&self.orm)
            .await
            .map_err(orm_unavailable)?;
        let Some(row) = claimed.into_iter().next() else { return Ok(None) };
        let (tenant, claim) = (rows::tenant(row.tenant)?, Claim { fence: row.fence, attempts: 1 });
        Ok(Some((tenant, dictation_of(row)?, claim)))
    }

    async fn moved(&self, tenant: TenantId, id: Uuid, claim: Claim) -> StoreResult<()> {
        let change = dictation::ActiveModel {
            audio: Set(AudioPlace::Blob.code().to_owned()),
            leased_until: Set(None),
            ..Default::default()
        };
        let change = one(tenant, id).set(change).filter(to_move()).filter(dictation::Column::Fence.eq(claim.fence));
        // The row first, and in a statement of its own: rows of audio go only after it said that the claim stands.
        let transaction = self.orm.begin().await.map_err(orm_unavailable)?;
        if change.exec(&transaction).await.map_err(orm_unavailable)?.rows_affected != 1 {
            return Err(DictationStoreError::State);
        }
        chunks_of(tenant, id).exec(&transaction).await.map_err(orm_unavailable)?;
        transaction.commit().await.map_err(orm_unavailable)
    }

    async fn chunk_at(&self, tenant: TenantId, id: Uuid, byte: u64) -> StoreResult<Option<(u32, u64)>> {
        audio::chunk_at(&self.pool, tenant, id, byte).await
    }

    async fn shred(&self, tenant: TenantId, id: Uuid) -> StoreResult<bool> {
        let change = dictation::ActiveModel {
            audio: Set(AudioPlace::Shredding.code().to_owned()),
            leased_until: Set(None),
            ..Default::default()
        };
        let change = one(tenant, id).set(change).filter(is_kept()).into_query();
        let done =
            self.orm.execute(&together(audio_removed(tenant, id)).query(change)).await.map_err(orm_unavailable)?;
        Ok(done.rows_affected() == 1)
    }

    async fn blob_removed(&self, tenant: TenantId, id: Uuid) -> StoreResult<()> {
        let shredded =
            dictation::ActiveModel { audio: Set(AudioPlace::Shredded.code().to_owned()), ..Default::default() };
        let change = one(tenant, id).set(shredded).filter(dictation::Column::Audio.eq(AudioPlace::Shredding.code()));
        change.exec(&self.orm).await.map(drop).map_err(orm_unavailable)
    }

    async fn shredding(&self, count: u32) -> StoreResult<Vec<(TenantId, Uuid)>> {
        let found: Vec<(i32, Uuid)> = dictation::Entity::find()
            .select_only()
            .columns([dictation::Column::Tenant, dictation::Column::Id])
            .filter(dictation::Column::Audio.eq(AudioPlace::Shredding.code()))
            .limit(u64::from(count))
            .into_tuple()
            .all(&self.orm)
            .await
            .map_err(orm_unavailable)?;
        found.into_iter().map(|(tenant, id)| Ok((rows::tenant(tenant)?, id))).collect()
    }

    async fn kept_since(&self, age: Duration, count: u32) -> StoreResult<Vec<(TenantId, Dictation)>> {
        let over = dictation::Entity::find()
            .filter(is_kept())
            .filter(dictation::Column::State.is_in(OVER.map(DictationState::code)))
            .filter(dictation::Column::Since.into_expr().lt(before(age)))
            .limit(u64::from(count));
        let found = over.all(&self.orm).await.map_err(orm_unavailable)?;
        found.into_iter().map(|row| Ok((rows::tenant(row.tenant)?, dictation_of(row)?))).collect()
    }

    async fn under_changed_consents(&self, place: Option<ArchivePlace>, looked_at: u32) -> StoreResult<ConsentsPage> {
        let page = behind(place).limit(u64::from(looked_at)).all(&self.orm).await.map_err(orm_unavailable)?;
        let full = page.len() >= usize::try_from(looked_at).unwrap_or(usize::MAX);
        let mut found = ConsentsPage::default();
        let mut of_tenant: HashMap<TenantId, Vec<Dictation>> = HashMap::new();
        for row in page {
            let tenant = rows::tenant(row.tenant)?;
            found.next = full.then_some((tenant, row.id));
            of_tenant.entry(tenant).or_default().push(dictation_of(row)?);
        }
        for (tenant, dictations) in of_tenant {
            let consents = self.consents(tenant, &dictations).await?;
            for dictation in dictations {
                let consent = consents.get(&dictation.consent).cloned();
                if consent.is_none() || consent.as_ref().map(|stored| stored.version) != dictation.consent_version {
                    found.changed.push(UnderConsent { tenant, dictation, consent });
                }
            }
        }
        Ok(found)
    }

    async fn judged(&self, tenant: TenantId, id: Uuid, version: VersionId) -> StoreResult<()> {
        let judged = dictation::ActiveModel { consent_version: Set(Some(version.get())), ..Default::default() };
        one(tenant, id).set(judged).exec(&self.orm).await.map(drop).map_err(orm_unavailable)
    }
}

impl PostgresDictations {
    async fn consents(&self, tenant: TenantId, dictations: &[Dictation]) -> StoreResult<HashMap<ResourceKey, Stored>> {
        let mut keys: Vec<ResourceKey> = dictations.iter().map(|dictation| dictation.consent.clone()).collect();
        keys.sort();
        keys.dedup();
        let read = resources::lookup::read_many(&self.database, tenant, &keys).await;
        let read = read.map_err(|error| DictationStoreError::Unavailable(error.to_string()))?;
        Ok(read.into_iter().map(|stored| (stored.key.clone(), stored)).collect())
    }
}

/// Kept audio in the order of its keys, from behind a place on.
fn behind(place: Option<ArchivePlace>) -> Select<dictation::Entity> {
    let ordered = dictation::Entity::find()
        .filter(is_kept())
        .order_by_asc(dictation::Column::Tenant)
        .order_by_asc(dictation::Column::Id);
    let Some((tenant, id)) = place else { return ordered };
    let columns = [dictation::Column::Tenant.into_expr(), dictation::Column::Id.into_expr()];
    ordered.filter(Expr::tuple(columns).gt(Expr::tuple([Expr::val(tenant.get()), Expr::val(id)])))
}

/// Whether there is audio to hear. Said as the index says it.
fn is_kept() -> Condition {
    let kept = AudioPlace::ALL.into_iter().filter(|place| place.is_kept()).map(AudioPlace::code);
    Condition::all()
        .add(dictation::Column::Audio.ne(AudioPlace::Shredded.code()))
        .add(dictation::Column::Audio.is_in(kept))
}

/// Whether audio lies in rows that nothing is done with any more.
pub(super) fn to_move() -> Condition {
    Condition::all()
        .add(dictation::Column::Audio.eq(AudioPlace::Rows.code()))
        .add(dictation::Column::SavedSequence.is_not_null())
        .add(dictation::Column::State.is_in(DONE.map(DictationState::code)))
}

fn free() -> Condition {
    let free = Condition::any().add(dictation::Column::LeasedUntil.is_null()).add(past(dictation::Column::LeasedUntil));
    to_move().add(free)
}

fn chunks_of(tenant: TenantId, id: Uuid) -> sea_orm::DeleteMany<audio_chunk::Entity> {
    audio_chunk::Entity::delete_many()
        .filter(audio_chunk::Column::Tenant.eq(tenant.get()))
        .filter(audio_chunk::Column::Dictation.eq(id))
}

/// Takes key, rows and parts of files away, together with the statement that follows.
pub(super) fn audio_removed(tenant: TenantId, id: Uuid) -> [(&'static str, SubQueryStatement); 3] {
    let key = blob_key::Entity::delete_many()
        .filter(blob_key::Column::Tenant.eq(tenant.get()))
        .filter(blob_key::Column::Blob.eq(id));
    let file = upload_part::Entity::delete_many()
        .filter(upload_part::Column::Tenant.eq(tenant.get()))
        .filter(upload_part::Column::Dictation.eq(id));
    [
        ("key", key.into_query().into()),
        ("audio", chunks_of(tenant, id).into_query().into()),
        ("file", file.into_query().into()),
    ]
}
