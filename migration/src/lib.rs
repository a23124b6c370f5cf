//! The schema of `seva`, as ordered migrations.
//!
//! Migrations change the schema only; moving data is a job of the store. The reasons for each table stand in
//! `docs/architecture.md` and in the decision records. Callers hold the advisory lock [`MIGRATION_LOCK`] around
//! [`Migrator::up`](sea_orm_migration::MigratorTrait::up): sea-orm-migration takes none of its own.

use sea_orm_migration::prelude::{MigrationTrait, async_trait};

pub use sea_orm_migration::MigratorTrait;

mod m0001_store;
mod m0002_access;
mod m0003_clinic;

/// The key of the PostgreSQL advisory lock that serialises migrations between nodes.
pub const MIGRATION_LOCK: i64 = 0x5345_5641_0001;

/// Lists the migrations in their order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_store::Migration), Box::new(m0002_access::Migration), Box::new(m0003_clinic::Migration)]
    }
}
