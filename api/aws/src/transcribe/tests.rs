mod stub;

use std::sync::atomic::Ordering;

use seva_clinic::speech::{SpeechEvent, SpeechMode};
use seva_clinic::testing::{Confidence, SpeechContract, listen_with, speech_engine_contract};
use seva_fhir::clock::RandomIds;

use super::*;
use crate::connection::Identity;
use stub::{Service, Transport};

fn settings(endpoint: String, kind: Kind) -> TranscribeSettings {
    TranscribeSettings {
        connection: Connection {
            region: "ap-south-1".to_owned(),
            endpoint: Some(endpoint),
            identity: Identity::Fixed { key_id: "test-key".to_owned(), secret: "test-secret".to_owned() },
            certificates: None,
        },
        kind,
        language: None,
        vocabulary: Some("clinic-drugs".to_owned()),
        limits: StreamLimits::default(),
    }
}

async fn engine(settings: TranscribeSettings) -> TranscribeSpeech {
    TranscribeSpeech::new(settings, Arc::new(RandomIds)).await
}

fn medical(endpoint: String) -> TranscribeSettings {
    let kind = Kind::Medical { specialty: "PRIMARYCARE".to_owned() };
    // All English is read as the only variant that the service knows.
    TranscribeSettings { language: Some(MEDICAL_LANGUAGE.to_owned()), ..settings(endpoint, kind) }
}

fn speech() -> Vec<i16> {
    let second = |loud: i16| (0..16_000).map(move |at| if at % 2 == 0 { loud } else { -loud });
    [3000, 3001, 3002].into_iter().flat_map(second).collect()
}

fn request(language: &str, mode: SpeechMode) -> SpeechRequest {
    SpeechRequest { language: language.to_owned(), mode, ..SpeechRequest::default() }
}

async fn keeps_the_contract(engine: &TranscribeSpeech, service: &Arc<Service>) {
    let (speech, confidence) = (speech(), Confidence::Told);
    speech_engine_contract(SpeechContract { engine, speech: &speech, confidence, trouble: Some(service.as_ref()) })
        .await;
}

#[tokio::test]
async fn transcribe_keeps_what_a_speech_engine_promises() {
    let (service, endpoint) = stub::start(Transport::Plain).await;
    keeps_the_contract(&engine(settings(endpoint, Kind::Standard)).await, &service).await;
}

#[tokio::test]
async fn transcribe_medical_keeps_what_a_speech_engine_promises() {
    let (service, endpoint) = stub::start(Transport::Plain).await;
    keeps_the_contract(&engine(medical(endpoint)).await, &service).await;
}

#[tokio::test]
async fn over_tls_the_same_client_speaks_http_2_and_trusts_the_private_certificate() {
    let (certificate, transport) = stub::certified();
    let (service, endpoint) = stub::start(transport).await;
    let mut trusting = settings(endpoint.clone(), Kind::Standard);
    trusting.connection.certificates = Some(certificate);
    let events = listen_with(&engine(trusting).await, request("en-IN", SpeechMode::Dictation), &speech()).await;
    assert_eq!(texts(&events), ["w3000.", "w3001.", "w3002."], "{events:?}");
    assert_eq!(service.version(), Some("HTTP/2.0".to_owned()));
    let mut doubting = settings(endpoint, Kind::Standard);
    doubting.limits.budget = Duration::ZERO;
    let events = listen_with(&engine(doubting).await, request("en-IN", SpeechMode::Dictation), &speech()).await;
    assert!(events.iter().any(|event| matches!(event, SpeechEvent::Error { .. })), "another one is not: {events:?}");
}

