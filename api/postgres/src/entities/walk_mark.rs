//! What was done at the stops of a walk.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "walk_mark")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub dictation: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub stop: String,
    pub act: String,
    pub meant: Option<String>,
    pub applied: bool,
    pub learnt: bool,
    pub account: String,
    pub at: DateTimeUtc,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
