//! Somebody else's reading of AWS for tests: the server of moto (PyPI, tests/requirements.txt), which answers as the services do.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::connection::{Connection, Identity};

/// How long the server has to start.
const START: Duration = Duration::from_secs(60);

/// A server, which ends with the test.
pub(crate) struct Moto {
    child: Child,
    address: String,
}

impl Moto {
    /// Starts it on a free port and waits until it answers.
    pub(crate) async fn start() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a free port");
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/.venv/bin/python");
        let mut command = Command::new(&python);
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p"]).arg(free.port().to_string());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("tests/.venv holds python and moto: `make test` installs them");
        let moto = Self { child, address: free.to_string() };
        let started = Instant::now();
        while TcpStream::connect(&moto.address).await.is_err() {
            assert!(started.elapsed() < START, "moto did not start: run `make test`");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        moto
    }

    /// How its services are reached.
    pub(crate) fn connection(&self) -> Connection {
        Connection {
            region: "ap-south-1".to_owned(),
            endpoint: Some(format!("http://{}", self.address)),
            identity: Identity::Fixed { key_id: "test-key".to_owned(), secret: "test-secret".to_owned() },
            certificates: None,
        }
    }

    /// Makes what the adapters only use; moto tells the service by the scope of the key (it checks no signature).
    pub(crate) async fn ask(&self, line: &str, service: &str, headers: &str, body: &str) -> String {
        let scope = format!("Credential=test-key/20260101/ap-south-1/{service}/aws4_request");
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\
             Authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0\r\n\r\n{body}",
            self.address,
            body.len(),
        );
        let mut socket = TcpStream::connect(&self.address).await.expect("moto answers");
        socket.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.split(' ').nth(1) == Some("200"), "{line}: {answer}");
        answer
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
