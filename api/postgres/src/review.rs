//! Marks of walks, the doctors' own lexicons, what further recordings propose.

mod proposals;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use seva_clinic::dictation::{DictationStoreError, StoreResult};
use seva_clinic::review::{LearntName, LearntNames, Mark, MarkAct, WalkMarks};
use seva_fhir::types::TenantId;
use uuid::Uuid;

use crate::Database;
use crate::entities::{learnt_name, walk_mark};
use crate::moments::{now, time};

/// So much of a lexicon is used: what was corrected most often.
const MOST_NAMES: u64 = 500;

/// What the reviewing doctor's help keeps, in PostgreSQL.
#[derive(Clone)]
pub struct PostgresReview {
    orm: DatabaseConnection,
}

impl PostgresReview {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { orm: database.orm.clone() }
    }
}

#[async_trait]
impl WalkMarks for PostgresReview {
    async fn marks(&self, tenant: TenantId, dictation: Uuid) -> StoreResult<Vec<Mark>> {
        let rows = walk_mark::Entity::find()
            .filter(walk_mark::Column::Tenant.eq(tenant.get()))
            .filter(walk_mark::Column::Dictation.eq(dictation))
            .order_by_asc(walk_mark::Column::Stop)
            .all(&self.orm);
        rows.await.map_err(unavailable)?.into_iter().map(mark_of).collect()
    }

    async fn mark(&self, tenant: TenantId, dictation: Uuid, mark: &Mark) -> StoreResult<()> {
        use walk_mark::Column;
        let row = walk_mark::ActiveModel {
            tenant: Set(tenant.get()),
            dictation: Set(dictation),
            stop: Set(mark.stop.clone()),
            act: Set(mark.act.code().to_owned()),
            meant: Set(mark.meant.clone()),
            applied: Set(mark.applied),
            learnt: Set(mark.learnt),
            account: Set(mark.account.clone()),
            at: Set(time(mark.at)),
        };
        let later = OnConflict::columns([Column::Tenant, Column::Dictation, Column::Stop])
            .update_columns([Column::Act, Column::Meant, Column::Applied, Column::Learnt, Column::Account, Column::At])
            .to_owned();
        let kept = walk_mark::Entity::insert(row).on_conflict(later).exec_without_returning(&self.orm);
        kept.await.map(drop).map_err(unavailable)
    }
}

#[async_trait]
impl LearntNames for PostgresReview {
    async fn learnt(&self, tenant: TenantId, practitioner: &str) -> StoreResult<Vec<LearntName>> {
        let rows = learnt_name::Entity::find()
            .filter(learnt_name::Column::Tenant.eq(tenant.get()))
            .filter(learnt_name::Column::Practitioner.eq(practitioner))
            .order_by_desc(learnt_name::Column::Times)
            .order_by_desc(learnt_name::Column::Updated)
            .limit(MOST_NAMES)
            .all(&self.orm);
        Ok(rows.await.map_err(unavailable)?.into_iter().map(name_of).collect())
    }

    async fn learn(&self, tenant: TenantId, practitioner: &str, (heard, meant): (&str, &str)) -> StoreResult<()> {
        use learnt_name::Column;
        let row = learnt_name::ActiveModel {
            tenant: Set(tenant.get()),
            practitioner: Set(practitioner.to_owned()),
            heard: Set(heard.to_owned()),
            meant: Set(meant.to_owned()),
            times: Set(1),
            ..Default::default()
        };
        let again = OnConflict::columns([Column::Tenant, Column::Practitioner, Column::Heard])
            .update_column(Column::Meant)
            .value(Column::Times, Expr::col((learnt_name::Entity, Column::Times)).add(1))
            .value(Column::Updated, now())
            .to_owned();
        let kept = learnt_name::Entity::insert(row).on_conflict(again).exec_without_returning(&self.orm);
        kept.await.map(drop).map_err(unavailable)
    }

    async fn forget(&self, tenant: TenantId, practitioner: &str, heard: &str) -> StoreResult<bool> {
        let name = (tenant.get(), practitioner.to_owned(), heard.to_owned());
        let forgotten = learnt_name::Entity::delete_by_id(name).exec(&self.orm).await.map_err(unavailable)?;
        Ok(forgotten.rows_affected > 0)
    }
}

fn mark_of(row: walk_mark::Model) -> StoreResult<Mark> {
    let act = MarkAct::from_code(&row.act);
    let act = act.ok_or_else(|| impossible("act"))?;
    let (meant, applied, learnt, at) = (row.meant, row.applied, row.learnt, row.at.into());
    Ok(Mark { stop: row.stop, act, meant, applied, learnt, account: row.account, at })
}

fn name_of(row: learnt_name::Model) -> LearntName {
    let times = u32::try_from(row.times).unwrap_or(1);
    LearntName { heard: row.heard, meant: row.meant, times, updated: row.updated.into() }
}

fn impossible(column: &str) -> DictationStoreError {
    DictationStoreError::Unavailable(format!("a stored row of the review has an impossible {column}"))
}

fn unavailable(error: sea_orm::DbErr) -> DictationStoreError {
    DictationStoreError::Unavailable(error.to_string())
}
