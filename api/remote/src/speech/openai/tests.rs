use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use seva_clinic::speech::SpeechEvent;
use seva_clinic::testing::{Confidence, SpeechContract, SpeechTrouble, listen_with, speech_engine_contract};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::*;

const TRANSCRIPTIONS: &str = "/v1/audio/transcriptions";

/// Answers with a word that tells the loudness of the segment.
#[derive(Default)]
struct Service {
    breaks: AtomicBool,
    slow: AtomicBool,
    refuses: AtomicBool,
    asked: Mutex<Vec<String>>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Service>);

impl SpeechTrouble for Shared {
    fn break_once(&self) {
        self.0.breaks.store(true, Ordering::SeqCst);
    }

    fn slow_down(&self) {
        self.0.slow.store(true, Ordering::SeqCst);
    }

    fn refuse(&self) {
        self.0.refuses.store(true, Ordering::SeqCst);
    }
}

impl Respond for Shared {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let begin = request.body.windows(4).position(|four| four == b"RIFF").expect("a WAV file");
        let size = u32::from_le_bytes(request.body[begin + 40..begin + 44].try_into().expect("four")) as usize;
        let samples = request.body[begin + 44..begin + 44 + size].as_chunks::<2>().0;
        let loud = samples.iter().map(|pair| i16::from_le_bytes(*pair).unsigned_abs()).max().unwrap_or(0);
        let form = [&request.body[..begin], &request.body[begin + 44 + size..]].concat();
        self.0.asked.lock().expect("not poisoned").push(String::from_utf8(form).expect("text"));
        if self.0.refuses.load(Ordering::SeqCst) {
            return ResponseTemplate::new(401);
        }
        if self.0.breaks.swap(false, Ordering::SeqCst) {
            return ResponseTemplate::new(503).insert_header("retry-after", "0");
        }
        let delay = if self.0.slow.load(Ordering::SeqCst) { 700 } else { 0 };
        let words =
            json!([{"word": "loud", "start": 0.3, "end": 0.9}, {"word": loud.to_string(), "start": 0.9, "end": 1.4}]);
        ResponseTemplate::new(200)
            .set_body_json(json!({"text": format!("loud {loud}"), "words": words}))
            .set_delay(Duration::from_millis(delay))
    }
}

fn engine(server: &MockServer, patience: Patience) -> OpenAiSpeech {
    let endpoint = format!("{}/v1/", server.uri());
    let place = Place { endpoint, api_key: Some("key-7".to_owned()), certificates: None };
    OpenAiSpeech::new(OpenAiSettings { place, model: "whisper-large".to_owned(), patience }).expect("an engine")
}

