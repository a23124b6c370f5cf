//! The socket of a dictation: binary audio frames up, JSON events down (docs/voice-protocol.md).
//!
//! A frame is acknowledged when it is committed, never before. Events go to the sockets of this dictation only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use poem::web::websocket::{Message, WebSocket, WebSocketStream};
use poem::web::{Data, Path, Query};
use poem::{IntoResponse, Response, handler};
use serde::Deserialize;
use serde_json::json;
use seva_clinic::dictation::{DictationEvent, DictationState, Frame, Saved};
use seva_clinic::failure::ClinicError;
use seva_fhir::access::Caller;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::authentication::{RequestId, caller_of};
use crate::failure::Failure;
use crate::services::Services;

/// How often the client is asked for a sign of life (RFC 6455, section 5.5.2: any client answers a ping by itself).
const PING: Duration = Duration::from_secs(5);
/// A socket without a sign of life for this long is closed; the audio stays and the dictation can be resumed.
const SILENCE: Duration = Duration::from_secs(20);
/// Sequence and checksum, four bytes each.
const HEADER: usize = 8;

#[derive(Deserialize)]
struct TicketQuery {
    ticket: String,
}

/// Opens the socket of a dictation for the holder of its ticket.
#[handler]
pub(crate) async fn open_socket(
    Path(id): Path<Uuid>,
    Query(query): Query<TicketQuery>,
    request: Data<&RequestId>,
    services: Data<&Arc<Services>>,
    socket: WebSocket,
) -> poem::Result<Response> {
    let (ticket, session) = services.authenticator.redeem(&query.ticket).await?;
    if ticket.dictation != id {
        return Err(Failure::Unauthenticated("the ticket belongs to another dictation").into());
    }
    let caller = caller_of(&session, request.0.0.as_ref().into());
    let services = Arc::clone(&services);
    let events = services.dictations.listen(&caller, id).await.map_err(Failure::from)?;
    let (_, saved) = services.dictations.find(&caller, id).await.map_err(Failure::from)?;
    let conversation = move |stream: WebSocketStream| async move {
        let (mut down, up) = stream.split();
        let ready =
            json!({"type": "ready", "savedSequence": sequence_of(saved), "savedMilliseconds": saved.milliseconds});
        if down.send(Message::Text(ready.to_string())).await.is_ok() {
            Conversation { services, caller, id, down, up, events }.run().await;
        }
    };
    Ok(socket.on_upgrade(conversation).into_response())
}

struct Conversation {
    services: Arc<Services>,
    caller: Caller,
    id: Uuid,
    down: SplitSink<WebSocketStream, Message>,
    up: SplitStream<WebSocketStream>,
    events: broadcast::Receiver<DictationEvent>,
}

impl Conversation {
    async fn run(mut self) {
        let mut closing = self.services.closing.clone();
        let mut pings = tokio::time::interval(PING);
        let mut heard = Instant::now();
        loop {
            let answer = tokio::select! {
                _ = closing.changed() => {
                    Some(json!({"type": "closing", "reason": "the server stops: resume when it is back"}))
                }
                message = self.up.next() => {
                    let Some(Ok(message)) = message else { return };
                    heard = Instant::now();
                    self.hear(message).await
                }
                _ = pings.tick() => {
                    if heard.elapsed() < SILENCE {
                        if self.down.send(Message::Ping(Vec::new())).await.is_err() {
                            return;
                        }
                        continue;
                    }
                    Some(json!({"type": "closing", "reason": "no sign of life: resume with a new ticket"}))
                }
                event = self.events.recv() => match event {
                    Ok(event) => serde_json::to_value(&event).ok(),
                    Err(broadcast::error::RecvError::Lagged(missed)) => {
                        Some(json!({"type": "warning", "text": format!("{missed} events were left out: read the dictation")}))
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                },
            };
            let Some(answer) = answer else { continue };
            let closing = answer.get("type").and_then(serde_json::Value::as_str) == Some("closing");
            if self.down.send(Message::Text(answer.to_string())).await.is_err() || closing {
                // Whoever has gone away can't be told; the audio is committed.
                let _ = self.down.close().await;
                return;
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Option<serde_json::Value> {
        match message {
            Message::Binary(bytes) => Some(match frame_of(&bytes) {
                Ok(frame) => self.keep(frame).await,
                Err(text) => json!({"type": "warning", "code": "checksum", "text": text}),
            }),
            Message::Text(text) => self.command(&text).await,
            Message::Close(_) => Some(json!({"type": "closing", "reason": "closed by the client"})),
            Message::Ping(_) | Message::Pong(_) => None,
        }
    }

    async fn keep(&self, frame: Frame) -> serde_json::Value {
        let sequence = frame.sequence;
        match self.services.dictations.append_frames(&self.caller, self.id, vec![frame]).await {
            Ok(saved) => json!({"type": "ack", "sequence": sequence, "savedMilliseconds": saved.milliseconds}),
            Err(error) => {
                let code = match &error {
                    ClinicError::Unavailable(_) => "unsaved",
                    ClinicError::Conflict(_) if self.is_gap(sequence).await => "gap",
                    _ => "refused",
                };
                refusal(&error, code)
            }
        }
    }

    /// Whether a frame was refused only because one before it is missing.
    async fn is_gap(&self, sequence: u32) -> bool {
        let found = self.services.dictations.find(&self.caller, self.id).await;
        found.is_ok_and(|(dictation, saved)| {
            dictation.state == DictationState::Open && i64::from(sequence) > sequence_of(saved) + 1
        })
    }

    async fn command(&self, text: &str) -> Option<serde_json::Value> {
        let command: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        match command.get("type").and_then(serde_json::Value::as_str) {
            Some("finish") => match self.services.dictations.finish(&self.caller, self.id).await {
                Ok(_) => None,
                Err(error) => Some(refusal(&error, "refused")),
            },
            Some("pause") => None,
            Some("heartbeat") => Some(json!({"type": "heartbeat"})),
            _ => Some(json!({"type": "warning", "text": "a text frame has the type finish, pause or heartbeat"})),
        }
    }
}

fn refusal(error: &ClinicError, code: &str) -> serde_json::Value {
    let text = match error {
        ClinicError::Unavailable(text) => {
            tracing::error!(error = %text, "a frame was not committed");
            "the frame was not saved: send it again".to_owned()
        }
        other => other.to_string(),
    };
    json!({"type": "warning", "code": code, "text": text})
}

fn sequence_of(saved: Saved) -> i64 {
    saved.sequence.map_or(-1, i64::from)
}

fn frame_of(bytes: &[u8]) -> Result<Frame, &'static str> {
    const SHORT: &str = "a binary frame begins with eight bytes of sequence and checksum";
    let (head, samples) = bytes.split_at_checked(HEADER).ok_or(SHORT)?;
    let number = |part: Option<&[u8]>| part.and_then(|part| part.try_into().ok()).map(u32::from_be_bytes).ok_or(SHORT);
    let (sequence, checksum) = (number(head.get(..4))?, number(head.get(4..))?);
    if crc32fast::hash(samples) != checksum {
        return Err("the checksum does not fit: send the frame again");
    }
    Ok(Frame { sequence, samples: samples.to_vec() })
}
