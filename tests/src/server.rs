//! A server with a data folder of its own: in this process, or as the real program that can be killed.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use seva_server::configuration::Configuration;
use seva_server::demo;
use seva_server::running::Running;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::client::Client;

/// A server in this process, with the demo data.
pub struct TestServer {
    /// The server.
    pub running: Running,
    /// Where it listens.
    pub base: String,
    /// The demo doctor, logged in.
    pub doctor: Client,
    data: TempDir,
}

/// A data folder that an unprivileged PostgreSQL can reach when the tests run as root.
pub fn data_folder() -> anyhow::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("seva-test-").tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// A port that is free now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl TestServer {
    /// Starts a server on a free port.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(|_| ()).await
    }

    /// The same, with something of its configuration changed.
    pub async fn start_with(change: impl FnOnce(&mut Configuration)) -> anyhow::Result<Self> {
        let data = data_folder()?;
        let mut configuration = Configuration::default();
        change(&mut configuration);
        configuration.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        configuration.data.folder = data.path().to_owned();
        configuration.speech.models = Some(crate::project().join(".seva/models"));
        let running = Running::start(configuration).await?;
        demo::load_into(&running).await?;
        let base = format!("http://{}", running.address);
        let doctor = Client::anonymous(&base)?.log_in(demo::USERNAME, demo::PASSWORD).await?;
        Ok(Self { running, base, doctor, data })
    }

    /// Adds an account and logs it in.
    pub async fn account(&self, account: NewAccount<'_>) -> anyhow::Result<Client> {
        self.add_account(account).await?;
        Client::anonymous(&self.base)?.log_in(account.username, demo::PASSWORD).await
    }

    /// Adds an account, or a membership to the account of that name.
    pub async fn add_account(&self, account: NewAccount<'_>) -> anyhow::Result<()> {
        use seva_fhir::access::{Account, Membership};
        use seva_fhir::clock::{IdSource, RandomIds};
        let accounts = &self.running.accounts;
        let doctor = accounts.find(demo::USERNAME).await?.context("the demo doctor")?;
        let tenant = accounts.tenant(account.tenant).await?;
        let known = accounts.find(account.username).await?;
        let row = Account {
            id: known.map_or_else(|| RandomIds.new_uuid(), |known| known.id),
            username: account.username.to_owned(),
            display: account.username.to_owned(),
            password: doctor.password,
            pin: None,
        };
        let membership = Membership {
            tenant,
            tenant_name: account.tenant.to_owned(),
            roles: vec![account.role.parse()?],
            practitioner: account.practitioner.map(str::parse).transpose()?,
            patient: account.patient.map(str::parse).transpose()?,
        };
        accounts.save(&row, &membership).await?;
        Ok(())
    }

    /// The audit log's rows of an action: who, outcome, target.
    pub async fn audited(&self, action: &str) -> anyhow::Result<Vec<[String; 3]>> {
        use sqlx::Connection;
        let url = self.running.private_database().context("no private database")?;
        let mut connection = sqlx::PgConnection::connect(&url).await?;
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT who, outcome, target FROM audit WHERE action = $1 ORDER BY seq")
                .bind(action)
                .fetch_all(&mut connection)
                .await?;
        connection.close().await?;
        Ok(rows.into_iter().map(|(who, outcome, target)| [who, outcome, target]).collect())
    }

    /// The id of the demo doctor's account, as the audit log names it.
    pub async fn doctor_account(&self) -> anyhow::Result<String> {
        let account = self.running.accounts.find(demo::USERNAME).await?.context("the demo doctor")?;
        Ok(account.id.to_string())
    }

    /// Adds an administrator of the demo hospital and logs it in: whoever loads data of all types.
    pub async fn administrator(&self) -> anyhow::Result<Client> {
        let account = NewAccount {
            username: "administrator",
            role: "hospital-admin",
            tenant: demo::TENANT,
            practitioner: None,
            patient: None,
        };
        self.account(account).await
    }

    /// Removes an account from the demo hospital.
    pub async fn remove(&self, username: &str) -> anyhow::Result<()> {
        let accounts = &self.running.accounts;
        let account = accounts.find(username).await?.context("no such account")?;
        let tenant = accounts.tenant(demo::TENANT).await?;
        accounts.remove(account.id, tenant).await?;
        Ok(())
    }

    /// What the handlers say of themselves, as OpenAPI.
    pub fn specification(&self) -> String {
        self.running.specification.clone()
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Stops it and its PostgreSQL.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.running.stop().await
    }
}

