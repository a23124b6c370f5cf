//! What further recordings of an encounter propose.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "proposal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub dictation: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub difference: String,
    pub resource: Option<String>,
    pub before: Option<String>,
    pub after: String,
    pub begin_at: i32,
    pub end_at: i32,
    pub start_ms: Option<i64>,
    pub end_ms: Option<i64>,
    pub state: String,
    pub decided: Option<DateTimeUtc>,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
