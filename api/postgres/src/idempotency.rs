//! Answers by idempotency key. A reservation that a crash left behind is free again after a minute.

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter};
use seva_fhir::access::{Begun, IdempotencyKey, IdempotencyStore, KeptAnswer};
use seva_fhir::ports::StoreError;

use crate::Database;
use crate::entities::idempotency::{ActiveModel, Column, Entity};
use crate::failure::orm_unavailable;
use crate::moments;

/// After so long nobody works under a reservation any more.
const ABANDONED: Duration = Duration::from_secs(60);

/// Answers by key in PostgreSQL.
#[derive(Clone)]
pub struct PostgresIdempotency {
    orm: DatabaseConnection,
}

impl PostgresIdempotency {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { orm: database.orm.clone() }
    }
}

#[async_trait]
impl IdempotencyStore for PostgresIdempotency {
    async fn begin(&self, key: &IdempotencyKey, request: &[u8; 32]) -> Result<Begun, StoreError> {
        let (tenant, account, name) = row_key(key);
        let row = ActiveModel {
            tenant: Set(tenant),
            account: Set(account),
            key: Set(name),
            request: Set(request.to_vec()),
            ..Default::default()
        };
        let reserved = Entity::insert(row)
            .on_conflict(take_over())
            .exec_without_returning(&self.orm)
            .await
            .map_err(orm_unavailable)?;
        if reserved > 0 {
            return Ok(Begun::New);
        }
        let known = Entity::find_by_id(row_key(key)).one(&self.orm).await.map_err(orm_unavailable)?;
        let Some(known) = known else { return Ok(Begun::Busy) };
        Ok(match (known.status, known.body) {
            _ if known.request != request => Begun::Other,
            (Some(status), Some(body)) => {
                Begun::Done(KeptAnswer { status: u16::try_from(status).unwrap_or(500), body })
            }
            _ => Begun::Busy,
        })
    }

    async fn keep(&self, key: &IdempotencyKey, answer: &KeptAnswer) -> Result<(), StoreError> {
        let (tenant, account, name) = row_key(key);
        let kept = ActiveModel {
            status: Set(Some(i16::try_from(answer.status).unwrap_or(500))),
            body: Set(Some(answer.body.clone())),
            ..Default::default()
        };
        Entity::update_many()
            .set(kept)
            .filter(Column::Tenant.eq(tenant))
            .filter(Column::Account.eq(account))
            .filter(Column::Key.eq(name))
            .exec(&self.orm)
            .await
            .map(drop)
            .map_err(orm_unavailable)
    }

    async fn forget(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        Entity::delete_by_id(row_key(key)).exec(&self.orm).await.map(drop).map_err(orm_unavailable)
    }
}

fn row_key(key: &IdempotencyKey) -> (i32, String, String) {
    (key.tenant.get(), key.account.to_string(), key.key.to_string())
}

/// The same request takes over the reservation of one that never ended.
fn take_over() -> OnConflict {
    let asked = Expr::col((Alias::new("excluded"), Column::Request));
    OnConflict::columns([Column::Tenant, Column::Account, Column::Key])
        .value(Column::Created, moments::now())
        .action_and_where(Column::Status.is_null())
        .action_and_where(Column::Request.into_expr().eq(asked))
        .action_and_where(Column::Created.into_expr().lt(moments::before(ABANDONED)))
        .to_owned()
}
