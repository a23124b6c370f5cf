//! Jobs. Their JSON is read and written as its text: the domain has its own reader.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant: i32,
    pub kind: String,
    pub state: String,
    #[sea_orm(column_type = "JsonBinary", select_as = "text", save_as = "jsonb")]
    pub payload: String,
    #[sea_orm(column_type = "JsonBinary", select_as = "text", save_as = "jsonb")]
    pub result: Option<String>,
    pub owner: String,
    pub attempts: i32,
    pub fence: i64,
    pub run_after: DateTimeUtc,
    pub leased_until: Option<DateTimeUtc>,
    pub created: DateTimeUtc,
    pub progress: String,
    pub finished: Option<DateTimeUtc>,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
