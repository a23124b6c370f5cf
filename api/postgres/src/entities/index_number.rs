//! Index rows of numbers and quantities under each of their units, and of times beside a code.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "index_number")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub unit: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub value: f64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub detail: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub rid: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub parameter: i32,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