fn texts(events: &[SpeechEvent]) -> Vec<String> {
    let text = |event: &SpeechEvent| match event {
        SpeechEvent::Final { text, .. } => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(text).collect()
}

#[tokio::test]
async fn a_request_says_what_the_service_must_know() {
    let (service, endpoint) = stub::start(Transport::Plain).await;
    let standard = engine(settings(endpoint.clone(), Kind::Standard)).await;
    listen_with(&standard, request("hi-IN", SpeechMode::Conversation), &speech()).await;
    let asked = service.asked();
    let header =
        |name: &str| asked.get(&format!("x-amzn-transcribe-{name}")).map(|value| value.to_str().expect("text"));
    assert_eq!(header("language-code"), Some("hi-IN"));
    assert_eq!(header("media-encoding"), Some("pcm"));
    assert_eq!(header("sample-rate"), Some("16000"));
    assert_eq!(header("vocabulary-name"), Some("clinic-drugs"));
    assert_eq!(header("show-speaker-label"), Some("true"));
    assert!(asked["authorization"].to_str().expect("text").contains("/ap-south-1/transcribe/aws4_request"));
    let first = header("session-id").expect("a session").to_owned();
    listen_with(&engine(medical(endpoint)).await, request("en-IN", SpeechMode::Dictation), &speech()).await;
    let asked = service.asked();
    let header =
        |name: &str| asked.get(&format!("x-amzn-transcribe-{name}")).map(|value| value.to_str().expect("text"));
    assert_eq!(header("language-code"), Some("en-US"));
    assert_eq!((header("specialty"), header("type")), (Some("PRIMARYCARE"), Some("DICTATION")));
    assert_eq!(header("content-identification-type"), Some("PHI"));
    assert_ne!(header("session-id"), Some(first.as_str()), "each connection is a session of its own");
}

#[tokio::test]
async fn speakers_have_segments_of_their_own_and_marks_belong_to_words() {
    let (service, endpoint) = stub::start(Transport::Plain).await;
    service.speakers.store(true, Ordering::SeqCst);
    let standard = engine(settings(endpoint, Kind::Standard)).await;
    let events = listen_with(&standard, request("en-IN", SpeechMode::Conversation), &speech()).await;
    let spoken: Vec<(Option<&str>, &str)> = events
        .iter()
        .filter_map(|event| match event {
            SpeechEvent::Final { speaker, text, .. } => Some((speaker.as_deref(), text.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(spoken[..2], [(Some("0"), "w3000."), (Some("1"), "yes?")]);
}

#[tokio::test]
async fn languages_are_the_services_and_never_guessed() {
    let standard = engine(settings("http://127.0.0.1:9".to_owned(), Kind::Standard)).await;
    for (tag, code) in [("en-IN", Some("en-IN")), ("hi-in", Some("hi-IN")), ("en", None), ("ur-IN", None)] {
        assert_eq!(standard.language(tag).ok().map(|code| code.to_string()).as_deref(), code, "{tag}");
    }
    let mut strict = medical("http://127.0.0.1:9".to_owned());
    assert!(engine(strict.clone()).await.language("hi-IN").is_err());
    assert!(engine(strict.clone()).await.language("en-IN").is_ok());
    strict.language = None;
    assert!(engine(strict).await.language("en-IN").is_err(), "US English is no silent stand-in");
}

#[tokio::test]
async fn overload_is_borne_within_the_budget() {
    let (service, endpoint) = stub::start(Transport::Plain).await;
    service.overloaded.store(true, Ordering::SeqCst);
    let mut patient = settings(endpoint, Kind::Standard);
    patient.limits.budget = Duration::from_secs(1);
    let events = listen_with(&engine(patient).await, request("en-IN", SpeechMode::Dictation), &speech()).await;
    let message = "the speech service did not open a stream: LimitExceededException".to_owned();
    assert_eq!(events[1..], [SpeechEvent::Error { retryable: true, message }, SpeechEvent::Ended]);
    assert!((2..=4).contains(&service.requests.load(Ordering::SeqCst)));
}

#[tokio::test]
async fn health_asks_for_credentials_and_a_connection() {
    let (_service, endpoint) = stub::start(Transport::Plain).await;
    assert_eq!(engine(settings(endpoint, Kind::Standard)).await.health().await, SpeechHealth::Ready { waiting: 0 });
    let nobody = engine(settings("http://127.0.0.1:9".to_owned(), Kind::Standard)).await;
    let reason = "no connection".to_owned();
    assert_eq!(nobody.health().await, SpeechHealth::Unavailable { reason });
    let connection = settings("https://speech.example".to_owned(), Kind::Standard).connection;
    assert_eq!(connection.authority(SERVICE), "speech.example:443");
    let own = Connection { endpoint: None, ..connection };
    assert_eq!(own.authority(SERVICE), "transcribestreaming.ap-south-1.amazonaws.com:443");
}
