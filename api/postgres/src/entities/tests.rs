//! The entities and the migrated schema are one thing, said twice.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use sea_orm::sea_query::ColumnType;
use sea_orm::{ColumnTrait, EntityTrait, IdenStatic, Iterable, QuerySelect};
use seva_embedded::postgres::{PostgresCluster, PostgresSettings};

use super::*;
use crate::{Database, DatabaseSettings};

/// PostgreSQL's name of a column's type, and whether it takes nulls.
type Columns = BTreeMap<String, (String, bool)>;

#[tokio::test]
async fn entities_have_the_columns_of_the_migrated_schema() {
    let data = tempfile::Builder::new().prefix("seva-entities-").tempdir().unwrap();
    // Started by root, the cluster runs as somebody who must get here.
    std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let search_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let settings = PostgresSettings { data: data.path().to_owned(), binaries: None, search_path };
    let cluster = PostgresCluster::start(&settings).await.unwrap();
    let settings = DatabaseSettings {
        url: cluster.url(),
        create: Some("entities".to_owned()),
        connections: 2,
        statement_seconds: 30,
    };
    let database = Database::open(&settings).await.unwrap();

    let mut said = BTreeMap::new();
    describe::<account::Entity>(&database, &mut said).await;
    describe::<audio_chunk::Entity>(&database, &mut said).await;
    describe::<audit::Entity>(&database, &mut said).await;
    describe::<audit_seal::Entity>(&database, &mut said).await;
    describe::<audit_sealer::Entity>(&database, &mut said).await;
    describe::<blob::Entity>(&database, &mut said).await;
    describe::<blob_key::Entity>(&database, &mut said).await;
    describe::<change::Entity>(&database, &mut said).await;
    describe::<closure::Entity>(&database, &mut said).await;
    describe::<closure_code::Entity>(&database, &mut said).await;
    describe::<closure_line::Entity>(&database, &mut said).await;
    describe::<concept::Entity>(&database, &mut said).await;
    describe::<concept_ancestor::Entity>(&database, &mut said).await;
    describe::<concept_designation::Entity>(&database, &mut said).await;
    describe::<concept_property::Entity>(&database, &mut said).await;
    describe::<concept_system::Entity>(&database, &mut said).await;
    describe::<dictation::Entity>(&database, &mut said).await;
    describe::<history::Entity>(&database, &mut said).await;
    describe::<idempotency::Entity>(&database, &mut said).await;
    describe::<index_date::Entity>(&database, &mut said).await;
    describe::<index_number::Entity>(&database, &mut said).await;
    describe::<index_reference::Entity>(&database, &mut said).await;
    describe::<index_string::Entity>(&database, &mut said).await;
    describe::<index_token::Entity>(&database, &mut said).await;
    describe::<index_uri::Entity>(&database, &mut said).await;
    describe::<indexed_set::Entity>(&database, &mut said).await;
    describe::<job::Entity>(&database, &mut said).await;
    describe::<job_file::Entity>(&database, &mut said).await;
    describe::<learnt_name::Entity>(&database, &mut said).await;
    describe::<membership::Entity>(&database, &mut said).await;
    describe::<parameter::Entity>(&database, &mut said).await;
    describe::<proposal::Entity>(&database, &mut said).await;
    describe::<resource::Entity>(&database, &mut said).await;
    describe::<secret::Entity>(&database, &mut said).await;
    describe::<session::Entity>(&database, &mut said).await;
    describe::<tenant::Entity>(&database, &mut said).await;
    describe::<ticket::Entity>(&database, &mut said).await;
    describe::<upload_part::Entity>(&database, &mut said).await;
    describe::<walk_mark::Entity>(&database, &mut said).await;

    assert_eq!(said, migrated(&database).await);
    database.close().await;
    cluster.stop().await.unwrap();
}

/// Notes what an entity says, after reading with it.
async fn describe<E: EntityTrait>(database: &Database, said: &mut BTreeMap<String, Columns>) {
    let table = E::default().table_name().to_owned();
    E::find().limit(1).all(&database.orm).await.unwrap_or_else(|error| panic!("{table}: {error}"));
    let column = |column: E::Column| {
        let definition = column.def();
        (column.as_str().to_owned(), (type_name(definition.get_column_type()), definition.is_null()))
    };
    said.insert(table, E::Column::iter().map(column).collect());
}

fn type_name(kind: &ColumnType) -> String {
    match kind {
        ColumnType::SmallInteger => "int2".to_owned(),
        ColumnType::Integer => "int4".to_owned(),
        ColumnType::BigInteger => "int8".to_owned(),
        ColumnType::Double => "float8".to_owned(),
        ColumnType::Boolean => "bool".to_owned(),
        // A Rust string without a length: the schema has no other text.
        ColumnType::String(_) | ColumnType::Text => "text".to_owned(),
        ColumnType::VarBinary(_) | ColumnType::Blob => "bytea".to_owned(),
        ColumnType::Uuid => "uuid".to_owned(),
        ColumnType::TimestampWithTimeZone => "timestamptz".to_owned(),
        ColumnType::JsonBinary => "jsonb".to_owned(),
        ColumnType::Array(element) => format!("_{}", type_name(element)),
        ColumnType::Custom(name) => name.to_string(),
        other => panic!("no table has {other:?}"),
    }
}

async fn migrated(database: &Database) -> BTreeMap<String, Columns> {
    let rows: Vec<(String, String, String, bool)> = sqlx::query_as(
        "SELECT c.table_name::text, c.column_name::text, c.udt_name::text, c.is_nullable = 'YES' \
         FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
         WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' AND table_name <> 'seaql_migrations'",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    let mut tables: BTreeMap<String, Columns> = BTreeMap::new();
    for (table, column, kind, nullable) in rows {
        tables.entry(table).or_default().insert(column, (kind, nullable));
    }
    tables
}
