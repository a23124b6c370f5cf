//! The commands, one file each.

mod account;
mod audit;
mod doctor;
mod hospital;
mod model;
mod package;
mod serve;
mod terminology;

use std::time::Duration;

use seva_postgres::Database;

use crate::cli::{Cli, Command};
use crate::configuration::Configuration;
use crate::interruption::{Interruption, ended};
use crate::{demo, running, secrets, telemetry};

/// How long what blocks a thread, such as a question at the terminal, may go on after the command has ended.
const BLOCKED: Duration = Duration::from_secs(1);

/// Runs a command to its end.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let configuration = Configuration::load(cli.config.as_deref())?;
    telemetry::start(&configuration.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let configuration = match cli.command {
            // They need no secret, and work where none can be had.
            Command::Contract { .. } | Command::Model { .. } => configuration,
            _ => secrets::resolve(configuration).await?,
        };
        match cli.command {
            Command::Serve { demo } => serve::run(configuration, demo).await,
            Command::Migrate => with_database(&configuration, async |_| Ok(())).await,
            Command::Demo => with_database(&configuration, async |database| demo::load(database).await).await,
            Command::Model { choice } => model::run(&configuration, choice).await,
            Command::Contract { yaml } => {
                let text = if yaml { seva_openapi::yaml() } else { seva_openapi::json() };
                std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).map_err(anyhow::Error::from)
            }
            Command::Doctor { fix } => doctor::run(&configuration, fix).await,
            Command::Audit(action) => {
                with_database(&configuration, async |database| audit::run(&configuration, database, action).await).await
            }
            Command::Package(action) => {
                with_database(&configuration, async |database| package::run(database, action).await).await
            }
            Command::Terminology(action) => {
                with_database(&configuration, async |database| terminology::run(database, action).await).await
            }
            Command::Account(asked) => {
                with_database(&configuration, async |database| account::run(database, *asked).await).await
            }
        }
    });
    runtime.shutdown_timeout(BLOCKED);
    done
}

/// Opens the database, migrated, does something, and leaves everything as it was found, also when a signal ends it.
async fn with_database(
    configuration: &Configuration,
    work: impl AsyncFnOnce(&Database) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // A cluster that is starting is not left to itself: a signal that comes meanwhile waits.
    let mut interruption = Interruption::listen()?;
    let store = running::Store::open(configuration).await?;
    let done = interruption.unless(work(&store.database)).await.unwrap_or_else(|signal| Err(ended(signal)));
    store.close().await?;
    done
}
