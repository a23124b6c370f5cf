//! The blobs of Binaries: `settled` once a version is known to name it, `looked` at by the sweep.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "blob")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub content_type: String,
    pub size: i64,
    pub sha256: Vec<u8>,
    pub created: DateTimeUtc,
    pub binary_id: String,
    pub settled: bool,
    pub looked: DateTimeUtc,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
