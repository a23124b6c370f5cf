//! The way back: each migration is undone and done again, with rows in.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt;
use std::str::FromStr;

use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use seva_embedded::postgres::{PostgresCluster, PostgresSettings};
use seva_migration::{Migrator, MigratorTrait};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// A dictation in each state, with audio and parts of a file, and the blob of a large Binary.
const ROWS: &str = r#"
INSERT INTO tenant (id, name) VALUES (7, 'Sahyadri');
INSERT INTO dictation (tenant, id, account, state, patient, encounter, consent, settings, audio, saved_sequence,
    saved_milliseconds, saved_bytes)
SELECT 7, gen_random_uuid(), 'a', state, 'Patient/a', 'Encounter/a', 'Consent/a', '{}',
    CASE WHEN state = 'reviewed' THEN 'blob' WHEN state = 'withdrawn' THEN 'shredding' ELSE 'rows' END,
    CASE WHEN state = 'damaged' THEN NULL ELSE 1 END, 20, 640
FROM unnest(ARRAY['created', 'live', 'paused', 'uploaded', 'damaged', 'draining', 'transcribed', 'extracted', 'drafted',
    'reviewed', 'no-speech', 'failed', 'abandoned', 'withdrawn']) AS state;
INSERT INTO audio_chunk (tenant, dictation, sequence, milliseconds, sha256, data)
    SELECT tenant, id, sequence, 10, '', '\x00' FROM dictation, generate_series(0, 1) AS sequence
    WHERE audio = 'rows' AND state <> 'damaged';
INSERT INTO upload_part (tenant, dictation, number, at, size, data)
    SELECT tenant, id, 0, 0, 1, '\x00' FROM dictation WHERE state = 'uploaded';
INSERT INTO blob (tenant, id, content_type, size, sha256, binary_id, settled)
    VALUES (7, gen_random_uuid(), 'application/pdf', 1, '', 'paper', true);
"#;

/// Columns, checks, keys and indexes, by name.
const SCHEMA: &str = "SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) \
        FROM information_schema.columns WHERE table_schema = 'public' \
    UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint \
        WHERE connamespace = 'public'::regnamespace \
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'";

const DICTATIONS: &str = "SELECT format('%s %s %s: %s chunks, %s parts', state, audio, saved_sequence, \
        (SELECT count(*) FROM audio_chunk c WHERE c.dictation = d.id), \
        (SELECT count(*) FROM upload_part u WHERE u.dictation = d.id)) FROM dictation d";

struct Trial {
    cluster: PostgresCluster,
    pool: PgPool,
    connection: DatabaseConnection,
    _data: tempfile::TempDir,
}

impl Trial {
    async fn open() -> Self {
        let data = tempfile::Builder::new().prefix("seva-migrations-").tempdir().unwrap();
        // Started by root, the cluster runs as somebody who must get here.
        std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let search_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect());
        let search_path = search_path.unwrap_or_default();
        let settings = PostgresSettings { data: data.path().to_owned(), binaries: None, search_path };
        let cluster = PostgresCluster::start(&settings).await.unwrap();
        let options = PgConnectOptions::from_str(&cluster.url()).unwrap();
        super::run_migrations(&options).await.unwrap();
        let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await.unwrap();
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
        Self { cluster, pool, connection, _data: data }
    }

    async fn lines(&self, query: &'static str) -> Vec<String> {
        let mut lines: Vec<String> = sqlx::query_scalar(query).fetch_all(&self.pool).await.unwrap();
        lines.sort_unstable();
        lines
    }

    async fn fill(&self) {
        sqlx::raw_sql(ROWS).execute(&self.pool).await.unwrap();
    }

    /// Undoes the newest migrations.
    async fn back(&self, steps: u32) {
        Migrator::down(&self.connection, Some(steps)).await.unwrap();
    }

    async fn forth(&self) {
        Migrator::up(&self.connection, None).await.unwrap();
    }

    async fn close(self) {
        self.pool.close().await;
        self.cluster.stop().await.unwrap();
    }
}

/// How many migrations there are from one on.
fn from(name: &str) -> u32 {
    let all = Migrator::migrations();
    let place = all.iter().position(|migration| migration.name() == name).unwrap();
    u32::try_from(all.len() - place).unwrap()
}

#[tokio::test]
async fn a_dictation_survives_the_way_back_to_before_files_were_decoded_as_a_stage() {
    let trial = Trial::open().await;
    let schema = trial.lines(SCHEMA).await;
    trial.fill().await;
    let before = trial.lines(DICTATIONS).await;
    trial.back(from("m0015_decoding")).await;
    let back = trial.lines(DICTATIONS).await;
    let moved = |lines: &[String], states: &[&str]| -> Vec<String> {
        let one_of = |line: &&String| states.iter().any(|state| line.starts_with(&format!("{state} ")));
        lines.iter().filter(|line| !one_of(line)).cloned().collect()
    };
    // What is decoded within the last request has no audio yet, and keeps the parts of its file.
    let expected =
        ["created rows 1: 2 chunks, 0 parts", "created rows : 0 chunks, 0 parts", "created rows : 0 chunks, 1 parts"];
    assert_eq!(back.iter().filter(|line| line.starts_with("created ")).collect::<Vec<_>>(), expected);
    assert_eq!(moved(&back, &["created"]), moved(&before, &["created", "uploaded", "damaged"]), "the others stay");
    trial.forth().await;
    assert_eq!(trial.lines(SCHEMA).await, schema);
    assert_eq!(trial.lines(DICTATIONS).await, back);
    trial.close().await;
}

#[tokio::test]
async fn where_audio_and_large_binaries_lie_is_known_after_the_way_back_and_forth() {
    let trial = Trial::open().await;
    trial.fill().await;
    trial.back(from("m0014_audio_life")).await;
    trial.forth().await;
    let kept = "SELECT format('%s %s', binary_id, settled) FROM blob";
    assert_eq!(trial.lines(kept).await, ["paper t"]);
    let audio = trial.lines("SELECT format('%s %s', state, audio) FROM dictation WHERE audio <> 'rows'").await;
    assert_eq!(audio, ["reviewed blob", "withdrawn shredding"]);
    trial.close().await;
}

#[tokio::test]
async fn every_migration_is_undone_and_done_again() {
    let trial = Trial::open().await;
    let schema = trial.lines(SCHEMA).await;
    let all = from("m0001_store");
    for steps in 1..=all {
        trial.fill().await;
        trial.back(steps).await;
        trial.forth().await;
        assert_eq!(trial.lines(SCHEMA).await, schema, "after {steps} steps back");
        sqlx::raw_sql("TRUNCATE tenant CASCADE; TRUNCATE blob").execute(&trial.pool).await.unwrap();
    }
    trial.close().await;
}
