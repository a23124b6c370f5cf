//! What lies in the blob store.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "blob")]
#[cfg_attr(not(test), expect(dead_code, reason = "nothing writes it yet"))]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub content_type: String,
    pub size: i64,
    pub sha256: Vec<u8>,
    pub created: DateTimeUtc,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
#[cfg_attr(not(test), expect(dead_code, reason = "nothing writes it yet"))]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
