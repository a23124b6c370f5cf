//! Secrets that all nodes of one database share: made once, by whoever comes first.

use rand::TryRngCore;
use sea_orm::ActiveValue::Set;
use sea_orm::{DatabaseConnection, DbErr, EntityTrait};
use seva_fhir::ports::StoreError;

use crate::Database;
use crate::entities::secret;
use crate::failure::orm_unavailable;

/// Reads and makes shared secrets.
#[derive(Clone)]
pub struct PostgresSecrets {
    orm: DatabaseConnection,
}

impl PostgresSecrets {
    /// Over an open database.
    pub fn new(database: &Database) -> Self {
        Self { orm: database.orm.clone() }
    }

    /// Returns a secret, storing the given value when there is none yet.
    pub async fn get_or_store(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        store_once(&self.orm, name, value.to_vec()).await.map_err(orm_unavailable)
    }
}

/// Returns a random secret of this length.
pub(crate) async fn get_or_create(orm: &DatabaseConnection, name: &str, length: usize) -> Result<Vec<u8>, DbErr> {
    let mut value = vec![0; length];
    rand::rngs::OsRng.try_fill_bytes(&mut value).map_err(|error| DbErr::Custom(error.to_string()))?;
    store_once(orm, name, value).await
}

async fn store_once(orm: &DatabaseConnection, name: &str, value: Vec<u8>) -> Result<Vec<u8>, DbErr> {
    let row = secret::ActiveModel { name: Set(name.to_owned()), value: Set(value), ..Default::default() };
    secret::Entity::insert(row).on_conflict_do_nothing().exec_without_returning(orm).await?;
    let stored = secret::Entity::find_by_id(name).one(orm).await?;
    stored.map(|row| row.value).ok_or_else(|| DbErr::RecordNotFound(format!("the secret {name}")))
}
