//! Accounts, memberships, sessions and tickets through SeaORM.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use seva_fhir::access::{Account, AccountStore, Membership, NewSecret, Session, Ticket, TokenHash};
use seva_fhir::ports::StoreError;
use seva_fhir::types::{Instant, TenantId};
use uuid::Uuid;

use crate::Database;
use crate::entities::{account, membership, session, tenant, ticket};
use crate::failure::{orm_unavailable, unavailable};

/// Accounts in PostgreSQL.
#[derive(Clone)]
pub struct PostgresAccounts {
    database: Database,
}

impl PostgresAccounts {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }

    async fn member(&self, account: Uuid, tenant: i32) -> Result<Option<(Account, Membership)>, StoreError> {
        let found = account::Entity::find_by_id(account).one(&self.database.orm).await.map_err(orm_unavailable)?;
        let Some(found) = found else { return Ok(None) };
        let memberships = self.memberships(account).await?;
        let membership = memberships.into_iter().find(|membership| membership.tenant.get() == tenant);
        Ok(membership.map(|membership| (account_of(found), membership)))
    }
}

#[async_trait]
impl AccountStore for PostgresAccounts {
    async fn find(&self, username: &str) -> Result<Option<Account>, StoreError> {
        let found = account::Entity::find()
            .filter(account::Column::Username.eq(username))
            .one(&self.database.orm)
            .await
            .map_err(orm_unavailable)?;
        Ok(found.map(account_of))
    }

    async fn memberships(&self, account: Uuid) -> Result<Vec<Membership>, StoreError> {
        let rows = membership::Entity::find()
            .filter(membership::Column::Account.eq(account))
            .filter(membership::Column::Active.eq(true))
            .all(&self.database.orm)
            .await
            .map_err(orm_unavailable)?;
        let mut memberships = Vec::with_capacity(rows.len());
        for row in rows {
            let tenant =
                tenant::Entity::find_by_id(row.tenant).one(&self.database.orm).await.map_err(orm_unavailable)?;
            let name = tenant.map(|tenant| tenant.name).unwrap_or_default();
            memberships.push(membership_of(row, name)?);
        }
        Ok(memberships)
    }

    async fn save(&self, account: &Account, membership: &Membership) -> Result<(), StoreError> {
        let row = account::ActiveModel {
            id: Set(account.id),
            username: Set(account.username.clone()),
            display: Set(account.display.clone()),
            password: Set(account.password.clone()),
            pin: Set(account.pin.clone()),
        };
        let columns = [account::Column::Display, account::Column::Password, account::Column::Pin];
        let replace = OnConflict::column(account::Column::Id).update_columns(columns).to_owned();
        account::Entity::insert(row).on_conflict(replace).exec(&self.database.orm).await.map_err(orm_unavailable)?;
        let row = membership::ActiveModel {
            account: Set(account.id),
            tenant: Set(membership.tenant.get()),
            roles: Set(membership.roles.iter().map(ToString::to_string).collect()),
            practitioner: Set(membership.practitioner.as_ref().map(ToString::to_string)),
            patient: Set(membership.patient.as_ref().map(ToString::to_string)),
            active: Set(true),
        };
        let replace = OnConflict::columns([membership::Column::Account, membership::Column::Tenant])
            .update_columns([
                membership::Column::Roles,
                membership::Column::Practitioner,
                membership::Column::Patient,
                membership::Column::Active,
            ])
            .to_owned();
        membership::Entity::insert(row).on_conflict(replace).exec(&self.database.orm).await.map_err(orm_unavailable)?;
        Ok(())
    }

    async fn change_secret(&self, account: Uuid, secret: NewSecret<'_>) -> Result<(), StoreError> {
        const PASSWORD: &str = "WITH ended AS (DELETE FROM session WHERE account = $1 AND token <> $3), \
            unused AS (DELETE FROM ticket WHERE account = $1) UPDATE account SET password = $2 WHERE id = $1";
        const PIN: &str = "UPDATE account SET pin = $2 WHERE id = $1";
        let query = match secret {
            NewSecret::Password { hash, keep } => sqlx::query(PASSWORD).bind(account).bind(hash).bind(keep.as_slice()),
            NewSecret::Pin { hash } => sqlx::query(PIN).bind(account).bind(hash),
        };
        query.execute(&self.database.pool).await.map(drop).map_err(unavailable)
    }

