//! Checks the chains: every seal against the one before it, its signature and the records that stand there now.

use std::collections::HashMap;

use sea_orm::{
    AccessMode, ColumnTrait, DatabaseTransaction, EntityTrait, IsolationLevel, QueryFilter, QueryOrder, QuerySelect,
    TransactionTrait,
};
use seva_fhir::access::{AuditSource, Broken, Chain, Digest, SealedBatch, Stream};
use seva_fhir::ports::StoreError;
use seva_fhir::types::{Instant, TenantId};

use super::records::{Position, Window, gap_digest, read, stream_of};
use super::{PostgresSealer, position, wrong};
use crate::entities::{audit, audit_seal, audit_sealer, tenant};
use crate::failure::orm_unavailable;

/// Seals read at once.
const PAGE: u64 = 100;

/// A tenant's chain as far as it was checked.
struct Walk<'a> {
    sealer: &'a PostgresSealer,
    transaction: &'a DatabaseTransaction,
    chain: Chain,
    number: i64,
    reached: HashMap<Stream, Position>,
}

impl PostgresSealer {
    /// Checks the chain of the hospital of this name, or of all, in one snapshot.
    pub async fn verify(&self, hospital: Option<&str>) -> Result<Vec<Chain>, StoreError> {
        let (isolation, mode) = (Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly));
        let transaction = self.orm.begin_with_config(isolation, mode).await.map_err(orm_unavailable)?;
        let state = audit_sealer::Entity::find().one(&transaction).await.map_err(orm_unavailable)?;
        let state = state.ok_or_else(|| wrong("the state of the sealer"))?;
        let tenants = tenant::Entity::find().order_by_asc(tenant::Column::Id).all(&transaction).await;
        let mut chains = Vec::new();
        for row in tenants.map_err(orm_unavailable)? {
            if hospital.is_none_or(|name| name == row.name) {
                let mut walk = Walk::new(self, &transaction, row)?;
                walk.chain.broken = walk.check(&state).await?;
                chains.push(walk.chain);
            }
        }
        transaction.commit().await.map_err(orm_unavailable)?;
        Ok(chains)
    }
}

impl<'a> Walk<'a> {
    fn new(
        sealer: &'a PostgresSealer,
        transaction: &'a DatabaseTransaction,
        row: tenant::Model,
    ) -> Result<Self, StoreError> {
        let tenant: TenantId = row.id.try_into().map_err(|_| wrong("a tenant"))?;
        let (hospital, gaps) = (row.name, Vec::new());
        let chain = Chain { tenant, hospital, seals: 0, records: 0, gaps, head: [0; 32], broken: None };
        Ok(Self { sealer, transaction, chain, number: 0, reached: HashMap::new() })
    }

    /// The first thing that does not hold.
    async fn check(&mut self, state: &audit_sealer::Model) -> Result<Option<Broken>, StoreError> {
        loop {
            let page = audit_seal::Entity::find()
                .filter(audit_seal::Column::Tenant.eq(self.chain.tenant.get()))
                .filter(audit_seal::Column::Number.gt(self.number))
                .order_by_asc(audit_seal::Column::Number)
                .limit(PAGE);
            let page = page.all(self.transaction).await.map_err(orm_unavailable)?;
            if page.is_empty() {
                return self.check_tail(state).await;
            }
            for row in page {
                if let Some(broken) = self.check_seal(&row).await? {
                    return Ok(Some(broken));
                }
            }
        }
    }

    async fn check_seal(&mut self, row: &audit_seal::Model) -> Result<Option<Broken>, StoreError> {
        let number = self.number + 1;
        let broken = |how| Ok(Some(Broken::Seal { seal: number, how }));
        if row.number != number {
            return broken("is missing");
        }
        let Some(batch) = batch_of(row, self.chain.tenant) else { return broken("can't be read: it was changed") };
        let head = batch.head(&self.chain.head);
        if row.head != head {
            return broken("was changed, or does not follow the one before it");
        }
        if row.key != self.sealer.key.id() {
            return broken("is signed with another key than this installation's");
        }
        if !self.sealer.key.verify(&head, &row.signature) {
            return broken("has a signature that does not hold");
        }
        let found = match batch.stream {
            Stream::Audit => self.check_records(AuditSource::Audit, &batch).await?,
            Stream::Change => self.check_records(AuditSource::Change, &batch).await?,
            Stream::Gap => self.check_gap(&batch).await?,
        };
        if found.is_some() {
            return Ok(found);
        }
        self.number = number;
        self.chain.head = head;
        self.chain.seals += 1;
        self.reached.insert(batch.stream, batch.to);
        Ok(None)
    }

