//! Connecting, migrating under a lock, and what every part of the store shares: pool, hash key, registry, row ids.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use migrate::run_migrations;
use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, PgPool};

use crate::connections::Connections;
use crate::hash::IndexHash;
use crate::registry::Registry;
use crate::search::drive::Counts;
use crate::secrets;

mod migrate;

/// The name of the secret that holds the key of the index hashes.
const INDEX_KEY: &str = "index-hash";

/// How many connections serve what runs behind the requests.
const BACKGROUND: u32 = 3;

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// A `postgres://` URL.
    pub url: String,
    /// The database within the private cluster, created when it is missing; none takes the one of the URL.
    pub create: Option<String>,
    /// How many connections serve requests.
    pub connections: u32,
    /// How long a statement of a request may run.
    pub statement_seconds: u32,
}

/// Why the database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL does not parse.
    #[error("database.url is not a PostgreSQL URL")]
    Url,
    /// PostgreSQL refused or is away.
    #[error("PostgreSQL: {0}")]
    Sql(#[from] sqlx::Error),
    /// A statement failed.
    #[error("PostgreSQL: {0}")]
    Statement(#[from] sea_orm::DbErr),
    /// A migration failed.
    #[error("migration: {0}")]
    Migration(sea_orm::DbErr),
    /// The server is too old.
    #[error("PostgreSQL {found} is too old: version 15 or later is needed")]
    TooOld {
        /// The server's version.
        found: i32,
    },
    /// The schema is not the one of this program.
    #[error("the database's schema is not up to date: run `seva migrate`")]
    NotMigrated,
}

/// A migrated database.
#[derive(Clone)]
pub struct Database {
    pub(crate) pool: PgPool,
    /// Connections of the pool for the statements that are asked most.
    pub(crate) connections: Connections,
    /// For what runs behind the requests: exports and jobs never take a request's connection (decision D18).
    pub(crate) background: PgPool,
    pub(crate) orm: DatabaseConnection,
    pub(crate) background_orm: DatabaseConnection,
    pub(crate) hash: IndexHash,
    pub(crate) registry: Arc<Registry>,
    /// How often values occur, as searches counted them.
    pub(crate) counts: Arc<Counts>,
}

impl Database {
    /// Connects, migrates under the advisory lock, and loads what the store keeps in memory.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, DatabaseError> {
        let mut options = PgConnectOptions::from_str(&settings.url).map_err(|_| DatabaseError::Url)?;
        options = options.statement_cache_capacity(512).application_name("seva");
        if let Some(name) = &settings.create {
            create_database(&options, name).await?;
            options = options.database(name);
        }
        run_migrations(&options).await?;
        let limit = settings.statement_seconds;
        // One for what is asked most, one for the rest.
        let count = settings.connections.max(2);
        let pool = PgPoolOptions::new()
            .max_connections(count)
            // A ping on each acquire costs a round trip a request (decision D18).
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    connection
                        // A statement of ours is made so that one plan fits all values, or carries its values in its text.
                        .execute(sqlx::AssertSqlSafe(format!(
                            "SET statement_timeout = '{limit}s'; SET plan_cache_mode = force_generic_plan"
                        )))
                        .await
                        .map(drop)
                })
            })
            .connect_with(options.clone())
            .await?;
        // What runs behind the requests is slow by its nature: a warning for each statement tells nothing.
        let background =
            PgPoolOptions::new().max_connections(BACKGROUND).connect_lazy_with(options.disable_statement_logging());
        let orm = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
        let background_orm = SqlxPostgresConnector::from_sqlx_postgres_pool(background.clone());
        let key = secrets::get_or_create(&orm, INDEX_KEY, 16).await?;
        let key = <[u8; 16]>::try_from(key.as_slice()).map_err(|_| DatabaseError::NotMigrated)?;
        let registry = Arc::new(Registry::load(&orm).await?);
        Ok(Self {
            connections: Connections::new(&pool, count),
            pool,
            background,
            orm,
            background_orm,
            hash: IndexHash::new(key),
            registry,
            counts: Arc::default(),
        })
    }

    /// Asks the database for a sign of life.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        self.orm.ping().await.map_err(DatabaseError::from)
    }

    /// Closes all connections, after those in use are done.
    pub async fn close(&self) {
        self.connections.close();
        self.background.close().await;
        self.pool.close().await;
    }
}

/// SQL, because no builder makes databases, and none is open yet.
async fn create_database(options: &PgConnectOptions, name: &str) -> Result<(), DatabaseError> {
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&pool)
        .await?;
    if !exists {
        // An identifier can't be bound; PostgreSQL itself quotes it.
        let statement: String =
            sqlx::query_scalar("SELECT format('CREATE DATABASE %I', $1::text)").bind(name).fetch_one(&pool).await?;
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await?;
    }
    pool.close().await;
    Ok(())
}
