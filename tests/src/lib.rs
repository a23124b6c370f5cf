//! What the integration tests share: a server of their own with its own private PostgreSQL, and a client.

pub mod chance;
pub mod client;
pub mod contract;
pub mod network;
pub mod quality;
pub mod server;

use std::path::PathBuf;

/// The folder of the project.
pub fn project() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}
