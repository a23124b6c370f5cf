//! Dictations. Their JSON is read and written as its text: the domain has its own types.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "dictation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account: String,
    pub state: String,
    pub patient: String,
    pub encounter: String,
    pub consent: String,
    #[sea_orm(column_type = "JsonBinary", select_as = "text", save_as = "jsonb")]
    pub settings: String,
    #[sea_orm(column_type = "JsonBinary", select_as = "text", save_as = "jsonb")]
    pub result: Option<String>,
    pub created: DateTimeUtc,
    pub updated: DateTimeUtc,
    pub fence: i64,
    pub leased_until: Option<DateTimeUtc>,
    pub since: DateTimeUtc,
    pub heard: Option<DateTimeUtc>,
    pub attempts: i32,
    pub saved_sequence: Option<i32>,
    pub saved_milliseconds: i64,
    pub saved_bytes: i64,
    pub audio: String,
    pub consent_version: Option<i32>,
}

/// No relations: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