    async fn tenant(&self, name: &str) -> Result<TenantId, StoreError> {
        const FIND_OR_MAKE: &str = "WITH made AS (INSERT INTO tenant (id, name) \
            SELECT COALESCE(max(id), 0) + 1, $1 FROM tenant ON CONFLICT (name) DO NOTHING RETURNING id) \
            SELECT id FROM made UNION ALL SELECT id FROM tenant WHERE name = $1 LIMIT 1";
        let id: i32 =
            sqlx::query_scalar(FIND_OR_MAKE).bind(name).fetch_one(&self.database.pool).await.map_err(unavailable)?;
        TenantId::try_from(id).map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    async fn open_session(
        &self,
        token: &TokenHash,
        account: Uuid,
        tenant: TenantId,
        expires: Instant,
    ) -> Result<(), StoreError> {
        let row = session::ActiveModel {
            token: Set(token.to_vec()),
            account: Set(account),
            tenant: Set(tenant.get()),
            expires: Set(time(expires)),
        };
        session::Entity::insert(row).exec_without_returning(&self.database.orm).await.map_err(orm_unavailable)?;
        Ok(())
    }

    async fn session(&self, token: &TokenHash, now: Instant) -> Result<Option<Session>, StoreError> {
        let row = session::Entity::find_by_id(token.to_vec())
            .filter(session::Column::Expires.gt(time(now)))
            .one(&self.database.orm)
            .await
            .map_err(orm_unavailable)?;
        let Some(row) = row else { return Ok(None) };
        let member = self.member(row.account, row.tenant).await?;
        Ok(member.map(|(account, membership)| Session { account, membership, expires: row.expires.into() }))
    }

    async fn end_session(&self, token: &TokenHash) -> Result<(), StoreError> {
        session::Entity::delete_by_id(token.to_vec()).exec(&self.database.orm).await.map_err(orm_unavailable)?;
        Ok(())
    }

    async fn remove(&self, account: Uuid, tenant: TenantId) -> Result<(), StoreError> {
        const REMOVE: &str = "WITH m AS (UPDATE membership SET active = false WHERE account = $1 AND tenant = $2), \
            t AS (DELETE FROM ticket WHERE account = $1 AND tenant = $2) \
            DELETE FROM session WHERE account = $1 AND tenant = $2";
        let done = sqlx::query(REMOVE).bind(account).bind(tenant.get()).execute(&self.database.pool).await;
        done.map(drop).map_err(unavailable)
    }

    async fn save_ticket(&self, token: &TokenHash, ticket: Ticket) -> Result<(), StoreError> {
        let row = ticket::ActiveModel {
            token: Set(token.to_vec()),
            account: Set(ticket.account),
            tenant: Set(ticket.tenant.get()),
            dictation: Set(ticket.dictation),
            expires: Set(time(ticket.expires)),
        };
        ticket::Entity::insert(row).exec_without_returning(&self.database.orm).await.map_err(orm_unavailable)?;
        Ok(())
    }

    async fn take_ticket(&self, token: &TokenHash, now: Instant) -> Result<Option<(Ticket, Session)>, StoreError> {
        const TAKE: &str = "DELETE FROM ticket WHERE token = $1 RETURNING account, tenant, dictation, expires";
        let row: Option<(Uuid, i32, Uuid, DateTime<Utc>)> = sqlx::query_as(TAKE)
            .bind(token.as_slice())
            .fetch_optional(&self.database.pool)
            .await
            .map_err(unavailable)?;
        let Some((account, tenant, dictation, expires)) = row.filter(|row| row.3 > time(now)) else { return Ok(None) };
        let Some((member, membership)) = self.member(account, tenant).await? else { return Ok(None) };
        let ticket = Ticket { account, tenant: membership.tenant, dictation, expires: expires.into() };
        Ok(Some((ticket, Session { account: member, membership, expires: expires.into() })))
    }
}

fn account_of(row: account::Model) -> Account {
    let account::Model { id, username, display, password, pin } = row;
    Account { id, username, display, password, pin }
}

fn membership_of(row: membership::Model, tenant_name: String) -> Result<Membership, StoreError> {
    let wrong = |what: &str| StoreError::Unavailable(format!("a membership has an impossible {what}"));
    Ok(Membership {
        tenant: TenantId::try_from(row.tenant).map_err(|_| wrong("tenant"))?,
        tenant_name,
        roles: row.roles.iter().map(|role| role.parse()).collect::<Result<_, _>>().map_err(|_| wrong("role"))?,
        practitioner: row.practitioner.map(|id| id.parse()).transpose().map_err(|_| wrong("practitioner"))?,
        patient: row.patient.map(|id| id.parse()).transpose().map_err(|_| wrong("patient"))?,
    })
}

fn time(instant: Instant) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(instant.micros()).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
