//! What ends `seva` from outside: SIGTERM and SIGINT, which Ctrl-C sends (POSIX.1-2017, `<signal.h>`). Whoever listens ends in
//! order, with everything that it started.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for signals; from then on none ends the process by itself.
pub struct Interruption {
    terminate: Signal,
    interrupt: Signal,
}

impl Interruption {
    /// Begins to listen: a signal that comes before anybody waits for it is not lost.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for a signal and names it.
    pub async fn came(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Does something unless a signal comes, and then names it; what was begun is dropped.
    pub async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Result<T, &'static str> {
        tokio::select! {
            biased;
            name = self.came() => Err(name),
            done = work => Ok(done),
        }
    }
}

/// What a command says that a signal ended.
pub fn ended(signal: &str) -> anyhow::Error {
    anyhow::anyhow!("ended by {signal}")
}
