//! Running `postgres` as our child: start, take-over, restart after a crash, orderly stop.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::task::JoinHandle;

use super::{Binaries, Identity, PostgresError};

const READY_WITHIN: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(20);
/// A cluster that dies this often in a row has a reason that a restart does not cure.
const RESTARTS: u32 = 5;
/// One that lived so long before it died did not die in that row.
const LIVED: Duration = Duration::from_secs(60);

/// The settings that differ from PostgreSQL's defaults (decision D18). The log shows no statement and no value:
/// `terse` leaves out DETAIL, which quotes rows.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    "jit=off",
    "autovacuum_naptime=10s",
    "log_statement=none",
    "log_min_error_statement=panic",
    "log_min_duration_statement=-1",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    "log_error_verbosity=terse",
];

/// Faster than PostgreSQL's own compression; not every build of PostgreSQL has it.
const COMPRESSION: [&str; 2] = ["wal_compression=lz4", "default_toast_compression=lz4"];

#[derive(Clone, Debug)]
struct Launch {
    binaries: Binaries,
    identity: Identity,
    cluster: PathBuf,
    socket: PathBuf,
    log: PathBuf,
    compression: &'static [&'static str],
}

/// Watches the server process, or uses the one that another `seva` watches until that one goes.
#[derive(Debug)]
pub(super) struct Supervisor {
    launch: Launch,
    stopping: Arc<AtomicBool>,
    /// Held by the one process that watches; the kernel lets go of it when that ends, however it ends.
    lock: Arc<Mutex<Option<File>>>,
    watch: JoinHandle<()>,
}

impl Supervisor {
    pub(super) async fn start(
        binaries: Binaries,
        identity: Identity,
        cluster: PathBuf,
        socket: PathBuf,
        log: PathBuf,
    ) -> Result<Self, PostgresError> {
        let mut launch = Launch { binaries, identity, cluster, socket, log, compression: &[] };
        if launch.takes(&COMPRESSION).await {
            launch.compression = &COMPRESSION;
        }
        let held = launch.lock()?;
        let child = match running(&launch.cluster) {
            Some(_) if accepts(&launch.socket).await => {
                let whose =
                    if held.is_some() { "took over what an earlier run left" } else { "uses that of a running seva" };
                tracing::info!("PostgreSQL: {whose}");
                None
            }
            // Who has the lock starts it.
            _ if held.is_none() => None,
            _ => Some(launch.spawn()?),
        };
        let (stopping, lock) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(held)));
        // It is watched while it starts, too: after a killed one it refuses until that one's last process has gone.
        let mut watch = tokio::spawn(succeed(launch.clone(), child, (Arc::clone(&lock), Arc::clone(&stopping))));
        let ready = tokio::select! {
            ready = launch.ready() => ready,
            _ = &mut watch => Err(launch.failed("ended at each of its starts".to_owned())),
        };
        if let Err(error) = ready {
            watch.abort();
            return Err(error);
        }
        Ok(Self { launch, stopping, lock, watch })
    }

    /// Sends SIGINT (fast shutdown) and waits for the end; the server of another `seva` goes on.
    pub(super) async fn stop(self, within: Duration) -> Result<(), PostgresError> {
        self.stopping.store(true, Ordering::SeqCst);
        let held = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        if held.is_none() {
            self.watch.abort();
            return Ok(());
        }
        if let Some(pid) = running(&self.launch.cluster) {
            // A process that ended between the look and the signal is what we want: the error is no news.
            let _ = rustix::process::kill_process(pid, Signal::INT);
        }
        let started = Instant::now();
        while running(&self.launch.cluster).is_some() {
            if started.elapsed() > within {
                return Err(self.launch.failed(format!("still running after {} s", within.as_secs())));
            }
            tokio::time::sleep(POLL).await;
        }
        self.watch.abort();
        Ok(())
    }
}

