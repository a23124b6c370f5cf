//! A service that speaks Transcribe's streams (<https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html>):
//! a second of sound is a word that tells its loudness.

use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder, read_message_from, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{Bytes, BytesMut};
use futures_util::stream::poll_fn;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Value, json};
use seva_clinic::testing::SpeechTrouble;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

/// How the stub is reached.
pub(super) enum Transport {
    Plain,
    Tls(Box<TlsAcceptor>),
}

#[derive(Default)]
pub(super) struct Service {
    breaks: AtomicBool,
    slow: AtomicBool,
    refuses: AtomicBool,
    pub(super) overloaded: AtomicBool,
    /// A second speaker answers each word.
    pub(super) speakers: AtomicBool,
    pub(super) requests: AtomicUsize,
    asked: Mutex<Option<(HeaderMap, String)>>,
}

impl Service {
    /// The headers of the last request.
    pub(super) fn asked(&self) -> HeaderMap {
        self.asked.lock().expect("not poisoned").as_ref().map(|(headers, _)| headers.clone()).expect("a request")
    }

    pub(super) fn version(&self) -> Option<String> {
        self.asked.lock().expect("not poisoned").as_ref().map(|(_, version)| version.clone())
    }
}

impl SpeechTrouble for Service {
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

/// A certificate for this machine, and a transport that shows it.
pub(super) fn certified() -> (Vec<u8>, Transport) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let mut configuration = builder.with_single_cert(vec![made.cert.der().clone()], key).expect("a pair");
    configuration.alpn_protocols = vec![b"h2".to_vec()];
    (made.cert.pem().into_bytes(), Transport::Tls(Box::new(TlsAcceptor::from(Arc::new(configuration)))))
}

pub(super) async fn start(transport: Transport) -> (Arc<Service>, String) {
    let (service, listener) = (Arc::new(Service::default()), TcpListener::bind("127.0.0.1:0").await.expect("a port"));
    let port = listener.local_addr().expect("bound").port();
    let endpoint = match &transport {
        Transport::Plain => format!("http://127.0.0.1:{port}"),
        Transport::Tls(_) => format!("https://localhost:{port}"),
    };
    let accepting = service.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = accepting.clone();
            let answering = service_fn(move |request| answer(service.clone(), request));
            let builder = auto::Builder::new(TokioExecutor::new());
            match &transport {
                Transport::Plain => {
                    tokio::spawn(async move { drop(builder.serve_connection(TokioIo::new(stream), answering).await) });
                }
                Transport::Tls(acceptor) => {
                    let acceptor = acceptor.clone();
                    tokio::spawn(async move {
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        drop(builder.serve_connection(TokioIo::new(stream), answering).await);
                    });
                }
            }
        }
    });
    (service, endpoint)
}

type Body = BoxBody<Bytes, Infallible>;

async fn answer(service: Arc<Service>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    service.requests.fetch_add(1, Ordering::SeqCst);
    let seen = (request.headers().clone(), format!("{:?}", request.version()));
    *service.asked.lock().expect("not poisoned") = Some(seen);
    let paths = ["/stream-transcription", "/medical-stream-transcription"];
    assert!(paths.contains(&request.uri().path()), "{}", request.uri().path());
    let refusal = if service.refuses.load(Ordering::SeqCst) {
        Some((403, "AccessDeniedException"))
    } else if service.overloaded.load(Ordering::SeqCst) {
        Some((429, "LimitExceededException"))
    } else {
        None
    };
    if let Some((status, code)) = refusal {
        let body = Full::new(Bytes::from_static(b"{\"Message\":\"no\"}")).boxed();
        let answer = Response::builder().status(status).header("x-amzn-errortype", code);
        return Ok(answer.body(body).expect("an answer"));
    }
    let (says, mut said) = tokio::sync::mpsc::channel::<Bytes>(64);
    tokio::spawn(listen(service, request.into_body(), says));
    let frames = poll_fn(move |context| said.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes)))));
    let answer = Response::builder().header("content-type", "application/vnd.amazon.eventstream");
    Ok(answer.body(BodyExt::boxed(StreamBody::new(frames))).expect("an answer"))
}

