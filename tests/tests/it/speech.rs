//! A speech service that is configured: audio leaves for it, which is said and recorded; and this server as such a service,
//! for the unchanged client of AWS's SDK.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_transcribestreaming::config::{BehaviorVersion, Region, StalledStreamProtectionConfig};
use aws_sdk_transcribestreaming::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_transcribestreaming::primitives::Blob;
use aws_sdk_transcribestreaming::types::{
    AudioEvent, AudioStream, ItemType, LanguageCode, MediaEncoding, MedicalTranscriptResultStream, Specialty,
    TranscriptResultStream, Type,
};
use futures_util::stream;
use reqwest::Method;
use serde_json::{Value, json};
use seva_server::configuration::{Configuration, SpeechChoice};
use seva_tests::client::Client;
use seva_tests::project;
use seva_tests::server::TestServer;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::dictation::{begin, until_done};

const TEXT: &str = "Fever for three days. Tablet paracetamol 650 mg three times a day for five days.";

/// A service with OpenAI's interface that hears the same in each segment.
async fn service() -> MockServer {
    let service = MockServer::start().await;
    let words: Vec<Value> = (0..)
        .zip(TEXT.split(' '))
        .map(
            |(index, word)| json!({"word": word, "start": f64::from(index) * 0.05, "end": f64::from(index + 1) * 0.05}),
        )
        .collect();
    let answer = ResponseTemplate::new(200).set_body_json(json!({"text": TEXT, "words": words}));
    Mock::given(path("/v1/audio/transcriptions")).respond_with(answer).mount(&service).await;
    Mock::given(path("/v1/models")).respond_with(ResponseTemplate::new(200)).mount(&service).await;
    service
}

fn listening_through(service: &MockServer) -> impl FnOnce(&mut Configuration) + use<> {
    let endpoint = format!("{}/v1", service.uri());
    move |set| {
        set.speech.engine = SpeechChoice::Openai;
        set.speech.model = Some("whisper-1".to_owned());
        set.speech.endpoint = Some(endpoint);
    }
}

