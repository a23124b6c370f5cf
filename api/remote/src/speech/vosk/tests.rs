use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use seva_clinic::testing::{Confidence, SpeechContract, SpeechTrouble, listen_with, speech_engine_contract};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;

use super::*;

/// Speaks a Vosk server's protocol: a second of sound is a word that tells its loudness.
#[derive(Default)]
struct Server {
    breaks: AtomicBool,
    slow: AtomicBool,
    refuses: AtomicBool,
    connections: AtomicUsize,
}

impl SpeechTrouble for Server {
    fn break_once(&self) {
        self.breaks.store(true, Ordering::SeqCst);
    }

    fn slow_down(&self) {
        self.slow.store(true, Ordering::SeqCst);
    }

    fn refuse(&self) {
        self.refuses.store(true, Ordering::SeqCst);
    }
}

async fn start() -> (Arc<Server>, VoskSpeech) {
    let (server, listener) = (Arc::new(Server::default()), TcpListener::bind("127.0.0.1:0").await.expect("a port"));
    let endpoint = format!("ws://{}", listener.local_addr().expect("bound"));
    let accepting = server.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(accepting.clone(), stream));
        }
    });
    (server, engine(endpoint, StreamLimits::default()))
}

fn engine(endpoint: String, limits: StreamLimits) -> VoskSpeech {
    let place = Place { endpoint, api_key: Some("key-7".to_owned()), certificates: None };
    VoskSpeech::new(VoskSettings { place, language: "en-IN".to_owned(), limits }).expect("an engine")
}

#[expect(clippy::result_large_err, reason = "the library's own signature")]
async fn serve(server: Arc<Server>, stream: TcpStream) {
    let refuses = server.refuses.load(Ordering::SeqCst);
    let greet = |request: &Request, response: Response| {
        let keyed = request.headers().get("authorization").is_some_and(|key| key == "Bearer key-7");
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = StatusCode::FORBIDDEN;
        if keyed && !refuses { Ok(response) } else { Err(refusal) }
    };
    let Ok(mut socket) = accept_hdr_async(stream, greet).await else { return };
    server.connections.fetch_add(1, Ordering::SeqCst);
    let breaks = server.breaks.swap(false, Ordering::SeqCst);
    let (mut got, mut sound) = (0, Vec::new());
    while let Some(Ok(message)) = socket.next().await {
        let answer = match message {
            Message::Text(text) if text.contains("config") => {
                assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON")["config"]["sample_rate"], 16_000);
                continue;
            }
            Message::Text(_) => json!({"text": ""}),
            Message::Binary(bytes) => {
                for pair in bytes.as_chunks::<2>().0 {
                    got += 1;
                    let loud = i16::from_le_bytes(*pair).unsigned_abs();
                    if loud > 100 {
                        sound.push((got, loud));
                    }
                }
                if server.slow.load(Ordering::SeqCst) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                if breaks && got > 24_000 {
                    return;
                }
                if sound.len() >= 16_000 { last(sound.drain(..16_000).collect()) } else { partial(&sound) }
            }
            _ => return,
        };
        let end = answer == json!({"text": ""});
        if socket.send(Message::text(answer.to_string())).await.is_err() || end {
            return;
        }
    }
}

fn partial(sound: &[(usize, u16)]) -> Value {
    json!({"partial": sound.last().map_or(String::new(), |(_, loud)| loud.to_string())})
}

fn last(second: Vec<(usize, u16)>) -> Value {
    let (first, end) = (second.first().expect("a second"), second.last().expect("a second"));
    let seconds = |at: usize| at as f64 / 16_000.0;
    let word = json!({"conf": 0.5, "start": seconds(first.0), "end": seconds(end.0), "word": end.1.to_string()});
    json!({"result": [word], "text": end.1.to_string()})
}

fn speech() -> Vec<i16> {
    let second = |loud: i16| (0..16_000).map(move |at| if at % 2 == 0 { loud } else { -loud });
    [3000, 3001, 3002].into_iter().flat_map(second).collect()
}

#[tokio::test]
async fn vosk_keeps_what_a_speech_engine_promises() {
    let (server, engine) = start().await;
    let (speech, confidence) = (speech(), Confidence::Told);
    let contract = SpeechContract { engine: &engine, speech: &speech, confidence, trouble: Some(server.as_ref()) };
    speech_engine_contract(contract).await;
    assert_eq!(engine.destination().expect("named").split(':').next(), Some("vosk server at ws"));
}

#[tokio::test]
async fn a_refusal_shows_on_health_with_its_reason() {
    let (server, refused) = start().await;
    server.refuse();
    let reason = "the speech service answered 403".to_owned();
    assert_eq!(refused.health().await, SpeechHealth::Unavailable { reason });
    let nobody = engine("ws://127.0.0.1:9".to_owned(), StreamLimits::default());
    let reason = "there is no connection to the speech service".to_owned();
    assert_eq!(nobody.health().await, SpeechHealth::Unavailable { reason });
}

#[tokio::test]
async fn nobody_there_is_an_error_when_the_budget_is_over() {
    let limits = StreamLimits { budget: Duration::from_secs(1), ..StreamLimits::default() };
    let request = SpeechRequest { language: "en-US".to_owned(), ..SpeechRequest::default() };
    let events = listen_with(&engine("ws://127.0.0.1:9".to_owned(), limits), request, &speech()).await;
    let message = "there is no connection to the speech service".to_owned();
    assert!(events.contains(&seva_clinic::speech::SpeechEvent::Error { retryable: true, message }), "{events:?}");
}

#[tokio::test]
async fn another_language_is_refused_and_not_guessed() {
    let (server, engine) = start().await;
    let request = SpeechRequest { language: "hi-IN".to_owned(), ..SpeechRequest::default() };
    assert!(matches!(engine.open(request).await, Err(SpeechError::Language { .. })));
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}
