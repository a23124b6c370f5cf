//! The commands of `seva`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// FHIR R4 server with a clinical voice pipeline.
#[derive(Parser)]
#[command(name = "seva", version, about)]
pub struct Cli {
    /// The configuration file; without it `seva.toml` here, if there is one.
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `seva` can do.
#[derive(Subcommand)]
pub enum Command {
    /// Starts the server and, unless a database is configured, its own PostgreSQL.
    Serve {
        /// Loads synthetic demo data and a demo log-in first; only on a loopback address.
        #[arg(long)]
        demo: bool,
    },
    /// Brings the database's schema up to date.
    Migrate,
    /// Loads the synthetic demo data and prints the demo log-in.
    Demo,
    /// Obtains and authenticates the speech model.
    Model {
        /// `base`, `tiny.en`, or the path of an official ggml file.
        choice: Option<String>,
    },
    /// Prints the OpenAPI contract.
    Contract {
        /// As YAML instead of JSON.
        #[arg(long)]
        yaml: bool,
    },
    /// Checks everything that `seva` depends on and says what to do.
    Doctor {
        /// Also obtains what may be fetched without asking an administrator.
        #[arg(long)]
        fix: bool,
    },
    /// Adds an account to a hospital, or changes it; the password is read from standard input.
    /// An external identity has none.
    Account {
        /// The hospital's name.
        #[arg(long)]
        tenant: String,
        /// The username, or `issuer#subject` of an external identity.
        #[arg(long)]
        username: String,
        /// The name to show.
        #[arg(long)]
        name: String,
        /// The roles, separated by commas.
        #[arg(long, value_delimiter = ',')]
        roles: Vec<String>,
        /// The id of the Practitioner that the account acts as.
        #[arg(long)]
        practitioner: Option<String>,
    },
}