#[tokio::test]
async fn a_dictation_is_heard_by_the_configured_service_and_its_leaving_is_recorded() {
    let service = service().await;
    let server = TestServer::start_with(listening_through(&service)).await.unwrap();
    let health = server.doctor.get("/health").await.unwrap();
    let checks = health.json["checks"].as_array().unwrap();
    let speech = checks.iter().find(|check| check["name"] == "speech").unwrap();
    let place = format!("openai-compatible service at {}", service.uri());
    assert_eq!(speech["detail"], format!("openai-compatible whisper-1, audio leaves for {place}"), "{speech}");

    let id = begin(&server.doctor, "dhillon", "upload").await["id"].as_str().unwrap().to_owned();
    let file = std::fs::read(project().join("web/static/demo/dictation.flac")).unwrap();
    let recording = format!("/v1/dictations/{id}/recording");
    server.doctor.send(Method::PUT, &recording, &[("content-type", "audio/flac")], Some(file)).await.unwrap();
    let done = until_done(&server.doctor, &id).await;
    assert_eq!(done["state"], "drafted", "{done}");
    let medicines = server.doctor.get("/fhir/MedicationRequest?patient=dhillon&status=draft").await.unwrap();
    assert!(medicines.json.to_string().contains("N02BE01"), "{}", medicines.json);
    let audited = server.audited("disclose").await.unwrap();
    let expected = [server.doctor_account().await.unwrap(), "success".to_owned(), format!("dictation/{id} to {place}")];
    assert_eq!(audited.first().map(|row| (&row[0], &row[2])), Some((&expected[0], &expected[2])), "{audited:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_that_refuses_is_named_and_nothing_else_steps_in() {
    let service = MockServer::start().await;
    let refused = ResponseTemplate::new(401).set_body_string("the key of Mr Dhillon is wrong");
    Mock::given(path("/v1/audio/transcriptions")).respond_with(refused.clone()).mount(&service).await;
    Mock::given(path("/v1/models")).respond_with(refused).mount(&service).await;
    let server = TestServer::start_with(listening_through(&service)).await.unwrap();
    let health = server.doctor.get("/health").await.unwrap();
    assert_eq!(health.json["status"], "degraded");
    assert!(health.json.to_string().contains("the service does not take speech.api_key"), "{}", health.json);
    let id = begin(&server.doctor, "dhillon", "upload").await["id"].as_str().unwrap().to_owned();
    let file = std::fs::read(project().join("web/static/demo/dictation.flac")).unwrap();
    let recording = format!("/v1/dictations/{id}/recording");
    server.doctor.send(Method::PUT, &recording, &[("content-type", "audio/flac")], Some(file)).await.unwrap();
    let done = until_done(&server.doctor, &id).await;
    assert_eq!((&done["state"], &done["failedStage"]), (&"failed".into(), &"transcribe".into()), "{done}");
    let problem = done["problem"].as_str().unwrap();
    assert!(problem.contains("401") && !problem.contains("Dhillon"), "{problem}");
    server.stop().await.unwrap();
}

/// The SDK's client with credentials that a session makes.
async fn sdk(server: &TestServer, of: &Client, change: impl FnOnce(&mut Value)) -> aws_sdk_transcribestreaming::Client {
    let mut made = of.post("/v1/session/stream-credentials", &json!({})).await.unwrap().json;
    change(&mut made);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let token = Some(text("SessionToken"));
    let credentials = Credentials::new(text("AccessKeyId"), text("SecretAccessKey"), token, None, "session");
    let configuration = aws_sdk_transcribestreaming::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("ap-south-1"))
        .endpoint_url(&server.base)
        .credentials_provider(credentials)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    aws_sdk_transcribestreaming::Client::from_conf(configuration)
}

/// Two seconds of a voice, then a pause, at twice the pace of speech.
fn audio()
-> impl futures_util::Stream<Item = Result<AudioStream, aws_sdk_transcribestreaming::types::error::AudioStreamError>>
+ Send
+ Sync {
    let piece = |index: usize| -> Vec<u8> {
        let loud: i16 = if index < 20 { 3000 } else { 0 };
        (0..1600).flat_map(|at| (if at % 2 == 0 { loud } else { -loud }).to_le_bytes()).collect()
    };
    stream::iter((0..30).map(move |index| {
        Ok(AudioStream::AudioEvent(AudioEvent::builder().audio_chunk(Blob::new(piece(index))).build()))
    }))
}

