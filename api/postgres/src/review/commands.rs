//! Voice commands that were carried out.

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use seva_clinic::commands::{CommandKind, CommandLog, DoneCommand};
use seva_clinic::dictation::StoreResult;
use seva_fhir::types::TenantId;
use uuid::Uuid;

use super::{PostgresReview, impossible, unavailable};
use crate::entities::voice_command::{ActiveModel, Column, Entity};
use crate::moments::time;

#[async_trait]
impl CommandLog for PostgresReview {
    async fn done(&self, tenant: TenantId, command: &DoneCommand) -> StoreResult<()> {
        let row = ActiveModel {
            tenant: Set(tenant.get()),
            id: Set(command.id),
            encounter: Set(command.encounter.clone()),
            account: Set(command.account.clone()),
            command: Set(command.kind.code().to_owned()),
            undo: Set(serde_json::to_string(&command.undo).map_err(|_| impossible("undo"))?),
            undone: Set(false),
            at: Set(time(command.at)),
        };
        Entity::insert(row).exec_without_returning(&self.orm).await.map(drop).map_err(unavailable)
    }

    async fn last(&self, tenant: TenantId, (encounter, account): (&str, &str)) -> StoreResult<Option<DoneCommand>> {
        let row = Entity::find()
            .filter(Column::Tenant.eq(tenant.get()))
            .filter(Column::Encounter.eq(encounter))
            .filter(Column::Account.eq(account))
            .filter(Column::Undone.eq(false))
            .order_by_desc(Column::At)
            .one(&self.orm);
        let Some(row) = row.await.map_err(unavailable)? else { return Ok(None) };
        Ok(Some(DoneCommand {
            id: row.id,
            encounter: row.encounter,
            account: row.account,
            kind: CommandKind::from_code(&row.command).ok_or_else(|| impossible("command"))?,
            undo: serde_json::from_str(&row.undo).map_err(|_| impossible("undo"))?,
            at: row.at.into(),
        }))
    }

    async fn undone(&self, tenant: TenantId, id: Uuid) -> StoreResult<()> {
        let undone = Entity::update_many()
            .set(ActiveModel { undone: Set(true), ..Default::default() })
            .filter(Column::Tenant.eq(tenant.get()))
            .filter(Column::Id.eq(id))
            .exec(&self.orm);
        undone.await.map(drop).map_err(unavailable)
    }
}
