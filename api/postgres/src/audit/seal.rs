//! The sealer: it chains committed records batch by batch (decision D19). One node seals at a time: the lock of the one row
//! of `audit_sealer` is the lease, which ends with the transaction or with its connection, so a late sealer can't commit.
//! Writers never wait for it.

mod records;
mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, SqlxPostgresConnector, TransactionTrait,
};
use seva_fhir::access::{AuditSource, Digest, SealKey, SealedBatch, Stream};
use seva_fhir::clock::Clock;
use seva_fhir::ports::StoreError;
use seva_fhir::types::TenantId;

use crate::Database;
use crate::entities::{audit, audit_seal, audit_sealer};
use crate::failure::orm_unavailable;
use records::{Position, Record, Window, gap_digest, read, stream_of};

/// A number that is missing for so long belongs to no transaction any more, microseconds.
const SETTLED: i64 = 10_000_000;
/// A sealer that hangs lets go of the lease.
const PATIENCE: &str = "SET LOCAL statement_timeout = '30s'; SET LOCAL idle_in_transaction_session_timeout = '30s'";

/// Seals the logs and checks the chains.
#[derive(Clone)]
pub struct PostgresSealer {
    orm: DatabaseConnection,
    key: Arc<dyn SealKey>,
    clock: Arc<dyn Clock>,
}

/// Where a tenant's chain ends.
struct End {
    number: i64,
    head: Digest,
}

impl PostgresSealer {
    /// Records of one log in one pass; a pass that seals fewer has sealed all that there was.
    pub const BATCH: usize = 1000;

