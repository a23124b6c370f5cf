//! Current resources, as the bytes that are served; `updated` in UTC microseconds.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "resource")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub rid: i64,
    pub key: i64,
    pub updated: i64,
    pub tenant: i32,
    pub version: i32,
    pub parameter_set: i32,
    #[sea_orm(column_name = "type")]
    pub resource_type: i16,
    pub method: i16,
    pub id: String,
    pub body: Vec<u8>,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
