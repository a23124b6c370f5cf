//! Migrations on one dedicated connection, under an advisory lock: two nodes that start together run them once.

use sea_orm::SqlxPostgresConnector;
use seva_migration::{MIGRATION_LOCK, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::DatabaseError;

/// Lock and version are SQL on a connection of their own: a session's lock belongs to its connection.
pub(super) async fn run_migrations(options: &PgConnectOptions) -> Result<(), DatabaseError> {
    let lock_pool = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    let mut lock = lock_pool.acquire().await?;
    let version: i32 =
        sqlx::query_scalar("SELECT current_setting('server_version_num')::int4 / 10000").fetch_one(&mut *lock).await?;
    if version < 15 {
        return Err(DatabaseError::TooOld { found: version });
    }
    sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATION_LOCK).execute(&mut *lock).await?;
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let migrated = <Migrator as seva_migration::MigratorTrait>::up(&connection, None).await;
    pool.close().await;
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(MIGRATION_LOCK).execute(&mut *lock).await?;
    drop(lock);
    lock_pool.close().await;
    migrated.map_err(DatabaseError::Migration)
}

#[cfg(test)]
mod tests;
