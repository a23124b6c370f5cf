//! A network of a test's own: a TCP proxy whose connections can be cut at any moment.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What lies between a client and a server on this machine.
pub struct Network {
    /// The port that leads to the server.
    pub port: u16,
    cuts: watch::Sender<u32>,
    _listening: JoinSet<()>,
}

impl Network {
    /// Lays a network to a port.
    pub async fn lay(target: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (cuts, cut) = watch::channel(0);
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                while open.try_join_next().is_some() {}
                open.spawn(carry(near, target, cut.clone()));
            }
        });
        Ok(Self { port, cuts, _listening: listening })
    }

    /// Cuts what is open, in the middle of whatever is under way; new connections go through.
    pub fn cut(&mut self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn carry(mut near: TcpStream, target: u16, mut cut: watch::Receiver<u32>) {
    cut.mark_unchanged();
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = cut.changed() => {}
    }
}
