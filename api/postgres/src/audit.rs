//! The audit log: reads are queued and written many to a statement within 100 ms; the rest is written before the answer.

mod events;
mod seal;

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use seva_fhir::access::{AuditLog, AuditRecord};
use seva_fhir::ports::StoreError;
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::Database;
use crate::failure::unavailable;

pub use events::PostgresAuditEvents;
pub use seal::PostgresSealer;

/// Records waiting to be written; a full queue makes readers wait, so nothing is dropped.
const QUEUE: usize = 4096;
/// Records in one statement.
const BATCH: usize = 512;
/// How long a first record waits for company.
const GATHER: Duration = Duration::from_millis(50);

/// Patients of one record are joined for transport: arrays of arrays must be rectangular.
const INSERT: &str = "INSERT INTO audit (at, tenant, who, action, outcome, target, patients, request, query, address) \
    SELECT at, tenant, who, action, outcome, target, string_to_array(patients, ','), request, query, address \
    FROM UNNEST($1::int8[], $2::int4[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], \
    $10::text[]) n(at, tenant, who, action, outcome, target, patients, request, query, address)";

/// The audit log in PostgreSQL.
#[derive(Clone)]
pub struct PostgresAudit {
    pool: PgPool,
    queue: mpsc::Sender<AuditRecord>,
}

impl PostgresAudit {
    /// Starts the writer. Its handle ends after the last clone of the log is dropped and everything is written.
    pub fn start(database: &Database) -> (Self, JoinHandle<()>) {
        let (queue, records) = mpsc::channel(QUEUE);
        let writer = tokio::spawn(write_batches(database.pool.clone(), records));
        (Self { pool: database.pool.clone(), queue }, writer)
    }
}

#[async_trait]
impl AuditLog for PostgresAudit {
    async fn record(&self, record: AuditRecord) {
        if let Err(unsent) = self.queue.send(record).await {
            // The writer has gone (shutdown): write it ourselves rather than lose it.
            if let Err(error) = insert(&self.pool, &[unsent.0]).await {
                tracing::error!(%error, "an audit record could not be written");
            }
        }
    }

    async fn record_now(&self, record: AuditRecord) -> Result<(), StoreError> {
        insert(&self.pool, &[record]).await.map_err(unavailable)
    }
}

async fn write_batches(pool: PgPool, mut records: mpsc::Receiver<AuditRecord>) {
    let mut batch = Vec::with_capacity(BATCH);
    while records.recv_many(&mut batch, BATCH).await > 0 {
        if batch.len() < BATCH {
            tokio::time::sleep(GATHER).await;
            while batch.len() < BATCH {
                match records.try_recv() {
                    Ok(record) => batch.push(record),
                    Err(_) => break,
                }
            }
        }
        let mut pause = Duration::from_millis(100);
        while let Err(error) = insert(&pool, &batch).await {
            if matches!(error, sqlx::Error::PoolClosed) {
                tracing::error!(records = batch.len(), "audit records could not be written: the database is closed");
                break;
            }
            tracing::error!(%error, "audit records wait for the database");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(10));
        }
        batch.clear();
    }
}

/// A client's address as the logs hold it.
pub(crate) fn written(address: Option<IpAddr>) -> Option<String> {
    address.map(|address| address.to_string())
}

async fn insert(pool: &PgPool, records: &[AuditRecord]) -> Result<(), sqlx::Error> {
    let texts = |of: fn(&AuditRecord) -> &str| records.iter().map(of).collect::<Vec<&str>>();
    sqlx::query(INSERT)
        .bind(records.iter().map(|record| record.at.micros()).collect::<Vec<i64>>())
        .bind(records.iter().map(|record| record.tenant.get()).collect::<Vec<i32>>())
        .bind(texts(|record| &record.who))
        .bind(texts(|record| record.action.code()))
        .bind(texts(|record| record.outcome.code()))
        .bind(texts(|record| &record.target))
        .bind(records.iter().map(|record| record.patients.join(",")).collect::<Vec<String>>())
        .bind(texts(|record| &record.request.id))
        .bind(records.iter().map(|record| record.query.as_deref()).collect::<Vec<Option<&str>>>())
        .bind(records.iter().map(|record| written(record.request.address)).collect::<Vec<Option<String>>>())
        .execute(pool)
        .await
        .map(drop)
}
