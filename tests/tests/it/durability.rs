//! No acknowledged audio is lost: the server killed fifty times, its database with it now and then, and the network cut
//! fifty times, at random moments of one dictation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use seva_tests::chance::Chance;
use seva_tests::client::Client;
use seva_tests::contract;
use seva_tests::network::Network;
use seva_tests::server::{Program, data_folder, free_port};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::dictation::begin;

const KILLS: u32 = 50;
const CUTS: u32 = 50;
/// One kill in so many takes PostgreSQL with it.
const DATABASE_TOO: u32 = 7;
/// Frames that are under way at once.
const WINDOW: u32 = 8;
/// What the microphone waits between frames: fast, so that the strikes hit frames under way.
const PACE: Duration = Duration::from_millis(12);
/// How long a connection may take after a strike.
const PATIENCE: Duration = Duration::from_secs(30);
const WAVE_HEADER: usize = 44;

/// The seed of this run: a new one, or the one that is to be repeated.
fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a run is repeated by its seed")]
    let given = std::env::var("SEVA_SEED").ok().and_then(|text| text.parse().ok());
    let now = SystemTime::now();
    given.unwrap_or_else(|| now.duration_since(UNIX_EPOCH).map_or(1, |time| time.as_micros() as u64))
}

/// The frame with a number: 1 to 60 ms of noise.
fn frame(seed: u64, sequence: u32) -> Vec<u8> {
    let mut chance = Chance(seed ^ (u64::from(sequence) << 20));
    let samples = 16 * (1 + chance.between(0, 59));
    (0..samples).flat_map(|_| (chance.draw() as i16).to_le_bytes()).collect()
}

