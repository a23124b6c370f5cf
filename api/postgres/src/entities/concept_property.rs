//! Properties of concepts.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "concept_property")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub system: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub concept: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub code: String,
    pub kind: String,
    pub value: String,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