async fn start() -> (MockServer, Shared) {
    let (server, shared) = (MockServer::start().await, Shared::default());
    Mock::given(method("POST")).and(path(TRANSCRIPTIONS)).respond_with(shared.clone()).mount(&server).await;
    Mock::given(path("/v1/models")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    (server, shared)
}

fn tone(loud: i16, seconds: usize) -> Vec<i16> {
    (0..seconds * 16_000).map(|at| if at % 2 == 0 { loud } else { -loud }).collect()
}

fn speech() -> Vec<i16> {
    [tone(3000, 2), vec![0; 16_000], tone(4000, 2), vec![0; 16_000]].concat()
}

fn request() -> SpeechRequest {
    SpeechRequest {
        language: "en-IN".to_owned(),
        prompt_terms: vec!["paracetamol".to_owned(), "cefixime".to_owned()],
        ..SpeechRequest::default()
    }
}

/// What one segment comes to when the service gives this answer.
async fn heard(answer: ResponseTemplate, patience: Patience) -> (Vec<SpeechEvent>, usize) {
    let server = MockServer::start().await;
    Mock::given(path(TRANSCRIPTIONS)).respond_with(answer).mount(&server).await;
    let events = listen_with(&engine(&server, patience), request(), &[tone(3000, 1), vec![0; 16_000]].concat()).await;
    (events, server.received_requests().await.expect("requests").len())
}

async fn one(body: Value) -> Vec<SpeechEvent> {
    heard(ResponseTemplate::new(200).set_body_json(body), Patience::default()).await.0
}

#[tokio::test]
async fn the_interface_of_openai_keeps_what_a_speech_engine_promises() {
    let (server, shared) = start().await;
    let (engine, speech) = (engine(&server, Patience::default()), speech());
    let confidence = Confidence::Absent;
    let contract = SpeechContract { engine: &engine, speech: &speech, confidence, trouble: Some(&shared) };
    speech_engine_contract(contract).await;
}

#[tokio::test]
async fn a_question_names_model_language_and_likely_words() {
    let (server, shared) = start().await;
    let events = listen_with(&engine(&server, Patience::default()), request(), &speech()).await;
    let finals = events.iter().filter(|event| matches!(event, SpeechEvent::Final { .. })).count();
    assert_eq!(finals, 2, "{events:?}");
    let asked = shared.0.asked.lock().expect("not poisoned").clone();
    for part in ["whisper-large", "verbose_json", "paracetamol, cefixime.", "segment.wav"] {
        assert!(asked.iter().all(|form| form.contains(part)), "{part}");
    }
    assert!(asked.iter().all(|form| form.contains("name=\"language\"\r\n\r\nen\r\n")));
    let keyed = server.received_requests().await.expect("requests");
    assert!(keyed.iter().all(|request| request.headers["authorization"] == "Bearer key-7"));
}

#[tokio::test]
async fn what_the_service_itself_doubts_is_no_speech() {
    let doubted = json!({"start": 0.0, "end": 2.0, "text": "Thank you.", "avg_logprob": -1.4, "no_speech_prob": 0.9});
    let words = json!([{"word": "Thank", "start": 0.2, "end": 0.5}, {"word": "you.", "start": 0.5, "end": 0.9}]);
    for body in [
        json!({"text": "Thank you.", "segments": [doubted]}),
        json!({"text": "Thank you.", "segments": [doubted], "words": words}),
    ] {
        assert_eq!(one(body).await, [SpeechEvent::Started, SpeechEvent::NoSpeech, SpeechEvent::Ended]);
    }
}

#[tokio::test]
async fn times_that_nobody_told_are_the_bounds_of_the_segment() {
    let events = one(json!({"text": "No fever", "segments": [{"start": 0.5, "end": 1.0, "text": " No fever"}]})).await;
    let Some(SpeechEvent::Final { words, start_ms, .. }) = events.get(1) else { unreachable!("a final: {events:?}") };
    let placed: Vec<(u64, u64)> = words.iter().map(|word| (word.start_ms - start_ms, word.end_ms - start_ms)).collect();
    assert_eq!(placed, [(500, 1000), (500, 1000)]);
    assert!(words.iter().all(|word| word.confidence.is_none()));
}

#[tokio::test]
async fn a_prompt_that_is_read_out_is_left_out() {
    let (server, calls) = (MockServer::start().await, Arc::new(Mutex::new(Vec::new())));
    let seen = calls.clone();
    let parrot = move |request: &Request| {
        let prompted = String::from_utf8_lossy(&request.body).contains("name=\"prompt\"");
        seen.lock().expect("not poisoned").push(prompted);
        let text = if prompted { "cefixime cefixime cefixime cefixime" } else { "no fever" };
        ResponseTemplate::new(200).set_body_json(json!({"text": text}))
    };
    Mock::given(path(TRANSCRIPTIONS)).respond_with(parrot).mount(&server).await;
    let events = listen_with(&engine(&server, Patience::default()), request(), &tone(3000, 1)).await;
    assert!(matches!(events.get(1), Some(SpeechEvent::Final { text, .. }) if text == "no fever"), "{events:?}");
    assert_eq!(*calls.lock().expect("not poisoned"), [true, false]);
}

#[tokio::test]
async fn overload_is_asked_again_within_the_budget_and_a_refusal_is_not() {
    let patience = Patience {
        attempt: Duration::from_millis(300),
        budget: Duration::from_millis(700),
        first_wait: Duration::from_millis(100),
    };
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(9));
    for (answer, retryable, message, asked) in [
        (ResponseTemplate::new(500), true, "the speech service answered 500", 2..=5),
        (ResponseTemplate::new(429), true, "the speech service answered 429", 2..=5),
        (slow, true, "the speech service gave no answer in time", 1..=4),
        (ResponseTemplate::new(400), false, "the speech service answered 400", 1..=1),
        (ResponseTemplate::new(200).set_body_string("{"), false, "the speech service's answer can't be read", 1..=1),
    ] {
        let (events, times) = heard(answer, patience).await;
        let error = SpeechEvent::Error { retryable, message: message.to_owned() };
        assert_eq!(events, [SpeechEvent::Started, error, SpeechEvent::Ended]);
        assert!(asked.contains(&times), "{message}: {times}");
    }
}

#[tokio::test]
async fn health_tells_a_wrong_key_and_a_server_without_a_list_is_ready() {
    for (status, ready) in [(200, true), (404, true), (401, false), (503, false)] {
        let server = MockServer::start().await;
        Mock::given(path("/v1/models")).respond_with(ResponseTemplate::new(status)).mount(&server).await;
        let health = engine(&server, Patience::default()).health().await;
        assert_eq!(matches!(health, SpeechHealth::Ready { .. }), ready, "{status}: {health:?}");
    }
}
