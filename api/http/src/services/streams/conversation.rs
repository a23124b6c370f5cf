//! One stream: signed messages with audio come, words go.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use poem::Body;
use seva_clinic::dictation::Listening;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::message::{self, Message, Value};
use super::signature::Chain;
use super::transcript::{exception, message};

/// As Transcribe has it: a stream without audio for so long has ended.
const SILENCE: Duration = Duration::from_secs(15);
/// The longest stream.
const LONGEST: Duration = Duration::from_secs(4 * 3600);
/// An engine that takes no audio for so long has failed.
const TAKE: Duration = Duration::from_secs(60);

pub(super) struct Conversation {
    pub(super) listening: Listening,
    pub(super) chain: Chain,
    pub(super) says: mpsc::Sender<Bytes>,
    pub(super) closing: watch::Receiver<bool>,
}

/// Why a stream ends before its audio does: the name and the reason that the client is told.
struct Ended(&'static str, &'static str);

impl Conversation {
    pub(super) async fn run(self, body: Body) {
        let Self { listening, mut chain, says, mut closing } = self;
        let Listening { session, place: _place } = listening;
        let (audio, mut events) = (session.audio, session.events);
        let told = says.clone();
        // Audio ends by dropping its sender; the words go on until the engine has said everything.
        let hearing = async move {
            if let Err(Ended(name, reason)) = hear(body, &mut chain, audio).await {
                // Whoever is gone needs no reason.
                let _ = told.send(exception(name, reason).encode()).await;
                return false;
            }
            true
        };
        let telling = async {
            while let Some(event) = events.recv().await {
                if let Some(message) = message(&event)
                    && says.send(message.encode()).await.is_err()
                {
                    return;
                }
            }
        };
        let both = async {
            tokio::pin!(hearing, telling);
            tokio::select! {
                whole = &mut hearing => if whole { telling.await },
                () = &mut telling => {}
            }
        };
        let end = tokio::select! {
            () = both => return,
            _ = closing.wait_for(|closing| *closing) => ("ServiceUnavailableException", "the server stops"),
            () = sleep(LONGEST) => ("LimitExceededException", "a stream lasts four hours at most"),
        };
        // As above.
        let _ = says.send(exception(end.0, end.1).encode()).await;
    }
}

/// Takes audio until an empty message ends it.
async fn hear(body: Body, chain: &mut Chain, audio: mpsc::Sender<Vec<i16>>) -> Result<(), Ended> {
    let (mut pieces, mut arrived, mut odd) = (body.into_bytes_stream(), BytesMut::new(), None);
    loop {
        let piece = timeout(SILENCE, pieces.next()).await;
        let piece = piece.map_err(|_| Ended("BadRequestException", "there was no audio for fifteen seconds"))?;
        let Some(Ok(piece)) = piece else {
            return Err(Ended("BadRequestException", "the stream ended without its last message"));
        };
        arrived.extend_from_slice(&piece);
        loop {
            let taken = message::take(&mut arrived);
            let taken = taken.map_err(|_| Ended("BadRequestException", "a message is damaged"))?;
            let Some(envelope) = taken else { break };
            let held = chain.open(envelope).ok_or(Ended("BadRequestException", "a message's signature is wrong"))?;
            if held.is_empty() {
                return Ok(());
            }
            let inner = message::read(&held).map_err(|_| Ended("BadRequestException", "a message is damaged"))?;
            if !is_audio(&inner) {
                return Err(Ended("BadRequestException", "only audio events are taken"));
            }
            let samples = samples(&inner.payload, &mut odd);
            match timeout(TAKE, audio.send(samples)).await {
                Ok(Ok(())) => {}
                // The engine's last event tells why.
                Ok(Err(_)) => return Ok(()),
                Err(_) => return Err(Ended("ServiceUnavailableException", "the speech engine takes no audio")),
            }
        }
    }
}

fn is_audio(message: &Message) -> bool {
    message.header(":event-type") == Some(&Value::Text("AudioEvent".to_owned()))
}

/// The samples of a piece; one that is cut in its middle is put together with the next piece.
fn samples(payload: &[u8], odd: &mut Option<u8>) -> Vec<i16> {
    let bytes: Vec<u8> = odd.take().into_iter().chain(payload.iter().copied()).collect();
    let (pairs, rest) = bytes.as_chunks::<2>();
    *odd = rest.first().copied();
    pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
}