#[tokio::test]
async fn the_unchanged_client_of_aws_gets_a_transcript() {
    let service = service().await;
    let server = TestServer::start_with(listening_through(&service)).await.unwrap();
    let client = sdk(&server, &server.doctor, |_| ()).await;
    let opened = client
        .start_stream_transcription()
        .language_code(LanguageCode::EnIn)
        .media_encoding(MediaEncoding::Pcm)
        .media_sample_rate_hertz(16_000)
        .audio_stream(audio().into())
        .send();
    let mut opened = tokio::time::timeout(Duration::from_secs(20), opened)
        .await
        .unwrap()
        .unwrap_or_else(|error| panic!("{}", DisplayErrorContext(error)));
    assert_eq!(opened.language_code, Some(LanguageCode::EnIn));
    let mut finals = Vec::new();
    while let Some(event) = opened.transcript_result_stream.recv().await.unwrap() {
        let TranscriptResultStream::TranscriptEvent(event) = event else { panic!("{event:?}") };
        finals.extend(event.transcript.unwrap().results.unwrap().into_iter().filter(|result| !result.is_partial));
    }
    assert_eq!(finals.len(), 1, "{finals:?}");
    let best = &finals[0].alternatives()[0];
    assert_eq!(best.transcript(), Some(TEXT));
    let marks = best.items().iter().filter(|item| item.r#type == Some(ItemType::Punctuation)).count();
    assert_eq!((best.items().len(), marks), (TEXT.split(' ').count() + 2, 2));
    assert!(best.items().iter().all(|item| item.confidence.is_none()), "a confidence that nobody told is absent");
    let place = format!("stream to openai-compatible service at {}", service.uri());
    assert_eq!(server.audited("disclose").await.unwrap()[0][2], place);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_medical_client_of_aws_gets_one_too() {
    let service = service().await;
    let server = TestServer::start_with(listening_through(&service)).await.unwrap();
    let client = sdk(&server, &server.doctor, |_| ()).await;
    let mut opened = client
        .start_medical_stream_transcription()
        .language_code(LanguageCode::EnUs)
        .media_encoding(MediaEncoding::Pcm)
        .media_sample_rate_hertz(16_000)
        .specialty(Specialty::Primarycare)
        .r#type(Type::Dictation)
        .audio_stream(audio().into())
        .send()
        .await
        .unwrap();
    let mut text = String::new();
    while let Some(event) = opened.transcript_result_stream.recv().await.unwrap() {
        let MedicalTranscriptResultStream::TranscriptEvent(event) = event else { panic!("{event:?}") };
        for result in event.transcript.unwrap().results.unwrap().into_iter().filter(|result| !result.is_partial) {
            text.push_str(result.alternatives()[0].transcript().unwrap());
        }
    }
    assert_eq!(text, TEXT);
    server.stop().await.unwrap();
}

/// The name of the error with which a stream is refused.
async fn refused(client: &aws_sdk_transcribestreaming::Client, rate: i32) -> String {
    let asked = client.start_stream_transcription().language_code(LanguageCode::EnIn);
    let asked = asked.media_encoding(MediaEncoding::Pcm).media_sample_rate_hertz(rate).audio_stream(audio().into());
    asked.send().await.unwrap_err().code().unwrap().to_owned()
}

#[tokio::test]
async fn streams_are_opened_to_nobody_unknown() {
    let service = service().await;
    let server = TestServer::start_with(listening_through(&service)).await.unwrap();
    let keyed = [("idempotency-key", "k-1")];
    for _ in 0..2 {
        let made = server.doctor.send(Method::POST, "/v1/session/stream-credentials", &keyed, None).await.unwrap();
        assert_eq!((made.status, made.header("idempotency-replayed")), (200, ""), "credentials are kept nowhere");
    }
    let honest = sdk(&server, &server.doctor, |_| ()).await;
    assert_eq!(refused(&honest, 8000).await, "BadRequestException");
    for (member, other) in
        [("SecretAccessKey", "guessed"), ("AccessKeyId", "ASIA0000000000000000"), ("SessionToken", "x.y.z")]
    {
        let wrong = sdk(&server, &server.doctor, |made| made[member] = json!(other)).await;
        assert_eq!(refused(&wrong, 16_000).await, "UnrecognizedClientException", "{member}");
    }
    let administrator = server.administrator().await.unwrap();
    let idle = sdk(&server, &administrator, |_| ()).await;
    assert_eq!(refused(&idle, 16_000).await, "AccessDeniedException", "who may not dictate may not stream");
    let unsigned = server.doctor.send(Method::POST, "/stream-transcription", &[], None).await.unwrap();
    assert_eq!((unsigned.status, unsigned.header("x-amzn-errortype")), (401, "UnrecognizedClientException"));
    let access = sdk(&server, &server.doctor, |_| ()).await;
    server.doctor.delete("/v1/session").await.unwrap();
    assert_eq!(refused(&access, 16_000).await, "UnrecognizedClientException", "the session has ended");
    assert!(service.received_requests().await.unwrap().iter().all(|request| request.url.path() == "/v1/models"));
    server.stop().await.unwrap();
}
