//! `seva serve`.

use anyhow::bail;

use crate::configuration::Configuration;
use crate::demo;
use crate::running::Running;

pub(super) async fn run(configuration: Configuration, with_demo: bool) -> anyhow::Result<()> {
    if with_demo && !configuration.server.listen.ip().is_loopback() {
        bail!("--demo opens a log-in that everybody knows: it needs a loopback address in server.listen");
    }
    let url = configuration.server.url();
    let running = Running::start(configuration).await?;
    if with_demo {
        demo::load_into(&running).await?;
    }
    eprintln!("\n  SEVA Arogya is running.\n");
    eprintln!("  Pages     {url}/");
    eprintln!("  FHIR      {url}/fhir/metadata");
    eprintln!("  API docs  {url}/docs/");
    if with_demo {
        eprintln!("  Log-in    {}  password {}  signing PIN {}", demo::USERNAME, demo::PASSWORD, demo::PIN);
    }
    eprintln!("\n  Ctrl-C stops it and everything that it started.\n");
    wait_for_signal().await?;
    eprintln!("  Stopping: requests in flight are finished first.");
    running.stop().await
}

async fn wait_for_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(anyhow::Error::from),
        _ = terminate.recv() => Ok(()),
    }
}