fn sealed(sequence: u32, samples: &[u8]) -> Message {
    let checksum = crc32fast::hash(samples).to_be_bytes();
    Message::binary([&sequence.to_be_bytes()[..], &checksum, samples].concat())
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What keeps frames until they are acknowledged, as the page does.
struct Microphone {
    seed: u64,
    doctor: Client,
    tickets: String,
    socket: String,
    /// Frames that the server said it has.
    acknowledged: u32,
    /// Frames that were sent at least once.
    sent: u32,
    /// Frames that had to be sent again.
    again: u32,
    /// Counts the connections, so that the next strike falls on an open one.
    opened: Arc<AtomicU32>,
    /// Set when nothing strikes any more.
    calm: Arc<AtomicBool>,
}

impl Microphone {
    /// Speaks until it is calm and everything is acknowledged; returns the number of frames.
    async fn speak(mut self) -> (u32, u32) {
        loop {
            let calm = self.calm.load(Ordering::SeqCst);
            // A strike may hit anywhere: whatever goes wrong, the answer is a new connection.
            let _ = self.connection().await;
            if calm && self.acknowledged == self.sent {
                return (self.sent, self.again);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn connection(&mut self) -> anyhow::Result<()> {
        let nothing = json!({});
        let ticket = timeout(Duration::from_secs(5), self.doctor.post(&self.tickets, &nothing)).await??;
        anyhow::ensure!(ticket.status == 201, "no ticket: {}", ticket.json);
        let url = format!("{}?ticket={}", self.socket, ticket.json["ticket"].as_str().unwrap());
        let (socket, _) = timeout(Duration::from_secs(5), tokio_tungstenite::connect_async(url)).await??;
        let (mut up, mut down) = socket.split();
        let saved = next(&mut down).await?["savedSequence"].as_i64().unwrap();
        let saved = u32::try_from(saved + 1).unwrap();
        assert!(saved >= self.acknowledged, "acknowledged {} frames, kept {saved}", self.acknowledged);
        assert!(saved <= self.sent, "{saved} frames kept, {} sent", self.sent);
        self.acknowledged = saved;
        self.again += self.sent - saved;
        self.opened.fetch_add(1, Ordering::SeqCst);
        self.stream(&mut up, &mut down).await
    }

    async fn stream(
        &mut self,
        up: &mut SplitSink<Socket, Message>,
        down: &mut SplitStream<Socket>,
    ) -> anyhow::Result<()> {
        let mut upcoming = self.acknowledged;
        loop {
            let calm = self.calm.load(Ordering::SeqCst);
            if calm && self.acknowledged == self.sent {
                return Ok(());
            }
            let may_send = upcoming < self.acknowledged + WINDOW && (!calm || upcoming < self.sent);
            tokio::select! {
                event = next(down) => {
                    let event = event?;
                    anyhow::ensure!(event["type"] == "ack", "no acknowledgement: {event}");
                    let kept = u32::try_from(event["sequence"].as_u64().unwrap()).unwrap() + 1;
                    assert!(kept > self.acknowledged && kept <= upcoming, "{kept} of {upcoming} acknowledged");
                    self.acknowledged = kept;
                }
                () = sleep(PACE), if may_send => {
                    up.send(sealed(upcoming, &frame(self.seed, upcoming))).await?;
                    upcoming += 1;
                    self.sent = self.sent.max(upcoming);
                }
            }
        }
    }
}

async fn next(down: &mut SplitStream<Socket>) -> anyhow::Result<Value> {
    loop {
        let message = timeout(Duration::from_secs(10), down.next()).await?;
        let message = message.ok_or_else(|| anyhow::anyhow!("the socket was closed"))??;
        if message.is_text() {
            let event: Value = serde_json::from_str(message.to_text()?)?;
            contract::check_event(&event)?;
            // It goes live, is paused by a long strike, and is live again.
            if event["type"] != "state" {
                return Ok(event);
            }
        }
    }
}

/// Kills the PostgreSQL below a data folder, without a chance to clean up.
async fn kill_database(data: &std::path::Path) {
    let file = std::fs::read_to_string(data.join("postgres/postmaster.pid")).unwrap();
    let postmaster = file.lines().next().unwrap().to_owned();
    assert!(tokio::process::Command::new("kill").args(["-9", &postmaster]).status().await.unwrap().success());
}

#[tokio::test]
async fn fifty_kills_and_fifty_cuts_lose_nothing() {
    let seed = seed();
    let mut chance = Chance(seed);
    let (data, models) = (data_folder().unwrap(), data_folder().unwrap());
    let models = models.path().to_str().unwrap();
    let port = free_port().unwrap();
    // Noise needs no recogniser.
    let start = async || Program::start_with(data.path(), port, &[("SEVA_SPEECH_MODELS", models)]).await.unwrap();
    let mut program = start().await;
    let doctor = program.doctor().await.unwrap();
    let id = begin(&doctor, "rane", "ambient").await["id"].as_str().unwrap().to_owned();
    let mut network = Network::lay(port).await.unwrap();
    let (opened, calm) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let microphone = Microphone {
        seed,
        doctor: doctor.clone(),
        tickets: format!("/v1/dictations/{id}/tickets"),
        socket: format!("ws://127.0.0.1:{}/v1/dictations/{id}/socket", network.port),
        acknowledged: 0,
        sent: 0,
        again: 0,
        opened: Arc::clone(&opened),
        calm: Arc::clone(&calm),
    };
    let speaking = tokio::spawn(microphone.speak());

    let (mut kills, mut cuts, mut seen) = (0, 0, 0);
    while kills < KILLS || cuts < CUTS {
        let began = Instant::now();
        while opened.load(Ordering::SeqCst) == seen {
            assert!(!speaking.is_finished(), "the microphone has given up with SEVA_SEED={seed}");
            assert!(began.elapsed() < PATIENCE, "no connection after {kills} kills, {cuts} cuts with SEVA_SEED={seed}");
            sleep(Duration::from_millis(5)).await;
        }
        seen = opened.load(Ordering::SeqCst);
        sleep(Duration::from_millis(chance.between(0, 250))).await;
        let left = (u64::from(KILLS - kills), u64::from(CUTS - cuts));
        if chance.between(0, left.0 + left.1 - 1) < left.0 {
            program.kill().await.unwrap();
            kills += 1;
            if kills % DATABASE_TOO == 0 {
                kill_database(data.path()).await;
            }
            program = start().await;
        } else {
            network.cut();
            cuts += 1;
        }
    }
    calm.store(true, Ordering::SeqCst);
    let spoken = timeout(Duration::from_secs(30), speaking).await.unwrap();
    let (frames, again) = spoken.unwrap_or_else(|error| panic!("with SEVA_SEED={seed}: {error}"));
    assert!(again > 30, "too few strikes hit frames under way with SEVA_SEED={seed}: {again} of {frames}");

    let audio = doctor.send(Method::GET, &format!("/v1/dictations/{id}/audio"), &[], None).await.unwrap();
    let given = (0..frames).fold(Sha256::new(), |hash, sequence| hash.chain_update(frame(seed, sequence)));
    let served = Sha256::digest(&audio.bytes[WAVE_HEADER..]);
    assert_eq!(hex::encode(served), hex::encode(given.finalize()), "with SEVA_SEED={seed}");
    assert!(program.terminate().await.unwrap());
}
