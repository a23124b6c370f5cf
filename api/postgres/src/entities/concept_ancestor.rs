//! What lies above a concept, at any distance.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "concept_ancestor")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub system: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub descendant: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub ancestor: i32,
    pub distance: i16,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
