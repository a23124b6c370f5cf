//! What further recordings of an encounter propose.

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use seva_clinic::dictation::{DictationStoreError, StoreResult};
use seva_clinic::lexicon::Span;
use seva_clinic::review::{Difference, Proposal, ProposalState, Proposals};
use seva_fhir::types::{ResourceKey, TenantId};
use uuid::Uuid;

use super::{PostgresReview, impossible, unavailable};
use crate::entities::dictation;
use crate::entities::proposal::{ActiveModel, Column, Entity, Model};
use crate::moments::time;

#[async_trait]
impl Proposals for PostgresReview {
    async fn propose(&self, tenant: TenantId, proposals: &[Proposal]) -> StoreResult<()> {
        if proposals.is_empty() {
            return Ok(());
        }
        let rows: Vec<ActiveModel> = proposals.iter().map(|one| row_of(tenant, one)).collect::<StoreResult<_>>()?;
        let there = OnConflict::columns([Column::Tenant, Column::Dictation, Column::Number]).do_nothing().to_owned();
        let kept = Entity::insert_many(rows).on_conflict(there).exec_without_returning(&self.orm);
        kept.await.map(drop).map_err(unavailable)
    }

    async fn of(&self, tenant: TenantId, dictations: &[Uuid]) -> StoreResult<Vec<Proposal>> {
        let rows = Entity::find()
            .filter(Column::Tenant.eq(tenant.get()))
            .filter(Column::Dictation.is_in(dictations.iter().copied()))
            .order_by_asc(Column::Dictation)
            .order_by_asc(Column::Number)
            .all(&self.orm);
        rows.await.map_err(unavailable)?.into_iter().map(proposal_of).collect()
    }

    async fn waiting(&self, tenant: TenantId, encounter: &ResourceKey) -> StoreResult<Vec<Proposal>> {
        let dictations = dictation::Entity::find()
            .select_only()
            .column(dictation::Column::Id)
            .filter(dictation::Column::Tenant.eq(tenant.get()))
            .filter(dictation::Column::Encounter.eq(encounter.to_string()))
            .into_query();
        let rows = Entity::find()
            .filter(Column::Tenant.eq(tenant.get()))
            .filter(Column::State.eq(ProposalState::Pending.code()))
            .filter(Column::Dictation.in_subquery(dictations))
            .order_by_asc(Column::Dictation)
            .order_by_asc(Column::Number)
            .all(&self.orm);
        rows.await.map_err(unavailable)?.into_iter().map(proposal_of).collect()
    }

    async fn decide(&self, tenant: TenantId, decided: &Proposal) -> StoreResult<bool> {
        let state = ActiveModel {
            state: Set(decided.state.code().to_owned()),
            decided: Set(decided.decided.map(time)),
            ..Default::default()
        };
        let done = Entity::update_many()
            .set(state)
            .filter(Column::Tenant.eq(tenant.get()))
            .filter(Column::Dictation.eq(decided.dictation))
            .filter(Column::Number.eq(i64::from(decided.number)))
            .filter(Column::State.eq(ProposalState::Pending.code()))
            .exec(&self.orm);
        Ok(done.await.map_err(unavailable)?.rows_affected == 1)
    }
}

fn row_of(tenant: TenantId, proposal: &Proposal) -> StoreResult<ActiveModel> {
    let place = |number: usize| i32::try_from(number).map_err(|_| impossible("place"));
    let moment = |number: u64| i64::try_from(number).map_err(|_| impossible("time"));
    Ok(ActiveModel {
        tenant: Set(tenant.get()),
        dictation: Set(proposal.dictation),
        number: Set(i32::try_from(proposal.number).map_err(|_| impossible("number"))?),
        difference: Set(proposal.difference.code().to_owned()),
        resource: Set(proposal.resource.clone()),
        before: Set(proposal.before.clone()),
        after: Set(proposal.after.clone()),
        begin_at: Set(place(proposal.span.begin)?),
        end_at: Set(place(proposal.span.end)?),
        start_ms: Set(proposal.times.map(|(start, _)| moment(start)).transpose()?),
        end_ms: Set(proposal.times.map(|(_, end)| moment(end)).transpose()?),
        state: Set(proposal.state.code().to_owned()),
        decided: Set(proposal.decided.map(time)),
    })
}

fn proposal_of(row: Model) -> Result<Proposal, DictationStoreError> {
    let place = |number: i32| usize::try_from(number).map_err(|_| impossible("place"));
    let moment = |number: i64| u64::try_from(number).map_err(|_| impossible("time"));
    let times = match (row.start_ms, row.end_ms) {
        (Some(start), Some(end)) => Some((moment(start)?, moment(end)?)),
        _ => None,
    };
    Ok(Proposal {
        dictation: row.dictation,
        number: u32::try_from(row.number).map_err(|_| impossible("number"))?,
        difference: Difference::from_code(&row.difference).ok_or_else(|| impossible("difference"))?,
        resource: row.resource,
        before: row.before,
        after: row.after,
        span: Span::new(place(row.begin_at)?, place(row.end_at)?),
        times,
        state: ProposalState::from_code(&row.state).ok_or_else(|| impossible("state"))?,
        decided: row.decided.map(Into::into),
    })
}
