//! Parts of uploaded recordings: each is committed before the client is told that it is there.

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    TransactionTrait,
};
use seva_clinic::dictation::{DictationState, DictationStoreError, PartPlace, RecordingUploads, StoreResult};
use seva_fhir::types::TenantId;
use uuid::Uuid;

use super::PostgresDictations;
use super::rows::{impossible, orm_unavailable};
use crate::entities::{dictation, upload_part};
use crate::moments::{before, now};

/// In these nobody may ever go on with a file.
const LEFT: [DictationState; 2] = [DictationState::Abandoned, DictationState::Damaged];

#[async_trait]
impl RecordingUploads for PostgresDictations {
    async fn keep(&self, tenant: TenantId, id: Uuid, place: PartPlace, data: Vec<u8>) -> StoreResult<()> {
        let transaction = self.orm.begin().await.map_err(orm_unavailable)?;
        // The row lock makes parts of one recording queue up.
        lock(&transaction, tenant, id).await?;
        let last = last(&transaction, tenant, id).await?;
        let expected = last.map_or((0, 0), |last| (last.number + 1, last.end()));
        if expected != (place.number, place.at) {
            return Err(DictationStoreError::Offset { expected: expected.1 });
        }
        let row = upload_part::ActiveModel {
            tenant: Set(tenant.get()),
            dictation: Set(id),
            number: Set(i32::try_from(place.number).map_err(|_| impossible("number"))?),
            at: Set(i64::try_from(place.at).map_err(|_| impossible("offset"))?),
            size: Set(i32::try_from(place.size).map_err(|_| impossible("size"))?),
            data: Set(data),
        };
        let row = upload_part::Entity::insert(row).exec_without_returning(&transaction);
        row.await.map_err(orm_unavailable)?;
        // An upload that goes on is not abandoned.
        dictation::Entity::update_many()
            .col_expr(dictation::Column::Since, now())
            .filter(dictation::Column::Tenant.eq(tenant.get()))
            .filter(dictation::Column::Id.eq(id))
            .exec(&transaction)
            .await
            .map_err(orm_unavailable)?;
        transaction.commit().await.map_err(orm_unavailable)
    }

    async fn last(&self, tenant: TenantId, id: Uuid) -> StoreResult<Option<PartPlace>> {
        last(&self.orm, tenant, id).await
    }

    async fn parts(&self, tenant: TenantId, id: Uuid) -> StoreResult<Vec<PartPlace>> {
        let places = places(tenant, id).order_by_asc(upload_part::Column::Number).into_tuple();
        let rows = places.all(&self.orm).await.map_err(orm_unavailable)?;
        rows.into_iter().map(place_of).collect()
    }

    async fn part(&self, tenant: TenantId, id: Uuid, number: u32) -> StoreResult<Option<Vec<u8>>> {
        let number = i32::try_from(number).map_err(|_| impossible("number"))?;
        let row = upload_part::Entity::find_by_id((tenant.get(), id, number)).one(&self.orm).await;
        Ok(row.map_err(orm_unavailable)?.map(|row| row.data))
    }

    async fn remove(&self, tenant: TenantId, id: Uuid) -> StoreResult<()> {
        upload_part::Entity::delete_many()
            .filter(upload_part::Column::Tenant.eq(tenant.get()))
            .filter(upload_part::Column::Dictation.eq(id))
            .exec(&self.orm)
            .await
            .map(drop)
            .map_err(orm_unavailable)
    }

    async fn remove_left(&self, after: Duration) -> StoreResult<()> {
        let left = dictation::Entity::find()
            .select_only()
            .column(dictation::Column::Id)
            .filter(dictation::Column::State.is_in(LEFT.map(DictationState::code)))
            .filter(dictation::Column::Since.into_expr().lt(before(after)))
            .into_query();
        upload_part::Entity::delete_many()
            .filter(upload_part::Column::Dictation.in_subquery(left))
            .exec(&self.orm)
            .await
            .map(drop)
            .map_err(orm_unavailable)
    }
}

/// Where the parts of a recording stand, as [`place_of`] reads them.
fn places(tenant: TenantId, id: Uuid) -> sea_orm::Select<upload_part::Entity> {
    upload_part::Entity::find()
        .select_only()
        .columns([upload_part::Column::Number, upload_part::Column::At, upload_part::Column::Size])
        .filter(upload_part::Column::Tenant.eq(tenant.get()))
        .filter(upload_part::Column::Dictation.eq(id))
}

async fn last(connection: &impl ConnectionTrait, tenant: TenantId, id: Uuid) -> StoreResult<Option<PartPlace>> {
    let last = places(tenant, id).order_by_desc(upload_part::Column::Number).into_tuple();
    last.one(connection).await.map_err(orm_unavailable)?.map(place_of).transpose()
}

/// Waits for other parts of the recording; refuses one that takes no file.
async fn lock(transaction: &DatabaseTransaction, tenant: TenantId, id: Uuid) -> StoreResult<()> {
    let state: Option<String> = dictation::Entity::find_by_id((tenant.get(), id))
        .select_only()
        .column(dictation::Column::State)
        .lock_exclusive()
        .into_tuple()
        .one(transaction)
        .await
        .map_err(orm_unavailable)?;
    let state = state.as_deref().and_then(DictationState::from_code);
    if state.is_some_and(DictationState::takes_file) { Ok(()) } else { Err(DictationStoreError::State) }
}

fn place_of((number, at, size): (i32, i64, i32)) -> StoreResult<PartPlace> {
    Ok(PartPlace {
        number: u32::try_from(number).map_err(|_| impossible("number"))?,
        at: u64::try_from(at).map_err(|_| impossible("offset"))?,
        size: u32::try_from(size).map_err(|_| impossible("size"))?,
    })
}
