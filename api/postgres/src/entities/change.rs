//! One row a write: the feed of versions, which names their patients; `at` in UTC microseconds.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "change")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    #[sea_orm(column_type = "custom(\"xid8\")", select_as = "text", save_as = "xid8")]
    pub xid: String,
    pub rid: i64,
    pub at: i64,
    pub tenant: i32,
    pub version: i32,
    #[sea_orm(column_name = "type")]
    pub resource_type: i16,
    pub method: i16,
    pub id: String,
    pub who: String,
    pub request: String,
    pub patients: Vec<String>,
    pub address: Option<String>,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
