//! The store on PostgreSQL: resources and their index, access, dictations, jobs. SeaORM stays in this crate.
//!
//! Hot statements are SQL constants (decision D18: few statement shapes, arrays instead of lists); everything else is built
//! with SeaORM entities and sea-query. Which is which stands in `docs/decisions/0005-entities-and-what-stays-sql.md`.

mod accounts;
mod audit;
mod blobs;
mod concepts;
mod connections;
mod database;
mod dictations;
mod entities;
mod failure;
mod hash;
mod idempotency;
mod jobs;
mod moments;
mod registry;
mod reindex;
mod resources;
mod review;
mod rows;
mod search;
mod secrets;
mod together;

pub use accounts::PostgresAccounts;
pub use audit::{PostgresAudit, PostgresAuditEvents, PostgresSealer};
pub use blobs::PostgresBlobs;
pub use concepts::PostgresConcepts;
pub use database::{Database, DatabaseError, DatabaseSettings};
pub use dictations::PostgresDictations;
pub use idempotency::PostgresIdempotency;
pub use jobs::PostgresJobs;
pub use reindex::Reindexing;
pub use resources::PostgresResources;
pub use review::PostgresReview;
pub use secrets::PostgresSecrets;
