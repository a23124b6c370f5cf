//! The commands, one file each.

mod account;
mod audit;
mod doctor;
mod model;
mod package;
mod serve;
mod terminology;

use seva_postgres::Database;

use crate::cli::{Cli, Command};
use crate::configuration::Configuration;
use crate::{demo, running, secrets, telemetry};

/// Runs a command to its end.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let configuration = Configuration::load(cli.config.as_deref())?;
    telemetry::start(&configuration.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
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
    })
}

/// Opens the database, migrated, does something, and leaves everything as it was found.
async fn with_database(
    configuration: &Configuration,
    work: impl AsyncFnOnce(&Database) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let store = running::Store::open(configuration).await?;
    let done = work(&store.database).await;
    store.close().await?;
    done
}
