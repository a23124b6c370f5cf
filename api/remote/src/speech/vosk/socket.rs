//! One socket: the configuration first, then audio up and results down, one for each block; the end is a text, and its answer
//! is the last one (<https://github.com/alphacep/vosk-server/blob/master/websocket/asr_server.py>).

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use rustls::ClientConfig;
use serde::Deserialize;
use seva_clinic::speech::stream::{Heard, ServiceConnection, ServiceFailure, SpeechService};
use seva_clinic::speech::{SAMPLE_RATE, Word};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use crate::place::Place;

const CHANNEL: usize = 16;
/// The longest message that is read.
const LONGEST: usize = 1 << 20;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens sockets.
pub(super) struct Sockets {
    pub(super) place: Place,
    pub(super) tls: Arc<ClientConfig>,
}

/// What the server says: of an open segment, or of one that has ended.
#[derive(Deserialize)]
struct Said {
    partial: Option<String>,
    text: Option<String>,
    #[serde(default)]
    result: Vec<Spoken>,
}

#[derive(Deserialize)]
struct Spoken {
    word: String,
    start: f64,
    end: f64,
    conf: Option<f32>,
}

impl Sockets {
    async fn open(&self) -> Result<Socket, ServiceFailure> {
        let mut request = self.place.endpoint.as_str().into_client_request().map_err(|error| failure(&error))?;
        if let Some(key) = &self.place.api_key {
            let bearer = HeaderValue::try_from(format!("Bearer {key}"));
            let mut bearer = bearer.map_err(|_| ServiceFailure::lasting("speech.api_key is no text for a header"))?;
            bearer.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        let mut limits = WebSocketConfig::default();
        limits.max_message_size = Some(LONGEST);
        let tls = Connector::Rustls(Arc::clone(&self.tls));
        let opened = connect_async_tls_with_config(request, Some(limits), true, Some(tls)).await;
        opened.map(|(socket, _)| socket).map_err(|error| failure(&error))
    }

    /// Opens a socket and closes it again.
    pub(super) async fn check(&self) -> Result<(), ServiceFailure> {
        let mut socket = self.open().await?;
        socket.close(None).await.map_err(|error| failure(&error))
    }
}

#[async_trait]
impl SpeechService for Sockets {
    async fn connect(&self) -> Result<ServiceConnection, ServiceFailure> {
        let mut socket = self.open().await?;
        let configuration = format!(r#"{{"config":{{"sample_rate":{SAMPLE_RATE},"words":true}}}}"#);
        socket.send(Message::text(configuration)).await.map_err(|error| failure(&error))?;
        let (audio, blocks) = mpsc::channel(CHANNEL);
        let (says, heard) = mpsc::channel(CHANNEL);
        // The task ends with its connection: when the server has said everything, or nobody listens to it.
        tokio::spawn(async move {
            if let Err(failure) = converse(socket, blocks, &says).await {
                // Nobody may listen any more.
                let _ = says.send(Err(failure)).await;
            }
        });
        Ok(ServiceConnection { audio, heard })
    }
}

async fn converse(
    mut socket: Socket,
    mut blocks: mpsc::Receiver<Vec<i16>>,
    says: &mpsc::Sender<Result<Heard, ServiceFailure>>,
) -> Result<(), ServiceFailure> {
    // One answer for each block, and one for the end.
    let (mut open, mut owed) = (true, 0_u64);
    while open || owed > 0 {
        // A server may close before its very last answer.
        let ended = !open && owed <= 1;
        tokio::select! {
            () = says.closed() => return Ok(()),
            message = socket.next() => {
                let Some(message) = message else {
                    return if ended { Ok(()) } else { Err(ServiceFailure::passing("the speech service hung up")) };
                };
                match message {
                    Ok(Message::Text(text)) => {
                        owed = owed.saturating_sub(1);
                        if says.send(Ok(read(&text)?)).await.is_err() {
                            return Ok(());
                        }
                    }
                    Ok(_) => {}
                    Err(_) if ended => return Ok(()),
                    Err(error) => return Err(failure(&error)),
                }
            }
            block = blocks.recv(), if open => {
                owed += 1;
                let message = match block {
                    Some(samples) => Message::binary(samples.iter().flat_map(|each| each.to_le_bytes()).collect::<Vec<u8>>()),
                    None => {
                        open = false;
                        Message::text(r#"{"eof" : 1}"#)
                    }
                };
                socket.send(message).await.map_err(|error| failure(&error))?;
            }
        }
    }
    // The conversation is over, whatever the server makes of it.
    let _ = socket.close(None).await;
    Ok(())
}

/// The parser's words may quote the text: they stay inside.
fn read(text: &str) -> Result<Heard, ServiceFailure> {
    let unreadable = |_| ServiceFailure::lasting("the speech service's answer can't be read");
    let said: Said = serde_json::from_str(text).map_err(unreadable)?;
    let some = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    if let Some(text) = some(said.partial) {
        return Ok(Heard::Partial { text, words: Vec::new() });
    }
    let words: Vec<Word> = said.result.into_iter().map(Spoken::word).collect();
    match some(said.text) {
        Some(text) if !words.is_empty() => {
            let end_ms = words.last().map_or(0, |word| word.end_ms);
            Ok(Heard::Final { speaker: None, text, words, end_ms })
        }
        Some(_) => Err(ServiceFailure::lasting("the speech service tells no times of words")),
        None => Ok(Heard::Nothing),
    }
}

impl Spoken {
    fn word(self) -> Word {
        // A float becomes an integer by saturation: below zero is zero.
        let milliseconds = |seconds: f64| (seconds * 1000.0).round() as u64;
        Word {
            text: self.word,
            start_ms: milliseconds(self.start),
            end_ms: milliseconds(self.end),
            confidence: self.conf.filter(|conf| (0.0..=1.0).contains(conf)),
            suggested: None,
        }
    }
}

fn failure(error: &Error) -> ServiceFailure {
    match error {
        Error::Http(response) if response.status().is_server_error() || response.status() == 429 => {
            ServiceFailure::passing(format!("the speech service answered {}", response.status().as_u16()))
        }
        Error::Http(response) => {
            ServiceFailure::lasting(format!("the speech service answered {}", response.status().as_u16()))
        }
        Error::Url(_) | Error::HttpFormat(_) => {
            ServiceFailure::lasting("the address of the speech service can't be used")
        }
        Error::Tls(_) => ServiceFailure::lasting("the speech service is not who it should be"),
        Error::Io(_) => ServiceFailure::passing("there is no connection to the speech service"),
        _ => ServiceFailure::passing("the connection to the speech service broke off"),
    }
}
