//! The chain over both logs: a row a batch and tenant.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_seal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub stream: String,
    pub from_xid: i64,
    pub from_seq: i64,
    pub to_xid: i64,
    pub to_seq: i64,
    pub records: Vec<i64>,
    pub digests: Vec<u8>,
    pub sealed: i64,
    pub head: Vec<u8>,
    pub key: String,
    pub signature: Vec<u8>,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
