//! Superseded versions and deletions; `updated` in UTC microseconds, no body is a deletion.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "history")]
pub struct Model {
    pub rid: i64,
    pub updated: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    #[sea_orm(primary_key, auto_increment = false, column_name = "type")]
    pub resource_type: i16,
    pub method: i16,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub body: Option<Vec<u8>>,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
