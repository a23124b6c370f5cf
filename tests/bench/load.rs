//! The load generator of the benchmark: keep-alive connections that replay requests from a file, or cycle through create, read,
//! update and delete of the resources in one. Prints one line of JSON: requests, errors, seconds, milliseconds at p50 and p99, bytes.
//!
//! `bench-load replay FILE CONNECTIONS SECONDS ADDRESS TOKEN`: lines of method, path and body, told apart by tabs; taken in turn. With 0
//! seconds every line is sent once. `packed` instead of `replay` takes gzip.
//! `bench-load cycle FILE CONNECTIONS SECONDS ADDRESS TOKEN`: lines of JSON, each a resource without id.
//! The bearer token comes last.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What all connections share.
struct Work {
    lines: Vec<String>,
    next: AtomicUsize,
    once: bool,
    until: Instant,
    address: String,
    token: String,
    /// Lines of the head beside those that every request has.
    head: &'static str,
}

impl Work {
    /// The next line, until the time or the lines are over.
    fn line(&self) -> Option<&str> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let over = if self.once { turn >= self.lines.len() } else { Instant::now() >= self.until };
        if over { None } else { self.lines.get(turn % self.lines.len()).map(String::as_str) }
    }
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    microseconds: Vec<u64>,
    errors: usize,
    bytes: usize,
}

/// A keep-alive connection; reads no more of an answer than its length and, for a create, its `Location`.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    request: Vec<u8>,
}

/// The beginning of an answer: status, length of head and body, whether the body comes in chunks.
struct Head {
    status: u16,
    head: usize,
    body: Option<usize>,
    location: Option<String>,
}

impl Connection {
    async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(1 << 16), request: Vec::new() })
    }

    /// Sends a request; answers status, size and `Location`.
    async fn send(
        &mut self,
        work: &Work,
        method: &str,
        path: &str,
        body: &str,
    ) -> anyhow::Result<(u16, usize, Option<String>)> {
        self.request.clear();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/fhir+json\r\n" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n{}{kind}Content-Length: {}\r\n\r\n",
            work.token,
            work.head,
            body.len()
        );
        self.request.extend_from_slice(head.as_bytes());
        self.request.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            let Some(head) = head_of(&self.buffer)? else { continue };
            let whole = match head.body {
                Some(length) => self.buffer.len() >= head.head + length,
                None => self.buffer.ends_with(b"0\r\n\r\n"),
            };
            if whole {
                return Ok((head.status, self.buffer.len(), head.location));
            }
            if let Some(length) = head.body {
                self.buffer.reserve((head.head + length).saturating_sub(self.buffer.len()));
            }
        }
    }
}

/// Reads the head of an answer, when all of it has come.
fn head_of(buffer: &[u8]) -> anyhow::Result<Option<Head>> {
    let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(buffer.get(..end).unwrap_or_default())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let (mut body, mut location) = (if status == 204 || status == 304 { Some(0) } else { None }, None);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            body = Some(value.trim().parse()?);
        } else if name.eq_ignore_ascii_case("location") {
            location = Some(value.trim().to_owned());
        }
    }
    Ok(Some(Head { status, head: end + 4, body, location }))
}

impl Seen {
    /// One request, timed. A refused one counts as an error.
    async fn timed(
        &mut self,
        connection: &mut Connection,
        work: &Work,
        method: &str,
        path: &str,
        body: &str,
    ) -> anyhow::Result<Option<String>> {
        let begun = Instant::now();
        let (status, size, location) = connection.send(work, method, path, body).await?;
        self.microseconds.push(u64::try_from(begun.elapsed().as_micros())?);
        self.bytes += size;
        self.errors += usize::from(status >= 400);
        Ok(location)
    }
}

async fn replay(work: &Work) -> anyhow::Result<Seen> {
    let (mut seen, mut connection) = (Seen::default(), Connection::open(&work.address).await?);
    while let Some(line) = work.line() {
        let mut parts = line.splitn(3, '\t');
        let (Some(method), Some(path)) = (parts.next(), parts.next()) else { bail!("a line without method and path") };
        seen.timed(&mut connection, work, method, path, parts.next().unwrap_or_default()).await?;
    }
    Ok(seen)
}

async fn cycle(work: &Work) -> anyhow::Result<Seen> {
    let (mut seen, mut connection) = (Seen::default(), Connection::open(&work.address).await?);
    while let Some(resource) = work.line() {
        let kind = resource.split('"').nth(3).context("a line without resourceType")?;
        let location = seen.timed(&mut connection, work, "POST", &format!("/fhir/{kind}"), resource).await?;
        let location = location.context("a create without Location")?;
        let id = location
            .split("/_history")
            .next()
            .and_then(|place| place.rsplit('/').next())
            .context("no id in Location")?;
        let path = format!("/fhir/{kind}/{id}");
        seen.timed(&mut connection, work, "GET", &path, "").await?;
        let changed = resource.replacen('{', &format!("{{\"id\":\"{id}\",\"language\":\"en\","), 1);
        seen.timed(&mut connection, work, "PUT", &path, &changed).await?;
        seen.timed(&mut connection, work, "DELETE", &path, "").await?;
    }
    Ok(seen)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, file, connections, seconds, address, token] = arguments.as_slice() else {
        bail!("replay|packed|cycle FILE CONNECTIONS SECONDS ADDRESS TOKEN")
    };
    let seconds: u64 = seconds.parse()?;
    let lines: Vec<String> = std::fs::read_to_string(file)?.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        bail!("{file} has no lines");
    }
    let begun = Instant::now();
    let work = Arc::new(Work {
        lines,
        next: AtomicUsize::new(0),
        once: seconds == 0,
        until: begun + Duration::from_secs(seconds),
        address: address.clone(),
        token: token.clone(),
        head: if mode == "packed" { "Accept-Encoding: gzip\r\n" } else { "" },
    });
    let mut tasks = Vec::new();
    for _ in 0..connections.parse::<usize>()? {
        let (work, cycles) = (Arc::clone(&work), mode == "cycle");
        tasks.push(tokio::spawn(async move { if cycles { cycle(&work).await } else { replay(&work).await } }));
    }
    let mut all = Seen::default();
    for task in tasks {
        let seen = task.await??;
        all.microseconds.extend(seen.microseconds);
        all.errors += seen.errors;
        all.bytes += seen.bytes;
    }
    let seconds = begun.elapsed().as_secs_f64();
    all.microseconds.sort_unstable();
    let at = |share: usize| {
        all.microseconds.get(all.microseconds.len() * share / 100).copied().unwrap_or_default() as f64 / 1000.0
    };
    let (requests, errors, bytes) = (all.microseconds.len(), all.errors, all.bytes);
    writeln!(
        std::io::stdout(),
        r#"{{"requests":{requests},"errors":{errors},"seconds":{seconds:.3},"p50":{:.3},"p99":{:.3},"bytes":{bytes}}}"#,
        at(50),
        at(99)
    )?;
    Ok(())
}