    async fn check_records(&mut self, source: AuditSource, batch: &SealedBatch) -> Result<Option<Broken>, StoreError> {
        let tenant = Some(self.chain.tenant.get());
        let window = Window { tenant, from: batch.from, to: Some(batch.to), limit: i64::MAX.cast_unsigned() };
        let now: HashMap<i64, Digest> = read(self.transaction, source, window)
            .await?
            .into_iter()
            .map(|record| (record.position.1, record.digest))
            .collect();
        let broken = |record, how| Broken::Record { stream: batch.stream, record, seal: batch.number, how };
        for (number, digest) in &batch.records {
            match now.get(number) {
                None => return Ok(Some(broken(*number, "is missing: it was removed after it was sealed"))),
                Some(own) if own != digest => return Ok(Some(broken(*number, "was changed after it was sealed"))),
                Some(_) => {}
            }
        }
        let sealed = |number: &i64| batch.records.iter().any(|(own, _)| own == number);
        if now.len() > batch.records.len()
            && let Some(number) = now.keys().filter(|number| !sealed(number)).min()
        {
            return Ok(Some(broken(*number, "was put in after its neighbours were sealed")));
        }
        self.chain.records += batch.records.len() as u64;
        Ok(None)
    }

    /// A number that was sealed as missing must not have come back.
    async fn check_gap(&mut self, batch: &SealedBatch) -> Result<Option<Broken>, StoreError> {
        let numbers: Vec<i64> = batch.records.iter().map(|(number, _)| *number).collect();
        let back = audit::Entity::find().filter(audit::Column::Seq.is_in(numbers.clone()));
        if let Some(row) = back.one(self.transaction).await.map_err(orm_unavailable)? {
            let how = "stands where a gap was sealed";
            let (stream, seal) = (Stream::Audit, batch.number);
            return Ok(Some(Broken::Record { stream, record: row.seq, seal, how }));
        }
        if batch.records.iter().any(|(number, digest)| gap_digest(*number) != *digest) {
            return Ok(Some(Broken::Seal { seal: batch.number, how: "was changed" }));
        }
        for number in numbers {
            match self.chain.gaps.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => self.chain.gaps.push((number, number)),
            }
        }
        Ok(None)
    }

    /// What the sealer has passed and no seal covers lost its seal, or was put in later.
    async fn check_tail(&self, state: &audit_sealer::Model) -> Result<Option<Broken>, StoreError> {
        for source in AuditSource::ALL {
            let stream = stream_of(source);
            let from = self.reached.get(&stream).copied().unwrap_or_default();
            let tenant = Some(self.chain.tenant.get());
            let window = Window { tenant, from, to: Some(position(state, source)), limit: 1 };
            if let Some(record) = read(self.transaction, source, window).await?.first() {
                let how = "should be sealed, and its seal is missing";
                let (record, seal) = (record.position.1, self.number + 1);
                return Ok(Some(Broken::Record { stream, record, seal, how }));
            }
        }
        Ok(None)
    }
}

fn batch_of(row: &audit_seal::Model, tenant: TenantId) -> Option<SealedBatch> {
    let (digests, rest) = row.digests.as_chunks::<32>();
    if !rest.is_empty() || digests.len() != row.records.len() {
        return None;
    }
    Some(SealedBatch {
        tenant,
        number: row.number,
        stream: Stream::from_code(&row.stream)?,
        from: (row.from_xid, row.from_seq),
        to: (row.to_xid, row.to_seq),
        records: row.records.iter().copied().zip(digests.iter().copied()).collect(),
        sealed: Instant::from_micros(row.sealed),
    })
}
