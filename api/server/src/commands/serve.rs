//! `seva serve`.

use anyhow::bail;

use crate::configuration::Configuration;
use crate::demo;
use crate::interruption::Interruption;
use crate::running::Running;

pub(super) async fn run(configuration: Configuration, with_demo: bool) -> anyhow::Result<()> {
    if with_demo && !configuration.server.listen.ip().is_loopback() {
        bail!("--demo opens a log-in that everybody knows: it needs a loopback address in server.listen");
    }
    let url = configuration.server.url();
    // What starts is not left half started: a signal that comes meanwhile waits.
    let mut interruption = Interruption::listen()?;
    let running = Running::start(configuration).await?;
    if with_demo {
        let loaded = interruption.unless(demo::load_into(&running)).await;
        if !matches!(loaded, Ok(Ok(()))) {
            running.stop().await?;
            return loaded.unwrap_or(Ok(()));
        }
    }
    eprintln!("\n  SEVA Arogya is running.\n");
    eprintln!("  Pages     {url}/");
    eprintln!("  FHIR      {url}/fhir/metadata");
    eprintln!("  API docs  {url}/docs/");
    if with_demo {
        eprintln!("  Log-in    {}  password {}  signing PIN {}", demo::USERNAME, demo::PASSWORD, demo::PIN);
    }
    eprintln!("\n  Ctrl-C stops it and everything that it started.\n");
    interruption.came().await;
    eprintln!("  Stopping: requests in flight are finished first.");
    running.stop().await
}
