//! Dictations that wait: for a worker, in the order in which they came, or for the end of a state that lasts too long.

use sea_orm::sea_query::{ExprTrait, LockBehavior, LockType, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use seva_clinic::dictation::{Claim, CountedFrom, Dictation, DictationState, DictationStoreError, Expiry, LEASE};
use seva_fhir::types::TenantId;
use uuid::Uuid;

use super::rows::{self, dictation_of, impossible, orm_unavailable};
use crate::entities::dictation;
use crate::moments::{after, before, now, past};

/// How many states are ended by one statement.
const ENDED: u64 = 100;

type Result<T> = std::result::Result<T, DictationStoreError>;

/// Those on which something is to be done.
pub(super) fn worked_on() -> Condition {
    let states = DictationState::ALL.into_iter().filter(|state| state.stage().is_some());
    Condition::all().add(dictation::Column::State.is_in(states.map(DictationState::code)))
}

/// Those of them that no worker has, or whose worker has not been heard of lately.
fn waits() -> Condition {
    let free = Condition::any().add(dictation::Column::LeasedUntil.is_null()).add(past(dictation::Column::LeasedUntil));
    worked_on().add(free)
}

/// How many wait up to this one.
pub(super) async fn place(orm: &DatabaseConnection, tenant: TenantId, id: Uuid) -> Result<u32> {
    let own = dictation::Entity::find_by_id((tenant.get(), id)).filter(waits()).one(orm).await;
    let Some(own) = own.map_err(orm_unavailable)? else { return Ok(0) };
    let same = Condition::all().add(dictation::Column::Since.eq(own.since)).add(dictation::Column::Id.lt(own.id));
    let before = dictation::Entity::find()
        .filter(waits())
        .filter(Condition::any().add(dictation::Column::Since.lt(own.since)).add(same))
        .count(orm)
        .await
        .map_err(orm_unavailable)?;
    Ok(u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1))
}

/// Who waits, in order.
pub(super) async fn waiting(orm: &DatabaseConnection, count: u32) -> Result<Vec<(TenantId, Uuid)>> {
    let rows: Vec<(i32, Uuid)> = dictation::Entity::find()
        .select_only()
        .columns([dictation::Column::Tenant, dictation::Column::Id])
        .filter(waits())
        .order_by_asc(dictation::Column::Since)
        .order_by_asc(dictation::Column::Id)
        .limit(u64::from(count))
        .into_tuple()
        .all(orm)
        .await
        .map_err(orm_unavailable)?;
    rows.into_iter().map(|(tenant, id)| Ok((rows::tenant(tenant)?, id))).collect()
}

/// Takes the first.
pub(super) async fn claim(orm: &DatabaseConnection) -> Result<Option<(TenantId, Dictation, Claim)>> {
    let claimed = dictation::Entity::update_many()
        .col_expr(dictation::Column::Fence, dictation::Column::Fence.into_expr().add(1))
        .col_expr(dictation::Column::Attempts, dictation::Column::Attempts.into_expr().add(1))
        .col_expr(dictation::Column::LeasedUntil, after(LEASE))
        // Equal to the one row, and not IN: a join might look for the next one more than once, and lock each.
        .filter(dictation::Column::Id.into_expr().eq(first()))
        .filter(waits())
        .exec_with_returning(orm)
        .await
        .map_err(orm_unavailable)?;
    let Some(row) = claimed.into_iter().next() else { return Ok(None) };
    let attempts = u32::try_from(row.attempts).map_err(|_| impossible("attempts"))?;
    let (tenant, claim) = (rows::tenant(row.tenant)?, Claim { fence: row.fence, attempts });
    Ok(Some((tenant, dictation_of(row)?, claim)))
}

fn first() -> SelectStatement {
    dictation::Entity::find()
        .select_only()
        .column(dictation::Column::Id)
        .filter(waits())
        .order_by_asc(dictation::Column::Since)
        .order_by_asc(dictation::Column::Id)
        .limit(1)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query()
}

/// Ends a state that lasts too long.
pub(super) async fn expire(orm: &DatabaseConnection, expiry: &Expiry) -> Result<Vec<(TenantId, Uuid)>> {
    let counted = match expiry.counted_from {
        CountedFrom::State => dictation::Column::Since,
        CountedFrom::Frame => dictation::Column::Heard,
    };
    let over = Condition::all()
        .add(dictation::Column::State.eq(expiry.from.code()))
        .add(counted.into_expr().lt(before(expiry.after)));
    let some = dictation::Entity::find()
        .select_only()
        .column(dictation::Column::Id)
        .filter(over.clone())
        .limit(ENDED)
        .into_query();
    // The condition a second time: a frame that comes at this moment is waited for, and then the state goes on.
    let ended = dictation::Entity::update_many()
        .col_expr(dictation::Column::State, expiry.to.code().into())
        .col_expr(dictation::Column::Since, now())
        .col_expr(dictation::Column::Updated, now())
        .filter(dictation::Column::Id.in_subquery(some))
        .filter(over)
        .exec_with_returning(orm)
        .await
        .map_err(orm_unavailable)?;
    ended.into_iter().map(|row| Ok((rows::tenant(row.tenant)?, row.id))).collect()
}