/// Hears the audio and says its words; the client's messages are envelopes with a signature, the last one is empty.
async fn listen(service: Arc<Service>, mut body: Incoming, says: tokio::sync::mpsc::Sender<Bytes>) {
    let breaks = service.breaks.swap(false, Ordering::SeqCst);
    let (mut decoder, mut arrived, mut got, mut sound) = (MessageFrameDecoder::new(), BytesMut::new(), 0, Vec::new());
    while let Some(Ok(frame)) = body.frame().await {
        arrived.extend_from_slice(frame.data_ref().expect("no trailers"));
        while let DecodedFrame::Complete(envelope) = decoder.decode_frame(&mut arrived).expect("a frame") {
            let signed = envelope.headers().iter().any(|header| header.name().as_str() == ":chunk-signature");
            assert!(signed, "each message is signed");
            if envelope.payload().is_empty() {
                return;
            }
            let inner = read_message_from(envelope.payload().as_ref()).expect("a message");
            for pair in inner.payload().as_chunks::<2>().0 {
                got += 1;
                let loud = i16::from_le_bytes(*pair).unsigned_abs();
                if loud > 100 {
                    sound.push((got, loud));
                }
            }
            if service.slow.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if breaks && got > 24_000 {
                let _ = says.send(exception("InternalFailureException")).await;
                return;
            }
            let speakers = service.speakers.load(Ordering::SeqCst);
            let event = if sound.len() >= 16_000 {
                last(&sound.drain(..16_000).collect::<Vec<_>>(), speakers)
            } else {
                partial(&sound)
            };
            if says.send(event).await.is_err() {
                return;
            }
        }
    }
}

fn partial(sound: &[(usize, u16)]) -> Bytes {
    let Some((at, loud)) = sound.first() else { return event(&json!({"Transcript": {"Results": []}})) };
    let word = format!("w{loud}");
    let items = json!([item(&word, "pronunciation", seconds(*at), None)]);
    result(true, &word, &items, seconds(*at) + 1.0)
}

fn last(second: &[(usize, u16)], speakers: bool) -> Bytes {
    let (begin, word) = (seconds(second[0].0), format!("w{}", second[0].1));
    let speaker = speakers.then_some("0");
    let mut items = vec![item(&word, "pronunciation", begin, speaker), item(".", "punctuation", begin + 0.9, speaker)];
    if speakers {
        items.push(item("yes", "pronunciation", begin + 0.9, Some("1")));
        items.push(item("?", "punctuation", begin + 0.9, Some("1")));
    }
    result(false, &format!("{word}."), &Value::Array(items), seconds(second[second.len() - 1].0))
}

/// A word of 0.9 seconds, or of what is left of its second.
fn item(content: &str, kind: &str, begin: f64, speaker: Option<&str>) -> Value {
    let end = if kind == "punctuation" || content == "yes" { begin + 0.05 } else { begin + 0.9 };
    let mut item = json!({"Content": content, "Type": kind, "StartTime": begin, "EndTime": end});
    if kind == "pronunciation" {
        item["Confidence"] = json!(0.75);
    }
    if let Some(speaker) = speaker {
        item["Speaker"] = json!(speaker);
    }
    item
}

fn result(partial: bool, text: &str, items: &Value, end: f64) -> Bytes {
    let alternative = json!({"Transcript": text, "Items": items});
    let result = json!({"ResultId": "r", "StartTime": 0.0, "EndTime": end, "IsPartial": partial,
        "Alternatives": [alternative]});
    event(&json!({"Transcript": {"Results": [result]}}))
}

fn seconds(at: usize) -> f64 {
    at as f64 / 16_000.0
}

fn event(body: &Value) -> Bytes {
    message("event", ":event-type", "TranscriptEvent", body)
}

fn exception(name: &'static str) -> Bytes {
    message("exception", ":exception-type", name, &json!({"Message": "no"}))
}

fn message(kind: &'static str, named: &'static str, name: &'static str, body: &Value) -> Bytes {
    let header = |name: &'static str, value: &'static str| Header::new(name, HeaderValue::String(value.into()));
    let message = Message::new(body.to_string().into_bytes())
        .add_header(header(":message-type", kind))
        .add_header(header(named, name))
        .add_header(header(":content-type", "application/json"));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).expect("a frame");
    bytes.into()
}
