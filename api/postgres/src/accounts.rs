//! Accounts, memberships, sessions and tickets through SeaORM.

mod hospitals;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{ExprTrait, Func, OnConflict, Query, UnionType, WithQuery};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use seva_fhir::access::{Account, AccountStore, Membership, NewSecret, Session, Ticket, TokenHash};
use seva_fhir::ports::StoreError;
use seva_fhir::types::{Instant, TenantId};
use uuid::Uuid;

use crate::Database;
use crate::entities::{account, membership, session, tenant, ticket};
use crate::failure::orm_unavailable;
use crate::moments::time;
use crate::together::together;

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
        let tenant = membership::Entity::belongs_to(tenant::Entity)
            .from(membership::Column::Tenant)
            .to(tenant::Column::Id)
            .into();
        let rows = membership::Entity::find()
            .filter(membership::Column::Account.eq(account))
            .filter(membership::Column::Active.eq(true))
            .join(JoinType::InnerJoin, tenant)
            .order_by_asc(membership::Column::Tenant)
            .select_also(tenant::Entity)
            .all(&self.database.orm)
            .await
            .map_err(orm_unavailable)?;
        let named = |(row, tenant): (_, Option<tenant::Model>)| {
            membership_of(row, tenant.map(|tenant| tenant.name).unwrap_or_default())
        };
        rows.into_iter().map(named).collect()
    }

    async fn save(&self, account: &Account, membership: &Membership) -> Result<(), StoreError> {
        let row = account::ActiveModel {
            id: Set(account.id),
            username: Set(account.username.clone()),
            display: Set(account.display.clone()),
            password: Set(account.password.clone()),
            pin: Set(account.pin.clone()),
            ..Default::default()
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
        let (changed, hash) = match secret {
            NewSecret::Password { hash, .. } => (account::Column::Password, hash),
            NewSecret::Pin { hash } => (account::Column::Pin, hash),
        };
        let change =
            account::Entity::update_many().col_expr(changed, hash.into()).filter(account::Column::Id.eq(account));
        let NewSecret::Password { keep, .. } = secret else {
            return change.exec(&self.database.orm).await.map(drop).map_err(orm_unavailable);
        };
        let ended = session::Entity::delete_many()
            .filter(session::Column::Account.eq(account))
            .filter(session::Column::Token.ne(keep.to_vec()));
        let unused = ticket::Entity::delete_many().filter(ticket::Column::Account.eq(account));
        let all = together([("ended", ended.into_query().into()), ("unused", unused.into_query().into())])
            .query(change.into_query());
        self.database.orm.execute(&all).await.map(drop).map_err(orm_unavailable)
    }

    async fn tenant(&self, name: &str) -> Result<TenantId, StoreError> {
        let statement = find_or_make(name).map_err(orm_unavailable)?;
        let row = self.database.orm.query_one(&statement).await.map_err(orm_unavailable)?;
        let row = row.ok_or_else(|| StoreError::Unavailable("a tenant is neither there nor made".to_owned()))?;
        let id: i32 = row.try_get_by_index(0).map_err(orm_unavailable)?;
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
            ..Default::default()
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
        let member = membership::Entity::update_many()
            .col_expr(membership::Column::Active, false.into())
            .filter(membership::Column::Account.eq(account))
            .filter(membership::Column::Tenant.eq(tenant.get()));
        let tickets = ticket::Entity::delete_many()
            .filter(ticket::Column::Account.eq(account))
            .filter(ticket::Column::Tenant.eq(tenant.get()));
        let sessions = session::Entity::delete_many()
            .filter(session::Column::Account.eq(account))
            .filter(session::Column::Tenant.eq(tenant.get()));
        let all = together([("member", member.into_query().into()), ("tickets", tickets.into_query().into())])
            .query(sessions.into_query());
        self.database.orm.execute(&all).await.map(drop).map_err(orm_unavailable)
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
        let taken = ticket::Entity::delete_by_id(token.to_vec())
            .exec_with_returning(&self.database.orm)
            .await
            .map_err(orm_unavailable)?;
        let Some(ticket::Model { account, tenant, dictation, expires, .. }) =
            taken.filter(|ticket| ticket.expires > time(now))
        else {
            return Ok(None);
        };
        let Some((member, membership)) = self.member(account, tenant).await? else { return Ok(None) };
        let ticket = Ticket { account, tenant: membership.tenant, dictation, expires: expires.into() };
        Ok(Some((ticket, Session { account: member, membership, expires: expires.into() })))
    }
}

/// Finds a tenant, and makes it with the next number if it is not there.
fn find_or_make(name: &str) -> Result<WithQuery, DbErr> {
    let next = Func::coalesce([tenant::Column::Id.max(), 0.into()]);
    let mut row = Query::select();
    row.expr(next.add(1)).expr(name).from(tenant::Entity);
    let mut make = Query::insert();
    make.into_table(tenant::Entity)
        .columns([tenant::Column::Id, tenant::Column::Name])
        .select_from(row)
        .map_err(|error| DbErr::Query(sea_orm::RuntimeErr::Internal(error.to_string())))?
        .on_conflict(OnConflict::column(tenant::Column::Name).do_nothing().to_owned())
        .returning_col(tenant::Column::Id);
    let mut known = Query::select();
    known.column(tenant::Column::Id).from(tenant::Entity).and_where(tenant::Column::Name.eq(name));
    let mut either = Query::select();
    either.column(tenant::Column::Id).from("made").union(UnionType::All, known).limit(1);
    Ok(together([("made", make.into())]).query(either))
}

fn account_of(row: account::Model) -> Account {
    let account::Model { id, username, display, password, pin, .. } = row;
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
