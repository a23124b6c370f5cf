//! What a crash between a blob and its commit leaves, made at will: the commit waits behind a lock.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};

/// The blobs: a file that is still written ends with `.part`, one that a probe left begins with a full stop.
pub fn blobs(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir() || path.extension().is_none());
    paths
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
        .flat_map(|path| if path.is_dir() { blobs(&path) } else { vec![path] })
        .collect()
}

/// Waits for ten seconds at most until a count of the blobs is reached.
pub async fn until(folder: &Path, reached: impl Fn(usize) -> bool) {
    for _ in 0..200 {
        if reached(blobs(folder).len()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Holds back every commit of a resource.
pub async fn hold(url: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE resource IN EXCLUSIVE MODE").execute(&mut connection).await.unwrap();
    connection
}

/// Ends what waited, whose process has gone or given up, and makes the blobs old enough for the sweep.
pub async fn release(mut connection: PgConnection) {
    let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    sqlx::query(waiting).execute(&mut connection).await.unwrap();
    sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.unwrap();
    sqlx::query("UPDATE blob SET created = created - interval '2 hours', looked = looked - interval '2 hours'")
        .execute(&mut connection)
        .await
        .unwrap();
}
