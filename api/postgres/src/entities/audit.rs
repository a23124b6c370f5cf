//! Records of who looked, wrote and was refused; `at` in UTC microseconds.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    #[sea_orm(column_type = "custom(\"xid8\")", select_as = "text", save_as = "xid8")]
    pub xid: String,
    pub at: i64,
    pub tenant: i32,
    pub who: String,
    pub action: String,
    pub outcome: String,
    pub target: String,
    pub patients: Vec<String>,
    pub request: String,
    pub query: Option<String>,
    pub address: Option<String>,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
