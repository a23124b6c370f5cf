//! The schema of `seva`, as ordered migrations.
//!
//! Migrations change the schema only; moving data is a job of the store. The reasons for each table stand in
//! `docs/architecture.md` and in the decision records. Callers hold the advisory lock [`MIGRATION_LOCK`] around
//! [`Migrator::up`](sea_orm_migration::MigratorTrait::up): sea-orm-migration takes none of its own.

use sea_orm_migration::prelude::{ConnectionTrait, DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub use sea_orm_migration::MigratorTrait;

mod m0001_store;
mod m0002_access;
mod m0003_clinic;
mod m0004_history;
mod m0005_leases;
mod m0006_jobs;
mod m0007_parameters;
mod m0008_audit;
mod m0009_terminology;
mod m0010_narrow_index;
mod m0011_dictation_states;
mod m0013_uploads;
mod m0014_audio_life;
mod m0015_decoding;
mod m0030_blobs;
mod m0040_review;
mod m0041_proposals;
mod m0042_commands;
mod m0046_address_rows;
mod m0047_token_case;
mod m0048_client_addresses;

/// The key of the PostgreSQL advisory lock that serialises migrations between nodes.
pub const MIGRATION_LOCK: i64 = 0x5345_5641_0001;

/// Lists the migrations in their order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Statements { name: "m0001_store", up: m0001_store::UP, down: m0001_store::DOWN }),
            Box::new(Statements { name: "m0002_access", up: m0002_access::UP, down: m0002_access::DOWN }),
            Box::new(Statements { name: "m0003_clinic", up: m0003_clinic::UP, down: m0003_clinic::DOWN }),
            Box::new(Statements { name: "m0004_history", up: m0004_history::UP, down: m0004_history::DOWN }),
            Box::new(Statements { name: "m0005_leases", up: m0005_leases::UP, down: m0005_leases::DOWN }),
            Box::new(Statements { name: "m0006_jobs", up: m0006_jobs::UP, down: m0006_jobs::DOWN }),
            Box::new(Statements { name: "m0007_parameters", up: m0007_parameters::UP, down: m0007_parameters::DOWN }),
            Box::new(Statements { name: "m0008_audit", up: m0008_audit::UP, down: m0008_audit::DOWN }),
            Box::new(Statements {
                name: "m0009_terminology",
                up: m0009_terminology::UP,
                down: m0009_terminology::DOWN,
            }),
            Box::new(Statements {
                name: "m0010_narrow_index",
                up: m0010_narrow_index::UP,
                down: m0010_narrow_index::DOWN,
            }),
            Box::new(Statements {
                name: "m0011_dictation_states",
                up: m0011_dictation_states::UP,
                down: m0011_dictation_states::DOWN,
            }),
            Box::new(Statements { name: "m0013_uploads", up: m0013_uploads::UP, down: m0013_uploads::DOWN }),
            Box::new(Statements { name: "m0014_audio_life", up: m0014_audio_life::UP, down: m0014_audio_life::DOWN }),
            Box::new(Statements { name: "m0015_decoding", up: m0015_decoding::UP, down: m0015_decoding::DOWN }),
            Box::new(Statements { name: "m0030_blobs", up: m0030_blobs::UP, down: m0030_blobs::DOWN }),
            Box::new(Statements { name: "m0040_review", up: m0040_review::UP, down: m0040_review::DOWN }),
            Box::new(Statements { name: "m0041_proposals", up: m0041_proposals::UP, down: m0041_proposals::DOWN }),
            Box::new(Statements { name: "m0042_commands", up: m0042_commands::UP, down: m0042_commands::DOWN }),
            Box::new(Statements {
                name: "m0046_address_rows",
                up: m0046_address_rows::UP,
                down: m0046_address_rows::DOWN,
            }),
            Box::new(Statements { name: "m0047_token_case", up: m0047_token_case::UP, down: m0047_token_case::DOWN }),
            Box::new(Statements {
                name: "m0048_client_addresses",
                up: m0048_client_addresses::UP,
                down: m0048_client_addresses::DOWN,
            }),
        ]
    }
}

/// A migration that is the SQL of its file.
struct Statements {
    /// The name under which it is remembered as done.
    name: &'static str,
    up: &'static str,
    down: &'static str,
}

impl MigrationName for Statements {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Statements {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.up).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.down).await.map(drop)
    }
}
