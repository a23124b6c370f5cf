//! How far the chains are: the one row whose lock is the sealer's lease.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_sealer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i16,
    pub audit_xid: i64,
    pub audit_seq: i64,
    pub change_xid: i64,
    pub change_seq: i64,
    /// Every number of the audit log up to here is a record or a gap in the chain.
    pub counted: i64,
    /// The highest number that was seen at `seen_at`, microseconds.
    pub seen: i64,
    pub seen_at: i64,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
