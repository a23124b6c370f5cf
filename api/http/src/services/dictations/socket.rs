//! The socket of a dictation: binary audio frames up, JSON events down (docs/voice-protocol.md).
//!
//! A frame is acknowledged when it is committed, never before. Events go to the sockets of this dictation only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use poem::web::websocket::{Message, WebSocket, WebSocketStream};
use poem::web::{Data, Path, Query};
use poem::{IntoResponse, Response, handler};
use serde::Deserialize;
use serde_json::json;
use seva_clinic::dictation::{DictationEvent, Frame};
use seva_clinic::failure::ClinicError;
use seva_fhir::access::Caller;
use tokio::sync::broadcast;
use uuid::Uuid;

use super::frames::{self, sequence_of};
use crate::authentication::{RequestId, caller_of};
use crate::failure::Failure;
use crate::services::Services;

/// How often the client is asked for a sign of life (RFC 6455, section 5.5.2: any client answers a ping by itself).
const PING: Duration = Duration::from_secs(5);
/// A socket without a sign of life for this long is closed; the audio stays and the dictation can be resumed.
const SILENCE: Duration = Duration::from_secs(20);
/// Frames that are committed in one transaction at most.
const BATCH: usize = 16;

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
    let caller = caller_of(&session, request.0.origin());
    let services = Arc::clone(&services);
    let events = services.dictations.listen(&caller, id).await.map_err(Failure::from)?;
    let found = services.dictations.find(&caller, id).await.map_err(Failure::from)?;
    let conversation = move |stream: WebSocketStream| async move {
        let (mut down, up) = stream.split();
        let ready = json!({"type": "ready", "state": found.state, "savedSequence": sequence_of(found.saved),
            "savedMilliseconds": found.saved.milliseconds});
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
            let answers = tokio::select! {
                _ = closing.changed() => {
                    vec![json!({"type": "closing", "reason": "the server stops: resume when it is back"})]
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
                    vec![json!({"type": "closing", "reason": "no sign of life: resume with a new ticket"})]
                }
                event = self.events.recv() => match told(event) {
                    Some(event) => vec![event],
                    None => return,
                },
            };
            for answer in answers {
                let closing = answer.get("type").and_then(serde_json::Value::as_str) == Some("closing");
                if self.down.send(Message::Text(answer.to_string())).await.is_err() || closing {
                    // Whoever has gone away can't be told; the audio is committed.
                    let _ = self.down.close().await;
                    return;
                }
            }
        }
    }

    /// Hears a message, and with a frame those that have arrived behind it: what came together is committed together.
    async fn hear(&mut self, first: Message) -> Vec<serde_json::Value> {
        let (mut answers, mut frames) = (Vec::new(), Vec::new());
        let mut upcoming = Some(first);
        while let Some(message) = upcoming.take() {
            match message {
                Message::Binary(bytes) => match frames::read(&bytes) {
                    Ok(frame) => frames.push(frame),
                    Err(text) => {
                        answers.extend(self.keep(std::mem::take(&mut frames)).await);
                        answers.push(json!({"type": "warning", "code": "checksum", "text": text}));
                    }
                },
                Message::Text(text) => {
                    answers.extend(self.keep(std::mem::take(&mut frames)).await);
                    answers.extend(self.command(&text).await);
                }
                Message::Close(_) => {
                    answers.extend(self.keep(std::mem::take(&mut frames)).await);
                    answers.push(json!({"type": "closing", "reason": "closed by the client"}));
                    return answers;
                }
                Message::Ping(_) | Message::Pong(_) => {}
            }
            if !frames.is_empty() && frames.len() < BATCH {
                upcoming = self.up.next().now_or_never().flatten().and_then(Result::ok);
            }
        }
        answers.extend(self.keep(frames).await);
        answers
    }

    /// Commits frames and acknowledges them; the answers are one for each unbroken run.
    async fn keep(&self, frames: Vec<Frame>) -> Vec<serde_json::Value> {
        let mut answers = Vec::new();
        for run in frames::runs(frames) {
            let last = run.last().map(|frame| frame.sequence);
            answers.push(match frames::keep(&self.services, &self.caller, self.id, run).await {
                Ok(saved) => json!({"type": "ack", "sequence": last, "savedMilliseconds": saved.milliseconds}),
                Err(refused) => refusal(&refused.error, refused.code),
            });
        }
        answers
    }

    async fn command(&self, text: &str) -> Option<serde_json::Value> {
        let command: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        match command.get("type").and_then(serde_json::Value::as_str) {
            Some("finish") => match self.services.dictations.finish(&self.caller, self.id).await {
                Ok(_) => None,
                Err(error) => Some(refusal(&error, "refused")),
            },
            Some("pause") => match self.services.dictations.pause(&self.caller, self.id).await {
                Ok(_) => None,
                // No code: it is not about a frame, and the client goes on.
                Err(error) => Some(json!({"type": "warning", "text": error.to_string()})),
            },
            Some("heartbeat") => Some(json!({"type": "heartbeat"})),
            _ => Some(json!({"type": "warning", "text": "a text frame has the type finish, pause or heartbeat"})),
        }
    }
}

/// An event as it is sent; nothing when there will be no more.
fn told(event: Result<DictationEvent, broadcast::error::RecvError>) -> Option<serde_json::Value> {
    match event {
        Ok(event) => serde_json::to_value(&event).ok(),
        Err(broadcast::error::RecvError::Lagged(missed)) => {
            Some(json!({"type": "warning", "text": format!("{missed} events were left out: read the dictation")}))
        }
        Err(broadcast::error::RecvError::Closed) => None,
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