impl Launch {
    /// Takes the lock of the one that watches; nothing when another process has it.
    fn lock(&self) -> Result<Option<File>, PostgresError> {
        let path = self.cluster.with_extension("lock");
        let file = File::create(&path).map_err(PostgresError::io("create", &path))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(error) if error == Errno::WOULDBLOCK => Ok(None),
            Err(error) => Err(PostgresError::io("lock", &path)(error.into())),
        }
    }

    fn failed(&self, status: String) -> PostgresError {
        PostgresError::Program { program: "postgres", status, log: self.log.display().to_string() }
    }

    /// Whether this build of PostgreSQL takes settings.
    async fn takes(&self, settings: &[&str]) -> bool {
        let mut command = self.identity.command(&self.binaries.postgres());
        command.arg("-D").arg(&self.cluster).arg("-C").arg("server_version");
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        status.is_ok_and(|status| status.success())
    }

    fn spawn(&self) -> Result<Child, PostgresError> {
        let open = || std::fs::OpenOptions::new().create(true).append(true).open(&self.log);
        let output = open().map_err(PostgresError::io("open", &self.log))?;
        let errors = open().map_err(PostgresError::io("open", &self.log))?;
        let program = self.binaries.postgres();
        let mut command = self.identity.command(&program);
        command.arg("-D").arg(&self.cluster).arg("-k").arg(&self.socket);
        for setting in SETTINGS.iter().chain(self.compression) {
            command.arg("-c").arg(setting);
        }
        command.arg("-c").arg(format!("shared_buffers={}MB", shared_buffers()));
        command.stdout(output).stderr(errors).spawn().map_err(PostgresError::io("run", &program))
    }

    async fn ready(&self) -> Result<(), PostgresError> {
        let started = Instant::now();
        while !(running(&self.cluster).is_some() && accepts(&self.socket).await && says_ready(&self.cluster)) {
            if started.elapsed() > READY_WITHIN {
                return Err(PostgresError::NotReady {
                    seconds: READY_WITHIN.as_secs(),
                    log: self.log.display().to_string(),
                });
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}

/// Waits for the lock where another process has it, then watches.
async fn succeed(launch: Launch, child: Option<Child>, (lock, stopping): (Arc<Mutex<Option<File>>>, Arc<AtomicBool>)) {
    while lock.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        match launch.lock() {
            Ok(held) => *lock.lock().unwrap_or_else(PoisonError::into_inner) = held,
            Err(error) => tracing::error!(%error, "the lock of PostgreSQL can't be asked for"),
        }
    }
    watch(launch, child, stopping).await;
}

/// Restarts the server when it dies without having been told to.
async fn watch(launch: Launch, mut child: Option<Child>, stopping: Arc<AtomicBool>) {
    let mut restarts = 0;
    loop {
        let started = Instant::now();
        match &mut child {
            Some(process) => drop(process.wait().await),
            None => {
                while running(&launch.cluster).is_some() {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        restarts = if started.elapsed() > LIVED { 1 } else { restarts + 1 };
        if restarts > RESTARTS {
            tracing::error!(restarts, "PostgreSQL keeps ending; no more restarts");
            return;
        }
        tracing::error!(restarts, "PostgreSQL ended unexpectedly; starting it again");
        tokio::time::sleep(Duration::from_millis(200) * restarts).await;
        match launch.spawn() {
            Ok(process) => child = Some(process),
            Err(error) => tracing::error!(%error, "PostgreSQL could not be started again"),
        }
    }
}

/// The pid in `postmaster.pid`, if such a process runs and its command line names PostgreSQL: after a reboot the pid may
/// belong to anyone.
fn running(cluster: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let raw: i32 = text.lines().next()?.trim().parse().ok()?;
    let pid = Pid::from_raw(raw)?;
    let alive = match std::fs::read(format!("/proc/{raw}/cmdline")) {
        Ok(line) if !line.is_empty() => line.windows(8).any(|part| part == b"postgres"),
        Ok(_) => false,
        Err(_) => !Path::new("/proc/self").exists() && rustix::process::test_kill_process(pid).is_ok(),
    };
    alive.then_some(pid)
}

/// The eighth line of `postmaster.pid` says `ready` once recovery is over.
fn says_ready(cluster: &Path) -> bool {
    std::fs::read_to_string(cluster.join("postmaster.pid"))
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
}

async fn accepts(socket: &Path) -> bool {
    UnixStream::connect(socket.join(".s.PGSQL.5432")).await.is_ok()
}

/// A quarter of the machine's memory, at least 128 MB and at most 2 GB: a laptop shares it with everything else.
fn shared_buffers() -> u64 {
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    total.map_or(256, |kilobytes| (kilobytes / 4096).clamp(128, 2048))
}