    /// Over an open database, with the key that signs.
    #[must_use]
    pub fn new(database: &Database, key: Arc<dyn SealKey>, clock: Arc<dyn Clock>) -> Self {
        let orm = SqlxPostgresConnector::from_sqlx_postgres_pool(database.background.clone());
        Self { orm, key, clock }
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &dyn SealKey {
        self.key.as_ref()
    }

    /// Seals what was committed since, a batch of each log at most; tells how many records that were.
    pub async fn seal(&self) -> Result<usize, StoreError> {
        if !self.is_due().await? {
            return Ok(0);
        }
        let transaction = self.orm.begin().await.map_err(orm_unavailable)?;
        transaction.execute_unprepared(PATIENCE).await.map_err(orm_unavailable)?;
        let lease = audit_sealer::Entity::find().lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        let Some(mut state) = lease.one(&transaction).await.map_err(orm_unavailable)? else { return Ok(0) };
        let mut sealed = 0;
        for source in AuditSource::ALL {
            sealed += self.seal_log(&transaction, source, &mut state).await?;
        }
        sealed += self.seal_gaps(&transaction, &mut state).await?;
        let row = state.into_active_model().reset_all();
        row.update(&transaction).await.map_err(orm_unavailable)?;
        transaction.commit().await.map_err(orm_unavailable)?;
        Ok(sealed)
    }

    /// Whether there is something to do: looking takes no lock and writes nothing.
    async fn is_due(&self) -> Result<bool, StoreError> {
        let state = audit_sealer::Entity::find().one(&self.orm).await.map_err(orm_unavailable)?;
        let Some(state) = state else { return Ok(false) };
        if state.seen > state.counted && self.clock.now().micros() - state.seen_at >= SETTLED {
            return Ok(true);
        }
        for source in AuditSource::ALL {
            let window = Window { tenant: None, from: position(&state, source), to: None, limit: 1 };
            if !read(&self.orm, source, window).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn seal_log(
        &self,
        transaction: &DatabaseTransaction,
        source: AuditSource,
        state: &mut audit_sealer::Model,
    ) -> Result<usize, StoreError> {
        let window = Window { tenant: None, from: position(state, source), to: None, limit: Self::BATCH as u64 };
        let found = read(transaction, source, window).await?;
        let Some(last) = found.last().map(|record| record.position) else { return Ok(0) };
        let mut by_tenant: BTreeMap<i32, Vec<Record>> = BTreeMap::new();
        for record in &found {
            by_tenant.entry(record.tenant).or_default().push(*record);
        }
        for (tenant, records) in by_tenant {
            let from = reached(transaction, tenant, stream_of(source)).await?;
            let records = records.iter().map(|record| (record.position.1, record.digest)).collect();
            self.add(transaction, (tenant, stream_of(source)), (from, last), records).await?;
        }
        match source {
            AuditSource::Audit => (state.audit_xid, state.audit_seq) = last,
            AuditSource::Change => (state.change_xid, state.change_seq) = last,
        }
        Ok(found.len())
    }

    /// Numbers that no record has got are sealed as gaps in the chain of the shared tenant, since nobody knows whose they
    /// were. A number counts as missing when higher ones were there for a while.
    async fn seal_gaps(
        &self,
        transaction: &DatabaseTransaction,
        state: &mut audit_sealer::Model,
    ) -> Result<usize, StoreError> {
        let now = self.clock.now().micros();
        let mut missing = Vec::new();
        if state.seen > state.counted && now - state.seen_at >= SETTLED {
            let until = state.seen.min(state.counted.saturating_add(Self::BATCH.cast_signed() as i64));
            let present = audit::Entity::find()
                .select_only()
                .column(audit::Column::Seq)
                .filter(audit::Column::Seq.gt(state.counted))
                .filter(audit::Column::Seq.lte(until))
                .order_by_asc(audit::Column::Seq);
            let present: Vec<i64> = present.into_tuple().all(transaction).await.map_err(orm_unavailable)?;
            missing.extend((state.counted + 1..=until).filter(|number| present.binary_search(number).is_err()));
            if !missing.is_empty() {
                let records = missing.iter().map(|number| (*number, gap_digest(*number))).collect();
                let window = ((0, state.counted), (0, until));
                self.add(transaction, (TenantId::SHARED.get(), Stream::Gap), window, records).await?;
            }
            state.counted = until;
        }
        if state.seen <= state.counted {
            let highest = audit::Entity::find().select_only().column_as(audit::Column::Seq.max(), "highest");
            let highest: Option<Option<i64>> = highest.into_tuple().one(transaction).await.map_err(orm_unavailable)?;
            state.seen = highest.flatten().unwrap_or_default().max(state.counted);
            state.seen_at = now;
        }
        Ok(missing.len())
    }

    async fn add(
        &self,
        transaction: &DatabaseTransaction,
        (tenant, stream): (i32, Stream),
        (from, to): (Position, Position),
        records: Vec<(i64, Digest)>,
    ) -> Result<(), StoreError> {
        let end = end_of(transaction, tenant).await?;
        let batch = SealedBatch {
            tenant: tenant.try_into().map_err(|_| wrong("a tenant"))?,
            number: end.number + 1,
            stream,
            from,
            to,
            records,
            sealed: self.clock.now(),
        };
        let head = batch.head(&end.head);
        let row = audit_seal::ActiveModel {
            tenant: Set(tenant),
            number: Set(batch.number),
            stream: Set(stream.code().to_owned()),
            from_xid: Set(from.0),
            from_seq: Set(from.1),
            to_xid: Set(to.0),
            to_seq: Set(to.1),
            records: Set(batch.records.iter().map(|(number, _)| *number).collect()),
            digests: Set(batch.records.iter().flat_map(|(_, digest)| digest.iter().copied()).collect()),
            sealed: Set(batch.sealed.micros()),
            head: Set(head.to_vec()),
            key: Set(self.key.id().to_owned()),
            signature: Set(self.key.sign(&head)),
        };
        audit_seal::Entity::insert(row).exec_without_returning(transaction).await.map_err(orm_unavailable).map(drop)
    }
}

fn position(state: &audit_sealer::Model, source: AuditSource) -> Position {
    match source {
        AuditSource::Audit => (state.audit_xid, state.audit_seq),
        AuditSource::Change => (state.change_xid, state.change_seq),
    }
}

async fn end_of(transaction: &DatabaseTransaction, tenant: i32) -> Result<End, StoreError> {
    let last = audit_seal::Entity::find()
        .filter(audit_seal::Column::Tenant.eq(tenant))
        .order_by_desc(audit_seal::Column::Number);
    match last.one(transaction).await.map_err(orm_unavailable)? {
        Some(last) => {
            Ok(End { number: last.number, head: last.head.try_into().map_err(|_| wrong("the head of a chain"))? })
        }
        None => Ok(End { number: 0, head: [0; 32] }),
    }
}

/// Up to where a tenant's records of a log are sealed.
async fn reached(transaction: &DatabaseTransaction, tenant: i32, stream: Stream) -> Result<Position, StoreError> {
    let last = audit_seal::Entity::find()
        .filter(audit_seal::Column::Tenant.eq(tenant))
        .filter(audit_seal::Column::Stream.eq(stream.code()))
        .order_by_desc(audit_seal::Column::Number);
    let last = last.one(transaction).await.map_err(orm_unavailable)?;
    Ok(last.map_or((0, 0), |last| (last.to_xid, last.to_seq)))
}

fn wrong(what: &str) -> StoreError {
    StoreError::Unavailable(format!("{what} is not one that is known"))
}