/// An account of a test.
#[derive(Clone, Copy)]
pub struct NewAccount<'a> {
    /// The hospital's name.
    pub tenant: &'a str,
    /// The username.
    pub username: &'a str,
    /// The role.
    pub role: &'a str,
    /// The Practitioner's id.
    pub practitioner: Option<&'a str>,
    /// The Patient's id.
    pub patient: Option<&'a str>,
}

/// The real program as a process of its own.
pub struct Program {
    child: Child,
    /// Where it listens.
    pub base: String,
}

impl Program {
    /// Starts `seva serve --demo` and waits until it answers.
    pub async fn start(data: &Path, port: u16) -> anyhow::Result<Self> {
        Self::start_with(data, port, &[]).await
    }

    /// The same, with more variables.
    pub async fn start_with(data: &Path, port: u16, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let binary = binary()?;
        let base = format!("http://127.0.0.1:{port}");
        let log = std::fs::File::create(data.join("seva.log"))?;
        let child = Command::new(binary)
            .args(["serve", "--demo"])
            .env("SEVA_DATA_FOLDER", data)
            .env("SEVA_SERVER_LISTEN", format!("127.0.0.1:{port}"))
            .env("SEVA_SPEECH_MODELS", crate::project().join(".seva/models"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let mut program = Self { child, base };
        program.wait_until_up(data).await?;
        Ok(program)
    }

    async fn wait_until_up(&mut self, data: &Path) -> anyhow::Result<()> {
        let client = Client::anonymous(&self.base)?;
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(60) {
            // The log-in is loaded last.
            if client.log_in(demo::USERNAME, demo::PASSWORD).await.is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("seva ended with {status}: {}", std::fs::read_to_string(data.join("seva.log"))?);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = |name: &str| std::fs::read_to_string(data.join(name)).unwrap_or_default();
        bail!("seva did not answer: {}\n{}", log("seva.log"), log("postgres.log"))
    }

    /// The demo doctor, logged in.
    pub async fn doctor(&self) -> anyhow::Result<Client> {
        Client::anonymous(&self.base)?.log_in(demo::USERNAME, demo::PASSWORD).await
    }

    /// SIGKILL: no chance to clean up.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }

    /// SIGTERM, and waits for the orderly end.
    pub async fn terminate(mut self) -> anyhow::Result<bool> {
        let id = self.child.id().context("it has ended")?;
        Command::new("kill").arg(id.to_string()).status().await?;
        Ok(self.child.wait().await?.success())
    }
}

/// Begins a command of the real program on a data folder; its standard input stays open.
pub fn begin(data: &Path, arguments: &[&str]) -> anyhow::Result<Child> {
    let mut command = Command::new(binary()?);
    command.args(arguments).env("SEVA_DATA_FOLDER", data).kill_on_drop(true);
    Ok(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

/// Runs a command of the real program on a data folder, with this on its standard input.
pub async fn command(data: &Path, arguments: &[&str], input: &str) -> anyhow::Result<std::process::Output> {
    use tokio::io::AsyncWriteExt;
    let mut child = begin(data, arguments)?;
    let mut pipe = child.stdin.take().context("no standard input")?;
    pipe.write_all(input.as_bytes()).await?;
    drop(pipe);
    Ok(child.wait_with_output().await?)
}

/// `target/<profile>/seva`, beside the folder of this test's own program; `make test` builds it first.
fn binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let profile = own.ancestors().nth(2).context("an unexpected place of the test program")?;
    let binary = profile.join("seva");
    if !binary.exists() {
        bail!("{} is missing: run `cargo build --workspace` first", binary.display());
    }
    Ok(binary)
}
